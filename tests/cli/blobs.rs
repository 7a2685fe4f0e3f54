//! Files: signed by a job, verified by anybody without asking anybody.

use crate::harness::*;
use serde_json::{Value, json};
use signgate::image::Digest;
use signgate::limits;
use signgate::sandbox::RekorVersion::{V1, V2};
use signgate::sandbox::{Key, ServiceName, SignedWithKey};
use std::path::{Path, PathBuf};

const SPDX: &str = "https://spdx.dev/Document";

/// A world with a file, and the bundle that the job signed it with.
struct Signed {
    world: World,
    file: PathBuf,
    bundle: PathBuf,
}

impl Signed {
    fn new(world: World) -> Self {
        let file = world.write("app.tar.gz", "the release");
        let bundle = world.home().join("app.tar.gz.sigstore.json");
        let signed = Self {
            world,
            file,
            bundle,
        };
        signed.sign().run().ok();
        signed
    }

    fn sign(&self) -> Signgate {
        self.world
            .job(&["sign-blob"])
            .arg(&self.file)
            .arg("--bundle")
            .arg(&self.bundle)
    }

    fn verify(&self, file: impl AsRef<std::ffi::OsStr>) -> Signgate {
        verifier(&self.world, &self.bundle)
            .args(&["--certificate-identity", IDENTITY])
            .args(&["--certificate-oidc-issuer", &self.world.issuer()])
            .arg(file)
    }
}

fn verifier(world: &World, bundle: &Path) -> Signgate {
    world.outside(&["verify-blob", "--bundle"]).arg(bundle)
}

/// Verifies `file` with a P-256 key that signed `signed`.
fn verify_with_key(world: &World, key: &Key, signed: SignedWithKey<'_>, file: &str) -> Signgate {
    let bundle = world.sandbox.forger().with_key(signed, key, V1).unwrap();
    let bundle = world.write("bundle.json", bundle);
    let key = world.write("key.pub", key.public_key_pem());
    verifier(world, &bundle).arg("--key").arg(key).arg(file)
}

#[test]
fn what_a_job_signed_verifies_by_path_and_by_digest() {
    for rekor in [V1, V2] {
        let signed = Signed::new(World::with_rekor(rekor));
        let digest = Digest::of(b"the release").to_string();
        signed.world.sandbox.requests().clear();
        for file in [
            signed.file.to_str().unwrap(),
            &digest,
            &digest.to_uppercase().replace("SHA", "sha"),
        ] {
            let run = signed.verify(file).run().ok();
            assert_eq!(run.report["command"], "verify-blob");
            assert_eq!(run.file()["verdict"], "allowed");
            assert_eq!(run.file()["digest"], *digest);
            assert_eq!(run.file()["requested"], file);
            let signature = &run.file()["signatures"][0];
            assert_eq!(signature["identity"], IDENTITY);
            assert_eq!(signature["predicateType"], Value::Null);
            assert_eq!(signature["logProof"], "inclusion");
        }
        assert_eq!(signed.world.sandbox.requests().all(), [], "nobody is asked");
    }
}

#[test]
fn the_report_for_people_names_file_and_signer() {
    let signed = Signed::new(World::new());
    let run = signed.verify(&signed.file).run_raw().ok();
    assert!(run.stdout.starts_with("allowed  "), "{run}");
    assert!(
        run.stdout.contains(&format!("  by        {IDENTITY}\n")),
        "{run}"
    );
    assert!(!run.stdout.contains("referrer"), "{run}");
}

#[test]
fn only_the_digest_leaves_the_machine() {
    let signed = Signed::new(World::new());
    let services: Vec<ServiceName> = signed
        .world
        .sandbox
        .requests()
        .all()
        .iter()
        .map(|asked| asked.service)
        .collect();
    assert!(!services.contains(&ServiceName::Registry));
    assert_eq!(
        services.len(),
        4,
        "the token, the certificate, the timestamp, the log entry"
    );
}

#[test]
fn another_file_or_another_signer_is_refused() {
    let signed = Signed::new(World::new());
    let other = signed.world.write("other", "another release");
    signed.verify(&other).run().ended("subject-mismatch", 14);
    let digest = Digest::of(b"another release").to_string();
    signed.verify(&digest).run().ended("subject-mismatch", 14);
    verifier(&signed.world, &signed.bundle)
        .args(&[
            "--certificate-identity",
            "https://github.com/acme/app/.github/workflows/other.yml@refs/heads/main",
        ])
        .args(&["--certificate-oidc-issuer", &signed.world.issuer()])
        .arg(&signed.file)
        .run()
        .ended("identity-mismatch", 12);
    verifier(&signed.world, &signed.bundle)
        .args(&["--certificate-identity", IDENTITY])
        .args(&["--certificate-oidc-issuer", "https://gitlab.com"])
        .arg(&signed.file)
        .run()
        .ended("issuer-mismatch", 12);
}

#[test]
fn a_bundle_that_is_none_is_refused_and_one_that_cannot_be_read_is_an_error() {
    let mut signed = Signed::new(World::new());
    for bad in [
        &b""[..],
        b"{}",
        b"\xff\xfe",
        b"[[[[[[",
        &b"[".repeat(200_000),
    ] {
        signed.bundle = signed.world.write("bad.json", bad);
        signed
            .verify(&signed.file)
            .run()
            .ended("bundle-malformed", 13);
    }
    signed.bundle = signed
        .world
        .write("big.json", vec![b' '; limits::BUNDLE_BYTES + 1]);
    signed
        .verify(&signed.file)
        .run()
        .ended("evidence-too-large", 13);
    signed.bundle = signed.world.home().join("missing.json");
    signed
        .verify(&signed.file)
        .run()
        .ended("file-unreadable", 2);
    signed.bundle = signed.world.home().to_owned();
    signed
        .verify(&signed.file)
        .run()
        .ended("file-unreadable", 2);
}

#[test]
fn a_file_that_cannot_be_read_is_an_error() {
    let signed = Signed::new(World::new());
    for file in ["missing", "sha256:abc", "sha512:abc", "/"] {
        signed.verify(file).run().ended("file-unreadable", 2);
    }
}

#[test]
fn a_file_with_the_name_of_a_digest_is_a_file() {
    let signed = Signed::new(World::new());
    let name = Digest::of(b"the release").to_string();
    let digest = signed.world.write(&name, "something else");
    signed.verify(&digest).run().ended("subject-mismatch", 14);
}

#[test]
fn a_statement_binds_the_file_that_it_names() {
    let world = World::new();
    let key = Key::p384().unwrap();
    let file = world.write("app.tar.gz", "the release");
    let file = file.to_str().unwrap();
    let mut about = statement_about(&Digest::of(b"the release").hex());
    about["predicateType"] = json!(SPDX);
    let about = about.to_string().into_bytes();
    let verify = |file: &str| verify_with_key(&world, &key, SignedWithKey::Statement(&about), file);

    let run = verify(file).run().ok();
    assert_eq!(run.file()["signatures"][0]["predicateType"], SPDX);
    let run = verify(file).run_raw().ok();
    assert!(
        run.stdout.contains(&format!("  statement {SPDX}\n")),
        "{run}"
    );
    verify(file).args(&["--type", SPDX]).run().ok();
    verify(file)
        .args(&["--type", "https://slsa.dev/provenance/v1"])
        .run()
        .ended("predicate-type-mismatch", 12);
    let other = world.write("other", "another release");
    verify(other.to_str().unwrap())
        .run()
        .ended("subject-mismatch", 14);
}

#[test]
fn a_signature_over_the_file_is_no_statement_of_a_type() {
    let signed = Signed::new(World::new());
    signed
        .verify(&signed.file)
        .args(&["--type", SPDX])
        .run()
        .ended("predicate-type-mismatch", 12);
}

#[test]
fn a_key_of_every_kind_signs_files() {
    let world = World::new();
    let file = world.write("app.tar.gz", "the release");
    let digest = Digest::of(b"the release").to_string();
    let signed = SignedWithKey::File(b"the release");
    for (key, by_digest) in [
        (Key::p256().unwrap(), None),
        // Ed25519 cannot be verified with less than the file.
        (Key::ed25519().unwrap(), Some("bundle-unsupported")),
        (Key::rsa().unwrap(), None),
    ] {
        let verify = |file: &str| verify_with_key(&world, &key, signed, file).run();
        let run = verify(file.to_str().unwrap()).ok();
        assert_eq!(run.file()["digest"], *digest);
        match by_digest {
            None => verify(&digest).ok(),
            Some(code) => verify(&digest).ended(code, 13),
        };
        let other = world.write("other", "another release");
        verify(other.to_str().unwrap()).ended("subject-mismatch", 14);
    }
}

#[test]
fn a_bundle_appears_whole_or_not_at_all() {
    let signed = Signed::new(World::new());
    let before = std::fs::read(&signed.bundle).unwrap();
    signed
        .world
        .break_all(ServiceName::RekorV2, status(503, None));
    signed.sign().run().ended("rekor-unavailable", 33);
    assert_eq!(std::fs::read(&signed.bundle).unwrap(), before);
    let names: Vec<String> = std::fs::read_dir(signed.world.home())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        !names.iter().any(|name| name.contains(".part")),
        "{names:?}"
    );
}

#[test]
fn nobody_is_asked_before_the_files_are_known_to_be_usable() {
    let signed = Signed::new(World::new());
    signed.world.sandbox.requests().clear();
    let sign = |file: &Path, bundle: &Path| {
        let sign = signed.world.job(&["sign-blob"]).arg(file);
        sign.arg("--bundle").arg(bundle).run()
    };
    let home = signed.world.home();
    sign(&signed.file, &home.join("no/such/folder")).ended("file-unwritable", 2);
    sign(&signed.file, home).ended("file-unwritable", 2);
    sign(&home.join("missing"), &signed.bundle).ended("file-unreadable", 2);
    sign(home, &signed.bundle).ended("file-unreadable", 2);
    assert_eq!(signed.world.sandbox.requests().all(), []);
}

#[test]
fn a_large_file_is_read_in_passing() {
    let world = World::new();
    let content: Vec<u8> = (0..32 * 1024 * 1024_u32).map(|n| (n % 251) as u8).collect();
    let file = world.write("app.tar.gz", &content);
    let bundle = world.home().join("bundle.json");
    let mut signed = Signed {
        world,
        file,
        bundle,
    };
    signed.sign().run().ok();
    signed.verify(&signed.file).run().ok();
    let mut cut = content;
    cut.pop();
    signed.file = signed.world.write("cut", cut);
    signed
        .verify(&signed.file)
        .run()
        .ended("subject-mismatch", 14);
}

#[test]
fn a_statement_signed_by_a_job_verifies_for_its_subject() {
    for rekor in [V1, V2] {
        let world = World::with_rekor(rekor);
        let mut about = statement_about(&Digest::of(b"the release").hex());
        about["predicateType"] = json!(SPDX);
        let file = world.write("statement.json", about.to_string());
        let bundle = world.home().join("bundle.json");
        let mut signed = Signed {
            world,
            file,
            bundle,
        };
        signed.sign().arg("--statement").run().ok();
        signed
            .verify(&signed.file)
            .run()
            .ended("subject-mismatch", 14);
        signed.file = signed.world.write("app.tar.gz", "the release");
        let run = signed
            .verify(&signed.file)
            .args(&["--type", SPDX])
            .run()
            .ok();
        assert_eq!(run.file()["signatures"][0]["predicateType"], SPDX);
    }
}

#[test]
fn what_is_no_statement_is_not_signed_as_one() {
    let world = World::new();
    for (name, text) in [
        ("a.json", "the release".to_owned()),
        ("b.json", json!({"_type": "https://in-toto.io/Statement/v1", "subject": [], "predicateType": SPDX}).to_string()),
    ] {
        let file = world.write(name, text);
        world
            .job(&["sign-blob", "--statement", "--bundle", "bundle.json"])
            .arg(file)
            .run()
            .ended("usage-invalid", 2);
    }
}

#[test]
fn a_subject_known_only_by_sha512_is_not_the_file() {
    use sha2::{Digest as _, Sha512};
    // The crates accept it; but what is reported, and compared everywhere else, is SHA-256.
    let world = World::new();
    let about = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "x", "digest": {"sha512": Sha512::digest(b"the release").iter().map(|byte| format!("{byte:02x}")).collect::<String>()}}],
        "predicateType": SPDX,
        "predicate": {},
    });
    let about = about.to_string().into_bytes();
    let file = world.write("app.tar.gz", "the release");
    let key = Key::p256().unwrap();
    verify_with_key(
        &world,
        &key,
        SignedWithKey::Statement(&about),
        file.to_str().unwrap(),
    )
    .run()
    .ended("subject-mismatch", 14);
}
