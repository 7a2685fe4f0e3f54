//! Why evidence was not verified.

use super::CertificateFault;
use crate::evidence::{BundleError, LegacyError, SimpleSigningError, StatementError};
use crate::outcome::{Code, Coded};
use jiff::Timestamp;
use sigstore_verify::{CertificateError, Error};

/// Why a bundle does not prove a signature on an image.
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    /// It is not a bundle.
    #[error(transparent)]
    Malformed(#[from] BundleError),
    /// It is not a signature or an attestation of cosign v2.
    #[error(transparent)]
    Legacy(#[from] LegacyError),
    /// It holds a signature over bytes instead of a statement.
    #[error("the bundle holds no signed statement")]
    NoStatement,
    /// What is signed is not a statement.
    #[error(transparent)]
    Statement(StatementError),
    /// What is signed does not name an image.
    #[error(transparent)]
    Payload(SimpleSigningError),
    /// What is signed has the shape of an image signature, and says to be something else.
    #[error("the signed payload says that it is not a container image signature")]
    NotAnImageSignature,
    /// It is listed, but not stored: a stale entry, as cleaning tools leave behind.
    #[error("it is listed, but the registry does not have it")]
    Gone,
    /// It is larger than what is read, or announced as larger.
    #[error("it has more than the {limit} bytes that are read")]
    TooLarge {
        /// How much is read.
        limit: usize,
    },
    /// It is larger than the manifest says.
    #[error("it holds more bytes than its manifest announces")]
    LargerThanAnnounced,
    /// A key signed it, where a certificate is expected.
    #[error("it was signed with a key that no certificate names")]
    SignedByKey,
    /// A certificate's holder signed it, where a key is expected.
    #[error("it was signed with a certificate, not with the given key")]
    SignedByCertificate,
    /// It is about something else.
    #[error("the signature is about another digest")]
    Subject,
    /// The log entry is about something else.
    #[error("the transparency log entry is about another statement")]
    LogEntryMismatch,
    /// A log entry without a proof: a promise to include it is none, except in the oldest bundles.
    #[error("a transparency log entry has no inclusion proof")]
    NoLogProof,
    /// The certificate can be read in more than one way.
    #[error("the signing certificate is ambiguous")]
    Certificate(#[source] CertificateFault),
    /// A log entry is proven by a log other than the one it names.
    #[error("a transparency log entry is proven by another log than the one that it names")]
    AnotherLog,
    /// The same proof is there several times.
    #[error("a transparency log entry or a timestamp is there twice")]
    Twice,
    /// The file cannot be read to its end.
    #[error("the file cannot be read")]
    Unreadable(#[source] std::io::Error),
    /// The cryptography does not hold.
    #[error(transparent)]
    Sigstore(Box<Error>),
    /// It is signed after the time that the caller asks about.
    #[error("it was signed at {signed_at}, after {limit}")]
    SignedLater {
        /// The trusted time of signing.
        signed_at: Timestamp,
        /// The latest that is accepted.
        limit: Timestamp,
    },
    /// Nobody knows when it was signed, and the caller wants it signed by some time.
    #[error("no trusted time says when it was signed")]
    Undated,
    /// The verifier returned without an error, but without proof of everything that was required.
    #[error("the verification left something unproven")]
    NotEstablished,
}

impl From<Error> for Rejection {
    fn from(error: Error) -> Self {
        match error {
            Error::ArtifactMismatch(_) => Self::Subject,
            Error::ArtifactRead(source) => Self::Unreadable(source),
            error => Self::Sigstore(Box::new(error)),
        }
    }
}

impl Coded for Rejection {
    fn code(&self) -> Code {
        match self {
            Self::Malformed(error) => error.code(),
            Self::Legacy(error) => error.code(),
            Self::NoStatement | Self::NotAnImageSignature => Code::PredicateMismatch,
            Self::Statement(_) | Self::Payload(_) => Code::BundleMalformed,
            Self::Gone => Code::SignatureGone,
            Self::TooLarge { .. } | Self::LargerThanAnnounced => Code::EvidenceTooLarge,
            Self::Subject => Code::SubjectMismatch,
            Self::SignedLater { .. } | Self::Undated => Code::TimestampInvalid,
            Self::SignedByKey | Self::SignedByCertificate => Code::SignerKindMismatch,
            Self::Certificate(_) => Code::CertificateInvalid,
            Self::LogEntryMismatch | Self::NoLogProof | Self::AnotherLog => Code::LogProofInvalid,
            Self::Twice => Code::BundleMalformed,
            Self::Unreadable(_) => Code::FileUnreadable,
            Self::NotEstablished => Code::Internal,
            Self::Sigstore(error) => match error.as_ref() {
                Error::SignatureInvalid(_) | Error::Crypto(_) => Code::SignatureInvalid,
                Error::Certificate(CertificateError::Sct(_)) => Code::SctInvalid,
                Error::Certificate(_) => Code::CertificateInvalid,
                Error::TransparencyLog(_) => Code::LogProofInvalid,
                Error::Timestamp(_) => Code::TimestampInvalid,
                Error::UnsupportedBundle(_) | Error::UnsupportedArtifact(_) => {
                    Code::BundleUnsupported
                }
                Error::Bundle(error) => code_of_missing_proof(error),
                Error::InvalidTrustRoot(_) | Error::TrustRoot(_) | Error::TrustedCertificate(_) => {
                    Code::TrustInvalid
                }
                _ => Code::BundleMalformed,
            },
        }
    }
}

/// A bundle whose shape lacks a proof is judged by the proof that it lacks.
fn code_of_missing_proof(error: &sigstore_verify::bundle::Error) -> Code {
    use sigstore_verify::bundle::Error;
    match error {
        Error::MissingInclusionProof(_)
        | Error::MissingInclusionPromise(_)
        | Error::MissingCheckpoint
        | Error::LogIndexOutOfRange { .. }
        | Error::CheckpointRootMismatch => Code::LogProofInvalid,
        Error::MissingTimestamp | Error::MissingSigningTimeEvidence => Code::TimestampInvalid,
        _ => Code::BundleMalformed,
    }
}
