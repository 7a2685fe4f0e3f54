//! `verify`: is this image signed by whom we expect?

use super::FlowError;
use super::discover::discover;
use super::ports::{Registry, Trust};
use crate::image::ImageRef;
use crate::policy::{Policy, Verdict};
use crate::trust::TrustedRoot;
use crate::verify;
use futures_util::try_join;

/// What to verify, by which measure.
pub struct VerifyRequest<'a, T = TrustedRoot> {
    /// The image.
    pub image: &'a ImageRef,
    /// Whom to accept.
    pub policy: &'a Policy,
    /// Whom to believe: a trusted root, or whoever will have it.
    pub trusted_root: &'a T,
}

/// Verifies one image.
pub async fn verify(
    registry: &impl Registry,
    request: &VerifyRequest<'_, impl Trust>,
) -> Result<Verdict, FlowError> {
    // 1. Resolve to a digest once and fetch the evidence once, while the trust material is refreshed where that is
    //    due. From here on no tag exists.
    let trusted_root = async {
        request
            .trusted_root
            .trusted_root()
            .await
            .map_err(FlowError::from)
    };
    let ((image, candidates), trusted_root) =
        try_join!(discover(registry, request.image), trusted_root)?;

    // 2. The cryptography of each candidate, with every reason kept.
    let (mut verified, mut unverified) = (Vec::new(), Vec::new());
    for candidate in candidates {
        let outcome = candidate
            .evidence
            .and_then(|evidence| verify::evidence(evidence, image.digest(), trusted_root));
        match outcome {
            Ok(evidence) => verified.push((candidate.referrer, evidence)),
            Err(rejection) => unverified.push((candidate.referrer, candidate.format, rejection)),
        }
    }

    // 3. Who of them is accepted.
    let decision = request.policy.evaluate(verified, unverified);
    Ok(Verdict { image, decision })
}
