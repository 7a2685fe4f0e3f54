//! Whom signgate believes: the TUF repository, its cache, and what is used without an answer.

use crate::harness::*;
use jiff::SignedDuration;
use serde_json::{Value, json};
use signgate::image::Digest;
use signgate::sandbox::ServiceName::{Registry, Tuf};
use signgate::sandbox::{Fault, Options, RekorVersion, TufAttack};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// `signgate` outside of any CI, that knows the sandbox by its TUF repository only.
fn by_tuf(world: &World, arguments: &[&str]) -> Signgate {
    world
        .signgate(arguments)
        .env("SIGNGATE_TUF_URL", world.sandbox.url(Tuf))
        .env("SIGNGATE_TUF_ROOT", world.sandbox.tuf_root_path())
}

fn update(world: &World) -> Run {
    by_tuf(world, &["trust", "update"]).run()
}

fn show(world: &World) -> Run {
    by_tuf(world, &["trust", "show"]).run()
}

fn verifier(world: &World, image: &str, more: &[&str]) -> Signgate {
    let issuer = world.issuer();
    let arguments = [
        "verify",
        image,
        "--certificate-identity",
        IDENTITY,
        "--certificate-oidc-issuer",
        &issuer,
    ];
    by_tuf(world, &[&arguments[..], more].concat())
}

fn verify(world: &World, image: &str) -> Run {
    verifier(world, image, &[]).run()
}

fn signed(world: &World) -> Pushed {
    let image = world.push("app:v1");
    world.attach(&image, world.forge(&image, RekorVersion::V2, None));
    image
}

fn asked(world: &World) -> usize {
    world.requests(Tuf).len()
}

/// The only file in the cache.
fn cache_file(world: &World) -> PathBuf {
    let mut files = fs::read_dir(world.home().join(".cache/signgate")).unwrap();
    let file = files.next().unwrap().unwrap().path();
    assert!(files.next().is_none(), "something was left beside {file:?}");
    file
}

fn source(run: &Run) -> &Value {
    &run.report["source"]
}

#[test]
fn an_instance_is_verified_and_signed_with_by_its_tuf_repository_alone() {
    let world = World::new();
    let image = world.push("app:v1");
    let environment = world.sandbox.environment();
    environment
        .into_iter()
        .filter(|(name, _)| !name.starts_with("SIGNGATE_"))
        .fold(
            by_tuf(&world, &["sign", &image.pinned]),
            |signgate, (name, value)| signgate.env(name, value),
        )
        .run()
        .ok();
    verify(&world, &image.pinned).ok();
}

#[test]
fn material_is_fetched_once_and_used_until_it_expires() {
    let world = World::new();
    let image = signed(&world);
    verify(&world, &image.pinned).ok();
    assert_eq!(asked(&world), 6, "{:#?}", world.requests(Tuf));
    world.sandbox.requests().clear();
    verify(&world, &image.pinned).ok();
    assert_eq!(asked(&world), 0);
}

#[test]
fn a_refresh_goes_on_beside_the_registry() {
    let world = World::with(Options {
        latency: Duration::from_millis(50),
        ..Options::default()
    });
    let image = signed(&world);
    world.sandbox.requests().clear();
    verify(&world, &image.tagged).ok();
    let log = world.sandbox.requests();
    // The tag, referrers, manifest, bundle; and at the same time root and timestamp, snapshot, targets, files.
    assert_eq!(log.sequential_round_trips(), 4, "{:#?}", log.all());
    assert_eq!(log.repeated(), []);
}

#[test]
fn many_images_share_one_refresh() {
    let world = World::new();
    let image = signed(&world);
    verifier(&world, &image.pinned, &[&image.tagged]).run().ok();
    assert_eq!(
        world
            .sandbox
            .requests()
            .repeated()
            .iter()
            .filter(|repeat| repeat.service == Tuf)
            .count(),
        0
    );
}

#[test]
fn a_refresh_that_brings_nothing_new_costs_one_round_trip() {
    let world = World::new();
    update(&world).ok();
    world.sandbox.requests().clear();
    update(&world).ok();
    let paths: Vec<String> = world
        .requests(Tuf)
        .into_iter()
        .map(|request| request.path)
        .collect();
    assert_eq!(paths.len(), 2, "{paths:?}");
    assert!(
        paths.contains(&"/timestamp.json".to_owned()) && paths.contains(&"/2.root.json".to_owned())
    );
}

#[test]
fn offline_means_no_request_to_anybody_but_the_registry() {
    let world = World::new();
    let image = signed(&world);
    world.sandbox.requests().clear();
    verifier(&world, &image.pinned, &["--offline"])
        .run()
        .ended("trust-root-unavailable", 34);
    assert_eq!(asked(&world), 0);
    update(&world).ok();
    world.sandbox.requests().clear();
    verifier(&world, &image.pinned, &["--offline"]).run().ok();
    let others = world.sandbox.requests().all();
    assert!(
        others.iter().all(|request| request.service == Registry),
        "{others:#?}"
    );
}

#[test]
fn expired_material_is_refreshed() {
    let world = World::new();
    let image = signed(&world);
    expire(&world, 10);
    verify(&world, &image.pinned).ok();
    assert!(asked(&world) > 0);
    assert_eq!(source(&show(&world)), "cache");
    assert_eq!(show(&world).report["daysOld"], 0);
}

#[test]
fn expired_material_is_used_for_a_month_without_an_answer() {
    let world = World::new();
    let image = signed(&world);
    expire(&world, 10);
    world.break_all(Tuf, status(503, None));
    let run = verify(&world, &image.pinned);
    assert!(run.stderr.contains("warning: "), "{}", run.stderr);
    run.ok();
    verifier(&world, &image.pinned, &["--offline"]).run().ok();
    assert_eq!(show(&world).report["daysOld"], 10);
}

#[test]
fn material_that_expired_more_than_a_month_ago_is_not_used() {
    let world = World::new();
    let image = signed(&world);
    expire(&world, 40);
    world.break_all(Tuf, status(503, None));
    verify(&world, &image.pinned).ended("trust-root-unavailable", 34);
    verifier(&world, &image.pinned, &["--offline"])
        .run()
        .ended("trust-root-unavailable", 34);
    show(&world).ended("trust-root-unavailable", 34);
}

/// Fills the cache with material that expired so many days ago, and has the repository publish newer.
fn expire(world: &World, days: i64) {
    let (service, tuf) = (world.sandbox.service(Tuf), world.sandbox.tuf());
    // Of what is published that day the timestamp expires first, after a week.
    let then = SignedDuration::from_hours(24 * (7 + days));
    service.faults.set_clock_offset(-then);
    tuf.publish().unwrap();
    keep(world);
    service.faults.set_clock_offset(SignedDuration::ZERO);
    tuf.publish().unwrap();
    world.sandbox.requests().clear();
}

/// What a client of that day would have kept. Today nobody would accept it.
fn keep(world: &World) {
    let published = world.sandbox.tuf().published();
    let newest = |suffix: &str| {
        let (_, bytes) = published
            .iter()
            .rfind(|(path, _)| path.ends_with(suffix))
            .unwrap();
        std::str::from_utf8(bytes).unwrap()
    };
    let kept = json!({
        "timestamp.json": newest("timestamp.json"),
        "snapshot.json": newest(".snapshot.json"),
        "targets.json": newest(".targets.json"),
        "targets/trusted_root.json": newest(".trusted_root.json"),
        "targets/signing_config.v0.2.json": newest(".signing_config.v0.2.json"),
    });
    let name = Digest::of(world.sandbox.url(Tuf).as_bytes()).hex();
    world.write(
        &format!(".cache/signgate/tuf-{name}.json"),
        kept.to_string(),
    );
}

#[test]
fn every_attack_on_the_repository_is_refused() {
    for attack in TufAttack::ALL {
        let world = World::new();
        let image = signed(&world);
        // A client that has been here before: without it nobody could tell an older version.
        world.sandbox.tuf().publish().unwrap();
        update(&world).ok();
        let before = fs::read(cache_file(&world)).unwrap();
        world.sandbox.tuf().attack(attack).unwrap();
        let run = update(&world);
        assert_eq!(run.exit, 34, "{attack:?}: {} {}", run.stdout, run.stderr);
        assert_eq!(
            run.report["problem"]["code"], "trust-metadata-refused",
            "{attack:?}"
        );
        // Nothing of it stays, and what was verified before still is.
        assert_eq!(fs::read(cache_file(&world)).unwrap(), before, "{attack:?}");
        verify(&world, &image.pinned).ok();
    }
}

#[test]
fn an_attack_on_the_first_refresh_leaves_no_decision() {
    for attack in [
        TufAttack::TimestampWrongKey,
        TufAttack::ThresholdMissed,
        TufAttack::Freeze,
        TufAttack::TargetReplaced,
    ] {
        let world = World::new();
        let image = signed(&world);
        world.sandbox.tuf().attack(attack).unwrap();
        verify(&world, &image.pinned).ended("trust-metadata-refused", 34);
    }
}

#[test]
fn a_new_root_is_followed_and_remembered() {
    let world = World::new();
    update(&world).ok();
    world.sandbox.tuf().rotate_root().unwrap();
    world.sandbox.tuf().rotate_root().unwrap();
    let run = update(&world);
    assert_eq!(run.report["metadata"]["root"], 3);
    run.ok();
    world.sandbox.requests().clear();
    let again = update(&world);
    assert_eq!(again.report["metadata"]["root"], 3);
    assert_eq!(asked(&world), 2, "the roots were fetched again");
}

#[test]
fn a_withdrawn_authority_is_believed_no_longer() {
    let world = World::new();
    let image = signed(&world);
    verify(&world, &image.pinned).ok();
    let other = World::new();
    let root = fs::read(other.sandbox.trusted_root_path()).unwrap();
    world
        .sandbox
        .tuf()
        .replace("trusted_root.json", root)
        .unwrap();
    update(&world).ok();
    let run = verify(&world, &image.pinned);
    assert_eq!(run.exit, 13, "{}", run.stdout);
}

#[test]
fn many_processes_share_one_cache() {
    let world = World::new();
    let image = signed(&world);
    for round in 0..3 {
        world.sandbox.tuf().publish().unwrap();
        if round == 2 {
            fs::write(cache_file(&world), "{ half").unwrap();
        }
        let calls = (0..8).map(|number| match number % 2 {
            0 => verifier(&world, &image.pinned, &[]),
            _ => by_tuf(&world, &["trust", "update"]),
        });
        std::thread::scope(|scope| {
            let runs: Vec<_> = calls.map(|call| scope.spawn(|| call.run())).collect();
            for run in runs {
                run.join().unwrap().ok();
            }
        });
        // One file, whole, and nothing half-written beside it.
        assert_eq!(source(&show(&world)), "cache");
        cache_file(&world);
    }
}

#[test]
fn a_damaged_cache_costs_a_refresh_and_nothing_else() {
    let world = World::new();
    let image = signed(&world);
    update(&world).ok();
    let file = cache_file(&world);
    let whole = fs::read(&file).unwrap();
    let forge = |from: &str, to: &str| {
        let text = String::from_utf8(whole.clone()).unwrap();
        let forged = text.replace(from, to).into_bytes();
        assert_ne!(forged, whole);
        forged
    };
    let year = jiff::Timestamp::now().strftime("%Y-").to_string();
    for (damage, content) in [
        ("half-written", whole[..whole.len() / 2].to_vec()),
        ("empty", Vec::new()),
        ("garbage", vec![0xff; 100]),
        ("other JSON", b"[1]".to_vec()),
        ("nesting", b"[".repeat(100_000)),
        ("another root", forge("sandbox root", "sandbox evil")),
        ("a later expiry", forge(&year, "2999-")),
    ] {
        fs::write(&file, content).unwrap();
        is_repaired(&world, &image, damage);
    }
}

#[test]
fn a_link_in_the_place_of_the_cache_is_replaced_and_not_followed() {
    let world = World::new();
    let image = signed(&world);
    update(&world).ok();
    let file = cache_file(&world);
    let precious = world.write("precious", "precious");
    for target in [precious.as_path(), Path::new("/dev/zero")] {
        fs::remove_file(&file).unwrap();
        symlink(target, &file).unwrap();
        is_repaired(&world, &image, "a link");
    }
    assert_eq!(fs::read_to_string(precious).unwrap(), "precious");
}

/// The next run refreshes and verifies, and the one after it believes the cache again.
fn is_repaired(world: &World, image: &Pushed, damage: &str) {
    world.sandbox.requests().clear();
    let run = verify(world, &image.pinned);
    assert_eq!(run.exit, 0, "{damage}: {run}");
    assert!(asked(world) > 0, "{damage} was believed");
    world.sandbox.requests().clear();
    verify(world, &image.pinned).ok();
    assert_eq!(asked(world), 0, "{damage} was not repaired");
}

#[test]
fn a_cache_that_cannot_be_used_is_never_a_failure() {
    let world = World::new();
    let image = signed(&world);
    let blocked = world.write("blocked", "a file, not a folder");
    for folder in [blocked.join("cache"), PathBuf::from("/proc/signgate")] {
        let run = verifier(&world, &image.pinned, &[])
            .env("SIGNGATE_CACHE_DIR", &folder)
            .run();
        assert!(run.stderr.contains("warning: "), "{}", run.stderr);
        run.ok();
    }
    // The folder exists and is read-only; to root it is not.
    let folder = world.home().join("read-only");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o500)).unwrap();
    verifier(&world, &image.pinned, &[])
        .env("SIGNGATE_CACHE_DIR", &folder)
        .run()
        .ok();
    // A folder where the file should be.
    update(&world).ok();
    let file = cache_file(&world);
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    verify(&world, &image.pinned).ok();
    // No home at all.
    verifier(&world, &image.pinned, &[])
        .env("HOME", "")
        .run()
        .ok();
}

#[test]
fn an_answer_that_does_not_come_is_no_open_door() {
    let faults = [
        status(503, None),
        Fault::Truncate,
        Fault::Stall,
        html(),
        Fault::Redirect {
            location: "http://127.0.0.1:1/".to_owned(),
        },
    ];
    for fault in faults {
        let world = World::new();
        let image = signed(&world);
        world.break_all(Tuf, fault.clone());
        let run = verifier(&world, &image.pinned, &["--timeout", timeout(&fault)]).run();
        assert_eq!(run.exit, 34, "{fault:?}: {}", run.stdout);
    }
}

#[test]
fn a_named_instance_falls_back_on_what_is_built_in() {
    let world = World::new();
    let image = signed(&world);
    // The sandbox in the place of a mirror of the public repository: its keys are the wrong ones.
    let issuer = world.issuer();
    let run = world
        .signgate(&[
            "verify",
            &image.pinned,
            "--certificate-identity",
            IDENTITY,
            "--certificate-oidc-issuer",
            &issuer,
        ])
        .env("SIGNGATE_TUF_URL", world.sandbox.url(Tuf))
        .run();
    // The public instance did not sign this image, and the sandbox could not make itself believed.
    assert_eq!(run.exit, 13, "{} {}", run.stdout, run.stderr);
    assert!(run.stderr.contains("warning: "), "{}", run.stderr);
    assert!(asked(&world) > 0);
    let shown = world.signgate(&["trust", "show"]).run();
    assert_eq!(source(&shown), "embedded");
    world
        .signgate(&["trust", "update", "--tuf-url", world.sandbox.url(Tuf)])
        .run()
        .ended("trust-metadata-refused", 34);
}

#[test]
fn what_is_exported_verifies_elsewhere() {
    let world = World::new();
    let image = signed(&world);
    let folder = world.home().join("export");
    let out = folder.display().to_string();
    by_tuf(&world, &["trust", "export", "--out", &out])
        .run()
        .ok();
    let root = fs::read(folder.join("trusted_root.json")).unwrap();
    let original = fs::read(world.sandbox.trusted_root_path()).unwrap();
    let parsed = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
    assert_eq!(parsed(&root), parsed(&original));
    assert!(folder.join("signing_config.json").exists());
    world
        .verifier(&image.pinned, IDENTITY, &world.issuer())
        .env("SIGNGATE_TRUSTED_ROOT", folder.join("trusted_root.json"))
        .run()
        .ok();
    by_tuf(&world, &["trust", "export", "--out", "/proc/x"])
        .run()
        .ended("file-unwritable", 2);
}

#[test]
fn show_tells_who_is_trusted_and_since_when() {
    let world = World::new();
    update(&world).ok();
    world.sandbox.requests().clear();
    let run = show(&world);
    assert_eq!(asked(&world), 0);
    let kinds: Vec<&str> = run.report["authorities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|authority| authority["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "certificate authority",
            "certificate authority",
            "transparency log",
            "transparency log",
            "CT log",
            "timestamp authority"
        ]
    );
    assert!(run.report["authorities"][0]["since"].is_string());
    assert!(run.report["metadata"]["expires"].is_string());
}

#[test]
fn contradictions_and_plain_http_are_usage() {
    let world = World::new();
    let root = world.sandbox.tuf_root_path().display().to_string();
    let file = world.sandbox.trusted_root_path().display().to_string();
    world
        .signgate(&["trust", "update", "--trusted-root", &file])
        .run()
        .ended("usage-invalid", 2);
    let plain = [
        "trust",
        "update",
        "--tuf-url",
        "http://tuf.example/",
        "--tuf-root",
        &root,
    ];
    world.signgate(&plain).run().ended("plain-http-refused", 2);
    for contradiction in [
        &["--tuf-root", &*root][..],
        &["--tuf-url", "https://tuf.example/", "--trusted-root", &file],
        &[
            "--tuf-url",
            "https://tuf.example/",
            "--tuf-root",
            &root,
            "--instance",
            "staging",
        ],
    ] {
        let arguments = [&["trust", "show"][..], contradiction].concat();
        assert_eq!(
            world.signgate(&arguments).run_raw().exit,
            2,
            "{contradiction:?}"
        );
    }
}
