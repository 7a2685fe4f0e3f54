//! Verifies the signatures of cosign v2.

use super::Verified;
use super::bundle::Proven;
use super::rejection::Rejection;
use crate::evidence::{Bundle, Format, LegacySignature, SimpleSigning, Statement};
use crate::image::Digest;
use crate::trust::TrustedRoot;

/// Verifies `signature` for the image with the digest `subject` against `root`, whoever signed it.
///
/// What it says is what the statement of a bundle says, so that statement stands for it from here on.
pub(super) fn signature(
    signature: LegacySignature,
    subject: &Digest,
    root: &TrustedRoot,
) -> Result<Verified<Bundle>, Rejection> {
    let LegacySignature { payload, bundle } = signature;

    // 1. to 6., over the payload. The log entry is bound to it, to the signature and to the certificate
    //    (CVE-2022-23649, CVE-2026-22703).
    let proven = Proven::of(&bundle, payload.as_slice().into(), root).map_err(|rejection| {
        match rejection {
            // The digest of the payload is our own, so it is the log entry that is about something else.
            Rejection::Subject => Rejection::LogEntryMismatch,
            rejection => rejection,
        }
    })?;

    // 7. The payload says that an image is signed, and that it is this one.
    let payload = SimpleSigning::parse(&payload).map_err(Rejection::Payload)?;
    if !payload.is_image_signature() {
        return Err(Rejection::NotAnImageSignature);
    }
    if !payload.is_about(subject) {
        return Err(Rejection::Subject);
    }
    let statement =
        Statement::parse(&Statement::image_signature(subject)).map_err(Rejection::Statement)?;
    Ok(proven.verified(bundle, Format::LegacySignature, *subject, Some(statement)))
}
