//! Verifications per second, native, for scripts/bench: `cargo test --release --features pure-crypto --test speed -- --ignored
//! --nocapture`. Prints rows of a Markdown table. Not a test: nothing is asserted about time.
//!
//! `SIGNGATE_PROVIDER=RustCrypto` measures the pure-Rust provider, which has to be chosen before anything else happens.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement stops by panicking, and prints"
)]

use signgate::evidence::Bundle;
use signgate::image::Digest;
use signgate::trust::{Instance, Requirements, TrustedRoot};
use signgate::verify::{File, file_signature, rustcrypto};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const KINDS: &[&str] = &["happy-path-v0.3-new-mediaType", "rekor2-dsse-happy-path"];

#[test]
#[ignore = "measures"]
fn verifications_per_second() {
    let provider = match std::env::var("SIGNGATE_PROVIDER").as_deref() {
        Ok("RustCrypto") => {
            assert!(rustcrypto::install());
            "RustCrypto"
        }
        _ => "aws-lc",
    };
    for kind in KINDS {
        let case = vectors().join(kind);
        let json = fs::read(case.join("bundle.sigstore.json")).unwrap();
        let own = case.join("artifact");
        let artifact = if own.exists() {
            own
        } else {
            vectors().join("a.txt")
        };
        let digest = Digest::of(&fs::read(artifact).unwrap());
        let root = match fs::read_to_string(case.join("trusted_root.json")) {
            Ok(json) => TrustedRoot::parse(&json, Requirements::Everything).unwrap(),
            Err(_) => Instance::Public.trusted_root().unwrap(),
        };
        let mut times = measure(|| {
            let bundle = Bundle::parse(json.clone()).unwrap();
            file_signature(bundle, File::Digest(digest), &root).unwrap();
        });
        times.sort();
        let (middle, best) = (times[times.len() / 2], times[0]);
        println!(
            "| {kind} | native, {provider} | {:.2} ms | {:.2} ms | {:.0} |",
            middle.as_secs_f64() * 1e3,
            best.as_secs_f64() * 1e3,
            1.0 / middle.as_secs_f64()
        );
    }
}

fn measure(mut run: impl FnMut()) -> Vec<Duration> {
    let end = Instant::now() + Duration::from_millis(1500);
    let mut times = Vec::new();
    while Instant::now() < end {
        let begin = Instant::now();
        run();
        times.push(begin.elapsed());
    }
    times
}

fn vectors() -> PathBuf {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors/bundle-verify");
    std::env::var_os("SIGNGATE_VECTORS").map_or(vectors, PathBuf::from)
}
