//! Signature checks by the host's cryptography, where it has a faster one: Node's is written in assembly.
//!
//! Asked for each call by the caller, never found in the environment: a page must not be able to replace what verifies.

use crate::verify::rustcrypto::RUST_CRYPTO;
use js_sys::{Array, Function, Uint8Array};
use sigstore_verify::crypto::{
    CryptoProvider, Error, HashContext, Result, SigningScheme, VerificationKey,
    install_default_provider,
};
use sigstore_verify::types::{DerPublicKey, HashAlgorithm, SignatureBytes};
use std::cell::RefCell;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// Runs `verify` with this host function, or with the cryptography in here if there is none.
pub(super) fn with<T>(host: Option<Function>, verify: impl FnOnce() -> T) -> T {
    // Refused from the second call on, when it is this one that is installed.
    let _ = install_default_provider(&PROVIDER);
    HOST.set(host);
    let result = verify();
    HOST.set(None);
    result
}

/// Whether one signature is valid, by the name of its scheme and a SubjectPublicKeyInfo in DER. Not for callers of the
/// package, which does not export it: the Wycheproof vectors come in here, by the way that every signature takes.
#[wasm_bindgen]
pub fn signature_is_valid(
    scheme: &str,
    key: &[u8],
    data: &[u8],
    signature: &[u8],
    host: Option<Function>,
) -> bool {
    const SCHEMES: [SigningScheme; 4] = [
        SigningScheme::EcdsaP256Sha256,
        SigningScheme::EcdsaP384Sha384,
        SigningScheme::Ed25519,
        SigningScheme::RsaPkcs1Sha256,
    ];
    let Some(scheme) = SCHEMES.into_iter().find(|known| known.name() == scheme) else {
        return false;
    };
    with(host, || {
        let key = DerPublicKey::new(key.to_vec());
        VerificationKey::from_spki_with_scheme(&key, scheme)
            .and_then(|key| key.verify(data, &SignatureBytes::new(signature.to_vec())))
            .is_ok()
    })
}

thread_local! {
    /// `(scheme, key, data, signature) => boolean`
    static HOST: RefCell<Option<Function>> = const { RefCell::new(None) };
}

static PROVIDER: Provider = Provider;

#[derive(Debug)]
struct Provider;

impl CryptoProvider for Provider {
    fn hash(&self, algorithm: HashAlgorithm) -> Result<Box<dyn HashContext>> {
        RUST_CRYPTO.hash(algorithm)
    }

    fn sha256(&self, data: &[u8]) -> [u8; 32] {
        RUST_CRYPTO.sha256(data)
    }

    fn sha384(&self, data: &[u8]) -> [u8; 48] {
        RUST_CRYPTO.sha384(data)
    }

    fn sha512(&self, data: &[u8]) -> [u8; 64] {
        RUST_CRYPTO.sha512(data)
    }

    fn verify_raw(
        &self,
        scheme: SigningScheme,
        key: &[u8],
        data: &[u8],
        signature: &[u8],
    ) -> Result<()> {
        let Some(host) = HOST.with_borrow(Clone::clone) else {
            return RUST_CRYPTO.verify_raw(scheme, key, data, signature);
        };
        let arguments = Array::of4(
            &JsValue::from_str(scheme.name()),
            &Uint8Array::from(key),
            &Uint8Array::from(data),
            &Uint8Array::from(signature),
        );
        match host.apply(&JsValue::UNDEFINED, &arguments) {
            // Only `true` is true, and an exception is a refusal.
            Ok(answer) if answer == JsValue::TRUE => Ok(()),
            _ => Err(Error::Verification(format!(
                "{} signature invalid",
                scheme.name()
            ))),
        }
    }

    /// Node cannot verify over a digest: it would hash it once more.
    fn verify_prehashed(
        &self,
        scheme: SigningScheme,
        key: &[u8],
        digest: &[u8],
        signature: &[u8],
    ) -> Result<()> {
        RUST_CRYPTO.verify_prehashed(scheme, key, digest, signature)
    }
}
