//! What a run has to say, as plain data.

use super::escape::bounded;
pub use super::signature::{FindingView, RejectedView, SignatureView, SignerView};
use crate::image::ImageRef;
use crate::outcome::{Code, Coded, Problem};
use crate::policy::{Accepted, Decision, Verdict};
use serde::Serialize;

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
