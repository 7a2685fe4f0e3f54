//! What the stories need from outside, as traits, and how it can fail.
//!
//! "Not found" is an answer, not a failure; a failure is never an answer.

use crate::ci::{ClaimsError, IdToken, TokenMissing};
use crate::evidence::{Certificate, Content, LogEntry, Signature, SignedTimestamp};
use crate::image::{Digest, ImageIndex, Manifest, PinnedImage, Repository, Version};
use crate::limits;
use crate::outcome::{Code, Coded};
use crate::trust::{TrustError, TrustedRoot};
use std::borrow::Cow;
use std::fmt;

/// An OCI registry. What it returns is not believed: the stories hash it.
#[expect(
    async_fn_in_trait,
    reason = "the stories are generic over it and stay on one thread"
)]
pub trait Registry {
    /// A manifest or index of any kind; nothing if there is none.
    async fn manifest(
        &self,
        repository: &Repository,
        version: &Version,
    ) -> Result<Option<Manifest>, ServiceError>;

    /// The answer of the referrers API; nothing if the registry does not have it.
    async fn referrers(&self, image: &PinnedImage) -> Result<Option<ImageIndex>, ServiceError>;

    /// A blob of at most `limit` bytes; nothing if there is none.
    async fn blob(
        &self,
        repository: &Repository,
        digest: &Digest,
        limit: usize,
    ) -> Result<Option<Vec<u8>>, ServiceError>;

    /// Stores a blob.
    async fn push_blob(&self, repository: &Repository, bytes: &[u8]) -> Result<(), ServiceError>;

    /// Stores a manifest, and says whether the registry took note of its subject by itself.
    async fn push_manifest(
        &self,
        repository: &Repository,
        version: &Version,
        manifest: &Manifest,
    ) -> Result<SubjectNoted, ServiceError>;
}

/// Whom to believe, if that has to be found out first. The stories ask while they wait for something else.
#[expect(
    async_fn_in_trait,
    reason = "the stories are generic over it and stay on one thread"
)]
pub trait Trust {
    /// The trusted root; the same one however often it is asked for.
    async fn trusted_root(&self) -> Result<&TrustedRoot, TrustError>;
}

impl Trust for TrustedRoot {
    async fn trusted_root(&self) -> Result<&TrustedRoot, TrustError> {
        Ok(self)
    }
}

/// Whether a registry lists a manifest as a referrer of its subject (distribution-spec, header `OCI-Subject`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectNoted {
    /// It has the referrers API.
    Yes,
    /// It has not: the fallback tag must be kept up to date by whoever pushes.
    No,
}

/// Everything that takes part in making one signature.
#[expect(
    async_fn_in_trait,
    reason = "the stories are generic over it and stay on one thread"
)]
pub trait SigningServices {
    /// The kind of key.
    type Key: SigningKey;

    /// Fetches an ID token of this job.
    async fn id_token(&self) -> Result<IdToken, TokenError>;

    /// Makes a key that is used for this run only.
    fn new_key(&self) -> Result<Self::Key, KeyError>;

    /// Has the certificate authority certify the key for the token's identity. `proof` is the key's signature over
    /// the token's [`challenge`](crate::ci::Claims::challenge).
    async fn certificate(
        &self,
        token: &IdToken,
        public_key_pem: &str,
        proof: &Signature,
    ) -> Result<Certificate, ServiceError>;

    /// Has the transparency log enter a signature over `content`.
    async fn log_entry(
        &self,
        content: &Content,
        signature: &Signature,
        certificate: &Certificate,
    ) -> Result<LogEntry, ServiceError>;

    /// Has the timestamp authority confirm that the signature exists now; nothing if the instance has none.
    async fn timestamp(
        &self,
        signature: &Signature,
    ) -> Result<Option<SignedTimestamp>, ServiceError>;
}

/// A private key that never leaves its holder.
pub trait SigningKey {
    /// The public key, as PEM.
    fn public_key_pem(&self) -> &str;

    /// Signs `message`.
    fn sign(&self, message: &[u8]) -> Result<Signature, KeyError>;

    /// Signs the message with this digest.
    fn sign_digest(&self, digest: &Digest) -> Result<Signature, KeyError>;
}

/// The key could not be made or used.
#[derive(Debug, thiserror::Error)]
#[error("the signing key failed")]
pub struct KeyError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// The outside systems, as they are named to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// An OCI registry or its token server.
    Registry,
    /// The certificate authority.
    Fulcio,
    /// The CI's ID token endpoint.
    TokenEndpoint,
    /// The transparency log.
    Rekor,
    /// The timestamp authority.
    Tsa,
    /// The TUF repository.
    Tuf,
}

impl Service {
    /// The code for "cannot be reached or does not answer properly".
    fn unavailable(self) -> Code {
        match self {
            Self::Registry => Code::RegistryUnavailable,
            Self::Fulcio => Code::FulcioUnavailable,
            Self::TokenEndpoint => Code::TokenEndpointUnavailable,
            Self::Rekor => Code::RekorUnavailable,
            Self::Tsa => Code::TsaUnavailable,
            Self::Tuf => Code::TrustRootUnavailable,
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Registry => "the registry",
            Self::Fulcio => "Fulcio",
            Self::TokenEndpoint => "the ID token endpoint",
            Self::Rekor => "Rekor",
            Self::Tsa => "the timestamp authority",
            Self::Tuf => "the TUF repository",
        })
    }
}

/// A request to an outside system failed.
#[derive(Debug, thiserror::Error)]
#[error("{service} at {url} failed")]
pub struct ServiceError {
    /// Which one.
    pub service: Service,
    /// Where, without query and credentials.
    pub url: String,
    /// How.
    #[source]
    pub fault: Fault,
}

/// How a request failed.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// No connection, or it broke.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// No complete answer in time.
    #[error("did not answer in time ({0})")]
    TimedOut(&'static str),
    /// An answer that says no, or not now.
    #[error("answered {status}{}", said(detail))]
    Status {
        /// The HTTP status.
        status: u16,
        /// What it said, not escaped yet.
        detail: String,
    },
    /// An answer that says that what was sent is not wanted.
    #[error("refused what was sent with {status}{}", said(detail))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it said, not escaped yet.
        detail: String,
    },
    /// More than the cap.
    #[error("sent more than {limit} bytes")]
    TooLarge {
        /// The cap.
        limit: usize,
    },
    /// A list of referrers that is longer than what is read.
    #[error("lists more than the {} referrers that are read", limits::REFERRERS)]
    TooManyReferrers,
    /// Not what the protocol says.
    #[error("sent an answer that is not what its protocol says: {0}")]
    Unexpected(String),
    /// `http://` to a host that is not this machine.
    #[error("would be reached without TLS")]
    PlainHttp,
    /// Credentials are configured, but unusable.
    #[error("has credentials configured that cannot be used")]
    Credentials(#[source] Box<dyn std::error::Error + Send + Sync>),
}

fn said(detail: &str) -> String {
    if detail.is_empty() {
        String::new()
    } else {
        format!(" and said: {detail}")
    }
}

impl Coded for ServiceError {
    fn code(&self) -> Code {
        match (&self.fault, self.service) {
            (Fault::PlainHttp, _) => Code::PlainHttpRefused,
            (Fault::Credentials(_), _) => Code::CredentialsInvalid,
            (Fault::TooManyReferrers, _) => Code::EvidenceTooLarge,
            (Fault::Refused { .. }, Service::Registry) => Code::SignatureRefused,
            (
                Fault::Status {
                    status: 401 | 403, ..
                },
                Service::Registry,
            ) => Code::RegistryDenied,
            (
                Fault::Status {
                    status: 401 | 403, ..
                },
                Service::TokenEndpoint,
            ) => Code::IdTokenMissing,
            // Fulcio answers every token that it does not like with one of these and an opaque sentence.
            (
                Fault::Status {
                    status: 400 | 401 | 403,
                    ..
                },
                Service::Fulcio,
            ) => Code::IdTokenRejected,
            (_, service) => service.unavailable(),
        }
    }
}

/// No ID token could be obtained.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// This job has none to offer.
    #[error(transparent)]
    Missing(#[from] TokenMissing),
    /// It is not usable.
    #[error(transparent)]
    Invalid(#[from] ClaimsError),
    /// The CI's endpoint failed.
    #[error(transparent)]
    Endpoint(#[from] ServiceError),
}

impl Coded for TokenError {
    fn code(&self) -> Code {
        match self {
            Self::Missing(error) => error.code(),
            Self::Invalid(error) => error.code(),
            Self::Endpoint(error) => error.code(),
        }
    }

    fn fix(&self) -> Cow<'static, str> {
        match self {
            Self::Missing(error) => error.fix(),
            other => Cow::Borrowed(other.code().fix()),
        }
    }
}
