//! Rekor, the transparency log, in both its versions, and what they share: a Merkle tree (RFC 6962 §2.1) whose head is
//! signed as a note (C2SP signed-note), receipts for entries, and the verifiers that entries name.

pub(super) mod checkpoint;
pub(super) mod merkle;
pub(super) mod receipt;
pub(super) mod v1;
pub(super) mod v2;
pub(super) mod verifier;
