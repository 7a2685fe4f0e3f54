//! The statement is an image signature. An SBOM or a provenance by the same identity says something about the image, but
//! not that it may be used (CVE-2026-39395; cosign v3 does not check this).

use super::{Finding, Policy};
use crate::evidence::{Bundle, COSIGN_SIGN, Format};
use crate::outcome::Code;
use crate::verify::Verified;

pub(super) fn check(_: &Policy, evidence: &Verified<Bundle>) -> Option<Finding> {
    let found = evidence.statement().predicate_type();
    if evidence.format() == Format::LegacyAttestation {
        // Whatever it says: cosign v2 keeps signatures under another tag, and nobody looked here for one.
        let found = format!("{found}, as an attestation of cosign v2");
        return Some(Finding::mismatch(
            Code::PredicateMismatch,
            COSIGN_SIGN,
            Some(&found),
        ));
    }
    (found != COSIGN_SIGN)
        .then(|| Finding::mismatch(Code::PredicateMismatch, COSIGN_SIGN, Some(found)))
}
