//! What a run has to say, as plain data.

use super::escape::bounded;
use crate::image::ImageRef;
use crate::outcome::{Code, Coded, Problem};
use crate::policy::{Accepted, Decision, Finding, Rejected, Verdict};
use crate::verify::{LogProof, Signer};
use serde::Serialize;
use std::collections::BTreeMap;

/// The report of one run.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The version of this format.
    pub version: u32,
    /// What was done.
    pub command: Command,
    /// The exit code that goes with it.
    pub exit_code: u8,
    /// One entry an image; for `sign` none if it failed as a whole.
    pub images: Vec<Image>,
    /// One entry a file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<Image>,
    /// Why the run as a whole failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<ProblemView>,
}

/// The subcommand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// `signgate sign`
    Sign,
    /// `signgate verify`
    Verify,
    /// `signgate sign-blob`
    SignBlob,
    /// `signgate verify-blob`
    VerifyBlob,
    /// `signgate trust`
    Trust,
}

/// What there is to say about one image or file.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// The image or file as it was asked for.
    pub requested: String,
    /// The image by digest, once that is known: what to deploy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The digest of a file, once that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What came of it.
    pub verdict: VerdictView,
    /// The code of a denial or error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// Signatures that were made, or that satisfy the policy.
    pub signatures: Vec<SignatureView>,
    /// Whatever else was found, nearest miss first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<RejectedView>,
    /// Why no decision was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<ProblemView>,
    /// What to do about a denial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// What came of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum VerdictView {
    /// A signature was published.
    Signed,
    /// It may be used.
    Allowed,
    /// It must not be used.
    Denied,
    /// No decision was reached.
    Error,
}

impl VerdictView {
    /// A wrong digest or a missing image is no less a refusal than a wrong signature: it would not help to try again.
    fn of(code: Code) -> Self {
        if (10..20).contains(&code.exit()) {
            Self::Denied
        } else {
            Self::Error
        }
    }
}

/// A verified signature.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SignatureView {
    /// The digest of the manifest that attaches it; nothing for a file.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub referrer: String,
    /// How it is attached: `bundle`, or `legacy` for the tags of cosign v2.
    pub format: &'static str,
    /// Who signed.
    #[serde(flatten)]
    pub signer: SignerView,
    /// What kind of statement was signed; nothing if it was a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate_type: Option<String>,
    /// The trusted time of signing, RFC 3339. A key may sign without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_at: Option<String>,
    /// How the transparency log vouches for it: `inclusion`, or only a `promise`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_proof: Option<&'static str>,
    /// Its place in the transparency log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_index: Option<u64>,
}

/// Who signed. What the certificate does not say is left out.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SignerView {
    /// Subject alternative name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// OIDC issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// What the certificate says about the CI job, by the names of [`crate::verify::Claim`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<&'static str, String>,
    /// Digest of the public key, where a key signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// A signature that does not satisfy the policy, or cannot be verified.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RejectedView {
    /// The digest of the manifest that attaches it; nothing for a file.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub referrer: String,
    /// How it is attached: `bundle`, or `legacy` for the tags of cosign v2.
    pub format: &'static str,
    /// Who signed, if the cryptography holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<SignerView>,
    /// Every reason.
    pub findings: Vec<FindingView>,
}

/// A reason to deny.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FindingView {
    /// The stable code.
    pub code: &'static str,
    /// In words.
    pub what: String,
    /// The causes, outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
    /// What the policy expects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

/// Why no decision was reached.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProblemView {
    /// The stable code.
    pub code: &'static str,
    /// What happened.
    pub what: String,
    /// The causes, outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
    /// What to do.
    pub fix: String,
}

impl Report {
    /// The report of `signgate verify`. A denial outweighs an error: trying again would not change it.
    pub fn of_verify<E: Coded>(results: Vec<(ImageRef, Result<Verdict, E>)>) -> Self {
        let images: Vec<(Image, Option<Code>)> = results
            .into_iter()
            .map(|(image, result)| verified(&image, result))
            .collect();
        let code_of = |verdict| {
            images
                .iter()
                .find(|(image, _)| image.verdict == verdict)
                .and_then(|(_, code)| *code)
        };
        let code = code_of(VerdictView::Denied).or_else(|| code_of(VerdictView::Error));
        Self {
            version: VERSION,
            command: Command::Verify,
            exit_code: code.map_or(0, Code::exit),
            images: images.into_iter().map(|(image, _)| image).collect(),
            files: Vec::new(),
            problem: None,
        }
    }

    /// The report of `signgate sign`.
    pub fn of_sign(requested: &[ImageRef], signed: &[Accepted]) -> Self {
        let images = requested
            .iter()
            .zip(signed)
            .map(|(requested, signed)| Image {
                image: Some(requested.pinned(*signed.evidence.subject()).to_string()),
                signatures: vec![SignatureView::new(signed)],
                ..Image::new(requested, VerdictView::Signed)
            })
            .collect();
        Self {
            version: VERSION,
            command: Command::Sign,
            exit_code: 0,
            images,
            files: Vec::new(),
            problem: None,
        }
    }

    /// The report of a run that failed as a whole.
    pub fn of_problem(command: Command, problem: &Problem) -> Self {
        Self {
            version: VERSION,
            command,
            exit_code: problem.code.exit(),
            images: Vec::new(),
            files: Vec::new(),
            problem: Some(ProblemView::new(problem)),
        }
    }
}

fn verified<E: Coded>(requested: &ImageRef, result: Result<Verdict, E>) -> (Image, Option<Code>) {
    let verdict = match result {
        Ok(verdict) => verdict,
        Err(error) => {
            let problem = Problem::of(&error);
            let image = Image {
                code: Some(problem.code.id()),
                problem: Some(ProblemView::new(&problem)),
                ..Image::new(requested, VerdictView::of(problem.code))
            };
            return (image, Some(problem.code));
        }
    };
    let (image, code) = Image::decided(requested, verdict.decision);
    let pinned = Some(verdict.image.to_string());
    (
        Image {
            image: pinned,
            ..image
        },
        code,
    )
}

impl Image {
    /// What was decided about it, with the code of a denial.
    pub(super) fn decided(requested: &impl ToString, decision: Decision) -> (Self, Option<Code>) {
        match decision {
            Decision::Allow { by, rejected } => {
                let image = Self {
                    signatures: by.iter().map(SignatureView::new).collect(),
                    rejected: rejected.iter().map(RejectedView::new).collect(),
                    ..Self::new(requested, VerdictView::Allowed)
                };
                (image, None)
            }
            Decision::Deny { code, rejected } => {
                let image = Self {
                    code: Some(code.id()),
                    rejected: rejected.iter().map(RejectedView::new).collect(),
                    fix: Some(code.fix().to_owned()),
                    ..Self::new(requested, VerdictView::Denied)
                };
                (image, Some(code))
            }
        }
    }

    pub(super) fn new(requested: &impl ToString, verdict: VerdictView) -> Self {
        Self {
            requested: requested.to_string(),
            image: None,
            digest: None,
            verdict,
            code: None,
            signatures: Vec::new(),
            rejected: Vec::new(),
            problem: None,
            fix: None,
        }
    }
}

impl SignatureView {
    pub(super) fn new(Accepted { referrer, evidence }: &Accepted) -> Self {
        Self {
            referrer: referrer.to_string(),
            format: evidence.format().as_str(),
            signer: SignerView::new(evidence.signer()),
            predicate_type: evidence
                .statement()
                .map(|statement| statement.predicate_type().to_owned()),
            signed_at: evidence.signed_at().map(|time| time.to_string()),
            log_proof: evidence.log_proof().map(LogProof::as_str),
            log_index: evidence.log_index(),
        }
    }
}

impl SignerView {
    fn new(signer: &Signer) -> Self {
        match signer {
            Signer::Identity(identity) => Self {
                identity: identity.san().map(str::to_owned),
                issuer: identity.issuer().map(str::to_owned),
                claims: identity
                    .claims()
                    .map(|(claim, value)| (claim.name(), value.to_owned()))
                    .collect(),
                key: None,
            },
            Signer::Key(digest) => Self {
                key: Some(digest.to_string()),
                ..Self::default()
            },
        }
    }
}

impl RejectedView {
    fn new(rejected: &Rejected) -> Self {
        Self {
            referrer: rejected.referrer.to_string(),
            format: rejected.format.as_str(),
            signer: rejected.signer.as_ref().map(SignerView::new),
            findings: rejected.findings.iter().map(FindingView::new).collect(),
        }
    }
}

impl FindingView {
    fn new(finding: &Finding) -> Self {
        Self {
            code: finding.code.id(),
            what: bounded(&finding.what),
            why: finding.why.iter().map(|cause| bounded(cause)).collect(),
            expected: finding.expected.clone(),
            found: finding.found.as_deref().map(bounded),
        }
    }
}

impl ProblemView {
    fn new(problem: &Problem) -> Self {
        Self {
            code: problem.code.id(),
            what: bounded(&problem.what),
            why: problem.why.iter().map(|cause| bounded(cause)).collect(),
            fix: problem.fix.clone(),
        }
    }
}

pub(super) const VERSION: u32 = 1;
