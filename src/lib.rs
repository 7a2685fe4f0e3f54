//! signgate
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
#[cfg(feature = "sandbox")]
pub mod sandbox;
