//! The Merkle tree of a transparency log (RFC 6962 §2.1), written as the RFC defines it.
//!
//! Recursive and without a cache: every root and proof hashes the whole tree again. A sandbox holds few entries, and
//! the definitions can be read beside the RFC.

use sigstore_verify::crypto::{Sha256Hasher, sha256};
use sigstore_verify::types::Sha256Hash;

/// An append-only list of entries, as the hashes of its leaves.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    leaves: Vec<Sha256Hash>,
}

impl Tree {
    /// Appends an entry and returns its index.
    pub(crate) fn push(&mut self, entry: &[u8]) -> usize {
        self.leaves.push(leaf_hash(entry));
        self.leaves.len() - 1
    }

    /// The number of entries.
    pub(crate) fn size(&self) -> usize {
        self.leaves.len()
    }

    /// The head of the tree: one hash that fixes every entry and their order.
    pub(crate) fn root(&self) -> Sha256Hash {
        tree_hash(&self.leaves)
    }

    /// The hashes that lead from the entry at `index` to the root, leaf first; empty for an index beyond the end.
    pub(crate) fn inclusion_proof(&self, index: usize) -> Vec<Sha256Hash> {
        path(index, &self.leaves)
    }
}

/// `SHA-256(0x00 || entry)`: the prefix keeps a leaf from passing for an inner node.
pub(crate) fn leaf_hash(entry: &[u8]) -> Sha256Hash {
    hash(&[&[0x00], entry])
}

/// `MTH(D[n])` of §2.1.
fn tree_hash(leaves: &[Sha256Hash]) -> Sha256Hash {
    match leaves {
        [] => sha256(b""),
        [leaf] => *leaf,
        leaves => {
            let (left, right) = leaves.split_at(largest_power_of_two_below(leaves.len()));
            let (left, right) = (tree_hash(left), tree_hash(right));
            hash(&[&[0x01], left.as_bytes(), right.as_bytes()])
        }
    }
}

/// `PATH(m, D[n])` of §2.1.1: the proof within the half that holds the leaf, then the hash of the other half.
fn path(index: usize, leaves: &[Sha256Hash]) -> Vec<Sha256Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let split = largest_power_of_two_below(leaves.len());
    let (left, right) = leaves.split_at(split);
    if index < split {
        let mut proof = path(index, left);
        proof.push(tree_hash(right));
        proof
    } else {
        let mut proof = path(index - split, right);
        proof.push(tree_hash(left));
        proof
    }
}

/// The k with k < n <= 2k, for n of at least two.
fn largest_power_of_two_below(n: usize) -> usize {
    n.next_power_of_two() / 2
}

fn hash(parts: &[&[u8]]) -> Sha256Hash {
    let mut hasher = Sha256Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use sigstore_merkle::verify_inclusion_proof;

    use super::*;

    #[test]
    fn every_entry_of_every_small_tree_proves_its_inclusion() {
        let mut tree = Tree::default();
        for size in 1..=70_usize {
            tree.push(&size.to_be_bytes());
            let root = tree.root();
            for index in 0..size {
                let leaf = leaf_hash(&(index + 1).to_be_bytes());
                verify_inclusion_proof(
                    &leaf,
                    index as u64,
                    size as u64,
                    &tree.inclusion_proof(index),
                    &root,
                )
                .unwrap();
            }
        }
    }

    #[test]
    fn the_empty_tree_has_the_hash_of_nothing() {
        assert_eq!(
            Tree::default().root().to_hex(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
