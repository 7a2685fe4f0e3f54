//! The public vectors through the pure-Rust provider, natively: what WebAssembly verifies with, without WebAssembly. In a
//! process of its own, because a process has one provider.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

use signgate::evidence::Bundle;
use signgate::image::Digest;
use signgate::trust::{Instance, PublicKey, Requirements, TrustedRoot};
use signgate::verify::{File, file_signature, rustcrypto};
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_public_vector_has_its_verdict() {
    assert!(rustcrypto::install());
    assert!(!rustcrypto::install(), "another provider was put over it");
    let Some(vectors) = vectors() else { return };
    let mut wrong = Vec::new();
    for entry in fs::read_dir(&vectors).unwrap() {
        let case = entry.unwrap().path();
        let name = case.file_name().unwrap().to_str().unwrap().to_owned();
        if !case.is_dir() {
            continue;
        }
        let outcome = verify(&case, &vectors);
        if outcome.is_err() != name.ends_with("_fail") {
            wrong.push(format!("{name}: {outcome:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn verify(case: &Path, vectors: &Path) -> Result<(), String> {
    let said = |error: &dyn std::error::Error| format!("{error}");
    let own = case.join("artifact");
    let artifact = if own.exists() {
        own
    } else {
        vectors.join("a.txt")
    };
    let artifact = fs::read(artifact).unwrap();
    let root = match fs::read_to_string(case.join("trusted_root.json")) {
        Ok(json) => {
            TrustedRoot::parse(&json, Requirements::Everything).map_err(|error| said(&error))?
        }
        Err(_) => Instance::Public.trusted_root().unwrap(),
    };
    let key = fs::read_to_string(case.join("key.pub")).ok();
    let key = key
        .map(|pem| PublicKey::parse(&pem))
        .transpose()
        .map_err(|error| said(&error))?;
    let root = root.believing(key);
    let bundle = fs::read(case.join("bundle.sigstore.json")).unwrap();
    let digest = File::Digest(Digest::of(&artifact));
    let verified = Bundle::parse(bundle.clone())
        .map_err(|error| said(&error))
        .and_then(|bundle| file_signature(bundle, digest, &root).map_err(|error| said(&error)))?;
    // The other form agrees.
    let mut content = artifact.as_slice();
    let streamed = file_signature(
        Bundle::parse(bundle).unwrap(),
        File::Content(&mut content),
        &root,
    );
    assert_eq!(
        streamed.map_err(|error| said(&error))?.subject(),
        verified.subject()
    );
    Ok(())
}

fn vectors() -> Option<PathBuf> {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors/bundle-verify");
    let vectors = std::env::var_os("SIGNGATE_VECTORS").map_or(vectors, PathBuf::from);
    if vectors.is_dir() {
        return Some(vectors);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "{} is not there",
        vectors.display()
    );
    eprintln!("SKIPPED: {} is not there", vectors.display());
    None
}
