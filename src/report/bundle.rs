//! What there is to say about one bundle for one digest.

use super::signature::{FindingView, SignatureView, SignerView};
use super::view::VerdictView;
use crate::image::Digest;
use crate::outcome::{Code, Problem};
use crate::policy::{Accepted, Decision, Rejected};
use serde::Serialize;

/// The report on one bundle.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BundleReport {
    /// The version of this format.
    pub version: u32,
    /// What came of it.
    pub verdict: VerdictView,
    /// The exit code that the command line would end with.
    pub exit_code: u8,
    /// The digest that it was verified for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Who signed, if the cryptography holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<SignerView>,
    /// The predicate type of the signed statement; nothing if the file itself was signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate_type: Option<String>,
    /// The trusted time of signing, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_at: Option<String>,
    /// How the transparency log vouches for it: `inclusion`, or only a `promise`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_proof: Option<&'static str>,
    /// Its place in the transparency log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_index: Option<u64>,
    /// Every reason to deny.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FindingView>,
    /// The code of a denial or error: that of the first finding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// What happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// The causes, outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl BundleReport {
    /// The report of a decision about one candidate.
    pub fn of_decision(digest: &Digest, decision: &Decision) -> Self {
        match decision {
            Decision::Allow { by, .. } => match by.first() {
                Some(accepted) => Self::accepted(digest, accepted),
                None => {
                    Self::new(VerdictView::Error).refused(Code::Internal, Code::Internal.meaning())
                }
            },
            Decision::Deny { code, rejected } => {
                let nearest = rejected.first();
                let what = nearest
                    .and_then(|rejected| rejected.findings.first())
                    .map_or(code.meaning(), |finding| &finding.what);
                Self {
                    digest: Some(digest.to_string()),
                    ..Self::new(VerdictView::Denied)
                        .refused(*code, what)
                        .because(nearest)
                }
            }
        }
    }

    /// The report of a bundle whose cryptography does not hold.
    pub fn of_rejection(digest: &Digest, problem: &Problem) -> Self {
        Self {
            digest: Some(digest.to_string()),
            ..Self::of_problem(problem)
        }
    }

    /// The report of a call that went wrong.
    pub fn of_problem(problem: &Problem) -> Self {
        Self {
            why: problem.why.clone(),
            fix: Some(problem.fix.clone()),
            ..Self::new(VerdictView::of(problem.code)).refused(problem.code, &problem.what)
        }
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    fn new(verdict: VerdictView) -> Self {
        Self {
            version: VERSION,
            verdict,
            exit_code: 0,
            digest: None,
            signer: None,
            predicate_type: None,
            signed_at: None,
            log_proof: None,
            log_index: None,
            findings: Vec::new(),
            code: None,
            what: None,
            why: Vec::new(),
            fix: None,
        }
    }

    fn accepted(digest: &Digest, accepted: &Accepted) -> Self {
        let signature = SignatureView::new(accepted);
        Self {
            digest: Some(digest.to_string()),
            signer: Some(signature.signer),
            predicate_type: signature.predicate_type,
            signed_at: signature.signed_at,
            log_proof: signature.log_proof,
            log_index: signature.log_index,
            ..Self::new(VerdictView::Allowed)
        }
    }

    fn refused(self, code: Code, what: &str) -> Self {
        Self {
            exit_code: code.exit(),
            code: Some(code.id()),
            what: Some(what.to_owned()),
            fix: Some(code.fix().to_owned()),
            ..self
        }
    }

    fn because(self, rejected: Option<&Rejected>) -> Self {
        let Some(rejected) = rejected else {
            return self;
        };
        Self {
            signer: rejected.signer.as_ref().map(SignerView::new),
            findings: rejected.findings.iter().map(FindingView::new).collect(),
            ..self
        }
    }
}

const VERSION: u32 = 1;
