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
//! 7. the statement in the envelope is about this very digest.
//!
//! Steps 1 to 6, and once more 7, are the Sigstore crates'; we require all of them, choose what an instance may leave
//! out ([`crate::trust::Requirements`]) and read nothing out of the bundle before they have passed.

mod bundle;
mod certificate;
mod identity;
mod rejection;
mod signer;

pub use bundle::image_signature;
pub use certificate::CertificateFault;
pub use identity::{Claim, Identity, UnknownClaim};
pub use rejection::Rejection;
pub use signer::Signer;

use crate::evidence::Statement;
use crate::image::Digest;
use jiff::Timestamp;

/// Evidence whose cryptography has been checked for one digest. Only [`image_signature`] makes one: there is no other
/// constructor, and no way to change what is inside.
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
    signer: Signer,
    signed_at: Timestamp,
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

    /// Who signed.
    pub fn signer(&self) -> &Signer {
        &self.facts.signer
    }

    /// When it was signed at the latest: the earliest trusted time.
    pub fn signed_at(&self) -> Timestamp {
        self.facts.signed_at
    }

    /// Where the transparency log has it, as signed by the log; nothing for an instance without a log.
    pub fn log_index(&self) -> Option<u64> {
        self.facts.log_index
    }
}
