//! Who a signing certificate names: one subject alternative name, the issuer that vouches for it, and what Fulcio wrote
//! about the CI job.

use sigstore_verify::crypto::{CertificateInfo, FulcioCiClaims};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The identity in a signing certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    san: Option<String>,
    issuer: Option<String>,
    claims: BTreeMap<Claim, String>,
}

impl Identity {
    pub(super) fn of(certificate: &CertificateInfo) -> Self {
        let claims = Claim::ALL
            .iter()
            .filter_map(|claim| Some((*claim, claim.read(&certificate.ci_claims)?.to_owned())))
            .collect();
        Self {
            san: certificate
                .identity
                .as_ref()
                .map(|identity| identity.as_str().to_owned()),
            issuer: certificate.issuer.clone(),
            claims,
        }
    }

    /// The subject alternative name: for a CI job the workflow and ref that ran.
    pub fn san(&self) -> Option<&str> {
        self.san.as_deref()
    }

    /// The OIDC issuer that vouched for the identity (extension .8, else .1).
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// What the certificate says about the job; nothing if it does not say it.
    pub fn claim(&self, claim: Claim) -> Option<&str> {
        self.claims.get(&claim).map(String::as_str)
    }

    /// Everything that the certificate says about the job.
    pub fn claims(&self) -> impl Iterator<Item = (Claim, &str)> {
        self.claims
            .iter()
            .map(|(claim, value)| (*claim, value.as_str()))
    }
}

macro_rules! claims {
    ($($variant:ident $number:literal $name:literal $field:ident: $meaning:literal;)+) => {
        /// What Fulcio writes about a CI job, by extension 1.3.6.1.4.1.57264.1.N (its `oid-info` document).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Claim {
            $(#[doc = $meaning] $variant,)+
        }

        impl Claim {
            /// Every claim, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name, as it is required and reported.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The last number of its object identifier.
            pub const fn number(self) -> u32 {
                match self { $(Self::$variant => $number,)+ }
            }

            /// What it says, in a few words.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)+ }
            }

            fn read(self, claims: &FulcioCiClaims) -> Option<&str> {
                match self { $(Self::$variant => claims.$field.as_deref(),)+ }
            }
        }
    };
}

claims! {
    BuildSignerUri 9 "build-signer-uri" build_signer_uri: "Build instructions that signed, with their ref";
    BuildSignerDigest 10 "build-signer-digest" build_signer_digest: "Commit of these instructions";
    RunnerEnvironment 11 "runner-environment" runner_environment: "Whether the runner is hosted by the platform";
    SourceRepositoryUri 12 "source-repository-uri" source_repository_uri: "Repository that was built";
    SourceRepositoryDigest 13 "source-repository-digest" source_repository_digest: "Commit that was built";
    SourceRepositoryRef 14 "source-repository-ref" source_repository_ref: "Ref that was built";
    SourceRepositoryIdentifier 15 "source-repository-identifier" source_repository_identifier: "Number of the repository, which survives a rename";
    SourceRepositoryOwnerUri 16 "source-repository-owner-uri" source_repository_owner_uri: "Owner of the repository";
    SourceRepositoryOwnerIdentifier 17 "source-repository-owner-identifier" source_repository_owner_identifier: "Number of the owner, which survives a rename";
    BuildConfigUri 18 "build-config-uri" build_config_uri: "Top-level build instructions, with their ref";
    BuildConfigDigest 19 "build-config-digest" build_config_digest: "Commit of these instructions";
    BuildTrigger 20 "build-trigger" build_trigger: "Event that started the run";
    RunInvocationUri 21 "run-invocation-uri" run_invocation_uri: "The run";
    SourceRepositoryVisibility 22 "source-repository-visibility-at-signing" source_repository_visibility_at_signing: "Whether the repository was public";
    DeploymentEnvironment 23 "deployment-environment" deployment_environment: "Environment that the job deploys to";
    TokenSubject 24 "token-subject" token_subject: "Subject of the ID token";
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Claim {
    type Err = UnknownClaim;

    fn from_str(name: &str) -> Result<Self, UnknownClaim> {
        Self::ALL
            .iter()
            .find(|claim| claim.name() == name)
            .copied()
            .ok_or_else(|| UnknownClaim(name.to_owned()))
    }
}

/// A name that is no claim.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no claim `{}`; the claims are {}", .0.escape_debug(), names())]
pub struct UnknownClaim(String);

fn names() -> String {
    let names: Vec<&str> = Claim::ALL.iter().map(|claim| claim.name()).collect();
    names.join(", ")
}
