//! What a log entry names as able to check its signature: a certificate, or a bare public key.

use sigstore_verify::crypto::{
    KeyAlgorithm, parse_certificate_info, verify_signature, verify_signature_prehashed,
};
use sigstore_verify::types::{DerCertificate, DerPublicKey, SignatureBytes};

/// A certificate or a public key that a submitter offered to the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verifier {
    Certificate(DerCertificate),
    PublicKey(DerPublicKey),
}

impl Verifier {
    /// Reads PEM text of either kind.
    pub(crate) fn from_pem(pem: &[u8]) -> Option<Self> {
        let pem = std::str::from_utf8(pem).ok()?;
        if let Ok(certificate) = DerCertificate::from_pem(pem) {
            return Some(Self::Certificate(certificate));
        }
        DerPublicKey::from_pem(pem).ok().map(Self::PublicKey)
    }

    /// The canonical PEM, whatever line lengths the submitter used.
    pub(crate) fn to_pem(&self) -> String {
        match self {
            Self::Certificate(certificate) => certificate.to_pem(),
            Self::PublicKey(key) => key.to_pem(),
        }
    }

    /// Whether the key signed `message`.
    pub(crate) fn signed(&self, message: &[u8], signature: &SignatureBytes) -> bool {
        self.key().is_some_and(|(key, algorithm)| {
            let scheme = algorithm.default_signing_scheme();
            verify_signature(&key, message, signature, scheme).is_ok()
        })
    }

    /// Whether the key signed a message with this SHA-256 digest.
    pub(crate) fn signed_digest(&self, digest: &[u8], signature: &SignatureBytes) -> bool {
        self.key().is_some_and(|(key, algorithm)| {
            let scheme = algorithm.default_signing_scheme();
            verify_signature_prehashed(&key, digest, signature, scheme).is_ok()
        })
    }

    /// The key and its kind.
    pub(crate) fn key(&self) -> Option<(DerPublicKey, KeyAlgorithm)> {
        match self {
            Self::Certificate(certificate) => {
                let info = parse_certificate_info(certificate).ok()?;
                Some((info.public_key, info.key_algorithm))
            }
            Self::PublicKey(key) => Some((key.clone(), KeyAlgorithm::from_spki(key).ok()?)),
        }
    }
}
