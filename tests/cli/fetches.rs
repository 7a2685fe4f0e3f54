//! A failed fetch is never "unsigned": whatever the registry does instead of answering, no decision is reached.

use crate::harness::*;
use serde_json::Value;
use signgate::sandbox::Fault;
use signgate::sandbox::ServiceName::Registry;

/// What happens instead of an answer.
fn failures() -> Vec<Fault> {
    let mut failures = [500, 502, 503, 429]
        .map(|code| status(code, Some("1")))
        .to_vec();
    failures.extend([Fault::Truncate, Fault::Stall]);
    failures
}

/// One kind of request fails in every way; the image is signed, and would verify.
fn never_unsigned(world: &World, name: fn(&Pushed) -> &str, part: fn(&World, &Pushed) -> String) {
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    let on = part(world, &image);
    for fault in failures() {
        world.break_on(Registry, &on, fault.clone());
        let verify = world.verifier(name(&image), IDENTITY, &world.issuer());
        let run = verify.args(&["--timeout", timeout(&fault)]).run();
        assert_eq!(
            (run.code(), run.exit),
            (Some("registry-unavailable"), 30),
            "{fault:?} on {on}: {run}"
        );
        assert_eq!(run.image()["verdict"], "error");
        world.sandbox.service(Registry).faults.clear();
        world.verify(name(&image)).ok();
    }
}

#[test]
fn when_the_manifest_by_digest_fails() {
    never_unsigned(
        &World::new(),
        |image| &image.pinned,
        |_, image| format!("/manifests/{}", image.digest()),
    );
}

#[test]
fn when_the_manifest_by_tag_fails() {
    never_unsigned(
        &World::new(),
        |image| &image.tagged,
        |_, _| "/manifests/v1".to_owned(),
    );
}

#[test]
fn when_the_list_of_referrers_fails() {
    never_unsigned(
        &World::new(),
        |image| &image.pinned,
        |_, _| "/referrers/".to_owned(),
    );
}

#[test]
fn when_the_fallback_tag_fails() {
    for world in [World::with_fallback_tag(), World::new()] {
        never_unsigned(
            &world,
            |image| &image.pinned,
            |_, image| format!("/manifests/{}", image.fallback_tag()),
        );
    }
}

#[test]
fn when_the_manifest_of_the_referrer_fails() {
    never_unsigned(
        &World::new(),
        |image| &image.pinned,
        |world, image| format!("/manifests/{}", world.referrers(image)[0].digest),
    );
}

#[test]
fn when_the_bundle_fails() {
    never_unsigned(
        &World::with_fallback_tag(),
        |image| &image.pinned,
        |_, _| "/blobs/".to_owned(),
    );
}

#[test]
fn when_everything_fails() {
    never_unsigned(&World::new(), |image| &image.tagged, |_, _| String::new());
}

#[test]
fn a_login_page_instead_of_the_image_decides_nothing() {
    let world = World::new();
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    for (name, on) in [
        (&image.tagged, "/manifests/v1".to_owned()),
        (&image.pinned, format!("/manifests/{}", image.digest())),
        (&image.tagged, String::new()),
    ] {
        world.break_on(Registry, &on, html());
        let run = world.verify(name);
        world.sandbox.service(Registry).faults.clear();
        run.ended("registry-unavailable", 30);
    }
}

#[test]
fn a_login_page_instead_of_the_fallback_index_decides_nothing() {
    let world = World::with_fallback_tag();
    let image = world.push("app:v1");
    world.break_on(
        Registry,
        &format!("/manifests/{}", image.fallback_tag()),
        html(),
    );
    world
        .verify(&image.pinned)
        .ended("registry-unavailable", 30);
}

#[test]
fn a_login_page_instead_of_the_evidence_is_not_the_evidence() {
    let world = World::new();
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    let referrer = format!("/manifests/{}", world.referrers(&image)[0].digest);
    for on in [referrer.as_str(), "/blobs/"] {
        world.break_on(Registry, on, html());
        let run = world.verify(&image.pinned);
        assert!([14, 30].contains(&run.exit), "{on}: {run}");
        assert_ne!(run.code(), Some("no-signature"), "{on}: {run}");
        world.sandbox.service(Registry).faults.clear();
    }
}

#[test]
fn registries_without_the_referrers_api_say_so_in_many_ways() {
    // Then, and only then, the fallback tag decides alone.
    let world = World::with_fallback_tag();
    let image = world.push("app:v1");
    world.verify(&image.pinned).ended("no-signature", 10);
    world.sign(&image.pinned).ok();
    let absent = [400, 404, 405, 406, 501].map(|code| status(code, None));
    for fault in absent.into_iter().chain([html()]) {
        world.break_on(Registry, "/referrers/", fault);
        world.verify(&image.pinned).ok();
        world.sandbox.service(Registry).faults.clear();
    }
}

#[test]
fn a_registry_that_denies_is_not_one_without_signatures() {
    let world = World::new();
    let image = world.push("app:v1");
    for code in [401, 403] {
        for on in [
            "/referrers/",
            "/manifests/sha256-",
            "/manifests/sha256:",
            "",
        ] {
            world.break_on(Registry, on, status(code, None));
            world.verify(&image.pinned).ended("registry-denied", 35);
            world.sandbox.service(Registry).faults.clear();
        }
    }
}

#[test]
fn a_read_that_is_refused_is_not_a_refused_signature() {
    let world = World::new();
    let image = world.push("app:v1");
    for code in [400, 409, 413, 422] {
        world.break_on(Registry, "/manifests/", status(code, None));
        world
            .verify(&image.pinned)
            .ended("registry-unavailable", 30);
        world.sandbox.service(Registry).faults.clear();
    }
}

#[test]
fn a_list_of_referrers_that_is_no_list() {
    let world = World::new();
    let image = world.push("app:v1");
    for body in ["", "[]", "{}", "{\"manifests\": 5}", "<html>"] {
        let fault = Fault::Content {
            content_type: "application/vnd.oci.image.index.v1+json".to_owned(),
            body: body.into(),
        };
        world.break_on(Registry, "/referrers/", fault);
        world
            .verify(&image.pinned)
            .ended("registry-unavailable", 30);
        world.sandbox.service(Registry).faults.clear();
    }
}

#[test]
fn one_image_that_cannot_be_read_does_not_hide_one_that_is_refused() {
    let world = World::new();
    let (broken, unsigned) = (world.push("app:v1"), world.push("app:v2"));
    world.break_on(Registry, &broken.digest().to_string(), status(500, None));
    let both = world.verifier(&broken.pinned, IDENTITY, &world.issuer());
    let both = both.arg(&unsigned.pinned).run();
    // A denial outweighs an error: trying again would not change it.
    assert_eq!(both.exit, 10, "{both}");
    let codes: Vec<&Value> = both.report["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| &image["code"])
        .collect();
    assert_eq!(codes, ["registry-unavailable", "no-signature"]);
}

#[test]
fn a_registry_that_nobody_runs() {
    let world = World::new();
    let image = format!("127.0.0.1:{}/acme/app:v1", unused_port());
    world.verify(&image).ended("registry-unavailable", 30);
    world.sign(&image).ended("registry-unavailable", 30);
}
