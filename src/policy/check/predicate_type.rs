//! The statement is of the expected kind, for an image an image signature. An SBOM or a provenance by the same identity says something about the image, but
//! not that it may be used (CVE-2026-39395; cosign v3 does not check this).

use super::{Finding, Policy};
use crate::evidence::{Bundle, COSIGN_SIGN, Format};
use crate::outcome::Code;
use crate::policy::ExpectedStatement;
use crate::verify::Verified;

pub(super) fn check(policy: &Policy, evidence: &Verified<Bundle>) -> Option<Finding> {
    let expected = match policy.statement() {
        ExpectedStatement::ImageSignature => COSIGN_SIGN,
        ExpectedStatement::OfType(predicate_type) => predicate_type,
        ExpectedStatement::Any => return None,
    };
    let found = evidence
        .statement()
        .map(|statement| statement.predicate_type());
    if evidence.format() == Format::LegacyAttestation {
        // Whatever it says: cosign v2 keeps signatures under another tag, and nobody looked here for one.
        let found = found.unwrap_or("nothing");
        let found = format!("{found}, as an attestation of cosign v2");
        return Some(Finding::mismatch(
            Code::PredicateMismatch,
            expected,
            Some(&found),
        ));
    }
    (found != Some(expected)).then(|| Finding::mismatch(Code::PredicateMismatch, expected, found))
}
