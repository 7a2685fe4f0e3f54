//! Whom we accept: verified evidence → [`Decision`].
//!
//! A policy cannot be empty: it names an identity with its issuer, or a key. Every check of [`check::CHECKS`] must pass
//! for one and the same signature.

pub mod check;
mod decision;
mod pattern;

pub use decision::{Accepted, Decision, Finding, Rejected, Verdict};
pub use pattern::{Pattern, PatternError};

use crate::evidence::{Bundle, Format};
use crate::image::Digest;
use crate::outcome::{Code, Coded, Problem};
use crate::verify::{Claim, Rejection, Verified};
use std::collections::BTreeMap;
use std::fmt;

/// What an acceptable signature looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    signer: ExpectedSigner,
    statement: ExpectedStatement,
}

/// What must have been signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedStatement {
    /// That an image is signed.
    ImageSignature,
    /// A statement with this predicate type.
    OfType(String),
    /// The file itself, or any statement about it.
    Any,
}

/// Who must have signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedSigner {
    /// Somebody whom a certificate authority knows.
    Identity(Box<ExpectedIdentity>),
    /// The holder of the key with this digest.
    Key(Digest),
}

/// An identity as a structure: the name alone can be carried by a pull request from a stranger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedIdentity {
    /// The subject alternative name.
    pub san: ExpectedSan,
    /// The issuer that vouches for it, exactly.
    pub issuer: String,
    /// What the certificate must say about the job, exactly.
    pub claims: BTreeMap<Claim, String>,
}

/// A subject alternative name, exactly or by pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedSan {
    /// This one, to the byte.
    Exact(String),
    /// Any that matches as a whole.
    Matching(Pattern),
}

impl Policy {
    /// Accepts image signatures by this identity.
    pub fn identity(expected: ExpectedIdentity) -> Result<Self, EmptyPolicy> {
        let empty = |what| Err(EmptyPolicy { what });
        let san_is_empty = matches!(&expected.san, ExpectedSan::Exact(san) if san.is_empty());
        if san_is_empty {
            return empty("identity");
        }
        if expected.issuer.is_empty() {
            return empty("issuer");
        }
        if let Some((claim, _)) = expected.claims.iter().find(|(_, value)| value.is_empty()) {
            return empty(claim.name());
        }
        Ok(Self {
            signer: ExpectedSigner::Identity(Box::new(expected)),
            statement: ExpectedStatement::ImageSignature,
        })
    }

    /// Accepts image signatures by exactly this identity, vouched for by exactly this issuer.
    pub fn exact(san: impl Into<String>, issuer: impl Into<String>) -> Result<Self, EmptyPolicy> {
        Self::identity(ExpectedIdentity {
            san: ExpectedSan::Exact(san.into()),
            issuer: issuer.into(),
            claims: BTreeMap::new(),
        })
    }

    /// Accepts image signatures by the holder of the key with this digest.
    pub fn key(fingerprint: Digest) -> Self {
        Self {
            signer: ExpectedSigner::Key(fingerprint),
            statement: ExpectedStatement::ImageSignature,
        }
    }

    /// The same signers, but of this.
    #[must_use]
    pub fn of(self, statement: ExpectedStatement) -> Self {
        Self { statement, ..self }
    }

    /// What must have been signed.
    pub fn statement(&self) -> &ExpectedStatement {
        &self.statement
    }

    /// Who must have signed.
    pub fn signer(&self) -> &ExpectedSigner {
        &self.signer
    }

    /// The identity that must have signed, unless a key must have.
    fn expected_identity(&self) -> Option<&ExpectedIdentity> {
        match &self.signer {
            ExpectedSigner::Identity(identity) => Some(identity),
            ExpectedSigner::Key(_) => None,
        }
    }

    /// Decides about one image from everything that was found on it.
    pub fn evaluate(
        &self,
        verified: Vec<(Digest, Verified<Bundle>)>,
        unverified: Vec<(Digest, Format, Rejection)>,
    ) -> Decision {
        let mut accepted = Vec::new();
        let mut rejected: Vec<Rejected> = unverified
            .into_iter()
            .map(|(referrer, format, rejection)| Rejected {
                referrer,
                format,
                signer: None,
                findings: vec![Finding::of_problem(Problem::of(&rejection))],
            })
            .collect();
        for (referrer, evidence) in verified {
            let findings = check::findings(self, &evidence);
            if findings.is_empty() {
                accepted.push(Accepted { referrer, evidence });
            } else {
                rejected.push(Rejected {
                    referrer,
                    format: evidence.format(),
                    signer: Some(evidence.signer().clone()),
                    findings,
                });
            }
        }
        Decision::new(accepted, rejected)
    }
}

impl fmt::Display for ExpectedSan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(san) => f.write_str(san),
            Self::Matching(pattern) => write!(f, "{} (pattern)", pattern.as_str()),
        }
    }
}

/// A policy that would accept anybody, or nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the expected {what} is empty: is the variable set in this job?")]
pub struct EmptyPolicy {
    /// What is empty.
    pub what: &'static str,
}

impl Coded for EmptyPolicy {
    fn code(&self) -> Code {
        Code::UsageInvalid
    }
}
