//! signgate signs container images keylessly inside CI and refuses to merge or deploy an image that does not verify.
//!
//! # The map of the house
//!
//! | module | answers | may import |
//! |---|---|---|
//! | [`outcome`] | how can a run end, and what does the user do then? | nothing |
//! | [`limits`] | how much do we accept from outside? | nothing |
//! | [`image`] | what is signed: digests, references, manifests | pure modules |
//! | [`ci`] | where am I running, and how do I get an ID token there? | pure modules |
//! | [`evidence`] | what a signature is: statement, envelope, bundle, referrer | pure modules |
//! | [`trust`] | whom we believe: trusted root, signing config, instances | pure modules |
//! | [`verify`] | evidence + trust → [`verify::Verified`] | pure modules |
//! | [`policy`] | whom we accept: verified evidence → [`policy::Decision`] | pure modules |
//! | [`report`] | a result → text, JSON | pure modules |
//! | [`flow`] | the stories, `sign` and `verify`, over the traits in [`flow::ports`] | pure modules |
//! | `adapters` | one file per outside system (feature `native`) | pure modules, [`flow::ports`] |
//! | `cli` | one file per subcommand (feature `native`) | everything |
//! | `wasm` | what JavaScript calls (feature `wasm`, on wasm32-unknown-unknown) | pure modules, [`flow`] |
//! | `sandbox` | Sigstore and a registry on loopback (feature `sandbox`) | everything but `cli` |
//!
//! Everything but `adapters`, `cli` and `sandbox` compiles for `wasm32-unknown-unknown`: time, randomness,
//! the environment and bytes from outside are arguments there. `tests/architecture.rs` holds these rules.
//!
//! # Where a new thing goes
//!
//! * a CI provider: one file in `ci/`, one line in [`ci::PROVIDERS`];
//! * a policy check: one file in `policy/check/`, one line in [`policy::check::CHECKS`];
//! * a report format: one file in `report/`, one line in [`report::Format`].
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )
)]

pub mod ci;
pub mod evidence;
pub mod flow;
pub mod image;
pub mod limits;
pub mod outcome;
pub mod policy;
pub mod report;
pub mod trust;
pub mod verify;

#[cfg(feature = "native")]
pub mod adapters;
#[cfg(feature = "native")]
pub mod cli;
#[cfg(feature = "sandbox")]
pub mod sandbox;
#[cfg(all(feature = "wasm", target_arch = "wasm32", target_os = "unknown"))]
pub mod wasm;
