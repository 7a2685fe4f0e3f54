//! `sign`: one key, one ID token and one certificate for the whole batch; each signature is verified before it is
//! published and read back after.

use super::FlowError;
use super::discover::{Resolved, resolve};
use super::ports::{Registry, SigningKey, SigningServices, TokenError};
use super::publish::publish;
use crate::ci::{self, Claims};
use crate::evidence::{Bundle, Certificate, Statement, pae};
use crate::image::ImageRef;
use crate::policy::{Accepted, Decision, Policy};
use crate::trust::TrustedRoot;
use crate::verify::{self, Verified};
use futures_util::future::try_join_all;
use futures_util::try_join;
use jiff::Timestamp;

/// What to sign.
pub struct SignRequest<'a> {
    /// The images.
    pub images: &'a [ImageRef],
    /// Whom the new signatures must convince.
    pub trusted_root: &'a TrustedRoot,
    /// The time now.
    pub now: Timestamp,
}

/// Signs images. If one fails, the run fails; what was published until then verifies.
///
/// Sequential requests: the image and the ID token; the certificate; the timestamp and the log entry; the blobs (one
/// or two); the manifest; the fallback tag where it is needed; reading back. Six to eight, however many images.
pub async fn sign<S: SigningServices>(
    registry: &impl Registry,
    services: &S,
    request: &SignRequest<'_>,
) -> Result<Vec<Accepted>, FlowError> {
    // 1. What there is to sign, while the CI makes an ID token.
    let images = try_join_all(request.images.iter().map(|image| resolve(registry, image)));
    let token = async { services.id_token().await.map_err(FlowError::from) };
    let (images, token) = try_join!(images, token)?;
    token
        .claims()
        .check(request.now)
        .map_err(TokenError::from)?;
    let expected = expected_signer(token.claims())?;

    // 2. One key and one certificate for all of them. The token is not needed after that.
    let key = services.new_key()?;
    let proof = key.sign(token.claims().challenge().as_bytes())?;
    let certificate = services
        .certificate(&token, key.public_key_pem(), &proof)
        .await?;
    drop(token);

    // 3. Sign, prove, verify and publish each.
    let signer = Signer {
        services,
        key,
        certificate,
        expected,
    };
    try_join_all(
        images
            .iter()
            .map(|image| signer.sign(registry, image, request)),
    )
    .await
}

/// The policy that the new signatures must satisfy: signed by whom the ID token names.
fn expected_signer(claims: &Claims) -> Result<Policy, FlowError> {
    let identity = ci::expected_identity(claims).unwrap_or_default();
    Policy::exact(identity, claims.issuer())
        .map_err(|_| TokenError::from(ci::ClaimsError::NoIdentity).into())
}

struct Signer<'a, S: SigningServices> {
    services: &'a S,
    key: S::Key,
    certificate: Certificate,
    expected: Policy,
}

impl<S: SigningServices> Signer<'_, S> {
    async fn sign(
        &self,
        registry: &impl Registry,
        found: &Resolved,
        request: &SignRequest<'_>,
    ) -> Result<Accepted, FlowError> {
        // 1. The statement, and the exact bytes to sign.
        let statement = Statement::image_signature(found.image.digest());
        let signature = self.key.sign(&pae(&statement))?;

        // 2. Its time and its log entry, in parallel: both need the signature only.
        let timestamp = self.services.timestamp(&signature);
        let entry = self
            .services
            .log_entry(&statement, &signature, &self.certificate);
        let (timestamp, entry) = try_join!(timestamp, entry)?;

        // 3. The bundle, verified as anybody will verify it: nothing unverifiable is published.
        let bundle = Bundle::assemble(statement, &signature, &self.certificate, entry, timestamp)
            .map_err(FlowError::Assembly)?;
        let evidence = verify::image_signature(bundle, found.image.digest(), request.trusted_root)
            .map_err(|source| FlowError::SelfCheck {
                image: found.image.clone(),
                source,
            })?;
        self.check_signer(&evidence)?;

        // 4. Attach it, and read it back.
        let referrer = publish(registry, found, &evidence, request.now).await?;
        Ok(Accepted { referrer, evidence })
    }

    /// Refuses a certificate for another identity: verifying with the documented identity would fail later, in a job
    /// where nobody can repair it.
    fn check_signer(&self, evidence: &Verified<Bundle>) -> Result<(), FlowError> {
        let candidate = (evidence.evidence().digest(), evidence.clone());
        match self.expected.evaluate(vec![candidate], Vec::new()) {
            Decision::Allow { .. } => Ok(()),
            Decision::Deny { rejected, .. } => {
                let finding = rejected
                    .first()
                    .and_then(|candidate| candidate.findings.first());
                let text =
                    |text: Option<&String>| text.cloned().unwrap_or_else(|| "nobody".to_owned());
                Err(FlowError::UnexpectedSigner {
                    expected: text(finding.and_then(|finding| finding.expected.as_ref())),
                    found: text(finding.and_then(|finding| finding.found.as_ref())),
                })
            }
        }
    }
}
