//! What a signature is: a statement about a digest, signed in an envelope, packed with its proofs into a bundle,
//! attached to the image as a referrer. Before that, with cosign v2: a payload that names a digest, with its proofs
//! in the annotations of a layer, under a tag beside the image.
//!
//! Everything here is parsed and assembled, nothing is believed: [`crate::verify`] does that.

mod bundle;
mod envelope;
mod legacy;
mod referrer;
mod simple_signing;
mod statement;

pub use bundle::{
    Bundle, BundleError, Certificate, Content, LogEntry, MEDIA_TYPE_PREFIX, Signature,
    SignedTimestamp,
};
pub use envelope::{PAYLOAD_TYPE, pae};
pub use legacy::{LegacyError, legacy_evidence, legacy_layers, legacy_limit};
pub(crate) use referrer::EMPTY_CONFIG;
pub use referrer::{Referrer, bundle_layer};
pub use simple_signing::{SimpleSigning, SimpleSigningError};
pub use statement::{COSIGN_SIGN, Statement, StatementError};

/// Something found on an image that may be a signature. Nothing in it is verified.
#[derive(Clone)]
pub enum Evidence {
    /// A bundle.
    Bundle(Bundle),
    /// A signature of cosign v2.
    LegacySignature(LegacySignature),
    /// An attestation of cosign v2, repackaged.
    LegacyAttestation(Bundle),
}

/// A signature of cosign v2: what was signed, and the rest of it repackaged.
#[derive(Clone)]
pub struct LegacySignature {
    /// The exact bytes that were signed.
    pub payload: Vec<u8>,
    /// Signature and proofs.
    pub bundle: Bundle,
}

/// How evidence is attached to an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// As a bundle.
    Bundle,
    /// Under the tag `sha256-DIGEST.sig`, as by cosign v2.
    LegacySignature,
    /// Under the tag `sha256-DIGEST.att`, as by cosign v2.
    LegacyAttestation,
}

impl Format {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bundle => "bundle",
            Self::LegacySignature | Self::LegacyAttestation => "legacy",
        }
    }
}
