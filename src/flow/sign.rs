//! `sign`: one key, one ID token and one certificate for the whole batch; each signature is verified before it is
//! published and read back after.

use super::FlowError;
use super::discover::{Resolved, resolve};
use super::ports::{Registry, SigningKey, SigningServices, TokenError, Trust};
use super::publish::publish;
use crate::ci::{self, Claims, IdToken};
use crate::evidence::{Bundle, Certificate, Content, Statement, pae};
use crate::image::ImageRef;
use crate::policy::{Accepted, Decision, ExpectedStatement, Policy};
use crate::trust::TrustedRoot;
use crate::verify::{self, Verified};
use futures_util::future::try_join_all;
use futures_util::try_join;
use jiff::Timestamp;

/// What to sign.
pub struct SignRequest<'a, T = TrustedRoot> {
    /// The images.
    pub images: &'a [ImageRef],
    /// Whom the new signatures must convince: a trusted root, or whoever will have it.
    pub trusted_root: &'a T,
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
    request: &SignRequest<'_, impl Trust>,
) -> Result<Vec<Accepted>, FlowError> {
    // 1. What there is to sign, while the CI makes an ID token and the trust material is refreshed where that is due.
    let images = try_join_all(request.images.iter().map(|image| resolve(registry, image)));
    let token = async { services.id_token().await.map_err(FlowError::from) };
    let trusted_root = async {
        request
            .trusted_root
            .trusted_root()
            .await
            .map_err(FlowError::from)
    };
    let (images, token, trusted_root) = try_join!(images, token, trusted_root)?;
    let request = &SignRequest {
        images: request.images,
        trusted_root,
        now: request.now,
    };

    // 2. One key and one certificate for all of them.
    let statement = ExpectedStatement::ImageSignature;
    let signer = Signer::new(services, token, request.now, statement).await?;

    // 3. Sign, prove, verify and publish each.
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

/// A key with its certificate.
pub(super) struct Signer<'a, S: SigningServices> {
    services: &'a S,
    key: S::Key,
    certificate: Certificate,
    expected: Policy,
}

impl<'a, S: SigningServices> Signer<'a, S> {
    /// Makes a key and has it certified. The token is not needed after that.
    pub(super) async fn new(
        services: &'a S,
        token: IdToken,
        now: Timestamp,
        statement: ExpectedStatement,
    ) -> Result<Self, FlowError> {
        token.claims().check(now).map_err(TokenError::from)?;
        let expected = expected_signer(token.claims())?.of(statement);
        let key = services.new_key()?;
        let proof = key.sign(token.claims().challenge().as_bytes())?;
        let certificate = services
            .certificate(&token, key.public_key_pem(), &proof)
            .await?;
        Ok(Self {
            services,
            key,
            certificate,
            expected,
        })
    }

    /// Signs `content` and packs the signature with its proofs. Nothing is verified yet.
    pub(super) async fn bundle(&self, content: Content) -> Result<Bundle, FlowError> {
        // 1. The exact bytes to sign.
        let signature = match &content {
            Content::Statement(statement) => self.key.sign(&pae(statement))?,
            Content::File(digest) => self.key.sign_digest(digest)?,
        };

        // 2. Its time and its log entry, in parallel: both need the signature only.
        let timestamp = self.services.timestamp(&signature);
        let entry = self
            .services
            .log_entry(&content, &signature, &self.certificate);
        let (timestamp, entry) = try_join!(timestamp, entry)?;
        Bundle::assemble(content, &signature, &self.certificate, entry, timestamp)
            .map_err(FlowError::Assembly)
    }

    async fn sign(
        &self,
        registry: &impl Registry,
        found: &Resolved,
        request: &SignRequest<'_>,
    ) -> Result<Accepted, FlowError> {
        // 1. The statement, signed and proven.
        let statement = Statement::image_signature(found.image.digest());
        let bundle = self.bundle(Content::Statement(statement)).await?;

        // 2. Verified as anybody will verify it: nothing unverifiable is published.
        let evidence = verify::image_signature(bundle, found.image.digest(), request.trusted_root)
            .map_err(|source| FlowError::SelfCheck {
                image: found.image.clone(),
                source,
            })?;
        self.check_signer(&evidence)?;

        // 3. Attach it, and read it back.
        let referrer = publish(registry, found, &evidence, request.now).await?;
        Ok(Accepted { referrer, evidence })
    }

    /// Refuses a certificate for another identity: verifying with the documented identity would fail later, in a job
    /// where nobody can repair it.
    pub(super) fn check_signer(&self, evidence: &Verified<Bundle>) -> Result<(), FlowError> {
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
