//! A key instead of an identity: what it signed is accepted, and nothing else is.

use crate::harness::*;
use serde_json::{Value, json};
use signgate::sandbox::RekorVersion::{self, V1, V2};
use signgate::sandbox::{Key, SignedWithKey};
use std::path::PathBuf;

type Make = fn() -> signgate::sandbox::Result<Key>;

const KINDS: [(&str, Make); 4] = [
    ("p256", Key::p256),
    ("p384", Key::p384),
    ("ed25519", Key::ed25519),
    ("rsa", Key::rsa),
];

/// A bundle over the statement, by the key, and the file with its public key.
fn forge(world: &World, key: &Key, statement: &Value, rekor: RekorVersion) -> (String, PathBuf) {
    let forger = world.sandbox.forger();
    let statement = statement.to_string().into_bytes();
    let signed = SignedWithKey::Statement(&statement);
    let bundle = forger.with_key(signed, key, rekor).unwrap();
    (bundle, world.write("key.pub", key.public_key_pem()))
}

fn verify(world: &World, image: &Pushed, key: &str) -> Run {
    world
        .outside(&["verify", &image.pinned, "--key", key])
        .run()
}

/// Verifies an image that a P-256 key has signed, after a change to the bundle.
fn verify_changed(rekor: RekorVersion, change: impl FnOnce(&mut Value, &World)) -> Run {
    let world = World::new();
    let image = world.push("app:v1");
    let key = Key::p256().unwrap();
    let (bundle, path) = forge(&world, &key, &statement(&image), rekor);
    let mut bundle = serde_json::from_str(&bundle).unwrap();
    change(&mut bundle, &world);
    world.attach(&image, bundle.to_string());
    verify(&world, &image, path.to_str().unwrap())
}

#[test]
fn an_image_signed_with_a_key_of_every_kind() {
    for (name, make) in KINDS {
        let world = World::new();
        let image = world.push("app:v1");
        let (bundle, path) = forge(&world, &make().unwrap(), &statement(&image), V1);
        world.attach(&image, bundle);
        let run = verify(&world, &image, path.to_str().unwrap()).ok();
        let signature = run.signature();
        assert!(
            signature["key"].as_str().unwrap().starts_with("sha256:"),
            "{name}: {run}"
        );
        assert_eq!(signature["identity"], Value::Null);
        assert_eq!(signature["logProof"], "inclusion");
        assert!(signature["signedAt"].is_string());
    }
}

#[test]
fn a_key_signed_image_in_rekor_2() {
    verify_changed(V2, |_, _| {}).ok();
}

#[test]
fn another_key_of_the_same_kind_is_refused() {
    for (name, make) in KINDS {
        let world = World::new();
        let image = world.push("app:v1");
        let (bundle, _) = forge(&world, &make().unwrap(), &statement(&image), V1);
        world.attach(&image, bundle);
        let other = world.write("other.pub", make().unwrap().public_key_pem());
        let run = verify(&world, &image, other.to_str().unwrap());
        assert_eq!(
            (run.code(), run.exit),
            (Some("signature-invalid"), 13),
            "{name}: {run}"
        );
    }
}

#[test]
fn a_key_is_no_identity_and_an_identity_is_no_key() {
    let world = World::new();
    let image = world.push("app:v1");
    let (bundle, path) = forge(&world, &Key::p256().unwrap(), &statement(&image), V2);
    world.attach(&image, bundle);
    world
        .verify(&image.pinned)
        .ended("signer-kind-mismatch", 12);

    let other = world.push("app:v2");
    world.sign(&other.pinned).ok();
    verify(&world, &other, path.to_str().unwrap()).ended("signer-kind-mismatch", 12);
}

#[test]
fn a_public_key_in_the_place_of_the_certificate_is_refused() {
    // GHSA-fx35-mq7g-6g98: a client that takes either accepts whoever made a key.
    let world = World::new();
    let image = world.push("app:v1");
    let key = Key::p256().unwrap();
    let (bundle, path) = forge(&world, &key, &statement(&image), V2);
    let mut bundle: Value = serde_json::from_str(&bundle).unwrap();
    let pem = key.public_key_pem();
    let der: String = pem
        .lines()
        .filter(|line| !line.starts_with('-'))
        .map(str::trim)
        .collect();
    let material = bundle["verificationMaterial"].as_object_mut().unwrap();
    material.remove("publicKey");
    material.insert("certificate".to_owned(), json!({"rawBytes": der}));
    world.attach(&image, bundle.to_string());
    world.verify(&image.pinned).ended("certificate-invalid", 13);
    verify(&world, &image, path.to_str().unwrap()).ended("signer-kind-mismatch", 12);
}

#[test]
fn the_log_is_wanted_from_a_key_too() {
    verify_changed(V2, |bundle, _| {
        bundle["verificationMaterial"]["tlogEntries"] = json!([]);
    })
    .ended("log-proof-invalid", 13);
    verify_changed(V1, |bundle, _| {
        let entry = &mut bundle["verificationMaterial"]["tlogEntries"][0];
        entry.as_object_mut().unwrap().remove("inclusionProof");
    })
    .ended("log-proof-invalid", 13);
}

#[test]
fn a_log_entry_of_another_key_is_refused() {
    for rekor in [V1, V2] {
        verify_changed(rekor, |bundle, world| {
            let other = Key::p256().unwrap();
            let payload = unbase64(bundle["dsseEnvelope"]["payload"].as_str().unwrap());
            let forger = world.sandbox.forger();
            let theirs = forger.with_key(SignedWithKey::Statement(&payload), &other, rekor);
            let theirs: Value = serde_json::from_str(&theirs.unwrap()).unwrap();
            bundle["verificationMaterial"]["tlogEntries"] =
                theirs["verificationMaterial"]["tlogEntries"].clone();
        })
        .ended("log-proof-invalid", 13);
    }
}

#[test]
fn a_key_needs_no_time_but_a_false_one_is_refused() {
    let run = verify_changed(V2, |bundle, _| {
        let material = bundle["verificationMaterial"].as_object_mut().unwrap();
        material.remove("timestampVerificationData");
    })
    .ok();
    assert_eq!(run.signature()["signedAt"], Value::Null);
    verify_changed(V2, |bundle, world| {
        let other = world.sandbox.forger();
        let other = other.with_key(SignedWithKey::File(b"x"), &Key::p256().unwrap(), V2);
        let other: Value = serde_json::from_str(&other.unwrap()).unwrap();
        bundle["verificationMaterial"]["timestampVerificationData"] =
            other["verificationMaterial"]["timestampVerificationData"].clone();
    })
    .ended("timestamp-invalid", 13);
}

#[test]
fn the_hint_is_not_believed() {
    verify_changed(V2, |bundle, _| {
        bundle["verificationMaterial"]["publicKey"]["hint"] = json!("somebody else");
    })
    .ok();
}

#[test]
fn an_attestation_by_the_right_key_is_no_image_signature() {
    let world = World::new();
    let image = world.push("app:v1");
    let mut attestation = statement(&image);
    attestation["predicateType"] = json!("https://slsa.dev/provenance/v1");
    let (bundle, path) = forge(&world, &Key::p256().unwrap(), &attestation, V2);
    world.attach(&image, bundle);
    verify(&world, &image, path.to_str().unwrap()).ended("predicate-type-mismatch", 12);
}

#[test]
fn with_what_is_no_public_key_nothing_verifies() {
    let world = World::new();
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    for pem in [
        "",
        "garbage",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    ] {
        let path = world.write("bad.pub", pem);
        verify(&world, &image, path.to_str().unwrap()).ended("public-key-invalid", 13);
    }
    verify(&world, &image, "/does/not/exist.pub").ended("file-unreadable", 2);
}

#[test]
fn a_key_and_an_identity_contradict_each_other() {
    let world = World::new();
    let path = world.write("key.pub", Key::p256().unwrap().public_key_pem());
    let key = path.to_str().unwrap();
    for options in [
        &["--certificate-identity", "x"][..],
        &["--certificate-identity-regexp", "https://example.com/.*"],
        &["--certificate-oidc-issuer", "x"],
        &["--require", "build-trigger=push"],
    ] {
        let run = world
            .outside(&["verify", "127.0.0.1:1/a/b:c", "--key", key])
            .args(options)
            .run_raw();
        assert_eq!(
            (run.exit, run.stdout.as_str()),
            (2, ""),
            "{options:?}: {run}"
        );
    }
}
