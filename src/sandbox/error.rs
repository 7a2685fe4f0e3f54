//! What can go wrong inside the sandbox itself, as opposed to the refusals it speaks over HTTP.

/// A failure of the sandbox's own machinery: it could not be started, or could not encode or sign something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A key could not be generated or did not sign.
    #[error("sandbox cryptography failed: {0}")]
    Crypto(String),
    /// An ASN.1 structure (certificate, CMS message) could not be encoded or decoded.
    #[error("sandbox ASN.1 failed: {0}")]
    Asn1(#[from] der::Error),
    /// A TLS presentation language structure (SCT) could not be encoded.
    #[error("sandbox TLS encoding failed: {0}")]
    Tls(String),
    /// A JSON document could not be written or read.
    #[error("sandbox JSON failed: {0}")]
    Json(#[from] serde_json::Error),
    /// The state directory could not be written, or a port could not be bound.
    #[error("sandbox input or output failed: {0}")]
    Io(#[from] std::io::Error),
    /// The identity asked for lacks a claim that its certificate is built from.
    #[error("identity has no claim `{0}`")]
    MissingClaim(String),
    /// A value lies outside what a format can carry, e.g. a date before 1970.
    #[error("value out of range: {0}")]
    Range(String),
}

/// Result of the sandbox's own machinery.
pub type Result<T> = std::result::Result<T, Error>;

impl From<sigstore_verify::crypto::Error> for Error {
    fn from(error: sigstore_verify::crypto::Error) -> Self {
        Self::Crypto(error.to_string())
    }
}

impl From<aws_lc_rs::error::Unspecified> for Error {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Crypto("unspecified failure of the cryptographic library".to_owned())
    }
}

impl From<tls_codec::Error> for Error {
    fn from(error: tls_codec::Error) -> Self {
        Self::Tls(error.to_string())
    }
}

impl From<sigstore_verify::types::Error> for Error {
    fn from(error: sigstore_verify::types::Error) -> Self {
        Self::Range(error.to_string())
    }
}
