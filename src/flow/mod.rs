//! The stories, each one straight line: [`sign`](sign()) and [`verify`](verify()).
//!
//! They reach the outside only through the traits in [`ports`], so they run wherever somebody provides these.

mod discover;
mod error;
mod legacy;
pub mod ports;
mod publish;
mod sign;
mod verify;

pub use error::FlowError;
pub use sign::{SignRequest, sign};
pub use verify::{VerifyRequest, verify};
