//! A public key to believe, instead of certificate authorities.

use crate::image::Digest;
use crate::outcome::{Code, Coded};
use sigstore_verify::crypto::{self, KeyAlgorithm};
use sigstore_verify::types::DerPublicKey;

/// A public key: ECDSA on P-256 or P-384, Ed25519, or RSA.
#[derive(Clone)]
pub struct PublicKey {
    der: DerPublicKey,
    algorithm: KeyAlgorithm,
}

impl PublicKey {
    /// Reads a `PUBLIC KEY` in PEM. Private keys and certificates are refused: the one must not lie about in a gate, and
    /// the other names somebody, which a bare key does not.
    pub fn parse(pem: &str) -> Result<Self, KeyError> {
        let der = DerPublicKey::from_pem(pem).map_err(|_| KeyError::Pem)?;
        let algorithm = KeyAlgorithm::from_spki(&der).map_err(KeyError::Unusable)?;
        match algorithm {
            KeyAlgorithm::EcdsaP256
            | KeyAlgorithm::EcdsaP384
            | KeyAlgorithm::Ed25519
            | KeyAlgorithm::Rsa => Ok(Self { der, algorithm }),
            _ => Err(KeyError::Algorithm),
        }
    }

    /// The digest of its SubjectPublicKeyInfo in DER.
    pub fn fingerprint(&self) -> Digest {
        Digest::of(self.der.as_bytes())
    }

    /// Whether it signs messages as they are, not their digests.
    pub(crate) fn signs_whole_messages(&self) -> bool {
        self.algorithm == KeyAlgorithm::Ed25519
    }

    /// The key, for verification.
    pub(crate) fn der(&self) -> &DerPublicKey {
        &self.der
    }
}

/// Why a file is not a public key that can be verified with.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not a public key in PEM.
    #[error("the key is not a public key in PEM (BEGIN PUBLIC KEY)")]
    Pem,
    /// Not a key that can be read.
    #[error("the public key cannot be used")]
    Unusable(#[source] crypto::Error),
    /// Of another kind.
    #[error("the public key is neither ECDSA on P-256 or P-384, nor Ed25519, nor RSA")]
    Algorithm,
}

impl Coded for KeyError {
    fn code(&self) -> Code {
        Code::PublicKeyInvalid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const P256: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAExRRST79+PsrRBnGAI4cMu6Omz2Jh
fwlMW+gIutNKVRaMyS4rQKvgngc5p8UbLj55pVHhIoAxi/SRgURZI0J3Xw==
-----END PUBLIC KEY-----
";
    const ED25519: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
";

    #[test]
    fn a_key_is_known_by_its_fingerprint() {
        let key = PublicKey::parse(P256).unwrap();
        assert_eq!(key.fingerprint(), Digest::of(key.der().as_bytes()));
        assert!(!key.signs_whole_messages());
        assert!(PublicKey::parse(ED25519).unwrap().signs_whole_messages());
    }

    #[test]
    fn what_is_no_public_key_is_refused() {
        for pem in [
            "",
            "key",
            &P256.replace("PUBLIC", "PRIVATE"),
            &P256.replace("PUBLIC KEY", "CERTIFICATE"),
            &P256.replace("/SRgURZI0J3Xw==", "/++++wrongkey=="),
        ] {
            assert!(PublicKey::parse(pem).is_err(), "{pem}");
        }
    }
}
