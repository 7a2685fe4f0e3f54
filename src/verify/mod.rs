//! Evidence + trust → [`Verified`]. The cryptography of one bundle for one digest; who may sign is [`crate::policy`]'s.
//!
//! What happens, in order, and where:
//!
//! 1. the bundle has the shape of its version, with at least one proof of each kind required;
//! 2. trusted times: every signed timestamp, and for Rekor v1 every integrated time under its inclusion promise;
//! 3. the certificate chains to a trusted authority at every one of these times;
//! 4. its SCT is by a trusted CT log;
//! 5. every log entry is proven by a checkpoint of a trusted log, and is about this very signature;
//! 6. the signature is by the certificate's key, over the envelope;
//! 7. the statement in the envelope, or the payload of cosign v2, is about this very digest.
//!
//! Steps 1 to 6, and once more 7, are the Sigstore crates'; we require all of them, choose what an instance may leave
//! out ([`crate::trust::Requirements`]) and read nothing out of the bundle before they have passed.

mod bundle;
mod certificate;
mod identity;
mod legacy;
mod rejection;
mod signer;

pub use bundle::image_signature;
pub use certificate::CertificateFault;
pub use identity::{Claim, Identity, UnknownClaim};
pub use rejection::Rejection;
pub use signer::Signer;

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

/// How the transparency log vouches for an entry, the weaker first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogProof {
    /// It promised to include it (Rekor 1, signed entry timestamp). All that signatures of cosign v2 have.
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
    statement: Statement,
    format: Format,
    signer: Signer,
    signed_at: Timestamp,
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

    /// The signed statement. It is about [`Self::subject`].
    pub fn statement(&self) -> &Statement {
        &self.facts.statement
    }

    /// How it was attached.
    pub fn format(&self) -> Format {
        self.facts.format
    }

    /// Who signed.
    pub fn signer(&self) -> &Signer {
        &self.facts.signer
    }

    /// When it was signed at the latest: the earliest trusted time.
    pub fn signed_at(&self) -> Timestamp {
        self.facts.signed_at
    }

    /// How the transparency log vouches for it; nothing for an instance without a log.
    pub fn log_proof(&self) -> Option<LogProof> {
        self.facts.log_proof
    }

    /// Where the transparency log has it, as signed by the log; nothing for an instance without a log.
    pub fn log_index(&self) -> Option<u64> {
        self.facts.log_index
    }
}
