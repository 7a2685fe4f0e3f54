//! Signatures and attestations of cosign v2: read beside bundles, by the same rules, and refused for the same reasons.

use crate::harness::*;
use serde_json::{Value, json};
use signgate::image::{Digest, Manifest};
use signgate::limits;
use signgate::sandbox::Key;
use signgate::sandbox::RekorVersion::V2;
use signgate::sandbox::ServiceName::Registry;
use signgate::sandbox::{Entry, Flaw, Forger, Identity, LegacyLayer};

fn payload(image: &Pushed) -> Value {
    Forger::legacy_payload(&image.digest().hex())
}

/// A layer in which the sandbox's job signs `payload`.
fn signature(world: &World, payload: &Value, flaw: Option<Flaw>) -> LegacyLayer {
    let (forger, job) = (world.sandbox.forger(), world.sandbox.oidc().job());
    let payload = serde_json::to_vec(payload).unwrap();
    forger.legacy_signature(&payload, &job, flaw).unwrap()
}

fn attestation(world: &World, statement: &Value, entry: Entry, flaw: Option<Flaw>) -> LegacyLayer {
    let (forger, job) = (world.sandbox.forger(), world.sandbox.oidc().job());
    let statement = serde_json::to_vec(statement).unwrap();
    forger
        .legacy_attestation(&statement, &job, entry, flaw)
        .unwrap()
}

fn push(world: &World, image: &Pushed, suffix: &str, layers: &[LegacyLayer]) {
    let descriptors: Vec<Value> = layers.iter().map(LegacyLayer::descriptor).collect();
    let contents: Vec<&[u8]> = layers
        .iter()
        .map(|layer| layer.content.as_slice())
        .collect();
    world.push_legacy(image, suffix, &descriptors, &contents);
}

/// Verifies an image whose only signature is a good one, but for a change to its layer.
fn verify_changed(change: impl FnOnce(&mut LegacyLayer)) -> Run {
    let world = World::new();
    let image = world.push("app:v1");
    let mut layer = signature(&world, &payload(&image), None);
    change(&mut layer);
    push(&world, &image, "sig", &[layer]);
    world.verify(&image.pinned)
}

/// Verifies an image on which the job has signed another payload.
fn verify_payload(change: impl FnOnce(&mut Value)) -> Run {
    let world = World::new();
    let image = world.push("app:v1");
    let mut payload = payload(&image);
    change(&mut payload);
    push(&world, &image, "sig", &[signature(&world, &payload, None)]);
    world.verify(&image.pinned)
}

fn annotate(layer: &mut LegacyLayer, name: &str, value: &str) {
    layer.annotations.insert(name.to_owned(), value.to_owned());
}

/// The log entry of a layer, changed.
fn change_entry(layer: &mut LegacyLayer, change: impl FnOnce(&mut Value)) {
    let mut entry: Value = serde_json::from_str(&layer.annotations[LOG_ENTRY]).unwrap();
    change(&mut entry);
    annotate(layer, LOG_ENTRY, &entry.to_string());
}

fn formats(run: &Run, list: &str) -> Vec<String> {
    let list = run.image()[list].as_array().unwrap();
    let format = |entry: &Value| entry["format"].as_str().unwrap().to_owned();
    list.iter().map(format).collect()
}

// What is accepted.

#[test]
fn a_signature_of_cosign_2_is_one() {
    for world in [World::new(), World::with_fallback_tag()] {
        let image = world.push("app:v1");
        push(
            &world,
            &image,
            "sig",
            &[signature(&world, &payload(&image), None)],
        );
        for name in [&image.pinned, &image.tagged] {
            let run = world.verify(name).ok();
            let signature = run.signature();
            assert_eq!(signature["format"], "legacy");
            assert_eq!(signature["logProof"], "promise");
            assert_eq!(signature["identity"], IDENTITY);
            assert!(signature["logIndex"].is_u64(), "{run}");
            let tag = format!("{}.sig", image.fallback_tag());
            let manifest = world.manifest(&tag).unwrap();
            assert_eq!(signature["referrer"], Digest::of(&manifest).to_string());
        }
        let text = world.verifier(&image.pinned, IDENTITY, &world.issuer());
        let text = text.run_raw();
        assert!(text.stdout.contains("legacy, promise only"), "{text}");
    }
}

#[test]
fn what_does_not_bind_does_not_matter() {
    // Names and notes are the signer's own; the digest is not.
    verify_payload(|payload| {
        payload["critical"]["identity"]["docker-reference"] = json!("");
        payload["optional"] = json!({"build": "7", "nested": {"x": [1]}});
    })
    .ok();
    verify_changed(|layer| annotate(layer, CHAIN, "nobody reads this")).ok();
    verify_changed(|layer| drop(layer.annotations.remove(TIMESTAMP))).ok();
    verify_changed(|layer| annotate(layer, TIMESTAMP, "")).ok();
}

#[test]
fn both_formats_are_read_and_the_report_says_which_matched() {
    let world = World::new();
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    push(
        &world,
        &image,
        "sig",
        &[signature(&world, &payload(&image), None)],
    );
    let run = world.verify(&image.pinned).ok();
    assert_eq!(formats(&run, "signatures"), ["bundle", "legacy"]);
}

#[test]
fn two_formats_by_different_signers() {
    let world = World::new();
    let image = world.push("app:v1");
    let other = Identity::github("evil/app", ".github/workflows/x.yml", "refs/heads/main");
    let bundle = world.forge_by(&other, &statement(&image), V2, None);
    world.attach(&image, bundle);
    push(
        &world,
        &image,
        "sig",
        &[signature(&world, &payload(&image), None)],
    );
    let run = world.verify(&image.pinned).ok();
    assert_eq!(formats(&run, "signatures"), ["legacy"]);
    assert_eq!(formats(&run, "rejected"), ["bundle"]);
    assert_eq!(run.rejected(), ["identity-mismatch"]);

    let good = Identity::github("good/app", ".github/workflows/x.yml", "refs/heads/main");
    let name = "https://github.com/good/app/.github/workflows/x.yml@refs/heads/main";
    let bundle = world.forge_by(&good, &statement(&image), V2, None);
    world.attach(&image, bundle);
    let run = world.verify_as(&image.pinned, name, &world.issuer()).ok();
    assert_eq!(formats(&run, "signatures"), ["bundle"]);
    assert_eq!(formats(&run, "rejected"), ["bundle", "legacy"]);
}

#[test]
fn one_good_layer_among_bad_ones_and_copies_count_once() {
    let world = World::new();
    let image = world.push("app:v1");
    let good = signature(&world, &payload(&image), None);
    let bad = signature(&world, &payload(&image), Some(Flaw::Signature));
    push(&world, &image, "sig", &[bad, good.clone(), good]);
    world.sandbox.requests().clear();
    let run = world.verify(&image.pinned).ok();
    assert_eq!(formats(&run, "signatures"), ["legacy"]);
    assert_eq!(run.rejected(), ["signature-invalid"]);
    // All three have the same payload, which is fetched once.
    assert_eq!(world.sandbox.requests().repeated(), []);
}

// What is refused.

fn refuses(flaw: Flaw, code: &str) {
    let world = World::new();
    let image = world.push("app:v1");
    let layer = signature(&world, &payload(&image), Some(flaw));
    push(&world, &image, "sig", &[layer]);
    let run = world.verify(&image.pinned).ended(code, 13);
    assert_eq!(run.rejected(), [code]);
    assert_eq!(formats(&run, "rejected"), ["legacy"]);
    assert!(run.image()["rejected"][0]["signer"].is_null());
}

macro_rules! refuses {
    ($($test:ident: $flaw:ident $code:literal;)+) => {
        $(
            #[test]
            fn $test() {
                refuses(Flaw::$flaw, $code);
            }
        )+

        #[test]
        fn every_flaw_has_its_test() {
            let tested = [$(Flaw::$flaw),+];
            for flaw in Flaw::ALL {
                assert_eq!(tested.contains(&flaw), flaw.applies_to_legacy(), "{flaw}");
            }
        }
    };
}

refuses! {
    a_signature_by_another_key: Signature "signature-invalid";
    a_certificate_without_sct: SctMissing "sct-invalid";
    an_sct_by_another_key: SctWrongKey "sct-invalid";
    an_untrusted_authority: CaUntrusted "certificate-invalid";
    an_expired_authority: AuthorityExpired "certificate-invalid";
    a_certificate_for_two_names: NamesSeveral "certificate-invalid";
    a_certificate_with_two_issuers: IssuersDisagree "certificate-invalid";
    a_certificate_with_an_extension_twice: ExtensionRepeated "certificate-invalid";
    no_log_entry: LogEntryMissing "log-proof-invalid";
    a_log_entry_of_another_artifact: LogEntryOfAnotherArtifact "log-proof-invalid";
    a_log_entry_of_another_signer: LogEntryOfAnotherSigner "log-proof-invalid";
    a_log_entry_of_another_signature: LogEntryOfAnotherSignature "log-proof-invalid";
    an_untrusted_log: LogUntrusted "log-proof-invalid";
    a_promise_by_another_key: PromiseWrongKey "log-proof-invalid";
    an_entry_from_before_the_certificate: IntegratedTimeOutsideCertificate "certificate-invalid";
    a_timestamp_of_something_else: TimestampWrongImprint "timestamp-invalid";
    an_untrusted_timestamp_authority: TimestampUntrustedAuthority "timestamp-invalid";
    a_timestamp_from_before_the_certificate: TimestampOutsideCertificate "certificate-invalid";
}

#[test]
fn the_signature_of_another_image() {
    let world = World::new();
    let (signed, image) = (world.push("app:v1"), world.push("app:v2"));
    let layer = signature(&world, &payload(&signed), None);
    push(&world, &signed, "sig", std::slice::from_ref(&layer));
    push(&world, &image, "sig", &[layer]);
    world.verify(&signed.pinned).ok();
    world.verify(&image.pinned).ended("subject-mismatch", 14);
}

#[test]
fn a_payload_that_names_the_image_somewhere_else() {
    let other = Digest::of(b"another image").to_string();
    verify_payload(|payload| {
        let digest = &mut payload["critical"]["image"]["docker-manifest-digest"];
        let right = std::mem::replace(digest, json!(other));
        payload["critical"]["identity"]["docker-reference"] = right.clone();
        payload["optional"] = json!({"docker-manifest-digest": right});
    })
    .ended("subject-mismatch", 14);
}

#[test]
fn a_payload_that_says_it_is_something_else() {
    for kind in [
        "",
        "cosign container image signature ",
        "atomic container signature",
    ] {
        verify_payload(|payload| payload["critical"]["type"] = json!(kind))
            .ended("predicate-type-mismatch", 12);
    }
}

#[test]
fn a_payload_that_names_no_image() {
    verify_payload(|payload| *payload = json!({})).ended("bundle-malformed", 13);
    verify_payload(|payload| payload["critical"]["image"] = json!(null))
        .ended("bundle-malformed", 13);
    verify_payload(|payload| *payload = statement_about(&Digest::of(b"x").hex()))
        .ended("bundle-malformed", 13);
}

#[test]
fn a_payload_changed_after_signing() {
    verify_changed(|layer| layer.content.push(b' ')).ended("signature-invalid", 13);
}

#[test]
fn a_public_key_in_the_place_of_the_certificate() {
    let key = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n";
    verify_changed(|layer| annotate(layer, CERTIFICATE, key)).ended("certificate-invalid", 13);
    let disguised = key.replace("PUBLIC KEY", "CERTIFICATE");
    verify_changed(|layer| annotate(layer, CERTIFICATE, &disguised))
        .ended("certificate-invalid", 13);
}

#[test]
fn a_signature_by_a_key_without_any_certificate() {
    for value in [None, Some("")] {
        let run = verify_changed(|layer| {
            layer.annotations.remove(CERTIFICATE);
            if let Some(value) = value {
                annotate(layer, CERTIFICATE, value);
            }
        });
        run.ended("signer-kind-mismatch", 12);
    }
}

#[test]
fn a_signature_by_the_expected_key_and_by_another() {
    let world = World::new();
    let image = world.push("app:v1");
    let (key, other) = (Key::p256().unwrap(), Key::p256().unwrap());
    let payload = payload(&image).to_string().into_bytes();
    let layer = world.sandbox.forger().legacy_with_key(&payload, &key);
    push(&world, &image, "sig", &[layer.unwrap()]);
    let verify = |key: &Key| {
        let path = world.write("key.pub", key.public_key_pem());
        let verify = world.outside(&["verify", &image.pinned, "--key"]);
        verify.arg(path).run()
    };
    let run = verify(&key).ok();
    assert_eq!(run.signature()["format"], "legacy");
    assert_eq!(run.signature()["logProof"], "promise");
    assert!(run.signature()["key"].is_string());
    verify(&other).ended("signature-invalid", 13);
    world
        .verify(&image.pinned)
        .ended("signer-kind-mismatch", 12);
}

#[test]
fn annotations_swapped_between_two_images_of_one_signer() {
    let world = World::new();
    let (one, two) = (world.push("app:v1"), world.push("app:v2"));
    let unstamped = |image| {
        let mut layer = signature(&world, &payload(image), None);
        layer.annotations.remove(TIMESTAMP);
        layer
    };
    let (first, second) = (unstamped(&one), unstamped(&two));
    for (annotation, code) in [
        (SIGNATURE, "signature-invalid"),
        (CERTIFICATE, "signature-invalid"),
        (LOG_ENTRY, "log-proof-invalid"),
    ] {
        let mut swapped = first.clone();
        annotate(&mut swapped, annotation, &second.annotations[annotation]);
        push(&world, &one, "sig", &[swapped]);
        world.verify(&one.pinned).ended(code, 13);
    }
    let swapped = LegacyLayer {
        annotations: second.annotations,
        ..first
    };
    push(&world, &one, "sig", &[swapped]);
    world.verify(&one.pinned).ended("signature-invalid", 13);
}

#[test]
fn a_log_entry_changed_after_the_promise() {
    for field in ["integratedTime", "logIndex"] {
        verify_changed(|layer| {
            change_entry(layer, |entry| {
                let number = entry["Payload"][field].as_i64().unwrap();
                entry["Payload"][field] = json!(number + 1);
            });
        })
        .ended("log-proof-invalid", 13);
    }
    verify_changed(|layer| change_entry(layer, |entry| entry["SignedEntryTimestamp"] = json!("")))
        .ended("log-proof-invalid", 13);
    verify_changed(|layer| change_entry(layer, |entry| entry["Payload"]["logID"] = json!("00")))
        .ended("log-proof-invalid", 13);
    verify_changed(|layer| change_entry(layer, |entry| entry["Payload"]["logIndex"] = json!(-1)))
        .ended("bundle-malformed", 13);
    verify_changed(|layer| annotate(layer, LOG_ENTRY, "{")).ended("bundle-malformed", 13);
}

#[test]
fn a_log_entry_of_a_kind_that_is_not_for_images() {
    verify_changed(|layer| {
        change_entry(layer, |entry| {
            let body = json!({"apiVersion": "0.0.1", "kind": "rpm", "spec": {}});
            entry["Payload"]["body"] = json!(base64(body.to_string()));
        });
    })
    .ended("bundle-unsupported", 13);
}

#[test]
fn more_layers_than_cosign_writes_are_refused_not_cut_off() {
    let world = World::new();
    let image = world.push("app:v1");
    let good = signature(&world, &payload(&image), None);
    let mut layers = vec![good.descriptor(); limits::LEGACY_LAYERS];
    // The last but one is the only good one.
    for (position, layer) in layers.iter_mut().enumerate() {
        if position != limits::LEGACY_LAYERS - 2 {
            layer["annotations"] = json!({ SIGNATURE: position.to_string() });
        }
    }
    world.push_legacy(&image, "sig", &layers, &[&good.content]);
    world.verify(&image.pinned).ok();
    layers.push(good.descriptor());
    world.push_legacy(&image, "sig", &layers, &[&good.content]);
    world.verify(&image.pinned).ended("evidence-too-large", 13);
    // A bundle is not hidden by it.
    world.sign(&image.pinned).ok();
    world.verify(&image.pinned).ok();
}

#[test]
fn a_payload_larger_than_any() {
    let world = World::new();
    let image = world.push("app:v1");
    let layer = signature(&world, &payload(&image), None);
    let mut announced = layer.descriptor();
    announced["size"] = json!(limits::LEGACY_PAYLOAD_BYTES + 1);
    world.push_legacy(&image, "sig", &[announced], &[&layer.content]);
    world.sandbox.requests().clear();
    world.verify(&image.pinned).ended("evidence-too-large", 13);
    let asked = world.requests(Registry);
    assert!(
        asked
            .iter()
            .all(|request| !request.path.contains("/blobs/"))
    );

    let large = vec![b' '; layer.content.len() + 1];
    let mut unannounced = layer.descriptor();
    unannounced["digest"] = json!(Digest::of(&large));
    world.push_legacy(&image, "sig", &[unannounced], &[&large]);
    world.verify(&image.pinned).ended("evidence-too-large", 13);
}

#[test]
fn one_large_content_in_many_layers_counts_as_often_as_it_is_kept() {
    let world = World::new();
    let image = world.push("app:v1");
    let content = b"not as large as announced";
    let layer = |position: usize| {
        json!({
            "mediaType": "application/vnd.dsse.envelope.v1+json",
            "digest": Digest::of(content),
            "size": limits::BUNDLE_BYTES,
            "annotations": {SIGNATURE: position.to_string()},
        })
    };
    let layers: Vec<Value> = (0..5).map(layer).collect();
    world.push_legacy(&image, "att", &layers, &[content]);
    world.verify(&image.pinned).ended("evidence-too-large", 13);
    world.push_legacy(&image, "att", &layers[..4], &[content]);
    world.verify(&image.pinned).ended("bundle-malformed", 13);
}

#[test]
fn a_payload_replaced_in_the_registry() {
    let world = World::new();
    let image = world.push("app:v1");
    let layer = signature(&world, &payload(&image), None);
    push(&world, &image, "sig", std::slice::from_ref(&layer));
    let digest = Digest::of(&layer.content).to_string();
    assert!(world.sandbox.registry().put_raw(REPOSITORY, &digest, b"{}"));
    world.verify(&image.pinned).ended("digest-mismatch", 14);
}

#[test]
fn a_tag_that_holds_something_else() {
    let world = World::new();
    let image = world.push("app:v1");
    let tag = format!("{}.sig", image.fallback_tag());
    // An image without signatures in it, and an index, which is no manifest at all.
    world.push_legacy(&image, "sig", &[], &[]);
    world.verify(&image.pinned).ended("no-signature", 10);
    let kind = "application/vnd.oci.image.index.v1+json";
    let index = Manifest::new(kind, br#"{"schemaVersion":2,"manifests":[]}"#.to_vec());
    world.push_manifest(&image, &tag, &index);
    world.verify(&image.pinned).ended("bundle-malformed", 13);
    world.sign(&image.pinned).ok();
    world.verify(&image.pinned).ok();
}

// Attestations.

#[test]
fn an_attestation_of_cosign_2_is_never_a_signature() {
    for (predicate_type, entry) in [
        ("https://slsa.dev/provenance/v1", Entry::Dsse001),
        ("https://slsa.dev/provenance/v1", Entry::Intoto002),
        ("https://sigstore.dev/cosign/sign/v1", Entry::Dsse001),
    ] {
        let world = World::new();
        let image = world.push("app:v1");
        let mut statement = statement(&image);
        statement["predicateType"] = json!(predicate_type);
        push(
            &world,
            &image,
            "att",
            &[attestation(&world, &statement, entry, None)],
        );
        let run = world.verify(&image.pinned);
        let run = run.ended("predicate-type-mismatch", 12);
        let rejected = &run.image()["rejected"][0];
        assert_eq!(rejected["format"], "legacy");
        assert_eq!(rejected["signer"]["identity"], IDENTITY, "it is verified");

        push(
            &world,
            &image,
            "sig",
            &[signature(&world, &payload(&image), None)],
        );
        let run = world.verify(&image.pinned).ok();
        assert_eq!(run.rejected(), ["predicate-type-mismatch"]);
    }
}

#[test]
fn an_attestation_is_what_it_is_under_either_tag() {
    let world = World::new();
    let image = world.push("app:v1");
    let layer = attestation(&world, &statement(&image), Entry::Dsse001, None);
    push(&world, &image, "sig", &[layer]);
    let run = world.verify(&image.pinned);
    run.ended("predicate-type-mismatch", 12);
}

#[test]
fn false_attestations() {
    for (flaw, code) in [
        (Flaw::Signature, "signature-invalid"),
        (Flaw::CaUntrusted, "certificate-invalid"),
        (Flaw::LogEntryMissing, "log-proof-invalid"),
        (Flaw::LogEntryOfAnotherArtifact, "log-proof-invalid"),
        (Flaw::LogEntryOfAnotherSigner, "log-proof-invalid"),
        (Flaw::PromiseWrongKey, "log-proof-invalid"),
    ] {
        for entry in [Entry::Dsse001, Entry::Intoto002] {
            let world = World::new();
            let image = world.push("app:v1");
            let layer = attestation(&world, &statement(&image), entry, Some(flaw));
            push(&world, &image, "att", &[layer]);
            let run = world.verify(&image.pinned).ended(code, 13);
            assert_eq!(run.rejected(), [code], "{entry:?}");
        }
    }
}

#[test]
fn an_attestation_about_another_image_or_none() {
    let world = World::new();
    let (other, image) = (world.push("app:v1"), world.push("app:v2"));
    let mut layer = attestation(&world, &statement(&other), Entry::Dsse001, None);
    push(&world, &image, "att", std::slice::from_ref(&layer));
    world.verify(&image.pinned).ended("subject-mismatch", 14);
    layer.content = b"[".repeat(100_000);
    push(&world, &image, "att", &[layer]);
    world.verify(&image.pinned).ended("bundle-malformed", 13);
}

// What cannot be read.

#[test]
fn a_tag_that_cannot_be_read_decides_nothing_whatever_else_is_there() {
    let world = World::new();
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    let attested = attestation(&world, &statement(&image), Entry::Dsse001, None);
    push(
        &world,
        &image,
        "sig",
        &[signature(&world, &payload(&image), None)],
    );
    push(&world, &image, "att", std::slice::from_ref(&attested));
    for on in [
        ".sig".to_owned(),
        ".att".to_owned(),
        Digest::of(&attested.content).to_string(),
    ] {
        for (fault, code, exit) in [
            (status(500, None), "registry-unavailable", 30),
            (status(403, None), "registry-denied", 35),
        ] {
            world.break_on(Registry, &on, fault);
            world.verify(&image.pinned).ended(code, exit);
            world.sandbox.service(Registry).faults.clear();
        }
    }
    for on in [".sig", ".att"] {
        world.break_on(Registry, on, html());
        let run = world.verify(&image.pinned);
        run.ended("registry-unavailable", 30);
        world.sandbox.service(Registry).faults.clear();
    }
    world.verify(&image.pinned).ok();
}

const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const CHAIN: &str = "dev.sigstore.cosign/chain";
const LOG_ENTRY: &str = "dev.sigstore.cosign/bundle";
const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";
