//! Where am I running, and how do I get an ID token here?
//!
//! A provider is a value: [`Provider::detect`] and the rest read an [`Env`] that the caller made once. Nothing here
//! performs a request: [`TokenSource`] says *how* to get the token, `adapters/id_token.rs` does it.

mod claims;
mod github;
mod gitlab;
mod token;

pub use claims::{Claims, ClaimsError};
pub use token::{IdToken, Secret};

use crate::outcome::{Code, Coded};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The CI systems we know, in the order in which they are asked. Each has a marker variable of its own, so the order
/// decides only where a runner of one imitates another.
pub const PROVIDERS: &[Provider] = &[github::PROVIDER, gitlab::PROVIDER];

/// The audience that Fulcio instances expect in an ID token.
pub const AUDIENCE: &str = "sigstore";

/// The process environment, read once.
#[derive(Clone, Default)]
pub struct Env(BTreeMap<String, String>);

impl Env {
    /// The value of `name`; a variable that is set but empty counts as not set.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Whether `name` says true, as CI systems mark themselves.
    pub fn is_true(&self, name: &str) -> bool {
        self.var(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1")
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        Self(
            variables
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

/// One CI system, as functions of the environment.
#[derive(Clone, Copy)]
pub struct Provider {
    /// Its name, for people.
    pub name: &'static str,
    /// Whether this environment is a job of it.
    pub detect: fn(&Env) -> bool,
    /// How to get an ID token for [`AUDIENCE`] in this job, or why there is none.
    pub token_source: fn(&Env) -> Result<TokenSource, TokenMissing>,
    /// Whether an ID token was issued by this CI system, judged by its claims.
    pub issued: fn(&Claims) -> bool,
    /// The identity that Fulcio writes into the certificate for a token of this CI system.
    pub identity: fn(&Claims) -> Option<String>,
}

/// How to get an ID token.
#[derive(Clone)]
pub enum TokenSource {
    /// It is already there.
    Ready(IdToken),
    /// `GET url` with `Authorization: Bearer bearer`; the token is in the field `value` of the JSON answer.
    Request {
        /// The complete URL, with the audience.
        url: String,
        /// The bearer that the CI gave to the job.
        bearer: Secret,
    },
}

/// How the job that runs in `env` gets its ID token.
pub fn token_source(env: &Env) -> Result<TokenSource, TokenMissing> {
    match PROVIDERS.iter().find(|provider| (provider.detect)(env)) {
        Some(provider) => (provider.token_source)(env),
        None => Err(TokenMissing {
            provider: None,
            why: Why("this is not a job of a CI system that signgate knows"),
            fix: "run this in GitHub Actions or GitLab CI, or pass a token for the audience `sigstore` with \
                  --identity-token-file FILE",
        }),
    }
}

/// The identity (subject alternative name) that a certificate for this token must carry.
pub fn expected_identity(claims: &Claims) -> Option<String> {
    match PROVIDERS.iter().find(|provider| (provider.issued)(claims)) {
        Some(provider) => (provider.identity)(claims),
        None => Some(claims.challenge().to_owned()),
    }
}

/// There is no way to get an ID token here.
#[derive(Debug, thiserror::Error)]
#[error("cannot get an ID token{}", provider.map(|name| format!(" from {name}")).unwrap_or_default())]
pub struct TokenMissing {
    /// The CI system we are in, if it is one we know.
    pub provider: Option<&'static str>,
    /// What is missing.
    #[source]
    pub why: Why,
    /// What to add, with the YAML.
    pub fix: &'static str,
}

/// A reason in words, as the source of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Why(pub &'static str);

impl Coded for TokenMissing {
    fn code(&self) -> Code {
        Code::IdTokenMissing
    }

    fn fix(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.fix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_of_ci_there_is_no_token_and_no_interactive_flow() {
        let Err(missing) = token_source(&Env::default()) else {
            panic!("a token from nowhere")
        };
        assert_eq!(missing.code(), Code::IdTokenMissing);
        assert!(missing.fix().contains("--identity-token-file"));
    }

    #[test]
    fn an_empty_variable_is_not_set() {
        let env: Env = [("GITLAB_CI", "true"), ("SIGSTORE_ID_TOKEN", "")]
            .into_iter()
            .collect();
        let Err(missing) = token_source(&env) else {
            panic!("an empty token was accepted")
        };
        assert_eq!(missing.provider, Some("GitLab CI"));
    }
}
