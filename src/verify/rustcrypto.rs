//! Signature checks in pure Rust, for where no C can be compiled: WebAssembly above all.
//!
//! A provider for the Sigstore crates that verifies and hashes; it makes no keys and signs nothing, so nothing in it is
//! secret. It accepts what the native provider accepts: ECDSA over P-256 and P-384 with SHA-256 or SHA-384, Ed25519,
//! and RSA of 2048 to 8192 bits in both paddings. ML-DSA is refused as unsupported; no instance signs with it.

use ed25519_dalek as ed25519;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::traits::SignatureScheme;
use rsa::{Pkcs1v15Sign, Pss, RsaPublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};
use sigstore_verify::crypto::{
    self, CryptoProvider, Error, HashContext, Result, SigningScheme, validate_raw_public_key,
};
use sigstore_verify::types::HashAlgorithm;

/// The provider. Without state, so one is enough.
pub static RUST_CRYPTO: RustCrypto = RustCrypto;

/// Makes this process verify with [`RUST_CRYPTO`]. Without any provider the Sigstore crates panic at their first
/// digest, so this comes first; false if another one is in use already, which then stays.
pub fn install() -> bool {
    crypto::install_default_provider(&RUST_CRYPTO).is_ok()
}

/// Signature checks by the RustCrypto crates.
#[derive(Debug)]
pub struct RustCrypto;

impl CryptoProvider for RustCrypto {
    fn hash(&self, algorithm: HashAlgorithm) -> Result<Box<dyn HashContext>> {
        match algorithm {
            HashAlgorithm::Sha2256 => Ok(Box::new(Hash(Sha256::new()))),
            HashAlgorithm::Sha2384 => Ok(Box::new(Hash(Sha384::new()))),
            HashAlgorithm::Sha2512 => Ok(Box::new(Hash(Sha512::new()))),
            other => Err(Error::UnsupportedAlgorithm(format!("the digest {other}"))),
        }
    }

    // Answered here, because the trait's own versions go by way of `hash` and expect it to succeed.
    fn sha256(&self, data: &[u8]) -> [u8; 32] {
        Sha256::digest(data).into()
    }

    fn sha384(&self, data: &[u8]) -> [u8; 48] {
        Sha384::digest(data).into()
    }

    fn sha512(&self, data: &[u8]) -> [u8; 64] {
        Sha512::digest(data).into()
    }

    fn verify_raw(
        &self,
        scheme: SigningScheme,
        key: &[u8],
        data: &[u8],
        signature: &[u8],
    ) -> Result<()> {
        let verified = match scheme {
            // It hashes for itself, together with the key.
            SigningScheme::Ed25519 => verify_ed25519(key, data, signature),
            _ => verify_digest(scheme, key, &digest_for(scheme, data)?, signature)?,
        };
        verified.ok_or_else(|| invalid(scheme))
    }

    fn verify_prehashed(
        &self,
        scheme: SigningScheme,
        key: &[u8],
        digest: &[u8],
        signature: &[u8],
    ) -> Result<()> {
        let length = scheme.hash_algorithm().map(|hash| hash.digest_size());
        if length != Some(digest.len()) {
            return Err(unsupported(scheme));
        }
        verify_digest(scheme, key, digest, signature)?.ok_or_else(|| invalid(scheme))
    }
}

struct Hash<D>(D);

impl<D: Digest + Send> HashContext for Hash<D> {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finalize(self: Box<Self>) -> Vec<u8> {
        self.0.finalize().to_vec()
    }
}

fn digest_for(scheme: SigningScheme, data: &[u8]) -> Result<Vec<u8>> {
    match scheme.hash_algorithm() {
        Some(HashAlgorithm::Sha2256) => Ok(Sha256::digest(data).to_vec()),
        Some(HashAlgorithm::Sha2384) => Ok(Sha384::digest(data).to_vec()),
        Some(HashAlgorithm::Sha2512) => Ok(Sha512::digest(data).to_vec()),
        _ => Err(unsupported(scheme)),
    }
}

/// Nothing for a signature or key that is bad in any way; an error only for a scheme that is not ours.
fn verify_digest(
    scheme: SigningScheme,
    key: &[u8],
    digest: &[u8],
    signature: &[u8],
) -> Result<Option<()>> {
    use SigningScheme as S;
    // Compressed points and short RSA keys, for callers that have not asked yet.
    if validate_raw_public_key(scheme, key).is_err() {
        return Ok(None);
    }
    Ok(match scheme {
        S::EcdsaP256Sha256 | S::EcdsaP256Sha384 => verify_p256(key, digest, signature),
        S::EcdsaP384Sha256 | S::EcdsaP384Sha384 => verify_p384(key, digest, signature),
        S::RsaPkcs1Sha256 => verify_rsa(Pkcs1v15Sign::new::<Sha256>(), key, digest, signature),
        S::RsaPkcs1Sha384 => verify_rsa(Pkcs1v15Sign::new::<Sha384>(), key, digest, signature),
        S::RsaPkcs1Sha512 => verify_rsa(Pkcs1v15Sign::new::<Sha512>(), key, digest, signature),
        // RFC 8446 §4.2.3: the salt is as long as the digest. No other length is accepted.
        S::RsaPssSha256 => verify_rsa(Pss::<Sha256>::new(), key, digest, signature),
        S::RsaPssSha384 => verify_rsa(Pss::<Sha384>::new(), key, digest, signature),
        S::RsaPssSha512 => verify_rsa(Pss::<Sha512>::new(), key, digest, signature),
        _ => return Err(unsupported(scheme)),
    })
}

fn verify_p256(key: &[u8], digest: &[u8], signature: &[u8]) -> Option<()> {
    use p256::ecdsa::{Signature, VerifyingKey};
    let key = VerifyingKey::from_sec1_bytes(key).ok()?;
    let signature = Signature::from_der(signature).ok()?;
    key.verify_prehash(digest, &signature).ok()
}

fn verify_p384(key: &[u8], digest: &[u8], signature: &[u8]) -> Option<()> {
    use p384::ecdsa::{Signature, VerifyingKey};
    let key = VerifyingKey::from_sec1_bytes(key).ok()?;
    let signature = Signature::from_der(signature).ok()?;
    // Also with SHA-256, shorter than the curve: what timestamp authorities do.
    key.verify_prehash(digest, &signature).ok()
}

fn verify_ed25519(key: &[u8], data: &[u8], signature: &[u8]) -> Option<()> {
    let key = ed25519::VerifyingKey::from_bytes(key.try_into().ok()?).ok()?;
    let signature = ed25519::Signature::from_slice(signature).ok()?;
    // Strict: a key of small order would accept one signature for many messages.
    key.verify_strict(data, &signature).ok()
}

fn verify_rsa(
    padding: impl SignatureScheme,
    key: &[u8],
    digest: &[u8],
    signature: &[u8],
) -> Option<()> {
    let key = RsaPublicKey::from_pkcs1_der(key).ok()?;
    key.verify(padding, digest, signature).ok()
}

fn invalid(scheme: SigningScheme) -> Error {
    Error::Verification(format!("{} signature invalid", scheme.name()))
}

fn unsupported(scheme: SigningScheme) -> Error {
    Error::UnsupportedAlgorithm(format!("{} over this input", scheme.name()))
}
