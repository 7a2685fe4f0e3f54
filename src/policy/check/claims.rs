//! The certificate says about the job what is required, to the byte. A pull request that runs with the privileges of the
//! main branch carries the main branch's name, but not its trigger.

use super::{Finding, Policy};
use crate::evidence::Bundle;
use crate::outcome::Code;
use crate::verify::Verified;

pub(super) fn check(policy: &Policy, evidence: &Verified<Bundle>) -> Option<Finding> {
    let expected = &policy.expected_identity()?.claims;
    let (claim, value, found) = expected.iter().find_map(|(claim, value)| {
        let found = evidence
            .signer()
            .identity()
            .and_then(|identity| identity.claim(*claim));
        (found != Some(value)).then_some((claim, value, found))
    })?;
    let found = found.map(|found| format!("{claim}={found}"));
    Some(Finding::mismatch(
        Code::ClaimMismatch,
        &format!("{claim}={value}"),
        found.as_deref(),
    ))
}
