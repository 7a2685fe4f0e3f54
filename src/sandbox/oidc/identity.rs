//! Who a CI job is, as the ID token of its platform tells it.
//!
//! Each constructor fills in every claim that the platform's real tokens carry, consistently with each other; `with`
//! and `without` then bend single claims for a test. Claims of time (`iat`, `nbf`, `exp`), `iss` and `jti` belong to
//! the act of issuing and are added by the [`Issuer`](crate::sandbox::oidc::Issuer), unless they were set here.
//!
//! What the platforms say about a job is in `claims`.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::sandbox::oidc::claims;
use crate::sandbox::oidc::token::Claims;

/// A platform whose tokens the sandbox imitates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Provider {
    /// GitHub Actions.
    GitHub,
    /// GitLab CI/CD.
    GitLab,
    /// Buildkite.
    Buildkite,
    /// A person, by e-mail address.
    Email,
}

impl Provider {
    /// Every provider, in the order of their issuers' paths in the documentation.
    pub const ALL: [Self; 4] = [Self::GitHub, Self::GitLab, Self::Buildkite, Self::Email];

    /// The path of the provider's issuer below the OIDC service, without a slash.
    pub fn path(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::Buildkite => "buildkite",
            Self::Email => "email",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path())
    }
}

/// A job or a person, ready to be put into a token.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    provider: Provider,
    claims: Claims,
    /// Changes a test asked for; `None` removes the claim, even one that the issuer adds.
    changes: BTreeMap<String, Option<Value>>,
    lifetime: SignedDuration,
}

impl Identity {
    /// A push to `git_ref` (`refs/heads/main`) of `repository` (`acme/app`) that runs the workflow at
    /// `workflow_path` (`.github/workflows/release.yml`).
    pub fn github(repository: &str, workflow_path: &str, git_ref: &str) -> Self {
        let claims = claims::github(repository, workflow_path, git_ref);
        Self::new(Provider::GitHub, claims)
    }

    /// A push to `git_ref` (`refs/heads/main`) of the project at `project_path` (`acme/app`) whose pipeline is
    /// defined in `config_path` (`.gitlab-ci.yml`).
    pub fn gitlab(project_path: &str, config_path: &str, git_ref: &str) -> Self {
        let claims = claims::gitlab(project_path, config_path, git_ref);
        Self::new(Provider::GitLab, claims)
    }

    /// A build of `branch` (`main`) by the pipeline `pipeline` of the organisation `organization`, both as slugs.
    pub fn buildkite(organization: &str, pipeline: &str, branch: &str) -> Self {
        let claims = claims::buildkite(organization, pipeline, branch);
        Self::new(Provider::Buildkite, claims)
    }

    /// A person who signed in and whose address the issuer has verified.
    pub fn email(address: &str) -> Self {
        Self::new(Provider::Email, claims::email(address))
    }

    /// Sets one claim, also one that the issuer would set itself.
    #[must_use]
    pub fn with(mut self, claim: &str, value: impl Into<Value>) -> Self {
        self.changes.insert(claim.to_owned(), Some(value.into()));
        self
    }

    /// Leaves one claim out, also one that the issuer would add itself.
    #[must_use]
    pub fn without(mut self, claim: &str) -> Self {
        self.changes.insert(claim.to_owned(), None);
        self
    }

    /// Names another audience than `sigstore`.
    #[must_use]
    pub fn audience(self, audience: &str) -> Self {
        self.with("aud", audience)
    }

    /// Sets how long tokens live, from the moment they are issued; a negative time makes them expired at birth.
    #[must_use]
    pub fn expires_in(mut self, lifetime: SignedDuration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// The platform that vouches for this identity.
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// A claim as text: numbers and booleans as JSON writes them, `None` if it is absent.
    pub fn claim(&self, name: &str) -> Option<String> {
        match self.changes.get(name) {
            Some(change) => change.as_ref().map(text),
            None => self.claims.get(name).map(text),
        }
    }

    /// The complete claims of a token that `issuer` issues at `now`.
    pub(crate) fn claims(&self, issuer: &str, now: Timestamp, token_id: &str) -> Claims {
        let issued_at = now.as_second();
        let mut claims = self.claims.clone();
        claims.insert("iss".to_owned(), json!(issuer));
        claims.insert("iat".to_owned(), json!(issued_at));
        claims.insert("nbf".to_owned(), json!(issued_at - NOT_BEFORE_LEEWAY));
        claims.insert("exp".to_owned(), json!(issued_at + self.lifetime.as_secs()));
        claims.insert("jti".to_owned(), json!(token_id));
        for (name, change) in &self.changes {
            match change {
                Some(value) => claims.insert(name.clone(), value.clone()),
                None => claims.remove(name),
            };
        }
        claims
    }

    fn new(provider: Provider, claims: Value) -> Self {
        let claims = match claims {
            Value::Object(claims) => claims,
            _ => Claims::new(),
        };
        Self {
            provider,
            claims,
            changes: BTreeMap::new(),
            lifetime: DEFAULT_LIFETIME,
        }
    }
}

/// A claim as a template or a comparison uses it.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// GitHub's tokens live five minutes.
const DEFAULT_LIFETIME: SignedDuration = SignedDuration::from_secs(300);
/// Seconds that `nbf` lies before `iat`, for clocks that run behind; GitHub grants this much.
const NOT_BEFORE_LEEWAY: i64 = 600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_github_job_names_its_workflow_and_ref() {
        let job = Identity::github(
            "acme/app",
            ".github/workflows/release.yml",
            "refs/heads/main",
        );
        assert_eq!(
            job.claim("sub").unwrap(),
            "repo:acme/app:ref:refs/heads/main"
        );
        assert_eq!(
            job.claim("job_workflow_ref").unwrap(),
            "acme/app/.github/workflows/release.yml@refs/heads/main"
        );
        assert_eq!(job.claim("repository_owner").unwrap(), "acme");
        assert_eq!(job.claim("workflow").unwrap(), "release");
    }

    #[test]
    fn a_gitlab_tag_pipeline_names_the_tag() {
        let job = Identity::gitlab("acme/team/app", ".gitlab-ci.yml", "refs/tags/v1");
        assert_eq!(
            job.claim("sub").unwrap(),
            "project_path:acme/team/app:ref_type:tag:ref:v1"
        );
        assert_eq!(
            job.claim("ci_config_ref_uri").unwrap(),
            "gitlab.com/acme/team/app//.gitlab-ci.yml@refs/tags/v1"
        );
        assert_eq!(job.claim("namespace_path").unwrap(), "acme/team");
    }

    #[test]
    fn changes_win_over_what_the_issuer_adds() {
        let job = Identity::email("a@example.com")
            .with("iss", "https://elsewhere.example")
            .without("exp")
            .audience("nobody");
        let claims = job.claims("https://issuer.example", Timestamp::UNIX_EPOCH, "1");
        assert_eq!(claims["iss"], "https://elsewhere.example");
        assert_eq!(claims["aud"], "nobody");
        assert!(!claims.contains_key("exp"));
        assert_eq!(claims["iat"], 0);
    }
}
