//! What is wrong before anything is asked of anybody, and what the program says about itself.

use crate::harness::*;

/// Runs in a world in which nothing may be asked.
fn refused(world: &World, signgate: Signgate, code: &str) {
    world.sandbox.requests().clear();
    signgate.run().ended(code, 2);
    assert_eq!(world.sandbox.requests().all(), []);
}

#[test]
fn a_command_line_that_cannot_be_understood_is_exit_2() {
    let world = World::new();
    for arguments in [
        &[][..],
        &["sing", "image"],
        &["sign"],
        &["verify"],
        &["verify", "127.0.0.1:1/a/b:c"],
        &["verify", "127.0.0.1:1/a/b:c", "--certificate-identity", "x"],
        &[
            "verify",
            "127.0.0.1:1/a/b:c",
            "--certificate-oidc-issuer",
            "x",
        ],
        &["sign", "127.0.0.1:1/a/b:c", "--key", "cosign.key"],
        &["sign", "127.0.0.1:1/a/b:c", "--timeout", "0s"],
        &["sign", "127.0.0.1:1/a/b:c", "--timeout", "-1s"],
        &["sign", "127.0.0.1:1/a/b:c", "--timeout", "soon"],
        &["sign", "127.0.0.1:1/a/b:c", "--format", "yaml"],
        &["sign", "127.0.0.1:1/a/b:c", "--instance", "privat"],
    ] {
        let run = world.signgate(arguments).run_raw();
        assert_eq!(
            (run.exit, run.stdout.as_str()),
            (2, ""),
            "{arguments:?}: {run}"
        );
        assert!(!run.stderr.is_empty());
    }
}

#[test]
fn an_identity_or_an_issuer_that_is_empty_accepts_nobody() {
    let world = World::new();
    let image = world.push("app:v1");
    for (identity, issuer) in [
        ("", world.issuer()),
        (IDENTITY, String::new()),
        ("", String::new()),
    ] {
        let verify = world.verifier(&image.pinned, identity, &issuer);
        refused(&world, verify, "usage-invalid");
    }
}

#[test]
fn an_image_reference_that_is_none() {
    let world = World::new();
    let digest = "a".repeat(64);
    for name in [
        "",
        "https://ghcr.io/acme/app",
        "ghcr.io/acme/app:",
        "ghcr.io/acme/app@sha256:abc",
        "ghcr.io/Acme/App:v1",
        "ghcr.io/acme/../app:v1",
        "ghcr.io/acme/app:v1\n",
        "ghcr.io/acme/app:v1?x=y",
        &format!("ghcr.io/acme/app@sha512:{digest}{digest}"),
        &format!("ghcr.io/acme/app@sha256:{}", digest.to_uppercase()),
    ] {
        refused(
            &world,
            world.job(&["sign", name]),
            "image-reference-invalid",
        );
        let verify = world.verifier(name, IDENTITY, "issuer");
        refused(&world, verify, "image-reference-invalid");
    }
}

#[test]
fn half_an_instance_cannot_sign() {
    let world = World::new();
    let image = world.push("app:v1");
    for missing in ["SIGNGATE_TRUSTED_ROOT", "SIGNGATE_SIGNING_CONFIG"] {
        let sign = world.job(&["sign", &image.pinned]).without(missing);
        refused(&world, sign, "usage-invalid");
    }
}

#[test]
fn trust_material_that_is_none() {
    let world = World::new();
    let image = world.push("app:v1");
    for content in ["", "{}", "[]", "not json", "{\"mediaType\":\"x\"}"] {
        let file = world.write("broken.json", content);
        for variable in ["SIGNGATE_TRUSTED_ROOT", "SIGNGATE_SIGNING_CONFIG"] {
            let sign = world.job(&["sign", &image.pinned]).env(variable, &file);
            refused(&world, sign, "trust-material-invalid");
        }
        let verify = world.verifier(&image.pinned, IDENTITY, "issuer");
        let verify = verify.env("SIGNGATE_TRUSTED_ROOT", &file);
        refused(&world, verify, "trust-material-invalid");
    }
}

#[test]
fn a_trusted_root_that_trusts_nobody_accepts_nothing() {
    let world = World::new();
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    let root = std::fs::read(world.sandbox.trusted_root_path()).unwrap();
    let root: serde_json::Value = serde_json::from_slice(&root).unwrap();
    for part in [
        "tlogs",
        "certificateAuthorities",
        "ctlogs",
        "timestampAuthorities",
    ] {
        let mut root = root.clone();
        assert!(root[part].as_array().is_some_and(|part| !part.is_empty()));
        root[part] = serde_json::json!([]);
        let file = world.write("root.json", root.to_string());
        let verify = world.verifier(&image.pinned, IDENTITY, &world.issuer());
        let run = verify.env("SIGNGATE_TRUSTED_ROOT", &file).run();
        assert!([2, 13].contains(&run.exit), "without {part}: {run}");
    }
}

#[test]
fn files_that_cannot_be_read() {
    let world = World::new();
    let image = world.push("app:v1");
    let folder = world.home().join("folder");
    std::fs::create_dir(&folder).unwrap();
    let large = world.write("large", vec![b' '; 5 * 1024 * 1024]);
    for file in [&world.home().join("none"), &folder, &large] {
        for variable in ["SIGNGATE_TRUSTED_ROOT", "SIGNGATE_SIGNING_CONFIG"] {
            let sign = world.job(&["sign", &image.pinned]).env(variable, file);
            refused(&world, sign, "file-unreadable");
        }
    }
}

#[test]
fn plain_http_leaves_this_machine_for_nobody_who_was_not_named() {
    let world = World::new();
    let digest = "a".repeat(64);
    // TEST-NET-1 and a reserved name: were they asked, the answer would be another code.
    let config = std::fs::read_to_string(world.sandbox.signing_config_path()).unwrap();
    for service in signgate::sandbox::ServiceName::ALL {
        let elsewhere = config.replace(world.sandbox.url(service), "http://sigstore.example");
        if elsewhere == config || service == signgate::sandbox::ServiceName::Oidc {
            continue;
        }
        let image = world.push("app:v1");
        let file = world.write("elsewhere.json", elsewhere);
        let sign = world.job(&["sign", &image.pinned]);
        let run = sign.env("SIGNGATE_SIGNING_CONFIG", &file).run();
        run.ended("plain-http-refused", 2);
    }
    let sign = world.job(&[
        "sign",
        &format!("{}/acme/app:v1", world.sandbox.registry_host()),
    ]);
    let run = sign.env(
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "http://runner.example/token",
    );
    world.push("app:v1");
    run.run().ended("plain-http-refused", 2);

    // A registry is asked by https, unless it was named. Nobody answers on port 1 of this network.
    let image = format!("192.0.2.1:1/acme/app@sha256:{digest}");
    let verify = world.verifier(&image, IDENTITY, "issuer");
    let run = verify.args(&["--timeout", "1s"]).run();
    let run = run.ended("registry-unavailable", 30);
    let url = run.image()["problem"]["what"].as_str().unwrap();
    assert!(url.contains("https://192.0.2.1:1/"), "{run}");
}

#[test]
fn named_instances_are_known() {
    let world = World::new();
    let image = world.push("app:v1");
    for instance in ["public", "staging", "github"] {
        let verify = world.verifier(&image.pinned, IDENTITY, "issuer");
        let verify = verify.without("SIGNGATE_TRUSTED_ROOT");
        let verify = verify.env("SIGNGATE_INSTANCE", instance);
        verify.run().ended("no-signature", 10);
    }
}

#[test]
fn the_instance_of_github_cannot_be_signed_with() {
    let world = World::new();
    let image = world.push("app:v1");
    let sign = world.job(&["sign", &image.pinned, "--instance", "github"]);
    let sign = sign
        .without("SIGNGATE_TRUSTED_ROOT")
        .without("SIGNGATE_SIGNING_CONFIG");
    world.sandbox.requests().clear();
    let run = sign.run();
    assert_eq!(run.exit, 2, "{run}");
    assert_eq!(world.sandbox.requests().all(), []);
}

#[test]
fn help_teaches_by_example() {
    let world = World::new();
    for command in [
        &[][..],
        &["sign"],
        &["verify"],
        &["sign-blob"],
        &["verify-blob"],
        &["sandbox"],
        &["sandbox", "up"],
        &["sandbox", "image"],
        &["demo"],
    ] {
        let run = world.signgate(command).arg("--help").run_raw();
        assert_eq!((run.exit, run.stderr.as_str()), (0, ""), "{command:?}");
        assert!(
            run.stdout.contains("Examples:\n"),
            "{command:?}: {}",
            run.stdout
        );
        let longest = run.stdout.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(120), "{command:?} is {longest:?} wide");
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    let world = World::new();
    let run = world.signgate(&["--version"]).run_raw();
    let expected = concat!("signgate ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(
        (run.exit, run.stdout.as_str(), run.stderr.as_str()),
        (0, expected, "")
    );
}

#[test]
fn what_cannot_be_read_is_json_for_who_asked_for_json() {
    let world = World::new();
    for arguments in [
        &["verify", "--format", "json", "--frobnicate"][..],
        &["verify", "x", "--format=json"],
        &["sign", "--format=json"],
        &[
            "verify",
            "x",
            "--format",
            "json",
            "--certificate-identity",
            "a",
            "--certificate-oidc-issuer",
            "b",
            "--require",
            "x=y",
        ],
    ] {
        let run = world.outside(arguments).run_raw();
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(
            (run.exit, report["problem"]["code"].as_str()),
            (2, Some("usage-invalid")),
            "{arguments:?}"
        );
    }
}

#[test]
fn a_claim_is_required_once() {
    let world = World::new();
    let require = [
        "--require",
        "build-trigger=schedule",
        "--require",
        "build-trigger=push",
    ];
    let run = world
        .verifier("ghcr.io/acme/app", IDENTITY, "https://issuer.example")
        .args(&require)
        .run();
    run.ended("usage-invalid", 2);
}

#[test]
fn an_unset_variable_is_guessed() {
    let world = World::new();
    for (image, hint) in [
        ("", "variable"),
        ("ghcr.io/acme/app@", "build step"),
        (
            "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            "repository",
        ),
    ] {
        let run = world.verify_as(image, IDENTITY, "https://issuer.example");
        let run = run.ended("image-reference-invalid", 2);
        assert!(
            run.report["problem"]["why"][0]
                .as_str()
                .unwrap()
                .contains(hint),
            "{run}"
        );
    }
}

#[test]
fn a_refusal_is_told_once() {
    let world = World::new();
    let missing = format!("{}/acme/app:nope", world.sandbox.registry_host());
    let text = world
        .verifier(&missing, IDENTITY, &world.issuer())
        .run_raw()
        .stdout;
    assert_eq!(text.matches("acme/app:nope").count(), 2, "{text}");
    assert_eq!(text.matches("image-not-found").count(), 1, "{text}");
}
