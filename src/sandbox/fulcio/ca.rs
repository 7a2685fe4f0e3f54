//! The certificate authority behind Fulcio: a root, an intermediate that may sign for code signing only, and the
//! certificate transparency log they answer to.
//!
//! [`CertificateAuthority::issue`] walks the precertificate flow (RFC 6962 §3.1): 1. build the certificate without an
//! SCT; 2. let the log sign a promise over it; 3. embed the promise and sign the whole. It believes the claims it is
//! given; checking the token they come from is the business of `fulcio`.

use std::sync::Arc;

use der::oid::db::rfc5280::ID_KP_CODE_SIGNING;
use jiff::{SignedDuration, Timestamp};
use sigstore_verify::types::{DerCertificate, DerPublicKey};
use x509_cert::certificate::TbsCertificate;
use x509_cert::ext::pkix::{ExtendedKeyUsage, KeyUsage, KeyUsages};
use x509_cert::name::Name;

use crate::sandbox::certificate::{Authority, extension, subject_key_identifier, validity};
use crate::sandbox::error::Result;
use crate::sandbox::fulcio::ct_log::CtLog;
use crate::sandbox::fulcio::extensions::identity_extensions;
use crate::sandbox::oidc::Provider;
use crate::sandbox::oidc::token::Claims;

/// Issues short-lived certificates that bind a key to the claims of a token.
pub(crate) struct CertificateAuthority {
    root: Authority,
    intermediate: Authority,
    log: Arc<CtLog>,
}

impl CertificateAuthority {
    /// An authority whose own certificates are valid from `not_before` for ten years.
    pub(crate) fn new(not_before: Timestamp) -> Result<Self> {
        Self::with_log(not_before, Arc::new(CtLog::new()?))
    }

    /// Somebody who calls himself like this authority, has other keys, and shows his certificates to the same log.
    pub(crate) fn impostor(&self, not_before: Timestamp) -> Result<Self> {
        Self::with_log(not_before, Arc::clone(&self.log))
    }

    /// A certificate for `key`, valid for ten minutes from `now`, with an embedded SCT.
    pub(crate) fn issue(
        &self,
        provider: Provider,
        claims: &Claims,
        key: &DerPublicKey,
        now: Timestamp,
    ) -> Result<DerCertificate> {
        let precertificate = self.precertificate(provider, claims, key, now)?;
        self.finish(precertificate, &self.log, now)
    }

    /// The certificate as it will be but for the SCT.
    pub(crate) fn precertificate(
        &self,
        provider: Provider,
        claims: &Claims,
        key: &DerPublicKey,
        now: Timestamp,
    ) -> Result<TbsCertificate> {
        let mut extensions = vec![
            extension(&KeyUsage(KeyUsages::DigitalSignature.into()), true)?,
            extension(&ExtendedKeyUsage(vec![ID_KP_CODE_SIGNING]), false)?,
            subject_key_identifier(key)?,
            self.intermediate.key_identifier()?,
        ];
        extensions.extend(identity_extensions(provider, claims)?);
        let validity = validity(now, CERTIFICATE_LIFETIME)?;
        self.intermediate
            .body(Name::default(), validity, extensions)
            .with_key(key)
    }

    /// Embeds a promise of `log` and signs.
    pub(crate) fn finish(
        &self,
        mut certificate: TbsCertificate,
        log: &CtLog,
        now: Timestamp,
    ) -> Result<DerCertificate> {
        let promise = log.promise(&certificate, &self.intermediate.public_key()?, now)?;
        certificate.extensions.get_or_insert_default().push(promise);
        self.sign(&certificate)
    }

    /// Signs a certificate as it is.
    pub(crate) fn sign(&self, certificate: &TbsCertificate) -> Result<DerCertificate> {
        self.intermediate.sign(certificate)
    }

    /// The log whose promises are embedded.
    pub(crate) fn log(&self) -> &CtLog {
        &self.log
    }

    /// What follows a leaf: the intermediate, then the root.
    pub(crate) fn chain(&self) -> [&DerCertificate; 2] {
        [self.intermediate.certificate(), self.root.certificate()]
    }

    /// An authority of another name that still issues, though its intermediate was valid for a day from `not_before` only.
    pub(crate) fn retired(&self, not_before: Timestamp) -> Result<Self> {
        let root = Authority::root(
            "retired sandbox root",
            validity(not_before, AUTHORITY_LIFETIME)?,
        )?;
        let a_day = validity(not_before, SignedDuration::from_hours(24))?;
        let intermediate =
            root.intermediate("retired sandbox intermediate", a_day, ID_KP_CODE_SIGNING)?;
        Ok(Self {
            root,
            intermediate,
            log: Arc::clone(&self.log),
        })
    }

    fn with_log(not_before: Timestamp, log: Arc<CtLog>) -> Result<Self> {
        let validity = validity(not_before, AUTHORITY_LIFETIME)?;
        let root = Authority::root("sandbox root", validity)?;
        let intermediate =
            root.intermediate("sandbox intermediate", validity, ID_KP_CODE_SIGNING)?;
        Ok(Self {
            root,
            intermediate,
            log,
        })
    }
}

const AUTHORITY_LIFETIME: SignedDuration = SignedDuration::from_hours(10 * 365 * 24);
/// Fulcio's certificates live ten minutes: long enough to sign, too short to be worth stealing.
const CERTIFICATE_LIFETIME: SignedDuration = SignedDuration::from_mins(10);

#[cfg(test)]
mod tests {
    use sigstore_verify::crypto::{KeyPair, parse_certificate_info};

    use super::*;
    use crate::sandbox::oidc::Identity;

    fn certificate(identity: &Identity) -> sigstore_verify::crypto::CertificateInfo {
        let now = Timestamp::now();
        let ca = CertificateAuthority::new(now).unwrap();
        let claims = identity.claims("https://issuer.example", now, "1");
        let key = KeyPair::generate_ecdsa_p256().unwrap();
        let leaf = ca
            .issue(
                identity.provider(),
                &claims,
                &key.public_key_der().unwrap(),
                now,
            )
            .unwrap();
        parse_certificate_info(&leaf).unwrap()
    }

    #[test]
    fn a_github_certificate_carries_every_claim() {
        let job = Identity::github("acme/app", ".github/workflows/ci.yml", "refs/heads/main")
            .with("environment", "production");
        let info = certificate(&job);
        let workflow = "https://github.com/acme/app/.github/workflows/ci.yml@refs/heads/main";
        let claims = info.ci_claims;
        assert_eq!(info.identity.unwrap().as_str(), workflow);
        assert_eq!(info.issuer.unwrap(), "https://issuer.example");
        assert_eq!(claims.build_config_uri.unwrap(), workflow);
        assert_eq!(
            claims.source_repository_uri.unwrap(),
            "https://github.com/acme/app"
        );
        assert_eq!(
            claims.run_invocation_uri.unwrap(),
            "https://github.com/acme/app/actions/runs/9000000001/attempts/1"
        );
        assert_eq!(claims.deployment_environment.unwrap(), "production");
        assert_eq!(
            claims.token_subject.unwrap(),
            "repo:acme/app:ref:refs/heads/main"
        );
        assert_eq!(
            claims.deprecated_github.workflow_ref.unwrap(),
            "refs/heads/main"
        );
    }

    #[test]
    fn a_gitlab_certificate_has_the_full_ref_and_no_github_extension() {
        let info = certificate(&Identity::gitlab(
            "acme/app",
            ".gitlab-ci.yml",
            "refs/tags/v1",
        ));
        assert_eq!(
            info.identity.unwrap().as_str(),
            "https://gitlab.com/acme/app//.gitlab-ci.yml@refs/tags/v1"
        );
        assert_eq!(
            info.ci_claims.source_repository_ref.unwrap(),
            "refs/tags/v1"
        );
        assert!(info.ci_claims.deprecated_github.is_empty());
        assert_eq!(info.ci_claims.deployment_environment, None);
    }

    #[test]
    fn an_identity_without_its_subject_gets_no_certificate() {
        let now = Timestamp::now();
        let ca = CertificateAuthority::new(now).unwrap();
        let identity = Identity::email("a@example.com").without("email");
        let claims = identity.claims("https://issuer.example", now, "1");
        let key = KeyPair::generate_ecdsa_p256().unwrap();
        let refusal = ca.issue(
            Provider::Email,
            &claims,
            &key.public_key_der().unwrap(),
            now,
        );
        assert!(matches!(
            refusal,
            Err(crate::sandbox::error::Error::MissingClaim(claim)) if claim == "email"
        ));
    }
}
