//! The certificate's subject alternative name is the expected one: to the byte, or as a whole by an anchored pattern.

use super::{Finding, Policy};
use crate::evidence::Bundle;
use crate::outcome::Code;
use crate::policy::ExpectedSan;
use crate::verify::Verified;

pub(super) fn check(policy: &Policy, evidence: &Verified<Bundle>) -> Option<Finding> {
    let expected = &policy.expected_identity()?.san;
    let found = evidence
        .signer()
        .identity()
        .and_then(|identity| identity.san());
    let is_expected = found.is_some_and(|found| match expected {
        ExpectedSan::Exact(san) => found == san,
        ExpectedSan::Matching(pattern) => pattern.matches(found),
    });
    (!is_expected).then(|| Finding::mismatch(Code::IdentityMismatch, &expected.to_string(), found))
}
