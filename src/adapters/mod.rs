//! One file for each outside system. They implement the traits of [`crate::flow::ports`], turn what they get into pure
//! values, and decide nothing.

pub mod env;
pub mod files;
pub mod fulcio;
pub mod http;
pub mod id_token;
pub mod key;
pub mod registry;
pub mod rekor;
pub mod tsa;
pub mod tuf;
