//! Evidence + trust → [`Verified`]. The cryptography of one bundle for one digest; who may sign is [`crate::policy`]'s.
//!
//! What happens, in order, and where:
//!
//! 1. the bundle has the shape of its version, with at least one proof of each kind required;
//! 2. trusted times: every signed timestamp, and for Rekor v1 every integrated time under its inclusion promise;
//! 3. the certificate chains to a trusted authority at every one of these times;
//! 4. its SCT is by a trusted CT log;
//! 5. every log entry is proven by a checkpoint of the trusted log that it names, and is about this very signature;
//! 6. the signature is by the certificate's key, over the envelope or the file;
//! 7. the statement in the envelope, or the payload of cosign v2, is about this very digest.
//!
//! Steps 1 to 6, and once more 7, are the Sigstore crates'; we require all of them, choose what an instance may leave
//! out ([`crate::trust::Requirements`]), close what the crates leave open (`strict`), and read nothing out of the bundle
//! before they have passed.
//!
//! Where the user trusts a key ([`TrustedRoot::believing`](crate::trust::TrustedRoot::believing)), there is no certificate:
//! steps 3 and 4 fall away, and 2 wants no time, but rejects a false one. The log is wanted all the same.

mod bundle;
mod certificate;
mod file;
mod identity;
mod legacy;
mod rejection;
mod signer;
mod strict;

pub use bundle::image_signature;
pub use certificate::CertificateFault;
pub use file::{File, file_signature};
pub use identity::{Claim, Identity, UnknownClaim};
pub use rejection::Rejection;
pub use signer::Signer;
pub use strict::LogProof;

use crate::evidence::{Bundle, Evidence, Format, Statement};
use crate::image::Digest;
use crate::trust::TrustedRoot;
use jiff::Timestamp;

/// Verifies whatever was found on the image with the digest `subject`, by the rules of its format.
pub fn evidence(
    evidence: Evidence,
    subject: &Digest,
    root: &TrustedRoot,
) -> Result<Verified<Bundle>, Rejection> {
    match evidence {
        Evidence::Bundle(bundle) => image_signature(bundle, subject, root),
        Evidence::LegacySignature(signature) => legacy::signature(signature, subject, root),
        Evidence::LegacyAttestation(bundle) => {
            bundle::statement(bundle, Format::LegacyAttestation, subject, root)
        }
    }
}

/// Evidence whose cryptography has been checked for one digest. Only this module makes one, in one place: there is no
/// other constructor, and no way to change what is inside.
///
/// ```compile_fail,E0451
/// # use signgate::{evidence::Bundle, verify::Verified};
/// fn swap(verified: Verified<Bundle>, other: Bundle) -> Verified<Bundle> {
///     Verified { evidence: other, ..verified }
/// }
/// ```
#[derive(Clone)]
pub struct Verified<T> {
    evidence: T,
    facts: Facts,
}

#[derive(Clone)]
struct Facts {
    subject: Digest,
    statement: Option<Statement>,
    format: Format,
    signer: Signer,
    signed_at: Option<Timestamp>,
    log_proof: Option<LogProof>,
    log_index: Option<u64>,
}

impl<T> Verified<T> {
    /// The evidence itself.
    pub fn evidence(&self) -> &T {
        &self.evidence
    }

    /// What it was verified for.
    pub fn subject(&self) -> &Digest {
        &self.facts.subject
    }

    /// The signed statement. It is about [`Self::subject`]. Nothing if the file itself was signed.
    pub fn statement(&self) -> Option<&Statement> {
        self.facts.statement.as_ref()
    }

    /// How it was attached.
    pub fn format(&self) -> Format {
        self.facts.format
    }

    /// Who signed.
    pub fn signer(&self) -> &Signer {
        &self.facts.signer
    }

    /// When it was signed at the latest: the earliest trusted time. Nothing only where a key signed and nobody knows when.
    pub fn signed_at(&self) -> Option<Timestamp> {
        self.facts.signed_at
    }

    /// How the transparency log vouches for it; nothing for an instance without a log.
    pub fn log_proof(&self) -> Option<LogProof> {
        self.facts.log_proof
    }

    /// Where the transparency log has it; nothing for an instance without a log, or if nobody signed the number.
    pub fn log_index(&self) -> Option<u64> {
        self.facts.log_index
    }
}
