//! The main job, when all goes well: an image is signed in CI, and verified by whoever expects exactly that job.

use crate::harness::*;
use serde_json::{Value, json};
use signgate::image::{Descriptor, Manifest};
use signgate::sandbox::Identity;
use signgate::sandbox::RegistryOptions;
use signgate::sandbox::ServiceName;
use signgate::sandbox::{Options, RekorVersion};

/// Signs and verifies one image, and looks at everything the reports say.
fn sign_and_verify(rekor: RekorVersion, referrers_api: bool, name: fn(&Pushed) -> &str) {
    let world = World::with(Options {
        rekor: vec![rekor],
        registry: RegistryOptions {
            referrers_api,
            ..RegistryOptions::default()
        },
        ..Options::default()
    });
    let image = world.push("app:v1");

    let signed = world.sign(name(&image)).ok();
    assert_eq!(signed.image()["verdict"], "signed");
    let verified = world.verify(name(&image)).ok();
    assert_eq!(verified.image()["verdict"], "allowed");
    for report in [&signed, &verified] {
        assert_eq!(report.image()["requested"], name(&image));
        assert_eq!(report.image()["image"], image.pinned.as_str());
        let signature = report.signature();
        assert_eq!(signature["identity"], IDENTITY);
        assert_eq!(signature["issuer"], world.issuer().as_str());
        let claims = &signature["claims"];
        assert_eq!(
            claims["source-repository-uri"],
            "https://github.com/acme/app"
        );
        assert_eq!(claims["source-repository-ref"], "refs/heads/main");
        assert_eq!(claims["build-trigger"], "push");
        assert_eq!(signature["logIndex"], 0);
        let signed_at = signature["signedAt"].as_str().unwrap();
        signed_at.parse::<jiff::Timestamp>().unwrap();
    }
    assert_eq!(signed.signature(), verified.signature());

    let logs = [RekorVersion::V1, RekorVersion::V2].map(|version| match version {
        RekorVersion::V1 => world.requests(ServiceName::RekorV1).len(),
        RekorVersion::V2 => world.requests(ServiceName::RekorV2).len(),
    });
    let expected = if rekor == RekorVersion::V1 {
        [1, 0]
    } else {
        [0, 1]
    };
    assert_eq!(logs, expected, "entries in Rekor v1 and v2");
    let tags = world.sandbox.registry().tags(REPOSITORY);
    assert_eq!(tags.contains(&image.fallback_tag()), !referrers_api);
}

macro_rules! sign_and_verify {
    ($($test:ident: $rekor:ident, $referrers_api:literal, $name:ident;)+) => {$(
        #[test]
        fn $test() {
            sign_and_verify(RekorVersion::$rekor, $referrers_api, |image| &image.$name);
        }
    )+};
}

sign_and_verify! {
    rekor_1_and_the_referrers_api_by_digest: V1, true, pinned;
    rekor_1_and_the_referrers_api_by_tag: V1, true, tagged;
    rekor_1_and_the_fallback_tag_by_digest: V1, false, pinned;
    rekor_1_and_the_fallback_tag_by_tag: V1, false, tagged;
    rekor_2_and_the_referrers_api_by_digest: V2, true, pinned;
    rekor_2_and_the_referrers_api_by_tag: V2, true, tagged;
    rekor_2_and_the_fallback_tag_by_digest: V2, false, pinned;
    rekor_2_and_the_fallback_tag_by_tag: V2, false, tagged;
}

#[test]
fn images_of_one_run_share_one_certificate() {
    let world = World::new();
    let (app, worker) = (world.push("app:v1"), world.push("worker:v1"));
    let run = world.job(&["sign", &app.pinned, &worker.pinned]).run().ok();
    assert_eq!(run.report["images"].as_array().unwrap().len(), 2);
    assert_eq!(world.requests(ServiceName::Fulcio).len(), 1);
    assert_eq!(world.requests(ServiceName::Oidc).len(), 1);
    assert_eq!(world.requests(ServiceName::RekorV2).len(), 2);

    let both = world.verifier(&app.pinned, IDENTITY, &world.issuer());
    let both = both.arg(&worker.pinned).run().ok();
    let verdicts: Vec<&Value> = both.report["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| &image["verdict"])
        .collect();
    assert_eq!(verdicts, ["allowed", "allowed"]);
}

#[test]
fn one_unsigned_image_among_signed_ones_is_enough_to_refuse() {
    let world = World::new();
    let (signed, unsigned) = (world.push("app:v1"), world.push("app:v2"));
    world.sign(&signed.pinned).ok();
    let both = world.verifier(&signed.pinned, IDENTITY, &world.issuer());
    let both = both.arg(&unsigned.pinned).run().ended("no-signature", 10);
    assert_eq!(both.report["images"][0]["verdict"], "allowed");
    assert_eq!(both.report["images"][1]["verdict"], "denied");
}

#[test]
fn signing_twice_leaves_two_signatures_that_both_verify() {
    let world = World::new();
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    world.sign(&image.pinned).ok();
    let run = world.verify(&image.pinned).ok();
    assert_eq!(run.image()["signatures"].as_array().unwrap().len(), 2);
}

#[test]
fn a_gitlab_job_signs_with_the_token_in_its_environment() {
    let world = World::new();
    let image = world.push("app:v1");
    let job = Identity::gitlab("acme/app", ".gitlab-ci.yml", "refs/heads/main");
    let token = world.sandbox.oidc().mint(&job).unwrap();
    world
        .outside(&["sign", &image.pinned])
        .env("CI", "true")
        .env("GITLAB_CI", "true")
        .env("SIGSTORE_ID_TOKEN", &token)
        .secret(token)
        .run()
        .ok();
    assert_eq!(world.requests(ServiceName::Oidc).len(), 0);

    let identity = "https://gitlab.com/acme/app//.gitlab-ci.yml@refs/heads/main";
    let issuer = world.issuer_of(&job);
    world.verify_as(&image.pinned, identity, &issuer).ok();
    world.verify(&image.pinned).ended("issuer-mismatch", 12);
}

#[test]
fn a_person_signs_with_a_token_from_a_file() {
    let world = World::new();
    let image = world.push("app:v1");
    let person = Identity::email("ada@example.com");
    let token = world.sandbox.oidc().mint(&person).unwrap();
    // A newline at the end is what shells leave there.
    let file = world.write("token", format!("{token}\n"));
    let run = world
        .outside(&["sign", &image.pinned, "--identity-token-file"])
        .arg(&file)
        .secret(token)
        .run()
        .ok();
    assert_eq!(run.signature()["identity"], "ada@example.com");
    assert!(run.signature()["claims"].is_null());
    let issuer = world.issuer_of(&person);
    world
        .verify_as(&image.pinned, "ada@example.com", &issuer)
        .ok();
}

#[test]
fn a_token_file_wins_over_the_ci() {
    let world = World::new();
    let image = world.push("app:v1");
    let token = world
        .sandbox
        .oidc()
        .mint(&Identity::email("ada@example.com"));
    let file = world.write("token", token.unwrap());
    let run = world
        .job(&["sign", &image.pinned, "--identity-token-file"])
        .arg(&file)
        .run()
        .ok();
    assert_eq!(run.signature()["identity"], "ada@example.com");
}

#[test]
fn trust_is_given_by_flags_as_well() {
    let world = World::new();
    let image = world.push("app:v1");
    let root = world.sandbox.trusted_root_path();
    let config = world.sandbox.signing_config_path();
    world
        .job(&["sign", &image.pinned, "--trusted-root"])
        .without("SIGNGATE_TRUSTED_ROOT")
        .without("SIGNGATE_SIGNING_CONFIG")
        .arg(&root)
        .arg("--signing-config")
        .arg(&config)
        .run()
        .ok();
    world
        .signgate(&["verify", &image.pinned, "--trusted-root"])
        .arg(&root)
        .env("SIGNGATE_CERTIFICATE_IDENTITY", IDENTITY)
        .env("SIGNGATE_CERTIFICATE_OIDC_ISSUER", world.issuer())
        .run()
        .ok();
}

#[test]
fn a_tag_that_moves_after_signing_points_to_an_unsigned_image() {
    let world = World::new();
    let signed = world.push("app:v1");
    world.sign(&signed.tagged).ok();
    let other = world.push("app:other");
    let bytes = world.manifest(&other.digest().to_string()).unwrap();
    let index = Manifest::new("application/vnd.oci.image.index.v1+json", bytes);
    world.push_manifest(&signed, "v1", &index);
    world.verify(&signed.tagged).ended("no-signature", 10);
    world.verify(&signed.pinned).ok();
}

#[test]
fn a_docker_login_signs() {
    let world = World::with_password();
    world.docker_login(USER, PASSWORD);
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    world.verify(&image.pinned).ok();
}

#[test]
fn a_podman_login_signs() {
    let world = World::with_password();
    world.docker_login(USER, PASSWORD);
    let image = world.push("app:v1");
    std::fs::remove_file(world.home().join(".docker/config.json")).unwrap();
    let file = world.write("auth.json", world.auth_file(USER, PASSWORD));
    world
        .job(&["sign", &image.pinned])
        .env("REGISTRY_AUTH_FILE", file)
        .run()
        .ok();

    let folder = world.home().join("run");
    world.write("run/containers/auth.json", world.auth_file(USER, PASSWORD));
    world
        .job(&["sign", &image.pinned])
        .env("XDG_RUNTIME_DIR", folder)
        .run()
        .ok();
}

#[test]
fn a_docker_config_elsewhere_signs() {
    let world = World::with_password();
    world.docker_login(USER, PASSWORD);
    let image = world.push("app:v1");
    let folder = world.home().join("elsewhere");
    std::fs::rename(world.home().join(".docker"), &folder).unwrap();
    world.sign(&image.pinned).ended("registry-denied", 35);
    world
        .job(&["sign", &image.pinned])
        .env("DOCKER_CONFIG", folder)
        .run()
        .ok();
}

#[test]
fn a_wrong_password_is_denied_not_ignored() {
    let world = World::with_password();
    world.docker_login(USER, PASSWORD);
    let image = world.push("app:v1");
    world.docker_login(USER, "guessed");
    world.sign(&image.pinned).ended("registry-denied", 35);
    // Although everybody may pull: who has a password expects it to work.
    world.verify(&image.pinned).ended("registry-denied", 35);
}

#[test]
fn anybody_verifies_where_anybody_pulls_but_only_the_login_signs() {
    let world = World::with_password();
    world.docker_login(USER, PASSWORD);
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    std::fs::remove_file(world.home().join(".docker/config.json")).unwrap();
    world.verify(&image.pinned).ok();
    let before = world.sandbox.registry().tags(REPOSITORY);
    world.sign(&image.pinned).ended("registry-denied", 35);
    assert_eq!(world.sandbox.registry().tags(REPOSITORY), before);
}

#[test]
fn broken_credentials_are_named_not_skipped() {
    let world = World::with_password();
    world.docker_login(USER, PASSWORD);
    let image = world.push("app:v1");
    world.write(".docker/config.json", "{not json");
    world.sign(&image.pinned).ended("credentials-invalid", 2);
}

#[test]
fn a_token_of_the_registry_that_expires_is_renewed() {
    let world = World::with_password();
    world.docker_login(USER, PASSWORD);
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    world.sandbox.registry().revoke_tokens();
    world.verify(&image.pinned).ok();
}

#[test]
fn foreign_referrers_are_passed_over() {
    for world in [World::new(), World::with_fallback_tag()] {
        let image = world.push("app:v1");
        attach_sbom(&world, &image);
        world.verify(&image.pinned).ended("no-signature", 10);
        world.sign(&image.pinned).ok();
        let run = world.verify(&image.pinned).ok();
        assert_eq!(run.rejected(), [""; 0]);
        assert_eq!(run.signature()["identity"], IDENTITY);
    }
}

#[test]
fn signing_keeps_what_others_listed_under_the_fallback_tag() {
    let world = World::with_fallback_tag();
    let image = world.push("app:v1");
    attach_sbom(&world, &image);
    let sbom = fallback_entries(&world, &image);
    world.sign(&image.pinned).ok();
    let entries = fallback_entries(&world, &image);
    assert_eq!(entries.len(), 2);
    assert!(entries.contains(&sbom[0]));
}

#[test]
fn signatures_are_found_wherever_a_registry_keeps_them() {
    // A registry that gained the referrers API keeps what was listed under the tag before.
    let world = World::with_fallback_tag();
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    let empty = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []});
    world.break_on(
        ServiceName::Registry,
        "/referrers/",
        signgate::sandbox::Fault::Content {
            content_type: INDEX.to_owned(),
            body: empty.to_string().into_bytes(),
        },
    );
    world.verify(&image.pinned).ok();
}

#[test]
fn a_signature_on_a_later_page_of_referrers_is_found() {
    let world = World::with_registry(RegistryOptions {
        referrers_page: 1,
        ..RegistryOptions::default()
    });
    let image = world.push("app:v1");
    for bundle in ["a", "b", "c"] {
        world.attach(&image, bundle);
    }
    world.sign(&image.pinned).ok();
    let run = world.verify(&image.pinned).ok();
    assert_eq!(run.rejected(), ["bundle-malformed"; 3]);
}

#[test]
fn what_is_stored_is_what_cosign_stores() {
    let world = World::new();
    let image = world.push("app:v1");
    let run = world.sign(&image.pinned).ok();
    let referrer = run.signature()["referrer"].as_str().unwrap().to_owned();

    let bytes = world.manifest(&referrer).unwrap();
    let manifest: Value = serde_json::from_slice(&bytes).unwrap();
    let subject = world.descriptor(&image);
    let layer = &manifest["layers"][0];
    let created = manifest["annotations"]["org.opencontainers.image.created"]
        .as_str()
        .unwrap();
    assert!(created.len() == 20 && created.ends_with('Z'), "{created}");
    let expected = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.empty.v1+json",
            "size": 2,
            "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            "artifactType": BUNDLE,
        },
        "layers": [{"mediaType": BUNDLE, "size": layer["size"], "digest": layer["digest"]}],
        "annotations": {
            "dev.sigstore.bundle.content": "dsse-envelope",
            "dev.sigstore.bundle.predicateType": "https://sigstore.dev/cosign/sign/v1",
            "org.opencontainers.image.created": created,
        },
        "subject": {
            "mediaType": INDEX,
            "size": subject.size,
            "digest": image.digest().to_string(),
        },
        "artifactType": BUNDLE,
    });
    assert_eq!(manifest, expected);

    let blob = world.blob(&image, layer["digest"].as_str().unwrap());
    assert_eq!(layer["size"], blob.len());
    let bundle: Value = serde_json::from_slice(&blob).unwrap();
    assert_eq!(bundle["mediaType"], BUNDLE);
    let envelope = &bundle["dsseEnvelope"];
    assert_eq!(envelope["payloadType"], "application/vnd.in-toto+json");
    assert_eq!(envelope["signatures"].as_array().unwrap().len(), 1);
    let payload = unbase64(envelope["payload"].as_str().unwrap());
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(payload, statement(&image));
    let material = &bundle["verificationMaterial"];
    assert!(material["certificate"]["rawBytes"].is_string());
    assert_eq!(material["tlogEntries"].as_array().unwrap().len(), 1);
    let timestamps = &material["timestampVerificationData"]["rfc3161Timestamps"];
    assert_eq!(timestamps.as_array().unwrap().len(), 1);
}

#[test]
fn the_fallback_index_is_what_cosign_writes() {
    let world = World::with_fallback_tag();
    let image = world.push("app:v1");
    let run = world.sign(&image.pinned).ok();
    let entries = fallback_entries(&world, &image);
    assert_eq!(entries.len(), 1);
    let entry = &entries[0];
    let referrer = run.signature()["referrer"].as_str().unwrap();
    assert_eq!(entry["digest"], referrer);
    assert_eq!(
        entry["mediaType"],
        "application/vnd.oci.image.manifest.v1+json"
    );
    assert_eq!(entry["artifactType"], BUNDLE);
    let manifest = world.manifest(referrer).unwrap();
    assert_eq!(entry["size"], manifest.len());
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(annotations(entry), annotations(&manifest));
}

#[test]
fn the_text_report_says_who_signed_what_and_when() {
    let world = World::new();
    let image = world.push("app:v1");
    let signed = world.job(&["sign", &image.pinned]).run_raw();
    let verified = world
        .verifier(&image.pinned, IDENTITY, &world.issuer())
        .run_raw();
    for (run, verdict) in [(&signed, "signed"), (&verified, "allowed")] {
        assert_eq!(run.exit, 0);
        assert_eq!(run.stderr, "", "nothing went wrong");
        let first = run.stdout.lines().next().unwrap();
        let words: Vec<&str> = first.split_whitespace().collect();
        assert_eq!(words, [verdict, &image.pinned]);
        for (row, value) in [
            ("by", IDENTITY),
            ("issuer", &world.issuer()),
            (
                "run",
                "https://github.com/acme/app/actions/runs/9000000001/attempts/1",
            ),
        ] {
            let expected = [row, value];
            let says = |line: &str| line.split_whitespace().eq(expected);
            assert!(run.stdout.lines().any(says), "{row}: {}", run.stdout);
        }
    }
}

#[test]
fn an_identity_cannot_write_lines_of_its_own() {
    let world = World::new();
    let image = world.push("app:v1");
    // A name is ASCII, a ref any text: colours and carriage returns in the one, reading order in the other.
    let name = "acme/app/x@y\n::error::obeyed\r\u{1b}[2Kallowed";
    let evil = &format!("https://github.com/{name}");
    let signer = world.sandbox.oidc().job();
    let signer = signer
        .with("job_workflow_ref", name)
        .with("ref", "\u{202e}main\u{2028}::error::");
    let bundle = world.forge_by(&signer, &statement(&image), RekorVersion::V2, None);
    world.attach(&image, bundle);

    let denied = world
        .verifier(&image.pinned, IDENTITY, &world.issuer())
        .run_raw();
    assert_eq!(denied.exit, 12);
    let issuer = world.issuer_of(&signer);
    let allowed = world.verifier(&image.pinned, evil, &issuer).run_raw();
    assert_eq!(allowed.exit, 0);
    for text in [denied.stdout, allowed.stdout, denied.stderr, allowed.stderr] {
        assert!(
            !text.lines().any(|line| line.trim_start().starts_with("::")),
            "{text}"
        );
        assert!(
            !text.contains(['\r', '\u{1b}', '\u{202e}', '\u{2028}']),
            "{text:?}"
        );
    }
    // In JSON the identity is exact, and the escapes are JSON's.
    let json = world.verify_as(&image.pinned, evil, &issuer).ok();
    assert_eq!(json.signature()["identity"], evil.as_str());
    assert!(!json.stdout.lines().any(|line| line.starts_with("::")));
}

#[test]
fn the_demo_shows_one_image_allowed_and_three_refused() {
    let home = tempfile::tempdir().unwrap();
    let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_signgate"))
        .arg("demo")
        .env_clear()
        .env("HOME", home.path())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    let exits: Vec<u8> = text
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("=> exit "))
        .map(|rest| rest.split('.').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(exits, [0, 10, 14, 12]);
}

/// A referrer of another kind, as an SBOM tool attaches it.
fn attach_sbom(world: &World, image: &Pushed) {
    let sbom = b"{\"spdxVersion\":\"SPDX-2.3\"}";
    let manifest = referrer(world, image, "application/spdx+json", sbom);
    let descriptor = Descriptor {
        artifact_type: Some("application/spdx+json".to_owned()),
        ..manifest.descriptor()
    };
    world.attach_manifest(image, sbom, &manifest, &descriptor);
}

fn fallback_entries(world: &World, image: &Pushed) -> Vec<Value> {
    let index = world.manifest(&image.fallback_tag()).unwrap();
    let index: Value = serde_json::from_slice(&index).unwrap();
    assert_eq!(index["mediaType"], INDEX);
    index["manifests"].as_array().unwrap().clone()
}

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
