//! The sandbox.

pub mod error;
pub mod identity;
pub mod oidc;

pub(crate) mod ca;
pub(crate) mod certificate;
pub(crate) mod clock;
pub(crate) mod ct_log;
pub(crate) mod extensions;
pub(crate) mod fulcio;
pub(crate) mod token;
