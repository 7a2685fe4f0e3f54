//! The stories, each one straight line: [`sign`](sign()) and [`verify`](verify()) for images,
//! [`sign_file`](sign_file()) and [`verify_file`](verify_file()) for files.
//!
//! They reach the outside only through the traits in [`ports`], so they run wherever somebody provides these.

mod discover;
mod error;
mod legacy;
pub mod ports;
mod publish;
mod sign;
mod sign_file;
mod verify;
mod verify_file;

pub use error::FlowError;
pub use sign::{SignRequest, sign};
pub use sign_file::{SignFileRequest, sign_file};
pub use verify::{VerifyRequest, verify};
pub use verify_file::{FileVerdict, VerifyFileRequest, verify_file};
