//! `verify` for one bundle that is at hand: no registry, no network.

use crate::evidence::Bundle;
use crate::image::Digest;
use crate::limits;
use crate::trust::TrustedRoot;
use crate::verify::{self, File, Rejection, Verified};
use jiff::Timestamp;

/// What to verify.
pub struct Request<'a> {
    /// The bytes of the bundle.
    pub bundle: Vec<u8>,
    /// What it must be about.
    pub subject: Subject<'a>,
    /// Whom to believe.
    pub trusted_root: &'a TrustedRoot,
    /// What was signed after this time is refused.
    pub no_later_than: Option<Timestamp>,
}

/// What a bundle is about.
pub enum Subject<'a> {
    /// An image with this digest.
    Image(&'a Digest),
    /// A file with this digest.
    File(&'a Digest),
}

/// Verifies one bundle, whoever signed it.
pub fn verify(request: Request<'_>) -> Result<Verified<Bundle>, Rejection> {
    if request.bundle.len() > limits::BUNDLE_BYTES {
        return Err(Rejection::TooLarge {
            limit: limits::BUNDLE_BYTES,
        });
    }
    let bundle = Bundle::parse(request.bundle)?;
    let root = request.trusted_root;
    let verified = match request.subject {
        Subject::Image(digest) => verify::image_signature(bundle, digest, root)?,
        Subject::File(digest) => verify::file_signature(bundle, File::Digest(*digest), root)?,
    };
    // By the latest time that it can have been signed at, which is a trusted one; our clock has no part in it.
    match (request.no_later_than, verified.signed_at()) {
        (None, _) => Ok(verified),
        (Some(_), None) => Err(Rejection::Undated),
        (Some(limit), Some(signed_at)) if signed_at > limit => {
            Err(Rejection::SignedLater { signed_at, limit })
        }
        (Some(_), Some(_)) => Ok(verified),
    }
}
