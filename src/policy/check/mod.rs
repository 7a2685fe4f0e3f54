//! The checks that a verified signature must pass, one file each.

mod claims;
mod identity;
mod issuer;
mod key;
mod predicate_type;

use super::{Finding, Policy};
use crate::evidence::Bundle;
use crate::verify::Verified;

/// One check: nothing if it passes, else what it found.
pub type Check = fn(&Policy, &Verified<Bundle>) -> Option<Finding>;

/// All checks. They are independent; the first to object gives a refusal its code.
pub const CHECKS: &[Check] = &[
    predicate_type::check,
    key::check,
    issuer::check,
    identity::check,
    claims::check,
];

/// What the checks object to.
pub(super) fn findings(policy: &Policy, evidence: &Verified<Bundle>) -> Vec<Finding> {
    CHECKS
        .iter()
        .filter_map(|check| check(policy, evidence))
        .collect()
}
