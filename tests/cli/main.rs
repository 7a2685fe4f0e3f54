//! The whole program against the sandbox: the real binary, real HTTP, real cryptography.
//!
//! `harness` starts a sandbox of its own for each test and runs `signgate` in an environment that holds only what the
//! test gives it. A test asserts codes and exit codes, never sentences: codes are stable, sentences are for people.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod harness;

mod advisories;
mod blobs;
mod concurrent;
mod conformance;
mod fetches;
mod formats;
mod hostile;
mod identity;
mod keys;
mod legacy;
mod mutants;
mod no_token;
mod outages;
mod refusals;
mod requests;
mod story;
mod strict;
mod trust;
mod usage;
