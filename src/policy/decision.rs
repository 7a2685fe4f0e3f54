//! Allow or deny, with everything that led to it.

use crate::evidence::{Bundle, Format};
use crate::image::{Digest, PinnedImage};
use crate::outcome::{Code, Problem};
use crate::verify::{Signer, Verified};

/// What was decided about an image.
pub struct Verdict {
    /// The image by digest: what to deploy if it is allowed.
    pub image: PinnedImage,
    /// The decision.
    pub decision: Decision,
}

/// The decision about one image. A denial is a result, not an error: an error means that no decision was reached.
pub enum Decision {
    /// At least one signature satisfies the policy.
    Allow {
        /// The signatures that do.
        by: Vec<Accepted>,
        /// Whatever else was found.
        rejected: Vec<Rejected>,
    },
    /// No signature does.
    Deny {
        /// Why, in one code: the reason of the nearest miss.
        code: Code,
        /// Everything that was found, nearest miss first; empty if nothing was.
        rejected: Vec<Rejected>,
    },
}

impl Decision {
    pub(super) fn new(by: Vec<Accepted>, mut rejected: Vec<Rejected>) -> Self {
        rejected.sort_by_key(|candidate| (distance(candidate.code()), candidate.findings.len()));
        match (by.is_empty(), rejected.first()) {
            (false, _) => Self::Allow { by, rejected },
            (true, Some(nearest)) => Self::Deny {
                code: nearest.code(),
                rejected,
            },
            (true, None) => Self::Deny {
                code: Code::NoSignature,
                rejected,
            },
        }
    }

    /// Whether the image may be used.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow { .. })
    }
}

/// A signature that satisfies a policy, and where it is attached.
pub struct Accepted {
    /// The digest of the manifest that attaches it; for a file of the bundle itself.
    pub referrer: Digest,
    /// The verified bundle.
    pub evidence: Verified<Bundle>,
}

/// Something found on the image that does not satisfy the policy.
pub struct Rejected {
    /// The digest of the manifest that attaches it; for a file of the bundle itself.
    pub referrer: Digest,
    /// How it is attached.
    pub format: Format,
    /// Who signed, if the cryptography holds.
    pub signer: Option<Signer>,
    /// Why not; at least one reason.
    pub findings: Vec<Finding>,
}

impl Rejected {
    /// The code of the first reason.
    pub fn code(&self) -> Code {
        self.findings
            .first()
            .map_or(Code::Internal, |finding| finding.code)
    }
}

/// A reason to deny.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The stable code.
    pub code: Code,
    /// What was found, in words. Text from outside in it is not escaped yet.
    pub what: String,
    /// The causes, outermost first.
    pub why: Vec<String>,
    /// For a comparison: what the policy expects.
    pub expected: Option<String>,
    /// For a comparison: what the certificate or the statement says.
    pub found: Option<String>,
}

impl Finding {
    pub(super) fn of_problem(problem: Problem) -> Self {
        Self {
            code: problem.code,
            what: problem.what,
            why: problem.why,
            expected: None,
            found: None,
        }
    }

    pub(super) fn mismatch(code: Code, expected: &str, found: Option<&str>) -> Self {
        Self {
            code,
            what: code.meaning().trim_end_matches('.').to_owned(),
            why: Vec::new(),
            expected: Some(expected.to_owned()),
            found: found.map(str::to_owned),
        }
    }
}

/// How far a candidate is from being accepted: the nearest miss is what its author needs to read.
fn distance(code: Code) -> u8 {
    match code {
        Code::IdentityMismatch | Code::IssuerMismatch | Code::ClaimMismatch => 0,
        Code::SubjectMismatch => 1,
        Code::PredicateMismatch => 3,
        Code::BundleMalformed | Code::BundleUnsupported => 4,
        Code::NoSignature | Code::SignatureGone => 5,
        _ => 2,
    }
}
