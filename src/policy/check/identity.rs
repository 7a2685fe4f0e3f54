//! The certificate's subject alternative name is the expected one, to the byte.

use super::{Finding, Policy};
use crate::evidence::Bundle;
use crate::outcome::Code;
use crate::verify::Verified;

pub(super) fn check(policy: &Policy, evidence: &Verified<Bundle>) -> Option<Finding> {
    let found = evidence.signer().identity();
    (found != Some(policy.identity()))
        .then(|| Finding::mismatch(Code::IdentityMismatch, policy.identity(), found))
}
