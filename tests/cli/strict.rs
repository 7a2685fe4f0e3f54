//! What the Sigstore crates accept and signgate does not. Each bundle is genuine but for one thing.

use crate::harness::*;
use serde_json::{Value, json};
use signgate::sandbox::RekorVersion::{self, V1, V2};

fn verify_changed(rekor: RekorVersion, change: impl FnOnce(&mut Value, &Value)) -> Run {
    let world = World::with_rekor(rekor);
    let image = world.push("app:v1");
    let mut bundle: Value = serde_json::from_str(&world.forge(&image, rekor, None)).unwrap();
    let root = std::fs::read(world.sandbox.trusted_root_path()).unwrap();
    let root = serde_json::from_slice(&root).unwrap();
    change(&mut bundle["verificationMaterial"], &root);
    world.attach(&image, bundle.to_string());
    world.verify(&image.pinned)
}

fn twice(list: &mut Value) {
    let list = list.as_array_mut().unwrap();
    list.push(list[0].clone());
}

#[test]
fn the_same_log_entry_twice() {
    for rekor in [V1, V2] {
        verify_changed(rekor, |material, _| twice(&mut material["tlogEntries"]))
            .ended("bundle-malformed", 13);
    }
}

#[test]
fn the_same_timestamp_twice() {
    verify_changed(V2, |material, _| {
        twice(&mut material["timestampVerificationData"]["rfc3161Timestamps"]);
    })
    .ended("bundle-malformed", 13);
}

#[test]
fn an_entry_in_the_name_of_another_trusted_log() {
    // Both logs are trusted, and the proof is right: only the name in the entry is another's.
    verify_changed(V2, |material, root| {
        let entry = &mut material["tlogEntries"][0];
        let other = root["tlogs"]
            .as_array()
            .unwrap()
            .iter()
            .find(|log| log["logId"] != entry["logId"])
            .unwrap();
        entry["logId"] = other["logId"].clone();
    })
    .ended("log-proof-invalid", 13);
}

#[test]
fn an_entry_in_the_name_of_no_log() {
    verify_changed(V2, |material, _| {
        material["tlogEntries"][0]["logId"]["keyId"] = json!(base64([7; 32]));
    })
    .ended("log-proof-invalid", 13);
}

#[test]
fn a_promise_without_a_proof_in_a_bundle_that_must_have_one() {
    verify_changed(V1, |material, _| {
        // Beside an entry that is proven: the crates want one.
        let mut promised = material["tlogEntries"][0].clone();
        promised.as_object_mut().unwrap().remove("inclusionProof");
        material["tlogEntries"]
            .as_array_mut()
            .unwrap()
            .push(promised);
    })
    .ended("log-proof-invalid", 13);
}

#[test]
fn a_proof_is_called_a_proof() {
    let run = verify_changed(V1, |_, _| {}).ok();
    assert_eq!(run.signature()["logProof"], "inclusion");
}
