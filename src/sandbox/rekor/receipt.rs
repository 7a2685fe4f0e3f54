//! What a transparency log hands out for an entry: where it is, what it says, and the proof of both.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sigstore_verify::types::{KindVersion, Sha256Hash};

use crate::sandbox::error::Result;
use crate::sandbox::rekor::checkpoint::NoteSigner;
use crate::sandbox::rekor::merkle::Tree;

/// A log entry with everything needed to verify it offline.
#[derive(Debug, Clone)]
pub(crate) struct Receipt {
    pub(crate) log_id: Sha256Hash,
    pub(crate) kind: KindVersion,
    /// The canonical bytes that were logged.
    pub(crate) body: Vec<u8>,
    pub(crate) promise: Option<Promise>,
    pub(crate) proof: Proof,
}

/// Rekor v1's promise to include an entry: when it was seen, and the signed entry timestamp.
#[derive(Debug, Clone)]
pub(crate) struct Promise {
    pub(crate) integrated_time: Timestamp,
    pub(crate) signed_entry_timestamp: Vec<u8>,
}

/// The proof that an entry is in the tree that a checkpoint describes.
#[derive(Debug, Clone)]
pub(crate) struct Proof {
    pub(crate) index: usize,
    pub(crate) tree_size: usize,
    pub(crate) root: Sha256Hash,
    pub(crate) hashes: Vec<Sha256Hash>,
    pub(crate) checkpoint: String,
}

impl Proof {
    /// The proof for the entry at `index` in the tree as it is now.
    pub(crate) fn new(tree: &Tree, index: usize, signer: &NoteSigner) -> Result<Self> {
        let root = tree.root();
        Ok(Self {
            index,
            tree_size: tree.size(),
            root,
            hashes: tree.inclusion_proof(index),
            checkpoint: signer.checkpoint(tree.size(), &root)?,
        })
    }
}

impl Receipt {
    /// The entry as a bundle carries it: protobuf JSON of `dev.sigstore.rekor.v1.TransparencyLogEntry`, in which
    /// 64-bit numbers are strings and zeros and empty lists are left out.
    pub(crate) fn to_protojson(&self) -> Value {
        let proof = &self.proof;
        let mut inclusion = json!({
            "rootHash": proof.root.to_base64(),
            "treeSize": proof.tree_size.to_string(),
            "checkpoint": {"envelope": proof.checkpoint},
        });
        if !proof.hashes.is_empty() {
            let hashes: Vec<String> = proof.hashes.iter().map(Sha256Hash::to_base64).collect();
            inclusion["hashes"] = json!(hashes);
        }
        let mut entry = Map::new();
        if proof.index > 0 {
            inclusion["logIndex"] = json!(proof.index.to_string());
            entry.insert("logIndex".to_owned(), json!(proof.index.to_string()));
        }
        entry.insert(
            "logId".to_owned(),
            json!({"keyId": self.log_id.to_base64()}),
        );
        entry.insert("kindVersion".to_owned(), json!(self.kind));
        if let Some(promise) = &self.promise {
            let time = promise.integrated_time.as_second().to_string();
            let signature = STANDARD.encode(&promise.signed_entry_timestamp);
            entry.insert("integratedTime".to_owned(), json!(time));
            entry.insert(
                "inclusionPromise".to_owned(),
                json!({"signedEntryTimestamp": signature}),
            );
        }
        entry.insert("inclusionProof".to_owned(), inclusion);
        entry.insert(
            "canonicalizedBody".to_owned(),
            json!(STANDARD.encode(&self.body)),
        );
        Value::Object(entry)
    }
}
