//! Checkpoints: a log's signed statement of how long it is and what it contains, as a C2SP signed note
//! (c2sp.org/signed-note, c2sp.org/tlog-checkpoint).
//!
//! ```text
//! origin                          who the log is
//! 42                              how many entries
//! base64 root hash                what they are
//!
//! — name base64(key id || signature)
//! ```
//!
//! The key id is a hint of four bytes. For Ed25519 the note format defines it; Rekor v1 signs with ECDSA, for which
//! it takes the beginning of a hash of the public key.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sigstore_verify::crypto::{KeyPair, sha256};
use sigstore_verify::types::{DerPublicKey, Sha256Hash};

use crate::sandbox::error::Result;

/// A log's key, with the names it signs under.
pub(crate) struct NoteSigner {
    origin: String,
    name: String,
    log_id: Sha256Hash,
    key: NoteKey,
}

enum NoteKey {
    Ecdsa(KeyPair),
    Ed25519(Ed25519KeyPair),
}

impl NoteSigner {
    /// A fresh ECDSA P-256 key; the log id is SHA-256 of its SubjectPublicKeyInfo, as in Rekor v1.
    pub(crate) fn ecdsa(origin: &str, name: &str) -> Result<Self> {
        let key = NoteKey::Ecdsa(KeyPair::generate_ecdsa_p256()?);
        let log_id = sha256(key.public_key()?.as_bytes());
        Ok(Self::new(origin, name, log_id, key))
    }

    /// A fresh Ed25519 key; the log id is the note key id in full, as in Rekor v2, whose origin is its name.
    pub(crate) fn ed25519(name: &str) -> Result<Self> {
        let key = Ed25519KeyPair::generate()?;
        let mut identifier = format!("{name}\n").into_bytes();
        identifier.push(ED25519_SIGNATURE_TYPE);
        identifier.extend(key.public_key().as_ref());
        let log_id = sha256(&identifier);
        Ok(Self::new(name, name, log_id, NoteKey::Ed25519(key)))
    }

    /// Somebody who signs under the same names and the same id with another key.
    pub(crate) fn impostor(&self) -> Result<Self> {
        let key = match self.key {
            NoteKey::Ecdsa(_) => NoteKey::Ecdsa(KeyPair::generate_ecdsa_p256()?),
            NoteKey::Ed25519(_) => NoteKey::Ed25519(Ed25519KeyPair::generate()?),
        };
        Ok(Self::new(&self.origin, &self.name, self.log_id, key))
    }

    /// The checkpoint of a tree of `size` entries.
    pub(crate) fn checkpoint(&self, size: usize, root: &Sha256Hash) -> Result<String> {
        let body = format!("{}\n{size}\n{}\n", self.origin, root.to_base64());
        let mut signature = self.log_id.as_bytes()[..4].to_vec();
        signature.extend(self.sign(body.as_bytes())?);
        Ok(format!(
            "{body}\n\u{2014} {} {}\n",
            self.name,
            STANDARD.encode(signature)
        ))
    }

    /// A bare signature by the log's key.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        Ok(match &self.key {
            NoteKey::Ecdsa(key) => key.sign(message)?.as_bytes().to_vec(),
            NoteKey::Ed25519(key) => key.sign(message).as_ref().to_vec(),
        })
    }

    /// The id that log entries and the trusted root carry.
    pub(crate) fn log_id(&self) -> &Sha256Hash {
        &self.log_id
    }

    /// The key that checkpoints verify under.
    pub(crate) fn public_key(&self) -> Result<DerPublicKey> {
        self.key.public_key()
    }

    fn new(origin: &str, name: &str, log_id: Sha256Hash, key: NoteKey) -> Self {
        Self {
            origin: origin.to_owned(),
            name: name.to_owned(),
            log_id,
            key,
        }
    }
}

impl NoteKey {
    fn public_key(&self) -> Result<DerPublicKey> {
        Ok(match self {
            Self::Ecdsa(key) => key.public_key_der()?,
            Self::Ed25519(key) => {
                let der: PublicKeyX509Der<'_> = key.public_key().as_der()?;
                DerPublicKey::new(der.as_ref().to_vec())
            }
        })
    }
}

/// The signature type of Ed25519 in the signed note format.
const ED25519_SIGNATURE_TYPE: u8 = 0x01;

#[cfg(test)]
mod tests {
    use sigstore_verify::crypto::Keyring;
    use sigstore_verify::crypto::{Checkpoint, VerificationKey};

    use super::*;

    fn verifies(signer: &NoteSigner, text: &str) -> bool {
        let checkpoint = Checkpoint::from_text(text).unwrap();
        let mut keys = Keyring::new();
        keys.add_key(
            *signer.log_id(),
            VerificationKey::from_spki(&signer.public_key().unwrap()).unwrap(),
        );
        checkpoint.signatures().iter().any(|signature| {
            keys.keys_by_hint(&signature.key_id, jiff::Timestamp::now())
                .any(|key| {
                    key.verify(checkpoint.signed_data(), &signature.signature)
                        .is_ok()
                })
        })
    }

    #[test]
    fn checkpoints_verify_under_the_key_of_their_log_only() {
        let root = sha256(b"root");
        for signer in [
            NoteSigner::ecdsa("localhost - 1", "localhost").unwrap(),
            NoteSigner::ed25519("log.example").unwrap(),
        ] {
            let text = signer.checkpoint(3, &root).unwrap();
            assert!(verifies(&signer, &text));
            let forged = signer.impostor().unwrap().checkpoint(3, &root).unwrap();
            assert!(!verifies(&signer, &forged));
        }
    }
}
