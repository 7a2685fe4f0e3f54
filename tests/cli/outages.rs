//! Signing when something is wrong outside: the run ends with the code of whoever is to blame, and nothing is published
//! that would not verify.

use crate::harness::*;
use jiff::SignedDuration;
use serde_json::Value;
use signgate::image::Digest;
use signgate::sandbox::ServiceName::{self, Fulcio, Registry, RekorV1, RekorV2, Tsa};
use signgate::sandbox::{Fault, Identity, Options, RegistryOptions, RekorVersion};

/// An image in a world, and what was in the registry before the run that a test looks at.
struct Scene {
    world: World,
    image: Pushed,
    before: (Vec<String>, Vec<Digest>),
}

impl Scene {
    fn new(world: World) -> Self {
        let image = world.push("app:v1");
        let before = world.published(&image);
        world.sandbox.requests().clear();
        Self {
            world,
            image,
            before,
        }
    }

    /// Signs, and checks that the registry was only read from.
    #[track_caller]
    fn signs_nothing(&self) -> Run {
        self.signs_nothing_within("100s")
    }

    #[track_caller]
    fn signs_nothing_within(&self, timeout: &str) -> Run {
        let sign = self.world.job(&["sign", &self.image.pinned]);
        let run = sign.args(&["--timeout", timeout]).run();
        assert_ne!(run.exit, 0, "{run}");
        let written = self.world.requests(Registry);
        let written: Vec<_> = written.iter().filter(|r| r.method != "GET").collect();
        assert!(written.is_empty(), "{written:?}");
        self.world.sandbox.service(Registry).faults.clear();
        assert_eq!(self.world.published(&self.image), self.before);
        run
    }
}

/// A service fails in every way. Nothing is published, and the code says which service it was.
fn fails(service: ServiceName, rekor: RekorVersion, code: &str, exit: i32) {
    let scene = Scene::new(World::with_rekor(rekor));
    let json = |body: &str| Fault::Content {
        content_type: "application/json".to_owned(),
        body: body.into(),
    };
    let redirect = |location: String| Fault::Redirect { location };
    for fault in [
        status(500, None),
        status(503, Some("1")),
        status(429, Some("1")),
        status(404, None),
        Fault::Stall,
        Fault::Truncate,
        html(),
        json(""),
        json("{}"),
        json("[]"),
        json("null"),
        redirect("http://sigstore.example/".to_owned()),
        redirect(format!("http://127.0.0.1:{}/", unused_port())),
        redirect("file:///etc/passwd".to_owned()),
        redirect(scene.world.sandbox.url(service).to_owned()),
    ] {
        scene.world.break_all(service, fault.clone());
        let run = scene.signs_nothing_within(timeout(&fault));
        assert_eq!(
            (run.code(), run.exit),
            (Some(code), exit),
            "{fault:?}: {run}"
        );
        scene.world.sandbox.service(service).faults.clear();
    }
    scene.world.sign(&scene.image.pinned).ok();
}

#[test]
fn when_fulcio_fails() {
    fails(Fulcio, RekorVersion::V2, "fulcio-unavailable", 31);
}

#[test]
fn when_rekor_1_fails() {
    fails(RekorV1, RekorVersion::V1, "rekor-unavailable", 33);
}

#[test]
fn when_rekor_2_fails() {
    fails(RekorV2, RekorVersion::V2, "rekor-unavailable", 33);
}

#[test]
fn when_the_timestamp_authority_fails() {
    fails(Tsa, RekorVersion::V2, "tsa-unavailable", 33);
}

#[test]
fn when_a_service_is_down() {
    for (service, code, exit) in [
        (Fulcio, "fulcio-unavailable", 31),
        (RekorV2, "rekor-unavailable", 33),
        (Tsa, "tsa-unavailable", 33),
    ] {
        let scene = Scene::new(World::new());
        let nobody = format!("http://127.0.0.1:{}", unused_port());
        let path = scene.world.sandbox.signing_config_path();
        let config = std::fs::read_to_string(&path).unwrap();
        let changed = config.replace(scene.world.sandbox.url(service), &nobody);
        assert_ne!(config, changed);
        std::fs::write(path, changed).unwrap();
        scene.signs_nothing().ended(code, exit);
    }
}

#[test]
fn when_the_image_cannot_be_read() {
    let scene = Scene::new(World::new());
    for fault in [status(500, None), Fault::Stall, Fault::Truncate, html()] {
        scene.world.break_on(Registry, "/manifests/", fault.clone());
        let run = scene.signs_nothing_within(timeout(&fault));
        run.ended("registry-unavailable", 30);
    }
    assert_eq!(scene.world.requests(Fulcio), []);
}

/// A bundle that is good, by somebody else at another time.
fn another_bundle(scene: &Scene, rekor: RekorVersion) -> Value {
    let bundle = scene.world.forge(&scene.image, rekor, None);
    serde_json::from_str(&bundle).unwrap()
}

#[test]
fn a_log_that_answers_with_the_entry_of_another_signature() {
    let scene = Scene::new(World::new());
    let bundle = another_bundle(&scene, RekorVersion::V2);
    let entry = &bundle["verificationMaterial"]["tlogEntries"][0];
    let fault = Fault::Content {
        content_type: "application/json".to_owned(),
        body: entry.to_string().into_bytes(),
    };
    scene.world.break_all(RekorV2, fault);
    scene.signs_nothing().ended("log-proof-invalid", 13);
}

#[test]
fn an_authority_that_answers_with_the_timestamp_of_another_signature() {
    let scene = Scene::new(World::new());
    let bundle = another_bundle(&scene, RekorVersion::V2);
    let timestamps = &bundle["verificationMaterial"]["timestampVerificationData"];
    let timestamp = &timestamps["rfc3161Timestamps"][0]["signedTimestamp"];
    let fault = Fault::Content {
        content_type: "application/timestamp-reply".to_owned(),
        body: unbase64(timestamp.as_str().unwrap()),
    };
    scene.world.break_all(Tsa, fault);
    scene.signs_nothing().ended("timestamp-invalid", 13);
}

#[test]
fn an_authority_that_certifies_another_key() {
    let scene = Scene::new(World::new());
    let bundle = another_bundle(&scene, RekorVersion::V2);
    let der = &bundle["verificationMaterial"]["certificate"]["rawBytes"];
    let pem = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        der.as_str().unwrap()
    );
    let body = serde_json::json!({
        "signedCertificateEmbeddedSct": {"chain": {"certificates": [pem]}}
    });
    let fault = Fault::Content {
        content_type: "application/json".to_owned(),
        body: body.to_string().into_bytes(),
    };
    scene.world.break_all(Fulcio, fault);
    // Rekor notices first: the signature is not by the certificate's key.
    let run = scene.signs_nothing();
    assert!([13, 33].contains(&run.exit), "{run}");
}

#[test]
fn an_authority_that_certifies_another_identity() {
    // The token carries what GitHub's would; its issuer is GitLab's, and so is the identity in the certificate.
    let scene = Scene::new(World::new());
    let job = Identity::gitlab("acme/app", ".gitlab-ci.yml", "refs/heads/main");
    let job = job.with(
        "job_workflow_ref",
        "acme/app/.github/workflows/x.yml@refs/heads/main",
    );
    let token = scene.world.sandbox.oidc().mint(&job).unwrap();
    let file = scene.world.write("token", token);
    let run = scene
        .world
        .outside(&["sign", &scene.image.pinned, "--identity-token-file"])
        .arg(file)
        .run();
    run.ended("identity-mismatch", 12);
    assert_eq!(scene.world.published(&scene.image), scene.before);
}

/// The clock of one service is wrong by an hour.
fn wrong_clock(service: ServiceName, rekor: RekorVersion, hours: i64, code: &str) {
    let scene = Scene::new(World::with_rekor(rekor));
    let faults = &scene.world.sandbox.service(service).faults;
    faults.set_clock_offset(SignedDuration::from_hours(hours));
    scene.signs_nothing().ended(code, 13);
    faults.set_clock_offset(SignedDuration::ZERO);
    scene.world.sign(&scene.image.pinned).ok();
}

#[test]
fn a_timestamp_authority_whose_clock_is_fast() {
    wrong_clock(Tsa, RekorVersion::V2, 1, "certificate-invalid");
}

#[test]
fn a_timestamp_authority_whose_clock_is_slow() {
    wrong_clock(Tsa, RekorVersion::V2, -1, "certificate-invalid");
}

#[test]
fn a_log_whose_clock_is_fast() {
    wrong_clock(RekorV1, RekorVersion::V1, 1, "log-proof-invalid");
}

#[test]
fn a_log_whose_clock_is_slow() {
    wrong_clock(RekorV1, RekorVersion::V1, -1, "certificate-invalid");
}

#[test]
fn trust_in_another_instance_than_the_one_that_signed() {
    let other = World::new();
    let scene = Scene::new(World::new());
    let root = std::fs::read(other.sandbox.trusted_root_path()).unwrap();
    std::fs::write(scene.world.sandbox.trusted_root_path(), root).unwrap();
    assert_eq!(scene.signs_nothing().exit, 13);
}

// The registry does not take it, or does not keep it.

#[test]
fn tags_that_cannot_move_take_one_list_of_signatures() {
    let world = World::with_registry(RegistryOptions {
        referrers_api: false,
        immutable_tags: true,
        ..RegistryOptions::default()
    });
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    world.sign(&image.pinned).ended("signature-refused", 40);
    let run = world.verify(&image.pinned).ok();
    assert_eq!(run.signature()["identity"], IDENTITY);
}

#[test]
fn tags_that_cannot_move_are_no_matter_with_the_referrers_api() {
    let world = World::with_registry(RegistryOptions {
        immutable_tags: true,
        ..RegistryOptions::default()
    });
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    world.sign(&image.pinned).ok();
}

#[test]
fn a_registry_that_refuses_the_signature() {
    for on in ["POST ", "PUT "] {
        for (code, expected, exit) in [
            (400, "signature-refused", 40),
            (405, "signature-refused", 40),
            (413, "signature-refused", 40),
            (401, "registry-denied", 35),
            (403, "registry-denied", 35),
            (429, "registry-unavailable", 30),
            (500, "registry-unavailable", 30),
        ] {
            let world = World::new();
            let image = world.push("app:v1");
            let before = world.published(&image);
            world.break_on(Registry, on, status(code, None));
            let run = world.sign(&image.pinned);
            assert_eq!(
                (run.code(), run.exit),
                (Some(expected), exit),
                "{on}{code}: {run}"
            );
            world.sandbox.service(Registry).faults.clear();
            assert_eq!(world.published(&image), before);
        }
    }
}

/// The registry takes the signature, and then answers `on` with something else.
fn not_kept(world: &World, on: &str, fault: Fault) {
    let image = world.push("app:v1");
    let on = on.replace("TAG", &image.fallback_tag());
    world.break_on(Registry, &on, fault);
    world.sign(&image.pinned).ended("signature-not-kept", 40);
}

#[test]
fn a_registry_that_loses_the_bundle() {
    for world in [World::new(), World::with_fallback_tag()] {
        not_kept(&world, "GET /v2/acme/app/blobs/", status(404, None));
    }
}

#[test]
fn a_registry_that_does_not_list_the_signature() {
    let empty = || Fault::Content {
        content_type: "application/vnd.oci.image.index.v1+json".to_owned(),
        body: br#"{"schemaVersion":2,"manifests":[]}"#.to_vec(),
    };
    not_kept(&World::new(), "GET /v2/acme/app/referrers/", empty());
    not_kept(
        &World::with_fallback_tag(),
        "GET /v2/acme/app/manifests/TAG",
        empty(),
    );
    not_kept(
        &World::new(),
        "GET /v2/acme/app/referrers/",
        status(404, None),
    );
    not_kept(
        &World::with_fallback_tag(),
        "GET /v2/acme/app/manifests/TAG",
        status(404, None),
    );
}

#[test]
fn a_registry_that_returns_another_bundle() {
    let world = World::new();
    let image = world.push("app:v1");
    let fault = Fault::Content {
        content_type: "application/octet-stream".to_owned(),
        body: b"another bundle".to_vec(),
    };
    world.break_on(Registry, "GET /v2/acme/app/blobs/", fault);
    let run = world.sign(&image.pinned);
    assert!([14, 40].contains(&run.exit), "{run}");
}

#[test]
fn one_image_that_does_not_exist_leaves_the_others_unsigned() {
    let scene = Scene::new(World::new());
    let none = format!("{}/acme/app:none", scene.world.sandbox.registry_host());
    let run = scene.world.job(&["sign", &scene.image.pinned, &none]).run();
    run.ended("image-not-found", 11);
    assert_eq!(scene.world.published(&scene.image), scene.before);
    assert_eq!(scene.world.requests(Fulcio), []);
}

#[test]
fn a_slow_day_is_no_outage() {
    let world = World::with(Options {
        latency: std::time::Duration::from_millis(300),
        ..Options::default()
    });
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    world.verify(&image.pinned).ok();
}
