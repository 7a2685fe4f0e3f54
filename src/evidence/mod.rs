//! What a signature is: a statement about a digest, signed in an envelope, packed with its proofs into a bundle,
//! attached to the image as a referrer.
//!
//! Everything here is parsed and assembled, nothing is believed: [`crate::verify`] does that.

mod bundle;
mod envelope;
mod referrer;
mod statement;

pub use bundle::{
    Bundle, BundleError, Certificate, Content, LogEntry, MEDIA_TYPE_PREFIX, Signature,
    SignedTimestamp,
};
pub use envelope::{PAYLOAD_TYPE, pae};
pub(crate) use referrer::EMPTY_CONFIG;
pub use referrer::{Referrer, bundle_layer};
pub use statement::{COSIGN_SIGN, Statement, StatementError};
