//! `verify`: is this image signed by whom we expect?

use super::FlowError;
use super::discover::discover;
use super::ports::Registry;
use crate::image::ImageRef;
use crate::policy::{Policy, Verdict};
use crate::trust::TrustedRoot;
use crate::verify;

/// What to verify, by which measure.
pub struct VerifyRequest<'a> {
    /// The image.
    pub image: &'a ImageRef,
    /// Whom to accept.
    pub policy: &'a Policy,
    /// Whom to believe.
    pub trusted_root: &'a TrustedRoot,
}

/// Verifies one image.
pub async fn verify(
    registry: &impl Registry,
    request: &VerifyRequest<'_>,
) -> Result<Verdict, FlowError> {
    // 1. Resolve to a digest once and fetch the evidence once. From here on no tag exists.
    let (image, candidates) = discover(registry, request.image).await?;

    // 2. The cryptography of each candidate, with every reason kept.
    let (mut verified, mut unverified) = (Vec::new(), Vec::new());
    for candidate in candidates {
        let outcome = candidate
            .evidence
            .and_then(|evidence| verify::evidence(evidence, image.digest(), request.trusted_root));
        match outcome {
            Ok(evidence) => verified.push((candidate.referrer, evidence)),
            Err(rejection) => unverified.push((candidate.referrer, candidate.format, rejection)),
        }
    }

    // 3. Who of them is accepted.
    let decision = request.policy.evaluate(verified, unverified);
    Ok(Verdict { image, decision })
}
