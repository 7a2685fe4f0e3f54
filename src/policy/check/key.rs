//! Where a key is expected, the signature is by that key. The verifier used it already; this holds should it ever be
//! given another one.

use super::{Finding, Policy};
use crate::evidence::Bundle;
use crate::outcome::Code;
use crate::policy::ExpectedSigner;
use crate::verify::{Signer, Verified};

pub(super) fn check(policy: &Policy, evidence: &Verified<Bundle>) -> Option<Finding> {
    let ExpectedSigner::Key(expected) = policy.signer() else {
        return None;
    };
    let found = match evidence.signer() {
        Signer::Key(found) => Some(found),
        Signer::Identity(_) => None,
    };
    let shown = |digest: &crate::image::Digest| format!("key {digest}");
    (found != Some(expected)).then(|| {
        Finding::mismatch(
            Code::IdentityMismatch,
            &shown(expected),
            found.map(shown).as_deref(),
        )
    })
}
