//! What JavaScript hands in, read strictly: an option that is not known is refused, not ignored.

use super::problem;
use crate::image::Digest;
use crate::outcome::{Code, Problem};
use crate::policy::{ExpectedIdentity, ExpectedSan, ExpectedStatement, Pattern, Policy};
use crate::trust::{Instance, PublicKey, Requirements, TrustedRoot};
use crate::verify::Claim;
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A policy as JSON, by the names of the command line's options.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PolicyArgument {
    identity: Option<String>,
    identity_regexp: Option<String>,
    issuer: Option<String>,
    #[serde(default)]
    claims: BTreeMap<String, String>,
    key: Option<String>,
    #[serde(default)]
    artifact: Artifact,
    predicate_type: Option<String>,
}

/// How to verify. What was signed after `time` is refused.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Options {
    pub(super) trusted_root: Option<String>,
    pub(super) key: Option<String>,
    #[serde(default)]
    pub(super) artifact: Artifact,
    pub(super) time: Option<String>,
}

/// Reads the options of a call.
pub(super) fn options(json: &str) -> Result<Options, Problem> {
    serde_json::from_str(json)
        .map_err(|error| usage("the options cannot be read", error.to_string()))
}

/// What an artifact is.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Artifact {
    /// Wants an image signature: an attestation about an image does not say that it may be used.
    #[default]
    Image,
    /// Wants a signature over it, or any statement about it.
    File,
}

/// Whom to accept, and what has to be known before that can be asked.
pub(super) struct PolicyRead {
    pub(super) policy: Policy,
    pub(super) artifact: Artifact,
    pub(super) key: Option<String>,
}

/// Reads a policy.
pub(super) fn policy(json: &str) -> Result<PolicyRead, Problem> {
    let argument: PolicyArgument =
        serde_json::from_str(json).map_err(|error| unreadable(error.to_string()))?;
    let (artifact, key) = (argument.artifact, argument.key.clone());
    let statement = match (&argument.predicate_type, artifact) {
        (Some(predicate_type), _) => ExpectedStatement::OfType(predicate_type.clone()),
        (None, Artifact::Image) => ExpectedStatement::ImageSignature,
        (None, Artifact::File) => ExpectedStatement::Any,
    };
    let policy = match &key {
        Some(pem) if argument.names_nobody() => Policy::key(self::key(pem)?.fingerprint()),
        Some(_) => return Err(unreadable("`key` goes with no other signer")),
        None => Policy::identity(identity(argument)?).map_err(problem)?,
    };
    Ok(PolicyRead {
        policy: policy.of(statement),
        artifact,
        key,
    })
}

impl PolicyArgument {
    fn names_nobody(&self) -> bool {
        self.identity.is_none()
            && self.identity_regexp.is_none()
            && self.issuer.is_none()
            && self.claims.is_empty()
    }
}

fn identity(argument: PolicyArgument) -> Result<ExpectedIdentity, Problem> {
    let san = match (argument.identity, argument.identity_regexp) {
        (Some(exact), None) => ExpectedSan::Exact(exact),
        (None, Some(pattern)) => ExpectedSan::Matching(Pattern::parse(&pattern).map_err(problem)?),
        _ => {
            return Err(unreadable(
                "one of `identity`, `identityRegexp` and `key` is required",
            ));
        }
    };
    let claims = argument.claims.into_iter().map(|(name, value)| {
        let claim = name.parse::<Claim>();
        Ok((claim.map_err(|error| unreadable(error.to_string()))?, value))
    });
    Ok(ExpectedIdentity {
        san,
        issuer: argument.issuer.unwrap_or_default(),
        claims: claims.collect::<Result<_, Problem>>()?,
    })
}

/// Reads a public key in PEM.
pub(super) fn key(pem: &str) -> Result<PublicKey, Problem> {
    PublicKey::parse(pem).map_err(problem)
}

/// Reads `sha256:` and 64 hexadecimal digits.
pub(super) fn digest(text: &str) -> Result<Digest, Problem> {
    text.parse().map_err(|_| {
        usage(
            "the artifact's digest is not sha256: and 64 hex digits",
            text,
        )
    })
}

/// Reads an RFC 3339 time.
pub(super) fn time(text: &str) -> Result<Timestamp, Problem> {
    text.parse()
        .map_err(|_| usage("the time is not an RFC 3339 time", text))
}

/// Reads a trusted root; an empty text stands for the public instance's.
pub(super) fn trusted_root(json: &str) -> Result<TrustedRoot, Problem> {
    if json.is_empty() {
        Instance::Public.trusted_root().map_err(problem)
    } else {
        TrustedRoot::parse(json, Requirements::Everything).map_err(problem)
    }
}

fn unreadable(why: impl Into<String>) -> Problem {
    usage("the policy cannot be read", why)
}

fn usage(what: &str, why: impl Into<String>) -> Problem {
    Problem {
        code: Code::UsageInvalid,
        what: what.to_owned(),
        why: vec![why.into()],
        fix: "correct this argument of the call".to_owned(),
    }
}
