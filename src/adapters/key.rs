//! A key pair that lives as long as the run: ECDSA on P-256 with SHA-256, which every Sigstore client can verify.

use crate::evidence::Signature;
use crate::flow::ports::{KeyError, SigningKey};
use crate::image::Digest;
use sigstore_verify::crypto::KeyPair;
use sigstore_verify::types::Sha256Hash;

/// The key. It is in memory only and cannot be exported.
pub struct EphemeralKey {
    pair: KeyPair,
    public_key_pem: String,
}

impl EphemeralKey {
    /// Makes a key.
    pub fn generate() -> Result<Self, KeyError> {
        let pair = KeyPair::generate_ecdsa_p256().map_err(failed)?;
        let public_key_pem = pair.public_key_der().map_err(failed)?.to_pem();
        Ok(Self {
            pair,
            public_key_pem,
        })
    }
}

impl SigningKey for EphemeralKey {
    fn public_key_pem(&self) -> &str {
        &self.public_key_pem
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, KeyError> {
        Ok(Signature(
            self.pair.sign(message).map_err(failed)?.as_bytes().to_vec(),
        ))
    }

    fn sign_digest(&self, digest: &Digest) -> Result<Signature, KeyError> {
        let digest = Sha256Hash::new(*digest.as_bytes());
        let signature = self.pair.sign_digest(&digest).map_err(failed)?;
        Ok(Signature(signature.as_bytes().to_vec()))
    }
}

fn failed(error: sigstore_verify::crypto::Error) -> KeyError {
    KeyError(Box::new(error))
}
