//! The OIDC issuer in the certificate is the expected one, to the byte. An identity means nothing without it: every
//! issuer that an instance accepts may name its users as it likes.

use super::{Finding, Policy};
use crate::evidence::Bundle;
use crate::outcome::Code;
use crate::verify::Verified;

pub(super) fn check(policy: &Policy, evidence: &Verified<Bundle>) -> Option<Finding> {
    let expected = policy.expected_identity()?.issuer.as_str();
    let found = evidence
        .signer()
        .identity()
        .and_then(|identity| identity.issuer());
    (found != Some(expected)).then(|| Finding::mismatch(Code::IssuerMismatch, expected, found))
}
