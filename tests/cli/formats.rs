//! Bundles of every version with every kind of log entry, wherever a registry keeps them.

use crate::harness::*;
use serde_json::{Value, json};
use signgate::evidence::Bundle;
use signgate::outcome::{Code, Coded};
use signgate::sandbox::RekorVersion::{V1, V2};
use signgate::sandbox::{BundleVersion, Entry, Flaw, Form};
use signgate::trust::{Requirements, TrustedRoot};
use signgate::verify::{Rejection, image_signature};

fn forge(world: &World, image: &Pushed, form: Form, flaw: Option<Flaw>) -> String {
    let (forger, job) = (world.sandbox.forger(), world.sandbox.oidc().job());
    let statement = serde_json::to_vec(&statement(image)).unwrap();
    forger.bundle_as(form, &statement, &job, flaw).unwrap()
}

/// Attaches a bundle with its own media type; returns what it is listed as.
fn attach(world: &World, image: &Pushed, form: Form, bundle: &str) {
    let manifest = referrer(world, image, form.version.media_type(), bundle.as_bytes());
    world.attach_manifest(image, bundle.as_bytes(), &manifest, &manifest.descriptor());
}

/// Every version with every kind of log entry that it can have: a promise is Rekor 1's.
fn forms() -> Vec<Form> {
    let mut forms = Vec::new();
    for version in BundleVersion::ALL {
        for entry in Entry::ENVELOPE {
            let promised = entry != Entry::HashedRekord002;
            let is_first = matches!(version, BundleVersion::V01 | BundleVersion::V01PromiseOnly);
            if promised || !is_first {
                forms.push(Form { version, entry });
            }
        }
    }
    forms
}

#[test]
fn every_version_with_every_kind_of_log_entry() {
    for world in [World::new(), World::with_fallback_tag()] {
        for (position, form) in forms().into_iter().enumerate() {
            let image = world.push(&format!("app:v{position}"));
            attach(&world, &image, form, &forge(&world, &image, form, None));
            let run = world.verify(&image.pinned).ok();
            let proof = match form.version {
                BundleVersion::V01PromiseOnly => "promise",
                _ => "inclusion",
            };
            let signature = run.signature();
            assert_eq!(
                (&signature["format"], &signature["logProof"]),
                (&json!("bundle"), &json!(proof)),
                "{form:?}"
            );
        }
    }
}

#[test]
fn every_version_is_refused_for_what_is_wrong_with_it() {
    let world = World::new();
    for (position, form) in forms().into_iter().enumerate() {
        let mut flaws = vec![
            (Flaw::Signature, "signature-invalid"),
            (Flaw::LogEntryMissing, "log-proof-invalid"),
            (Flaw::LogEntryOfAnotherArtifact, "log-proof-invalid"),
            (Flaw::LogEntryOfAnotherSigner, "log-proof-invalid"),
            (Flaw::LogUntrusted, "log-proof-invalid"),
        ];
        if form.entry != Entry::HashedRekord002 {
            flaws.push((Flaw::PromiseWrongKey, "log-proof-invalid"));
            flaws.push((
                Flaw::IntegratedTimeOutsideCertificate,
                "certificate-invalid",
            ));
        }
        if form.version != BundleVersion::V01PromiseOnly {
            flaws.push((Flaw::InclusionProof, "log-proof-invalid"));
            flaws.push((Flaw::CheckpointWrongKey, "log-proof-invalid"));
        }
        for (flaw, code) in flaws {
            let image = world.push(&format!("app:v{position}-{flaw}"));
            attach(
                &world,
                &image,
                form,
                &forge(&world, &image, form, Some(flaw)),
            );
            let run = world.verify(&image.pinned);
            assert_eq!(
                (run.code(), run.exit),
                (Some(code), 13),
                "{form:?} {flaw}: {run}"
            );
        }
    }
}

/// Verifies a bundle that was good in this form until it was changed.
fn verify_changed(form: Form, change: impl FnOnce(&mut Value)) -> Run {
    let world = World::new();
    let image = world.push("app:v1");
    let mut bundle: Value = serde_json::from_str(&forge(&world, &image, form, None)).unwrap();
    change(&mut bundle);
    world.attach(&image, bundle.to_string());
    world.verify(&image.pinned)
}

#[test]
fn a_version_without_the_proof_that_it_requires() {
    let form = |version| Form {
        version,
        entry: Entry::Dsse001,
    };
    for (version, proof) in [
        (BundleVersion::V01, "inclusionPromise"),
        (BundleVersion::V02, "inclusionProof"),
        (BundleVersion::V03, "inclusionProof"),
    ] {
        let run = verify_changed(form(version), |bundle| {
            let entry = &mut bundle["verificationMaterial"]["tlogEntries"][0];
            entry.as_object_mut().unwrap().remove(proof);
        });
        run.ended("log-proof-invalid", 13);
    }
    let run = verify_changed(form(BundleVersion::V02), |bundle| {
        bundle["mediaType"] = json!(BundleVersion::V03.media_type());
    });
    run.ended("bundle-malformed", 13);
}

#[test]
fn an_entry_that_nothing_proves_does_not_ride_along_with_one_that_is() {
    // The public verifier wants one proof; which entry the report names would be the attacker's choice.
    let world = World::new();
    let image = world.push("app:v1");
    let mut bundle: Value = serde_json::from_str(&world.forge(&image, V2, None)).unwrap();
    let entries = &mut bundle["verificationMaterial"]["tlogEntries"];
    let mut bare = entries[0].clone();
    bare.as_object_mut().unwrap().remove("inclusionProof");
    bare["logIndex"] = json!("7");
    entries.as_array_mut().unwrap().insert(0, bare);
    world.attach(&image, bundle.to_string());
    world.verify(&image.pinned).ended("log-proof-invalid", 13);
}

#[test]
fn what_is_not_known_is_said_to_be_unsupported() {
    let current = Form {
        version: BundleVersion::V03,
        entry: Entry::HashedRekord002,
    };
    for (kind, version) in [
        ("dsse", "0.0.2"),
        ("intoto", "0.0.1"),
        ("hashedrekord", "0.0.3"),
    ] {
        let run = verify_changed(current, |bundle| {
            let entry = &mut bundle["verificationMaterial"]["tlogEntries"][0];
            entry["kindVersion"] = json!({"kind": kind, "version": version});
        });
        run.ended("bundle-unsupported", 13);
    }
    let run = verify_changed(current, |bundle| {
        bundle["mediaType"] = json!("application/vnd.dev.sigstore.bundle.v0.4+json");
    });
    run.ended("bundle-unsupported", 13);
    // A known kind that the entry is not.
    let run = verify_changed(current, |bundle| {
        let entry = &mut bundle["verificationMaterial"]["tlogEntries"][0];
        entry["kindVersion"] = json!({"kind": "hashedrekord", "version": "0.0.1"});
    });
    assert_eq!(run.exit, 13, "{run}");
}

#[test]
fn a_list_with_the_artifact_type_that_cosign_wrote_until_3_0_6() {
    let world = World::with_fallback_tag();
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    let mut index: Value =
        serde_json::from_slice(&world.manifest(&image.fallback_tag()).unwrap()).unwrap();
    let entry = &mut index["manifests"][0];
    entry["artifactType"] = json!("application/vnd.oci.empty.v1+json");
    entry.as_object_mut().unwrap().remove("annotations");
    world.put_fallback_index(&image, &index);
    world.verify(&image.pinned).ok();
}

/// An instance without logs, like GitHub's for private repositories, verifies with the sandbox's trusted root.
#[test]
fn without_logs_a_signed_timestamp_is_enough_and_nothing_less_is() {
    let world = World::new();
    let image = world.push("app:v1");
    let root = std::fs::read_to_string(world.sandbox.trusted_root_path()).unwrap();
    let verify = |requirements, flaw| {
        let bundle = world.forge(&image, V1, Some(flaw)).into_bytes();
        let root = TrustedRoot::parse(&root, requirements).unwrap();
        image_signature(Bundle::parse(bundle).unwrap(), &image.digest(), &root)
    };
    let without_logs = |flaw| verify(Requirements::TimestampOnly, flaw);
    let code = |result: Result<_, Rejection>| result.map(|_| ()).map_err(|error| error.code());

    let verified = without_logs(Flaw::LogEntryMissing).unwrap();
    let signer = verified.signer().identity().unwrap();
    assert_eq!(signer.san(), Some(IDENTITY));
    assert_eq!((verified.log_proof(), verified.log_index()), (None, None));
    without_logs(Flaw::SctMissing).unwrap();
    for (flaw, expected) in [
        (Flaw::CaUntrusted, Code::CertificateInvalid),
        (Flaw::Signature, Code::SignatureInvalid),
        (Flaw::TimestampMissing, Code::TimestampInvalid),
        (Flaw::TimestampWrongImprint, Code::TimestampInvalid),
        (Flaw::TimestampUntrustedAuthority, Code::TimestampInvalid),
        (Flaw::TimestampOutsideCertificate, Code::CertificateInvalid),
        (Flaw::LogEntryOfAnotherArtifact, Code::LogProofInvalid),
    ] {
        assert_eq!(code(without_logs(flaw)), Err(expected), "{flaw}");
    }
    let strict = verify(Requirements::Everything, Flaw::LogEntryMissing);
    assert_eq!(code(strict), Err(Code::LogProofInvalid));
}
