//! The Sigstore bundle: a signature with everything needed to verify it offline.
//!
//! [`Bundle::parse`] checks the shape and believes nothing; it neither verifies a signature nor a proof. The Sigstore
//! crates' types stay inside: no other module of ours names them, except those that verify or speak to a service.

use crate::image::Digest;
use crate::limits;
use crate::outcome::{Code, Coded};
use serde::Deserialize;
use sigstore_verify::bundle::BundleV03;
use sigstore_verify::types;

/// What the media type of every bundle starts with, whatever its version.
pub const MEDIA_TYPE_PREFIX: &str = "application/vnd.dev.sigstore.bundle";

/// A bundle that has the shape of one. Nothing in it is verified.
#[derive(Clone)]
pub struct Bundle {
    json: Vec<u8>,
    parsed: types::Bundle,
}

impl Bundle {
    /// Reads the bytes of a bundle.
    pub fn parse(json: Vec<u8>) -> Result<Self, BundleError> {
        let text = std::str::from_utf8(&json).map_err(|_| BundleError::NotText)?;
        // The crates take a bundle without a version for the first one, which has the weakest rules.
        let _: Version = serde_json::from_str(text).map_err(BundleError::Version)?;
        let parsed = types::Bundle::from_json(text).map_err(|error| match unsupported(text) {
            Some(what) => BundleError::Unsupported { what },
            None => BundleError::Json(error),
        })?;
        let material = &parsed.verification_material;
        let timestamps = &material.timestamp_verification_data.rfc3161_timestamps;
        for count in [material.tlog_entries.len(), timestamps.len()] {
            if count > limits::PROOFS_PER_BUNDLE {
                return Err(BundleError::TooManyProofs { count });
            }
        }
        Ok(Self { json, parsed })
    }

    /// Packs what was signed with its proofs, as cosign v3 does.
    pub fn assemble(
        content: Content,
        signature: &Signature,
        certificate: &Certificate,
        entry: LogEntry,
        timestamp: Option<SignedTimestamp>,
    ) -> Result<Self, BundleError> {
        let signature = types::SignatureBytes::new(signature.0.clone());
        let certificate = types::DerCertificate::new(certificate.0.clone());
        let builder = match content {
            Content::Statement(statement) => {
                let signature = types::DsseSignature::new(signature, types::KeyId::default());
                let payload = types::PayloadBytes::new(statement);
                let envelope = types::DsseEnvelope::new(super::PAYLOAD_TYPE, payload, signature);
                BundleV03::with_certificate_and_dsse(certificate, envelope)
            }
            Content::File(digest) => {
                let digest = types::Sha256Hash::new(*digest.as_bytes());
                BundleV03::with_certificate_and_signature(certificate, signature, digest)
            }
        };
        let mut builder = builder.with_tlog_entry(entry.0);
        if let Some(SignedTimestamp(token)) = timestamp {
            builder = builder.with_rfc3161_timestamp(types::TimestampToken::new(token));
        }
        let json = builder.into_bundle().to_json().map_err(BundleError::Json)?;
        // Read back from the bytes that will be published, so that these are what gets verified.
        Self::parse(json.into_bytes())
    }

    /// The exact bytes.
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    /// The digest of the exact bytes.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.json)
    }

    /// Whether a certificate is in the place of who signed it; else it is the hint of a key.
    pub fn has_certificate(&self) -> bool {
        !matches!(
            self.parsed.verification_material.content,
            types::bundle::VerificationMaterialContent::PublicKey(_)
        )
    }

    /// The payload of the DSSE envelope; a bundle over a file has none.
    pub fn payload(&self) -> Option<&[u8]> {
        match &self.parsed.content {
            types::SignatureContent::DsseEnvelope(envelope) => Some(envelope.payload.as_bytes()),
            _ => None,
        }
    }

    /// The parsed form, for verification.
    pub(crate) fn parsed(&self) -> &types::Bundle {
        &self.parsed
    }
}

/// The one field that no bundle may lack.
#[derive(serde::Deserialize)]
struct Version {
    #[serde(rename = "mediaType")]
    _media_type: String,
}

/// What is signed.
#[derive(Clone)]
pub enum Content {
    /// An in-toto statement, in an envelope.
    Statement(Vec<u8>),
    /// A file, by its digest.
    File(Digest),
}

/// An X.509 certificate in DER.
#[derive(Clone)]
pub struct Certificate(pub Vec<u8>);

/// A signature in the form of its algorithm; for ECDSA in DER.
#[derive(Clone)]
pub struct Signature(pub Vec<u8>);

/// An RFC 3161 timestamp response in DER.
#[derive(Clone)]
pub struct SignedTimestamp(pub Vec<u8>);

/// An entry of a transparency log with its proof of inclusion. Not verified.
#[derive(Clone)]
pub struct LogEntry(pub(crate) types::TransparencyLogEntry);

/// What in a bundle is of a kind that is not known, if that is why it cannot be read: a later version, or a log entry
/// that is no longer made (`dsse` 0.0.2 of early Rekor 2, `intoto` 0.0.1) or not made yet.
fn unsupported(json: &str) -> Option<String> {
    let bundle: serde_json::Value = serde_json::from_str(json).ok()?;
    let media_type = bundle["mediaType"].as_str().unwrap_or_default();
    if media_type.starts_with(MEDIA_TYPE_PREFIX) && media_type.parse::<types::MediaType>().is_err()
    {
        return Some(format!("the version `{media_type}`"));
    }
    let entries = bundle["verificationMaterial"]["tlogEntries"].as_array()?;
    entries.iter().find_map(|entry| {
        let kind = &entry["kindVersion"];
        let name = (kind["kind"].as_str()?, kind["version"].as_str()?);
        types::KindVersion::deserialize(kind)
            .is_err()
            .then(|| format!("a log entry of the kind `{}` {}", name.0, name.1))
    })
}

/// Why bytes are not a bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Not UTF-8.
    #[error("the bundle is not text")]
    NotText,
    /// It does not say which version it is.
    #[error("the bundle does not say which version of the format it has")]
    Version(#[source] serde_json::Error),
    /// Not the JSON of a bundle of a known version.
    #[error("the bundle is not a Sigstore bundle of a known version")]
    Json(#[source] types::Error),
    /// A bundle with something in it that cannot be verified.
    #[error("the bundle has {what}, which signgate does not know")]
    Unsupported {
        /// What it is.
        what: String,
    },
    /// More than [`limits::PROOFS_PER_BUNDLE`] log entries or timestamps.
    #[error("the bundle holds {count} proofs of one kind, more than any honest one")]
    TooManyProofs {
        /// How many.
        count: usize,
    },
}

impl Coded for BundleError {
    fn code(&self) -> Code {
        match self {
            Self::NotText | Self::Version(_) | Self::Json(_) => Code::BundleMalformed,
            Self::Unsupported { .. } => Code::BundleUnsupported,
            Self::TooManyProofs { .. } => Code::EvidenceTooLarge,
        }
    }
}
