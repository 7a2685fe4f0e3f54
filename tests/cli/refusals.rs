//! What must not pass, each for its own reason: take one check out of `verify` and a test here that names it goes red.

use crate::harness::*;
use serde_json::{Value, json};
use signgate::image::Digest;
use signgate::limits;
use signgate::sandbox::Flaw;
use signgate::sandbox::Identity;
use signgate::sandbox::RekorVersion::{self, V1, V2};
use signgate::sandbox::ServiceName;

/// One thing is wrong with the only signature on an image.
fn refuses(flaw: Flaw, rekor: RekorVersion, code: &str) {
    let world = World::new();
    let image = world.push("app:v1");
    world.attach(&image, world.forge(&image, rekor, Some(flaw)));
    let run = world.verify(&image.pinned).ended(code, 13);
    assert_eq!(run.image()["verdict"], "denied");
    assert_eq!(run.rejected(), [code]);
    assert!(
        run.image()["rejected"][0]["signer"].is_null(),
        "nobody to name"
    );
}

macro_rules! refuses {
    ($($test:ident: $flaw:ident $rekor:ident $code:literal;)+) => {
        $(
            #[test]
            fn $test() {
                refuses(Flaw::$flaw, $rekor, $code);
            }
        )+

        #[test]
        fn every_flaw_has_its_test() {
            let tested = [$((Flaw::$flaw, $rekor)),+];
            for flaw in Flaw::ALL {
                for rekor in RekorVersion::ALL {
                    let wanted = usize::from(flaw.applies_to(rekor));
                    let found = tested.iter().filter(|test| **test == (flaw, rekor)).count();
                    assert_eq!(found, wanted, "{flaw} with Rekor {rekor}");
                }
            }
        }
    };
}

refuses! {
    a_signature_by_another_key_1: Signature V1 "signature-invalid";
    a_signature_by_another_key_2: Signature V2 "signature-invalid";
    a_certificate_without_sct_1: SctMissing V1 "sct-invalid";
    a_certificate_without_sct_2: SctMissing V2 "sct-invalid";
    an_sct_by_another_key_1: SctWrongKey V1 "sct-invalid";
    an_sct_by_another_key_2: SctWrongKey V2 "sct-invalid";
    an_untrusted_authority_1: CaUntrusted V1 "certificate-invalid";
    an_untrusted_authority_2: CaUntrusted V2 "certificate-invalid";
    a_certificate_by_an_expired_authority_1: AuthorityExpired V1 "certificate-invalid";
    a_certificate_by_an_expired_authority_2: AuthorityExpired V2 "certificate-invalid";
    a_certificate_for_two_names_1: NamesSeveral V1 "certificate-invalid";
    a_certificate_for_two_names_2: NamesSeveral V2 "certificate-invalid";
    a_certificate_by_two_issuers_1: IssuersDisagree V1 "certificate-invalid";
    a_certificate_by_two_issuers_2: IssuersDisagree V2 "certificate-invalid";
    a_certificate_of_two_repositories_1: ExtensionRepeated V1 "certificate-invalid";
    a_certificate_of_two_repositories_2: ExtensionRepeated V2 "certificate-invalid";
    no_log_entry_1: LogEntryMissing V1 "log-proof-invalid";
    no_log_entry_2: LogEntryMissing V2 "log-proof-invalid";
    a_log_entry_of_another_artifact_1: LogEntryOfAnotherArtifact V1 "log-proof-invalid";
    a_log_entry_of_another_artifact_2: LogEntryOfAnotherArtifact V2 "log-proof-invalid";
    a_log_entry_of_another_signer_1: LogEntryOfAnotherSigner V1 "log-proof-invalid";
    a_log_entry_of_another_signer_2: LogEntryOfAnotherSigner V2 "log-proof-invalid";
    a_log_entry_of_another_signature_1: LogEntryOfAnotherSignature V1 "log-proof-invalid";
    a_log_entry_of_another_signature_2: LogEntryOfAnotherSignature V2 "log-proof-invalid";
    an_untrusted_log_1: LogUntrusted V1 "log-proof-invalid";
    an_untrusted_log_2: LogUntrusted V2 "log-proof-invalid";
    a_false_inclusion_proof_1: InclusionProof V1 "log-proof-invalid";
    a_false_inclusion_proof_2: InclusionProof V2 "log-proof-invalid";
    a_checkpoint_by_another_key_1: CheckpointWrongKey V1 "log-proof-invalid";
    a_checkpoint_by_another_key_2: CheckpointWrongKey V2 "log-proof-invalid";
    a_promise_by_another_key: PromiseWrongKey V1 "log-proof-invalid";
    an_entry_from_before_the_certificate: IntegratedTimeOutsideCertificate V1 "certificate-invalid";
    no_time_of_signing_1: TimestampMissing V1 "timestamp-invalid";
    no_time_of_signing_2: TimestampMissing V2 "timestamp-invalid";
    a_timestamp_of_something_else_1: TimestampWrongImprint V1 "timestamp-invalid";
    a_timestamp_of_something_else_2: TimestampWrongImprint V2 "timestamp-invalid";
    an_untrusted_timestamp_authority_1: TimestampUntrustedAuthority V1 "timestamp-invalid";
    an_untrusted_timestamp_authority_2: TimestampUntrustedAuthority V2 "timestamp-invalid";
    a_timestamp_from_before_the_certificate_1: TimestampOutsideCertificate V1 "certificate-invalid";
    a_timestamp_from_before_the_certificate_2: TimestampOutsideCertificate V2 "certificate-invalid";
}

#[test]
fn a_forged_bundle_without_a_flaw_is_accepted() {
    // Without this, the tests above could all be red herrings.
    for rekor in RekorVersion::ALL {
        let world = World::new();
        let image = world.push("app:v1");
        world.attach(&image, world.forge(&image, rekor, None));
        world.verify(&image.pinned).ok();
    }
}

#[test]
fn a_flaw_is_refused_under_the_fallback_tag_too() {
    let world = World::with_fallback_tag();
    let image = world.push("app:v1");
    world.attach(&image, world.forge(&image, V2, Some(Flaw::Signature)));
    world.verify(&image.pinned).ended("signature-invalid", 13);
}

// Who signed.

#[test]
fn another_identity_of_the_same_issuer() {
    let world = World::new();
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    for identity in [
        "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/mai",
        "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main2",
        "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/Main",
        "https://github.com/acme/app/.github/workflows/.*@refs/heads/main",
        " https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main",
        "*",
    ] {
        let run = world.verify_as(&image.pinned, identity, &world.issuer());
        let run = run.ended("identity-mismatch", 12);
        let finding = &run.image()["rejected"][0]["findings"][0];
        assert_eq!(
            (&finding["expected"], &finding["found"]),
            (&json!(identity), &json!(IDENTITY))
        );
    }
}

#[test]
fn the_same_identity_from_another_issuer() {
    let world = World::new();
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    let issuer = world.issuer();
    for other in [
        format!("{issuer}/"),
        issuer.replace("http:", "https:"),
        "*".to_owned(),
    ] {
        let run = world.verify_as(&image.pinned, IDENTITY, &other);
        let run = run.ended("issuer-mismatch", 12);
        assert_eq!(run.rejected(), ["issuer-mismatch"]);
    }
}

#[test]
fn an_email_issuer_that_claims_the_name_of_a_workflow() {
    let world = World::new();
    let image = world.push("app:v1");
    let impostor = Identity::email(IDENTITY);
    let bundle = world.forge_by(&impostor, &statement(&image), V2, None);
    world.attach(&image, bundle);
    // The name is right, as text. Who vouches for it is not.
    let run = world.verify(&image.pinned);
    assert_eq!(run.exit, 12, "{run}");
    let findings = run.image()["rejected"][0]["findings"].as_array().unwrap();
    assert!(
        findings
            .iter()
            .any(|finding| finding["code"] == "issuer-mismatch"),
        "{run}"
    );
}

#[test]
fn a_pull_request_of_the_right_repository() {
    let world = World::new();
    let image = world.push("app:v1");
    let workflow = ".github/workflows/release.yml";
    let pull_request = Identity::github("acme/app", workflow, "refs/pull/7/merge");
    world
        .sandbox
        .oidc()
        .set_job(pull_request.with("event_name", "pull_request"));
    world.sign(&image.pinned).ok();
    world.verify(&image.pinned).ended("identity-mismatch", 12);
}

// What was signed.

#[test]
fn an_attestation_is_not_a_signature() {
    for predicate_type in [
        "https://slsa.dev/provenance/v1",
        "https://spdx.dev/Document",
        "https://sigstore.dev/cosign/sign/v2",
        "https://sigstore.dev/cosign/sign/v1/",
        "",
    ] {
        let world = World::new();
        let image = world.push("app:v1");
        let mut statement = statement(&image);
        statement["predicateType"] = json!(predicate_type);
        world.attach(&image, world.forge_statement(&statement, V2, None));
        let run = world.verify(&image.pinned);
        let run = run.ended("predicate-type-mismatch", 12);
        assert_eq!(run.rejected(), ["predicate-type-mismatch"]);
    }
}

/// A good signature, attached to the image, over another statement.
fn verify_statement(change: impl FnOnce(&mut Value)) -> Run {
    let world = World::new();
    let image = world.push("app:v1");
    let mut statement = statement(&image);
    change(&mut statement);
    world.attach(&image, world.forge_statement(&statement, V2, None));
    world.verify(&image.pinned)
}

#[test]
fn a_statement_about_another_image() {
    let other = Digest::of(b"another image").hex();
    verify_statement(|statement| *statement = statement_about(&other))
        .ended("subject-mismatch", 14);
}

#[test]
fn the_signature_of_another_image() {
    let world = World::new();
    let (signed, image) = (world.push("app:v1"), world.push("app:v2"));
    let bundle = world.forge(&signed, V2, None);
    world.attach(&image, bundle);
    world.verify(&image.pinned).ended("subject-mismatch", 14);
}

#[test]
fn the_signature_of_the_platform_is_not_that_of_the_index() {
    let world = World::new();
    let image = world.push("app:v1");
    let index: Value =
        serde_json::from_slice(&world.manifest(&image.digest().to_string()).unwrap()).unwrap();
    let platform = index["manifests"][0]["digest"].as_str().unwrap();
    let about = statement_about(platform.strip_prefix("sha256:").unwrap());
    world.attach(&image, world.forge_statement(&about, V2, None));
    world.verify(&image.pinned).ended("subject-mismatch", 14);
}

#[test]
fn a_statement_without_subjects() {
    let run = verify_statement(|statement| statement["subject"] = json!([]));
    assert!([13, 14].contains(&run.exit), "{run}");
    assert_eq!(run.image()["verdict"], "denied");
}

#[test]
fn a_subject_known_by_another_algorithm_only() {
    let run = verify_statement(|statement| {
        let hex = statement["subject"][0]["digest"]["sha256"].take();
        let hex = hex.as_str().unwrap();
        statement["subject"][0]["digest"] = json!({"sha512": format!("{hex}{hex}")});
    });
    run.ended("subject-mismatch", 14);
}

#[test]
fn a_subject_whose_name_is_the_digest() {
    let run = verify_statement(|statement| {
        let hex = statement["subject"][0]["digest"]["sha256"].take();
        let other = Digest::of(b"another image").hex();
        statement["subject"] = json!([{"name": hex, "digest": {"sha256": other}}]);
    });
    run.ended("subject-mismatch", 14);
}

#[test]
fn one_subject_of_several_is_enough() {
    let other = Digest::of(b"another image").hex();
    verify_statement(|statement| {
        let subjects = statement["subject"].as_array_mut().unwrap();
        subjects.insert(0, json!({"digest": {"sha256": other}}));
    })
    .ok();
}

#[test]
fn a_statement_of_another_kind() {
    let run = verify_statement(|statement| statement["_type"] = json!("https://evil.example/v1"));
    run.ended("bundle-malformed", 13);
}

// What is in the registry.

#[test]
fn an_unsigned_image() {
    for world in [World::new(), World::with_fallback_tag()] {
        let image = world.push("app:v1");
        for name in [&image.pinned, &image.tagged] {
            let run = world.verify(name).ended("no-signature", 10);
            assert_eq!(run.image()["image"], image.pinned.as_str());
        }
    }
}

#[test]
fn an_image_that_does_not_exist() {
    let world = World::new();
    let image = world.push("app:v1");
    let host = world.sandbox.registry_host();
    let digest = Digest::of(b"nothing");
    for name in [
        format!("{host}/acme/app:v2"),
        format!("{host}/acme/app"),
        format!("{host}/acme/app@{digest}"),
        format!("{host}/acme/nothing@{}", image.digest()),
    ] {
        world.verify(&name).ended("image-not-found", 11);
        world.sign(&name).ended("image-not-found", 11);
    }
}

#[test]
fn a_replaced_manifest() {
    let world = World::new();
    let (image, other) = (world.push("app:v1"), world.push("app:v2"));
    world.sign(&image.pinned).ok();
    let digest = image.digest().to_string();
    let bytes = world.manifest(&other.digest().to_string()).unwrap();
    assert!(
        world
            .sandbox
            .registry()
            .put_raw(REPOSITORY, &digest, &bytes)
    );
    world.verify(&image.pinned).ended("digest-mismatch", 14);
    world.sign(&image.pinned).ended("digest-mismatch", 14);
}

#[test]
fn a_replaced_referrer() {
    let world = World::new();
    let image = world.push("app:v1");
    let evil = world.attach(&image, "evil");
    let run = world.sign(&image.pinned).ok();
    let good = run.signature()["referrer"].as_str().unwrap().to_owned();
    let bytes = world.manifest(&good).unwrap();
    assert!(
        world
            .sandbox
            .registry()
            .put_raw(REPOSITORY, &evil.to_string(), &bytes)
    );
    world.verify(&image.pinned).ended("digest-mismatch", 14);
}

#[test]
fn a_replaced_bundle() {
    let world = World::new();
    let image = world.push("app:v1");
    let bundle = world.forge(&image, V2, Some(Flaw::Signature));
    world.attach(&image, &bundle);
    let digest = Digest::of(bundle.as_bytes()).to_string();
    let good = world.forge(&image, V2, None);
    assert!(
        world
            .sandbox
            .registry()
            .put_raw(REPOSITORY, &digest, good.as_bytes())
    );
    world.verify(&image.pinned).ended("digest-mismatch", 14);
}

#[test]
fn a_bundle_that_is_none() {
    for bundle in [
        "",
        "{}",
        "null",
        "[]",
        "\u{0}",
        "<html>",
        "{\"mediaType\":1}",
    ] {
        let world = World::new();
        let image = world.push("app:v1");
        world.attach(&image, bundle);
        world.verify(&image.pinned).ended("bundle-malformed", 13);
    }
    let world = World::new();
    let image = world.push("app:v1");
    world.attach(&image, [0xff, 0xfe, 0x00]);
    world.verify(&image.pinned).ended("bundle-malformed", 13);
}

#[test]
fn a_bundle_nested_without_end() {
    let world = World::new();
    let image = world.push("app:v1");
    world.attach(&image, "[".repeat(1_000_000));
    world.verify(&image.pinned).ended("bundle-malformed", 13);
}

/// A good bundle in which one thing is changed after the fact.
fn verify_changed(change: impl FnOnce(&mut Value)) -> Run {
    let world = World::new();
    let image = world.push("app:v1");
    let mut bundle: Value = serde_json::from_str(&world.forge(&image, V2, None)).unwrap();
    change(&mut bundle);
    world.attach(&image, bundle.to_string());
    let run = world.verify(&image.pinned);
    assert_eq!(run.image()["verdict"], "denied", "{run}");
    run
}

#[test]
fn a_payload_changed_after_signing() {
    let run = verify_changed(|bundle| {
        let payload = &mut bundle["dsseEnvelope"]["payload"];
        let mut statement = unbase64(payload.as_str().unwrap());
        statement.push(b'\n');
        *payload = json!(base64(statement));
    });
    assert_eq!(run.exit, 13, "{run}");
}

#[test]
fn a_payload_type_changed_after_signing() {
    let run = verify_changed(|bundle| {
        bundle["dsseEnvelope"]["payloadType"] = json!("application/json");
    });
    assert_eq!(run.exit, 13, "{run}");
}

#[test]
fn an_envelope_without_or_with_two_signatures() {
    let run = verify_changed(|bundle| bundle["dsseEnvelope"]["signatures"] = json!([]));
    assert_eq!(run.exit, 13, "{run}");
    let run = verify_changed(|bundle| {
        let signatures = bundle["dsseEnvelope"]["signatures"].as_array_mut().unwrap();
        signatures.push(signatures[0].clone());
    });
    assert_eq!(run.exit, 13, "{run}");
}

#[test]
fn a_signature_over_bytes_instead_of_a_statement() {
    let run = verify_changed(|bundle| {
        let envelope = bundle
            .as_object_mut()
            .unwrap()
            .remove("dsseEnvelope")
            .unwrap();
        bundle["messageSignature"] = json!({
            "messageDigest": {"algorithm": "SHA2_256", "digest": base64([0; 32])},
            "signature": envelope["signatures"][0]["sig"],
        });
    });
    assert!([12, 13].contains(&run.exit), "{run}");
}

#[test]
fn a_key_instead_of_a_certificate() {
    let run = verify_changed(|bundle| {
        let material = bundle["verificationMaterial"].as_object_mut().unwrap();
        material.remove("certificate");
        material.insert("publicKey".to_owned(), json!({"hint": "trust me"}));
    });
    run.ended("signer-kind-mismatch", 12);
}

#[test]
fn more_proofs_than_any_honest_bundle_has() {
    let run = verify_changed(|bundle| {
        let entries = bundle["verificationMaterial"]["tlogEntries"]
            .as_array_mut()
            .unwrap();
        let entry = entries[0].clone();
        entries.resize(limits::PROOFS_PER_BUNDLE + 1, entry);
    });
    run.ended("evidence-too-large", 13);
}

#[test]
fn a_second_log_entry_that_is_false() {
    // The first is good: every one that is there must be.
    let world = World::new();
    let image = world.push("app:v1");
    let parse = |bundle: String| serde_json::from_str::<Value>(&bundle).unwrap();
    let mut bundle = parse(world.forge(&image, V2, None));
    let other = parse(world.forge(&image, V2, None));
    let entry = other["verificationMaterial"]["tlogEntries"][0].clone();
    bundle["verificationMaterial"]["tlogEntries"]
        .as_array_mut()
        .unwrap()
        .push(entry);
    world.attach(&image, bundle.to_string());
    world.verify(&image.pinned).ended("log-proof-invalid", 13);
}

#[test]
fn a_bundle_announced_with_a_gigabyte_is_not_fetched() {
    let world = World::new();
    let image = world.push("app:v1");
    let blob = b"small";
    let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
    let manifest = referrer_with_layer(&world, &image, kind, &Digest::of(blob), 1 << 30);
    world.attach_manifest(&image, blob, &manifest, &manifest.descriptor());
    world.sandbox.requests().clear();
    world.verify(&image.pinned).ended("evidence-too-large", 13);
    let fetched = world.requests(ServiceName::Registry);
    assert!(
        !fetched
            .iter()
            .any(|request| request.path.contains("/blobs/")),
        "{fetched:?}"
    );
}

#[test]
fn a_bundle_larger_than_it_was_announced_is_not_read_to_its_end() {
    let world = World::new();
    let image = world.push("app:v1");
    let blob = vec![b' '; limits::BUNDLE_BYTES + 1];
    let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
    let manifest = referrer_with_layer(&world, &image, kind, &Digest::of(&blob), 5);
    world.attach_manifest(&image, &blob, &manifest, &manifest.descriptor());
    world.verify(&image.pinned).ended("evidence-too-large", 13);
}

#[test]
fn an_image_manifest_larger_than_any() {
    let world = World::new();
    let image = world.push("app:v1");
    let digest = image.digest().to_string();
    let bytes = vec![b' '; limits::MANIFEST_BYTES + 1];
    assert!(
        world
            .sandbox
            .registry()
            .put_raw(REPOSITORY, &digest, &bytes)
    );
    world
        .verify(&image.pinned)
        .ended("registry-unavailable", 30);
}

/// Lists `count` referrers that do not exist.
fn plant(world: &World, image: &Pushed, count: usize) {
    for position in 0..count {
        let descriptor = json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": Digest::of(format!("referrer {position}").as_bytes()),
            "size": 500,
        });
        let subject = image.digest().to_string();
        world
            .sandbox
            .registry()
            .add_referrer(REPOSITORY, &subject, descriptor);
    }
}

#[test]
fn more_referrers_than_are_read_are_refused_not_cut_off() {
    let world = World::new();
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    plant(&world, &image, limits::REFERRERS);
    world.verify(&image.pinned).ended("evidence-too-large", 13);
}

#[test]
fn as_many_referrers_as_are_read_do_not_hide_the_signature() {
    let world = World::new();
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    plant(&world, &image, limits::REFERRERS - 1);
    world.verify(&image.pinned).ok();
}

#[test]
fn more_referrers_under_the_fallback_tag_than_are_read() {
    let world = World::with_fallback_tag();
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    let mut index: Value =
        serde_json::from_slice(&world.manifest(&image.fallback_tag()).unwrap()).unwrap();
    let entries = index["manifests"].as_array_mut().unwrap();
    let entry = entries[0].clone();
    entries.resize(limits::REFERRERS + 1, entry);
    world.put_fallback_index(&image, &index);
    world.verify(&image.pinned).ended("evidence-too-large", 13);
}

#[test]
fn a_referrer_that_is_listed_but_gone() {
    let world = World::new();
    let image = world.push("app:v1");
    plant(&world, &image, 1);
    let run = world.verify(&image.pinned).ended("signature-gone", 10);
    assert_eq!(run.rejected(), ["signature-gone"]);
    world.sign(&image.pinned).ok();
    world.verify(&image.pinned).ok();
}

#[test]
fn a_referrer_whose_subject_is_another_image() {
    // The list lies. The bundle says what it is about, and that decides.
    let world = World::new();
    let (signed, image) = (world.push("app:v1"), world.push("app:v2"));
    let run = world.sign(&signed.pinned).ok();
    let referrer = run.signature()["referrer"].as_str().unwrap();
    let descriptor = json!({
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": referrer,
        "size": world.manifest(referrer).unwrap().len(),
    });
    let subject = image.digest().to_string();
    world
        .sandbox
        .registry()
        .add_referrer(REPOSITORY, &subject, descriptor);
    world.verify(&image.pinned).ended("subject-mismatch", 14);
}

#[test]
fn entries_that_are_no_descriptors_hide_nothing() {
    let world = World::new();
    let image = world.push("app:v1");
    let subject = image.digest().to_string();
    for entry in [
        json!(null),
        json!({}),
        json!({"digest": "sha512:00", "size": -1}),
    ] {
        world
            .sandbox
            .registry()
            .add_referrer(REPOSITORY, &subject, entry);
    }
    world.verify(&image.pinned).ended("no-signature", 10);
    world.sign(&image.pinned).ok();
    world.verify(&image.pinned).ok();
}

// Several at once.

#[test]
fn a_good_signature_among_bad_ones_counts_and_the_others_are_told() {
    let world = World::new();
    let image = world.push("app:v1");
    let slsa = json!("https://slsa.dev/provenance/v1");
    let mut attestation = statement(&image);
    attestation["predicateType"] = slsa;
    let stranger = Identity::email("eve@example.com");
    world.attach(&image, "garbage");
    world.attach(&image, world.forge(&image, V2, Some(Flaw::SctMissing)));
    world.attach(&image, world.forge_statement(&attestation, V2, None));
    world.attach(
        &image,
        world.forge_by(&stranger, &statement(&image), V2, None),
    );
    let expected = [
        "issuer-mismatch",
        "sct-invalid",
        "predicate-type-mismatch",
        "bundle-malformed",
    ];

    // Nearest miss first: somebody else signed it properly.
    let run = world.verify(&image.pinned).ended("issuer-mismatch", 12);
    assert_eq!(run.rejected(), expected);

    world.sign(&image.pinned).ok();
    let run = world.verify(&image.pinned).ok();
    assert_eq!(run.signature()["identity"], IDENTITY);
    assert_eq!(run.rejected(), expected);
    assert!(run.image()["code"].is_null());
}

#[test]
fn no_two_halves_make_a_signature() {
    // One candidate has the right identity and a broken proof, another a whole proof and the wrong identity.
    let world = World::new();
    let image = world.push("app:v1");
    let stranger = Identity::email("eve@example.com");
    world.attach(&image, world.forge(&image, V2, Some(Flaw::InclusionProof)));
    world.attach(
        &image,
        world.forge_by(&stranger, &statement(&image), V2, None),
    );
    let run = world.verify(&image.pinned);
    assert_eq!(
        (run.exit, &run.image()["verdict"]),
        (12, &json!("denied")),
        "{run}"
    );
}

#[test]
fn another_sandbox_is_not_believed() {
    let (world, other) = (World::new(), World::new());
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    let run = world
        .verifier(&image.pinned, IDENTITY, &world.issuer())
        .env("SIGNGATE_TRUSTED_ROOT", other.sandbox.trusted_root_path())
        .run();
    assert_eq!(run.exit, 13, "{run}");
}

#[test]
fn the_public_instance_does_not_believe_the_sandbox() {
    let world = World::new();
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    for instance in ["public", "staging", "github"] {
        let run = world
            .verifier(&image.pinned, IDENTITY, &world.issuer())
            .without("SIGNGATE_TRUSTED_ROOT")
            .args(&["--instance", instance])
            .run();
        assert_eq!(run.exit, 13, "{instance}: {run}");
    }
}
