//! Why a story ended without a result.

use super::ports::{KeyError, ServiceError, TokenError};
use crate::evidence::BundleError;
use crate::image::{Digest, ImageRef, ManifestError, PinnedImage};
use crate::limits;
use crate::outcome::{Code, Coded};
use crate::trust::TrustError;
use crate::verify::Rejection;
use std::borrow::Cow;

/// No decision was reached, or nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// The registry has no such image.
    #[error("{image} does not exist")]
    ImageNotFound {
        /// What was asked for.
        image: ImageRef,
    },
    /// The registry has something else there.
    #[error("the registry returned `{}` for {image}, which is no kind of image", media_type.escape_debug())]
    NotAnImage {
        /// What was asked for.
        image: Box<ImageRef>,
        /// What came, as the registry calls it.
        media_type: String,
    },
    /// Bytes and digest differ.
    #[error("the registry returned bytes with the digest {found} for {expected} in {repository}")]
    DigestMismatch {
        /// What was asked for.
        expected: Digest,
        /// What came.
        found: Digest,
        /// From where.
        repository: String,
    },
    /// The list of referrers is unusable.
    #[error("the list of what refers to {image} cannot be used")]
    Referrers {
        /// The image.
        image: PinnedImage,
        /// Why.
        #[source]
        source: ManifestError,
    },
    /// More than [`limits::EVIDENCE_BYTES`].
    #[error(
        "{image} carries bundles of {bytes} bytes, more than the {} that are read",
        limits::EVIDENCE_BYTES
    )]
    TooMuchEvidence {
        /// The image.
        image: PinnedImage,
        /// What its referrers announce.
        bytes: u64,
    },
    /// An outside system failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// No ID token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The key failed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The trust material is unusable.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// What the services returned does not make a bundle.
    #[error("the answers of the Sigstore services do not make a bundle")]
    Assembly(#[source] BundleError),
    /// What was made does not verify, so it was not published.
    #[error("the new signature on {image} does not verify; it was not published")]
    SelfCheck {
        /// The image.
        image: PinnedImage,
        /// Why.
        #[source]
        source: Rejection,
    },
    /// The certificate is for somebody else, so it was not published.
    #[error(
        "the certificate is for `{found}` instead of `{expected}`; nothing was published",
        found = .found.escape_debug(), expected = .expected.escape_debug()
    )]
    UnexpectedSigner {
        /// What the ID token says.
        expected: String,
        /// What the certificate says.
        found: String,
    },
    /// The registry took the signature, but does not return it.
    #[error("the signature on {image} was accepted, but reading it back failed: {what}")]
    NotKept {
        /// The image.
        image: PinnedImage,
        /// What is missing.
        what: &'static str,
    },
}

impl Coded for FlowError {
    fn code(&self) -> Code {
        match self {
            Self::ImageNotFound { .. } => Code::ImageNotFound,
            Self::NotAnImage { .. } => Code::RegistryUnavailable,
            Self::DigestMismatch { .. } => Code::DigestMismatch,
            Self::Referrers {
                source: ManifestError::TooMany { .. },
                ..
            } => Code::EvidenceTooLarge,
            Self::TooMuchEvidence { .. } => Code::EvidenceTooLarge,
            Self::Referrers { .. } => Code::RegistryUnavailable,
            Self::Service(error) => error.code(),
            Self::Token(error) => error.code(),
            Self::Key(_) => Code::Internal,
            Self::Trust(error) => error.code(),
            Self::Assembly(error) => error.code(),
            Self::SelfCheck { source, .. } => source.code(),
            Self::UnexpectedSigner { .. } => Code::IdentityMismatch,
            Self::NotKept { .. } => Code::SignatureNotKept,
        }
    }

    fn fix(&self) -> Cow<'static, str> {
        match self {
            Self::Token(error) => error.fix(),
            Self::SelfCheck { .. } => Cow::Borrowed(
                "check that the signing config and the trusted root belong to the same Sigstore instance and are current",
            ),
            other => Cow::Borrowed(other.code().fix()),
        }
    }
}
