//! Who signed, as the certificate authority wrote it into the certificate.

use sigstore_verify::crypto::CertificateInfo;

/// The identity in a verified signing certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    identity: Option<String>,
    issuer: Option<String>,
    source_repository: Option<String>,
    source_ref: Option<String>,
    source_digest: Option<String>,
    trigger: Option<String>,
    run: Option<String>,
}

impl Signer {
    pub(super) fn of(certificate: &CertificateInfo) -> Self {
        let claims = &certificate.ci_claims;
        Self {
            identity: certificate
                .identity
                .as_ref()
                .map(|identity| identity.as_str().to_owned()),
            issuer: certificate.issuer.clone(),
            source_repository: claims.source_repository_uri.clone(),
            source_ref: claims.source_repository_ref.clone(),
            source_digest: claims.source_repository_digest.clone(),
            trigger: claims.build_trigger.clone(),
            run: claims.run_invocation_uri.clone(),
        }
    }

    /// The subject alternative name: for a CI job the workflow and ref that ran.
    pub fn identity(&self) -> Option<&str> {
        self.identity.as_deref()
    }

    /// The OIDC issuer that vouched for the identity (extension .8, else .1).
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// URL of the source repository (extension .12).
    pub fn source_repository(&self) -> Option<&str> {
        self.source_repository.as_deref()
    }

    /// The ref that was built (extension .14).
    pub fn source_ref(&self) -> Option<&str> {
        self.source_ref.as_deref()
    }

    /// The commit that was built (extension .13).
    pub fn source_digest(&self) -> Option<&str> {
        self.source_digest.as_deref()
    }

    /// The event that started the run (extension .20).
    pub fn trigger(&self) -> Option<&str> {
        self.trigger.as_deref()
    }

    /// URL of the run (extension .21).
    pub fn run(&self) -> Option<&str> {
        self.run.as_deref()
    }
}
