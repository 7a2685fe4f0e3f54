//! Several jobs sign the same digest at once, as release trains and retries do. No signature is lost.

use crate::harness::*;
use serde_json::Value;
use signgate::sandbox::{Options, RegistryOptions};
use std::time::Duration;

/// `SIGNERS` jobs at once; how many signatures are found afterwards.
fn at_once(world: &World) -> usize {
    let image = world.push("app:v1");
    std::thread::scope(|scope| {
        let jobs: Vec<_> = (0..SIGNERS)
            .map(|_| {
                let sign = world.job(&["sign", &image.pinned]);
                scope.spawn(move || sign.run())
            })
            .collect();
        for job in jobs {
            job.join().unwrap().ok();
        }
    });
    let run = world.verify(&image.pinned).ok();
    let signatures = run.image()["signatures"].as_array().unwrap();
    let mut referrers: Vec<&Value> = signatures.iter().map(|s| &s["referrer"]).collect();
    referrers.sort_by_key(ToString::to_string);
    referrers.dedup();
    referrers.len()
}

#[test]
fn by_the_referrers_api() {
    assert_eq!(at_once(&far_away(true)), SIGNERS);
}

#[test]
fn under_the_fallback_tag() {
    assert_eq!(at_once(&far_away(false)), SIGNERS);
}

/// Services at a distance, so that the jobs really overlap between reading a list and writing it.
fn far_away(referrers_api: bool) -> World {
    World::with(Options {
        registry: RegistryOptions {
            referrers_api,
            ..RegistryOptions::default()
        },
        latency: Duration::from_millis(200),
        ..Options::default()
    })
}

const SIGNERS: usize = 8;
