//! What a run costs, in requests: counted, never timed. Every answer takes 50 ms, so that what waits for what shows.

use crate::harness::*;
use signgate::sandbox::ServiceName::{Fulcio, Oidc, Registry};
use signgate::sandbox::{Credentials, Forger, Options, RegistryOptions, RekorVersion};
use std::time::Duration;

fn world(rekor: RekorVersion, referrers_api: bool, token_auth: bool) -> World {
    let world = World::with(Options {
        rekor: vec![rekor],
        registry: RegistryOptions {
            referrers_api,
            token_auth: token_auth.then(|| Credentials {
                username: USER.to_owned(),
                password: PASSWORD.to_owned(),
            }),
            ..RegistryOptions::default()
        },
        latency: Duration::from_millis(50),
        ..Options::default()
    });
    if token_auth {
        world.docker_login(USER, PASSWORD);
    }
    world
}

/// `METHOD path` of what was asked more than once, without the digests, and how often.
fn repeated(world: &World) -> Vec<String> {
    let all = world.sandbox.requests().repeated();
    all.iter()
        .map(|repeat| {
            let path = repeat.path.split_inclusive(['/', ':', '-', '=']);
            let path: String = path
                .map(|part| if part.len() == 64 { "HEX" } else { part })
                .collect();
            format!("{} {} {path}", repeat.times, repeat.method)
        })
        .collect()
}

#[test]
fn verifying_by_digest_takes_three_round_trips() {
    for referrers_api in [true, false] {
        let world = world(RekorVersion::V2, referrers_api, false);
        let image = world.push("app:v1");
        world.sign(&image.pinned).ok();
        world.sandbox.requests().clear();
        world.verify(&image.pinned).ok();
        let log = world.sandbox.requests();
        assert_eq!(log.sequential_round_trips(), 3, "{:#?}", log.all());
        assert_eq!(log.repeated(), []);
        assert_eq!(
            log.all().len(),
            7,
            "image, API, tag, two tags of cosign v2, manifest, bundle: {:#?}",
            log.all()
        );
    }
}

#[test]
fn signatures_of_cosign_2_take_no_more_round_trips() {
    let world = world(RekorVersion::V2, true, false);
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    let (forger, job) = (world.sandbox.forger(), world.sandbox.oidc().job());
    let payload = Forger::legacy_payload(&image.digest().hex()).to_string();
    let layer = forger
        .legacy_signature(payload.as_bytes(), &job, None)
        .unwrap();
    world.push_legacy(&image, "sig", &[layer.descriptor()], &[&layer.content]);
    world.sandbox.requests().clear();
    let run = world.verify(&image.pinned).ok();
    assert_eq!(run.image()["signatures"].as_array().unwrap().len(), 2);
    let log = world.sandbox.requests();
    assert_eq!(log.sequential_round_trips(), 3, "{:#?}", log.all());
    assert_eq!(log.repeated(), []);
}

#[test]
fn verifying_by_tag_takes_one_more() {
    let world = world(RekorVersion::V2, true, false);
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    world.sandbox.requests().clear();
    world.verify(&image.tagged).ok();
    assert_eq!(world.sandbox.requests().sequential_round_trips(), 4);
    assert_eq!(world.sandbox.requests().repeated(), []);
}

#[test]
fn more_signatures_take_no_more_round_trips() {
    let world = world(RekorVersion::V2, true, false);
    let image = world.push("app:v1");
    for _ in 0..4 {
        world.attach(&image, world.forge(&image, RekorVersion::V2, None));
    }
    world.sandbox.requests().clear();
    world.verify(&image.pinned).ok();
    assert_eq!(world.sandbox.requests().sequential_round_trips(), 3);
}

#[test]
fn verifying_asks_the_registry_and_nobody_else() {
    let world = world(RekorVersion::V1, true, false);
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    world.sandbox.requests().clear();
    world.verify(&image.pinned).ok();
    let all = world.sandbox.requests().all();
    assert!(
        all.iter().all(|request| request.service == Registry),
        "{all:#?}"
    );
    assert!(
        all.iter().all(|request| request.method == "GET"),
        "{all:#?}"
    );
}

/// Signs in a fresh world and returns how many requests waited for another.
fn sign(rekor: RekorVersion, referrers_api: bool) -> (World, usize) {
    let world = world(rekor, referrers_api, false);
    let image = world.push("app:v1");
    world.sandbox.requests().clear();
    world.sign(&image.pinned).ok();
    let trips = world.sandbox.requests().sequential_round_trips();
    (world, trips)
}

#[test]
fn signing_takes_at_most_eight_round_trips_and_asks_nothing_twice() {
    for rekor in RekorVersion::ALL {
        let (world, trips) = sign(rekor, true);
        assert!(
            trips <= 8,
            "Rekor {rekor}: {trips}: {:#?}",
            world.sandbox.requests().all()
        );
        assert_eq!(repeated(&world), [""; 0], "Rekor {rekor}");
    }
}

#[test]
fn signing_with_the_fallback_tag_reads_that_tag_before_and_twice_after_writing_it() {
    for rekor in RekorVersion::ALL {
        let (world, trips) = sign(rekor, false);
        assert!(
            trips <= 8,
            "Rekor {rekor}: {trips}: {:#?}",
            world.sandbox.requests().all()
        );
        let expected = ["3 GET /v2/acme/app/manifests/sha256-HEX"];
        assert_eq!(repeated(&world), expected, "Rekor {rekor}");
    }
}

#[test]
fn log_and_timestamp_do_not_wait_for_each_other() {
    for rekor in RekorVersion::ALL {
        let (world, _) = sign(rekor, true);
        let all = world.sandbox.requests().all();
        let find = |part: &str| {
            let found = all.iter().find(|request| request.path.ends_with(part));
            found.unwrap_or_else(|| panic!("{part}: {all:#?}"))
        };
        let (timestamp, entry) = (find("/timestamp"), find("/log/entries"));
        assert!(
            timestamp.start < entry.end && entry.start < timestamp.end,
            "{all:#?}"
        );
    }
}

#[test]
fn the_token_is_fetched_once_and_while_the_image_is_looked_up() {
    let (world, _) = sign(RekorVersion::V2, true);
    let (token, image) = (&world.requests(Oidc)[0], &world.requests(Registry)[0]);
    assert_eq!(
        (world.requests(Oidc).len(), world.requests(Fulcio).len()),
        (1, 1)
    );
    assert!(token.start < image.end && image.start < token.end);
}

#[test]
fn a_login_costs_two_round_trips_and_one_token() {
    let world = world(RekorVersion::V2, true, true);
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    world.sandbox.requests().clear();
    world.verify(&image.pinned).ok();
    let log = world.sandbox.requests();
    assert_eq!(log.sequential_round_trips(), 5, "{:#?}", log.all());
    let tokens = log
        .all()
        .into_iter()
        .filter(|request| request.path.starts_with("/token"));
    assert_eq!(tokens.count(), 1);
    // What was asked before anybody knew that a token was needed is asked again, once.
    assert!(
        log.repeated().iter().all(|repeat| repeat.times == 2),
        "{:#?}",
        log.repeated()
    );
    assert!(log.repeated().len() <= 5, "{:#?}", log.repeated());

    log.clear();
    world.sign(&image.pinned).ok();
    let log = world.sandbox.requests();
    let tokens = log
        .all()
        .into_iter()
        .filter(|request| request.path.starts_with("/token"));
    assert_eq!(tokens.count(), 1, "one token that may push, from the start");
    assert_eq!(log.repeated().len(), 1, "{:#?}", log.repeated());
}
