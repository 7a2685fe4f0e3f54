//! Wycheproof through every provider of cryptography that a signature may be checked by, as the Sigstore crates ask it:
//! the key out of its SubjectPublicKeyInfo first, then the signature. tests/wasm/wycheproof.mjs has the same for the
//! providers in WebAssembly.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

use serde_json::Value;
use signgate::verify::rustcrypto::RUST_CRYPTO;
use sigstore_verify::crypto::{
    CryptoProvider, SigningScheme, VerificationKey, aws_lc_provider, validate_raw_public_key,
};
use sigstore_verify::types::DerPublicKey;
use std::path::PathBuf;

/// Every file, with the scheme that it is about.
const FILES: &[(&str, Option<SigningScheme>)] = &[
    (
        "ecdsa_secp256r1_sha256",
        Some(SigningScheme::EcdsaP256Sha256),
    ),
    (
        "ecdsa_secp384r1_sha384",
        Some(SigningScheme::EcdsaP384Sha384),
    ),
    // The Sigstore crates know no such scheme, so no provider is ever asked: the keys are refused.
    ("ecdsa_secp521r1_sha512", None),
    ("ed25519", Some(SigningScheme::Ed25519)),
    (
        "rsa_signature_2048_sha256",
        Some(SigningScheme::RsaPkcs1Sha256),
    ),
    (
        "rsa_signature_3072_sha256",
        Some(SigningScheme::RsaPkcs1Sha256),
    ),
    (
        "rsa_signature_4096_sha256",
        Some(SigningScheme::RsaPkcs1Sha256),
    ),
];

#[test]
fn aws_lc_answers_every_vector() {
    answers_every_vector("aws-lc", aws_lc_provider());
}

#[test]
fn rustcrypto_answers_every_vector() {
    answers_every_vector("RustCrypto", &RUST_CRYPTO);
}

#[test]
fn keys_on_p521_are_refused() {
    for (name, _) in FILES.iter().filter(|(_, scheme)| scheme.is_none()) {
        for (key, _) in vectors(name) {
            assert!(VerificationKey::from_spki(&key).is_err());
        }
    }
}

fn answers_every_vector(provider_name: &str, provider: &dyn CryptoProvider) {
    for (name, scheme) in FILES {
        let Some(scheme) = scheme else { continue };
        let mut wrong = Vec::new();
        for (key, test) in vectors(name) {
            let accepted = accepts(provider, *scheme, &key, &test);
            // `acceptable` leaves it open. We do not: see ACCEPTABLE.
            let expected = match test["result"].as_str().unwrap() {
                "valid" => true,
                "invalid" => false,
                "acceptable" => ACCEPTABLE,
                other => panic!("{other}"),
            };
            if accepted != expected {
                wrong.push(format!(
                    "{} ({}) {}: accepted {accepted}",
                    test["tcId"], test["comment"], test["flags"]
                ));
            }
        }
        assert!(wrong.is_empty(), "{provider_name}, {name}: {wrong:#?}");
    }
}

/// The three vectors that may go either way are RSA signatures over a DigestInfo without the NULL in it. RFC 8017
/// wants it there, and every provider insists: one message, one encoding.
const ACCEPTABLE: bool = false;

fn accepts(
    provider: &dyn CryptoProvider,
    scheme: SigningScheme,
    key: &DerPublicKey,
    test: &Value,
) -> bool {
    let bytes = |name: &str| hex::decode(test[name].as_str().unwrap()).unwrap();
    let Ok(key) = VerificationKey::from_spki_with_scheme(key, scheme) else {
        return false;
    };
    let is_raw = provider
        .verify_raw(scheme, key.as_bytes(), &bytes("msg"), &bytes("sig"))
        .is_ok();
    // The other way in has to agree.
    if let Some(algorithm) = scheme.hash_algorithm() {
        let mut hash = provider.hash(algorithm).unwrap();
        hash.update(&bytes("msg"));
        let digest = hash.finalize();
        let is_prehashed = provider
            .verify_prehashed(scheme, key.as_bytes(), &digest, &bytes("sig"))
            .is_ok();
        assert_eq!(is_raw, is_prehashed, "{test}");
    }
    is_raw && validate_raw_public_key(scheme, key.as_bytes()).is_ok()
}

/// Every vector of a file with its key; none, said aloud, where the vectors are not at hand.
fn vectors(name: &str) -> Vec<(DerPublicKey, Value)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors/wycheproof");
    if !folder.is_dir() {
        assert!(
            std::env::var_os("CI").is_none(),
            "{} is not there",
            folder.display()
        );
        eprintln!("SKIPPED: {} is not there", folder.display());
        return Vec::new();
    }
    let text = std::fs::read_to_string(folder.join(format!("{name}_test.json"))).unwrap();
    let mut file: Value = serde_json::from_str(&text).unwrap();
    let mut vectors = Vec::new();
    for group in file["testGroups"].as_array_mut().unwrap() {
        let key = DerPublicKey::new(hex::decode(group["publicKeyDer"].as_str().unwrap()).unwrap());
        for test in group["tests"].as_array_mut().unwrap() {
            vectors.push((key.clone(), test.take()));
        }
    }
    assert_eq!(
        vectors.len() as u64,
        file["numberOfTests"].as_u64().unwrap()
    );
    vectors
}
