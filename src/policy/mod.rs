//! Whom we accept: verified evidence → [`Decision`].
//!
//! A policy cannot be empty: it is made of an identity and its issuer, both exact. Every check of
//! [`check::CHECKS`] must pass for one and the same signature.

pub mod check;
mod decision;

pub use decision::{Accepted, Decision, Finding, Rejected, Verdict};

use crate::evidence::{Bundle, Format};
use crate::image::Digest;
use crate::outcome::{Coded, Problem};
use crate::verify::{Rejection, Verified};

/// What an acceptable signature looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    identity: String,
    issuer: String,
}

impl Policy {
    /// Accepts image signatures by exactly this identity, vouched for by exactly this issuer.
    pub fn exact(
        identity: impl Into<String>,
        issuer: impl Into<String>,
    ) -> Result<Self, EmptyPolicy> {
        let policy = Self {
            identity: identity.into(),
            issuer: issuer.into(),
        };
        if policy.identity.is_empty() || policy.issuer.is_empty() {
            Err(EmptyPolicy)
        } else {
            Ok(policy)
        }
    }

    /// The identity that must have signed.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// The issuer that must vouch for it.
    pub fn issuer(&self) -> &str {
        &self.issuer
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

/// A policy that would accept anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an identity and an issuer are both required, and neither may be empty")]
pub struct EmptyPolicy;

impl Coded for EmptyPolicy {
    fn code(&self) -> crate::outcome::Code {
        crate::outcome::Code::UsageInvalid
    }
}
