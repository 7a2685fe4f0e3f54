//! The sandbox.

pub mod error;
pub mod faults;
pub mod identity;
pub mod image;
pub mod oidc;
pub mod registry;
pub mod requests;
pub mod server;

pub(crate) mod ca;
pub(crate) mod certificate;
pub(crate) mod checkpoint;
pub(crate) mod clock;
pub(crate) mod ct_log;
pub(crate) mod extensions;
pub(crate) mod fulcio;
pub(crate) mod merkle;
pub(crate) mod receipt;
pub(crate) mod rekor_body;
pub(crate) mod rekor_v1;
pub(crate) mod rekor_v2;
pub(crate) mod timestamp_token;
pub(crate) mod token;
pub(crate) mod tsa;
pub(crate) mod verifier;
