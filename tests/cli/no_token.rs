//! No usable ID token: said before anything else happens, with what to add. And a token is never shown.

use crate::harness::*;
use jiff::SignedDuration;
use signgate::sandbox::Fault;
use signgate::sandbox::Identity;
use signgate::sandbox::ServiceName::{Fulcio, Oidc};

/// The fix that a failed run offers.
fn fix(run: &Run) -> &str {
    run.report["problem"]["fix"].as_str().unwrap()
}

#[test]
fn a_github_job_without_the_permission_is_told_the_yaml_and_nothing_is_asked() {
    let world = World::new();
    let image = world.push("app:v1");
    world.sandbox.requests().clear();
    for missing in [
        &[
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        ][..],
        &["ACTIONS_ID_TOKEN_REQUEST_URL"],
        &["ACTIONS_ID_TOKEN_REQUEST_TOKEN"],
    ] {
        let sign = world.job(&["sign", &image.pinned]);
        let sign = missing.iter().fold(sign, |sign, name| sign.without(name));
        let run = sign.run().ended("id-token-missing", 20);
        assert!(fix(&run).contains("permissions:\n"), "{run}");
        assert!(fix(&run).contains("id-token: write"), "{run}");
    }
    assert_eq!(world.sandbox.requests().all(), []);
}

#[test]
fn the_yaml_can_be_copied_from_the_text_as_well() {
    let world = World::new();
    let image = world.push("app:v1");
    let run = world
        .job(&["sign", &image.pinned])
        .without("ACTIONS_ID_TOKEN_REQUEST_URL")
        .run_raw();
    assert_eq!(
        (run.exit, run.stdout.as_str()),
        (20, ""),
        "only results on standard output"
    );
    let yaml: Vec<&str> = run
        .stderr
        .lines()
        .skip_while(|line| line.trim() != "permissions:")
        .take(2)
        .collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    assert_eq!(yaml[1].trim(), "id-token: write");
    assert_eq!(indent(yaml[1]), indent(yaml[0]) + 2);
}

#[test]
fn a_gitlab_job_without_the_token_is_told_the_yaml_and_nothing_is_asked() {
    let world = World::new();
    let image = world.push("app:v1");
    world.sandbox.requests().clear();
    for token in ["", "not a token", "a.b.c"] {
        let run = world
            .outside(&["sign", &image.pinned])
            .env("GITLAB_CI", "true")
            .env("SIGSTORE_ID_TOKEN", token)
            .run()
            .ended("id-token-missing", 20);
        assert!(fix(&run).contains("id_tokens:\n"), "{run}");
        assert!(fix(&run).contains("aud: sigstore"), "{run}");
    }
    assert_eq!(world.sandbox.requests().all(), []);
}

#[test]
fn outside_of_any_ci_there_is_no_token_and_no_question() {
    let world = World::new();
    let image = world.push("app:v1");
    world.sandbox.requests().clear();
    for ci in [
        None,
        Some(("CI", "true")),
        Some(("GITHUB_ACTIONS", "false")),
    ] {
        let sign = world.outside(&["sign", &image.pinned]);
        let sign = ci
            .into_iter()
            .fold(sign, |sign, (name, value)| sign.env(name, value));
        let run = sign.run().ended("id-token-missing", 20);
        assert!(fix(&run).contains("--identity-token-file"), "{run}");
    }
    assert_eq!(world.sandbox.requests().all(), []);
}

/// Signs as a job whose token is wrong, as its CI gives it out.
fn sign_as(job: impl FnOnce(Identity) -> Identity) -> (World, Run) {
    let world = World::new();
    let image = world.push("app:v1");
    let token = world
        .sandbox
        .oidc()
        .mint(&job(world.sandbox.oidc().job()))
        .unwrap();
    let file = world.write("token", &token);
    let before = world.published(&image);
    let run = world
        .outside(&["sign", &image.pinned, "--identity-token-file"])
        .arg(file)
        .secret(token)
        .run();
    assert_eq!(world.published(&image), before);
    (world, run)
}

#[test]
fn a_token_that_fulcio_would_refuse_is_not_sent_there() {
    for (what, job) in [
        (
            "expired",
            Identity::expires_in as fn(Identity, SignedDuration) -> Identity,
        ),
        ("another audience", |job, _| {
            job.audience("https://github.com/acme")
        }),
        ("no audience", |job, _| job.without("aud")),
        ("not yet valid", |job, _| {
            job.with("nbf", 32_503_680_000_i64)
        }),
        ("without expiry", |job, _| job.without("exp")),
    ] {
        let (world, run) = sign_as(|identity| job(identity, SignedDuration::from_hours(-1)));
        assert_eq!(
            (run.code(), run.exit),
            (Some("id-token-invalid"), 22),
            "{what}: {run}"
        );
        assert_eq!(world.requests(Fulcio), [], "{what}");
    }
}

#[test]
fn an_expired_token_of_the_token_endpoint_is_not_sent_to_fulcio() {
    let world = World::new();
    let image = world.push("app:v1");
    let faults = &world.sandbox.service(Oidc).faults;
    faults.set_clock_offset(SignedDuration::from_hours(-2));
    world.sign(&image.pinned).ended("id-token-invalid", 22);
    assert_eq!(world.requests(Fulcio), []);
}

#[test]
fn a_token_of_an_unknown_issuer_is_refused_by_fulcio() {
    let (world, run) = sign_as(|job| job.with("iss", "https://elsewhere.example"));
    run.ended("id-token-rejected", 22);
    assert_eq!(world.requests(Fulcio).len(), 1);
}

#[test]
fn a_token_with_a_forged_signature_is_refused_by_fulcio() {
    let world = World::new();
    let image = world.push("app:v1");
    let token = world
        .sandbox
        .oidc()
        .mint_forged(&world.sandbox.oidc().job())
        .unwrap();
    let file = world.write("token", &token);
    world
        .outside(&["sign", &image.pinned, "--identity-token-file"])
        .arg(file)
        .secret(token)
        .run()
        .ended("id-token-rejected", 22);
    assert_eq!(world.requests(Fulcio).len(), 1);
}

#[test]
fn an_unverified_email_address_is_nobody() {
    let world = World::new();
    let image = world.push("app:v1");
    let person = Identity::email("ada@example.com").with("email_verified", false);
    let token = world.sandbox.oidc().mint(&person).unwrap();
    let file = world.write("token", &token);
    let run = world
        .outside(&["sign", &image.pinned, "--identity-token-file"])
        .arg(file)
        .run();
    assert_eq!(run.exit, 22, "{run}");
}

#[test]
fn a_token_file_that_holds_no_token() {
    let world = World::new();
    let image = world.push("app:v1");
    world.sandbox.requests().clear();
    let large = "a".repeat(100_000);
    for (content, code, exit) in [
        ("", "id-token-invalid", 22),
        ("secret words", "id-token-invalid", 22),
        ("a.b.c", "id-token-invalid", 22),
        (&large, "file-unreadable", 2),
    ] {
        let file = world.write("token", content);
        let sign = world.job(&["sign", &image.pinned, "--identity-token-file"]);
        sign.arg(file)
            .secret("secret words")
            .run()
            .ended(code, exit);
    }
    let sign = world.job(&["sign", &image.pinned, "--identity-token-file"]);
    sign.arg(world.home().join("none"))
        .run()
        .ended("file-unreadable", 2);
    assert_eq!(world.requests(Fulcio), []);
}

#[test]
fn a_token_endpoint_that_fails() {
    let json = |body: &str| Fault::Content {
        content_type: "application/json".to_owned(),
        body: body.into(),
    };
    for (fault, code, exit) in [
        (status(401, None), "id-token-missing", 20),
        (status(403, None), "id-token-missing", 20),
        (status(500, None), "token-endpoint-unavailable", 32),
        (status(503, Some("1")), "token-endpoint-unavailable", 32),
        (status(429, Some("1")), "token-endpoint-unavailable", 32),
        (status(404, None), "token-endpoint-unavailable", 32),
        (Fault::Truncate, "token-endpoint-unavailable", 32),
        (Fault::Stall, "token-endpoint-unavailable", 32),
        (html(), "token-endpoint-unavailable", 32),
        (json("{}"), "token-endpoint-unavailable", 32),
        (json("{\"value\":null}"), "token-endpoint-unavailable", 32),
        (json("{\"value\":\"\"}"), "id-token-invalid", 22),
        (json("{\"value\":\"secret words\"}"), "id-token-invalid", 22),
    ] {
        let world = World::new();
        let image = world.push("app:v1");
        let before = world.published(&image);
        world.break_all(Oidc, fault.clone());
        let run = world
            .job(&["sign", &image.pinned, "--timeout", timeout(&fault)])
            .secret("secret words")
            .run();
        assert_eq!(
            (run.code(), run.exit),
            (Some(code), exit),
            "{fault:?}: {run}"
        );
        assert_eq!(world.requests(Fulcio), []);
        assert_eq!(world.published(&image), before);
    }
}

#[test]
fn the_bearer_of_the_token_endpoint_does_not_follow_a_redirect() {
    let (world, other) = (World::new(), World::new());
    let image = world.push("app:v1");
    // The other endpoint knows another bearer, and would answer only that.
    let location = other.sandbox.oidc().request_url();
    world.break_all(Oidc, Fault::Redirect { location });
    let run = world.sign(&image.pinned);
    assert_eq!(
        (run.code(), run.exit),
        (Some("id-token-missing"), 20),
        "{run}"
    );
    assert_eq!(other.requests(Oidc)[0].status, 401);
}

#[test]
fn a_service_that_repeats_the_token_does_not_make_us_say_it() {
    let world = World::new();
    let image = world.push("app:v1");
    let token = world
        .sandbox
        .oidc()
        .mint(&world.sandbox.oidc().job())
        .unwrap();
    let file = world.write("token", &token);
    for body in [
        token.clone(),
        format!("{{\"signedCertificateEmbeddedSct\":\"{token}\"}}"),
        format!("{{\"signedCertificateEmbeddedSct\":{{\"{token}\":1}}}}"),
    ] {
        let fault = Fault::Content {
            content_type: "application/json".to_owned(),
            body: body.into_bytes(),
        };
        world.break_all(Fulcio, fault);
        for format in ["text", "json"] {
            let sign = world.outside(&["sign", &image.pinned, "--format", format]);
            let sign = sign.arg("--identity-token-file").arg(&file).secret(&token);
            assert_eq!(sign.run_raw().exit, 31);
        }
        world.sandbox.service(Fulcio).faults.clear();
    }
}
