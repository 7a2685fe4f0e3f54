//! The adapter for the Sigstore conformance suite: its arguments in its order, and exit 0 or not.

use crate::harness::*;
use serde_json::{Value, json};
use signgate::image::Digest;
use signgate::sandbox::RekorVersion::{V1, V2};
use signgate::sandbox::{Key, SignedWithKey};
use std::path::Path;
use std::process::{Command, Output};

fn conformance(world: &World, arguments: &[&str]) -> Output {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/conformance"))
        .args(arguments)
        .current_dir(world.home())
        // Believed, it would make every test below pass or fail for a wrong reason.
        .env("SIGNGATE_TRUSTED_ROOT", "/does/not/exist")
        .env("SIGNGATE_KEY", "/does/not/exist")
        .env("SIGNGATE", env!("CARGO_BIN_EXE_signgate"))
        .output()
        .unwrap()
}

/// The token that the sandbox's job gets, as the suite brings one.
fn token(world: &World) -> String {
    let job = world.sandbox.oidc().job();
    world.sandbox.oidc().mint(&job).unwrap()
}

fn sign(world: &World, options: &[&str], file: &str) -> Output {
    let token = token(world);
    let root = world.sandbox.trusted_root_path().display().to_string();
    let config = world.sandbox.signing_config_path().display().to_string();
    let mut arguments = vec!["sign-bundle"];
    arguments.extend(options);
    arguments.extend(["--identity-token", &token, "--bundle", "bundle.json"]);
    arguments.extend(["--trusted-root", &root, "--signing-config", &config, file]);
    let output = conformance(world, &arguments);
    assert!(!String::from_utf8_lossy(&output.stderr).contains(&token));
    output
}

fn verify(world: &World, identity: &str, file: &str) -> Option<i32> {
    let issuer = world.issuer();
    let root = world.sandbox.trusted_root_path().display().to_string();
    let mut arguments = vec!["verify-bundle", "--bundle", "bundle.json"];
    arguments.extend(["--certificate-identity", identity]);
    arguments.extend(["--certificate-oidc-issuer", &issuer]);
    arguments.extend(["--trusted-root", &root, file]);
    conformance(world, &arguments).status.code()
}

#[test]
fn signs_and_verifies_files() {
    for rekor in [V1, V2] {
        let world = World::with_rekor(rekor);
        world.write("a.txt", "artifact");
        world.write("b.txt", "another");
        let output = sign(&world, &[], "a.txt");
        assert!(output.status.success(), "{output:?}");
        assert_eq!(verify(&world, IDENTITY, "a.txt"), Some(0));
        let digest = Digest::of(b"artifact").to_string();
        assert_eq!(verify(&world, IDENTITY, &digest), Some(0));
        assert_eq!(verify(&world, IDENTITY, "b.txt"), Some(14));
        assert_eq!(verify(&world, "somebody else", "a.txt"), Some(12));
        assert_eq!(verify(&world, IDENTITY, "missing.txt"), Some(2));
    }
}

#[test]
fn signs_and_verifies_statements() {
    let world = World::new();
    world.write("a.txt", "artifact");
    let statement = statement_about(&Digest::of(b"artifact").hex());
    world.write("statement.json", statement.to_string());
    let output = sign(&world, &["--in-toto"], "statement.json");
    assert!(output.status.success(), "{output:?}");
    let bundle = std::fs::read(world.home().join("bundle.json")).unwrap();
    let bundle: Value = serde_json::from_slice(&bundle).unwrap();
    assert_eq!(
        bundle["dsseEnvelope"]["payloadType"],
        json!("application/vnd.in-toto+json")
    );
    assert_eq!(verify(&world, IDENTITY, "a.txt"), Some(0));
}

#[test]
fn verifies_with_keys() {
    let world = World::new();
    let key = Key::p256().unwrap();
    let forger = world.sandbox.forger();
    let bundle = forger.with_key(SignedWithKey::File(b"artifact"), &key, V1);
    world.write("bundle.json", bundle.unwrap());
    world.write("a.txt", "artifact");
    world.write("key.pub", key.public_key_pem());
    world.write("other.pub", Key::p256().unwrap().public_key_pem());
    let root = world.sandbox.trusted_root_path().display().to_string();
    let verify = |key| {
        let arguments = ["verify-bundle", "--bundle", "bundle.json", "--key", key];
        let arguments = [&arguments[..], &["--trusted-root", &root, "a.txt"]].concat();
        conformance(&world, &arguments).status.code()
    };
    assert_eq!(verify("key.pub"), Some(0));
    assert_eq!(verify("other.pub"), Some(13));
}

#[test]
fn staging_is_another_instance() {
    let world = World::new();
    world.write("a.txt", "artifact");
    sign(&world, &[], "a.txt");
    // Neither of the two has issued the sandbox's certificates.
    for options in [&[][..], &["--staging"]] {
        let mut arguments = vec!["verify-bundle"];
        arguments.extend(options);
        arguments.extend(["--bundle", "bundle.json", "--certificate-identity", "x"]);
        arguments.extend(["--certificate-oidc-issuer", "y", "a.txt"]);
        assert_eq!(
            conformance(&world, &arguments).status.code(),
            Some(13),
            "{options:?}"
        );
    }
}

#[test]
fn arguments_outside_the_protocol_are_refused() {
    let world = World::new();
    for arguments in [
        &[][..],
        &["sign"],
        &["verify-bundle"],
        &["verify-bundle", "--in-toto", "a.txt"],
        &["sign-bundle", "--key", "k", "a.txt"],
    ] {
        assert_eq!(
            conformance(&world, arguments).status.code(),
            Some(2),
            "{arguments:?}"
        );
    }
}
