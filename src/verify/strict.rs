//! What the Sigstore crates leave open about the proofs in a bundle, closed here. Runs after them: every proof that is
//! there has been verified by then.

use super::Rejection;
use crate::evidence::Bundle;
use crate::trust::{Requirements, TrustedRoot};
use sigstore_verify::crypto::Checkpoint;
use sigstore_verify::types::bundle::{InclusionProof, MediaType};
use sigstore_verify::types::{Sha256Hash, TransparencyLogEntry};

/// How the transparency log vouches for an entry, the weaker first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogProof {
    /// It promised to include it (Rekor 1, signed entry timestamp). All that the oldest bundles have.
    Promise,
    /// It proved to have included it.
    Inclusion,
}

impl LogProof {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Promise => "promise",
            Self::Inclusion => "inclusion",
        }
    }
}

/// Checks the proofs in a bundle that the crates have accepted, and says what the weakest of them is; nothing for an
/// instance without a log.
pub(super) fn check(bundle: &Bundle, root: &TrustedRoot) -> Result<Option<LogProof>, Rejection> {
    let material = &bundle.parsed().verification_material;

    let entries = &material.tlog_entries;
    // The crates are content when one entry is proven, and let the others ride along.
    let oldest = bundle.parsed().media_type() == MediaType::Bundle0_1;
    let proofs =
        entries.iter().map(
            |entry| match (&entry.inclusion_proof, &entry.inclusion_promise) {
                (Some(proof), _) => {
                    by_its_own_log(entry, proof, root).map(|()| LogProof::Inclusion)
                }
                (None, Some(_)) if oldest => Ok(LogProof::Promise),
                (None, _) => Err(Rejection::NoLogProof),
            },
        );
    let weakest = match root.requirements() {
        Requirements::Everything => {
            let proofs: Vec<LogProof> = proofs.collect::<Result<_, _>>()?;
            proofs.into_iter().min()
        }
        Requirements::TimestampOnly => None,
    };

    // Who counts authorities must not count one of them twice.
    let timestamps = &material.timestamp_verification_data.rfc3161_timestamps;
    if has_twins(entries, is_same_entry) || has_twins(timestamps, |a, b| a == b) {
        return Err(Rejection::Twice);
    }
    Ok(weakest)
}

/// The checkpoint is signed by the log that the entry names. The crates take any trusted log's, so an entry could be
/// proven by one log and be reported as another's.
fn by_its_own_log(
    entry: &TransparencyLogEntry,
    proof: &InclusionProof,
    root: &TrustedRoot,
) -> Result<(), Rejection> {
    let id = Sha256Hash::try_from(entry.log_id.key_id.as_bytes()).ok();
    let key = id.and_then(|id| root.logs().key(&id));
    let checkpoint = Checkpoint::from_text(proof.checkpoint.envelope()).ok();
    let (Some(key), Some(checkpoint)) = (key, checkpoint) else {
        return Err(Rejection::AnotherLog);
    };
    let is_by_it = checkpoint.signatures().iter().any(|signature| {
        key.verify(checkpoint.signed_data(), &signature.signature)
            .is_ok()
    });
    is_by_it.then_some(()).ok_or(Rejection::AnotherLog)
}

fn is_same_entry(a: &TransparencyLogEntry, b: &TransparencyLogEntry) -> bool {
    a.log_id == b.log_id && a.canonicalized_body == b.canonicalized_body
}

fn has_twins<T>(items: &[T], same: impl Fn(&T, &T) -> bool) -> bool {
    // Few: evidence::Bundle has counted them.
    let mut rest = items;
    while let Some((first, others)) = rest.split_first() {
        if others.iter().any(|other| same(first, other)) {
            return true;
        }
        rest = others;
    }
    false
}
