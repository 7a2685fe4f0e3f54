//! Text, for a person reading a terminal or a CI log.

use super::escape::shown;
use super::view::{
    FindingView, Image, ProblemView, RejectedView, Report, SignatureView, VerdictView,
};
use crate::evidence::COSIGN_SIGN;
use crate::verify::Claim;
use std::fmt::Write;

pub(super) fn render(report: &Report) -> String {
    let mut text = String::new();
    for image in report.images.iter().chain(&report.files) {
        // Writing to a String cannot fail.
        let _ = self::image(&mut text, image);
    }
    if let Some(problem) = &report.problem {
        let _ = self::problem(&mut text, "error", problem);
    }
    text
}

fn image(text: &mut String, image: &Image) -> std::fmt::Result {
    let name = shown(image.image.as_deref().unwrap_or(&image.requested));
    if let Some(problem) = &image.problem {
        let title = match image.verdict {
            VerdictView::Denied => "denied  ",
            _ => "error   ",
        };
        return self::problem(text, &format!("{title} {name}"), problem);
    }
    match image.verdict {
        VerdictView::Signed => writeln!(text, "signed   {name}")?,
        VerdictView::Allowed => writeln!(text, "allowed  {name}")?,
        VerdictView::Denied => writeln!(
            text,
            "denied   {name}\n  code      {}",
            image.code.unwrap_or_default()
        )?,
        VerdictView::Error => {}
    }
    if let Some(digest) = &image.digest {
        writeln!(text, "  digest    {digest}")?;
    }
    for signature in &image.signatures {
        self::signature(text, signature)?;
    }
    for (position, candidate) in image.rejected.iter().enumerate() {
        // When the image is allowed the others are only counted; when it is denied the nearest misses matter.
        if image.verdict == VerdictView::Denied && position < SHOWN_REJECTED {
            rejected(text, candidate)?;
        }
    }
    let untold = match image.verdict {
        VerdictView::Denied => image.rejected.len().saturating_sub(SHOWN_REJECTED),
        _ => image.rejected.len(),
    };
    if untold > 0 {
        writeln!(
            text,
            "  others    {untold} more found that do not satisfy the policy (--format json lists them)"
        )?;
    }
    if image.verdict == VerdictView::Denied && image.rejected.is_empty() {
        writeln!(
            text,
            "  why       nothing that refers to this digest is a Sigstore bundle or a signature of cosign v2"
        )?;
    }
    if let Some(fix) = &image.fix {
        writeln!(text, "  fix       {fix}")?;
    }
    Ok(())
}

fn signature(text: &mut String, signature: &SignatureView) -> std::fmt::Result {
    let signer = &signature.signer;
    let mut row = |name: &str, value: &str| writeln!(text, "  {name:<9} {}", shown(value));
    match &signer.key {
        Some(key) => row("by", &format!("key {key}"))?,
        None => {
            row("by", signer.identity.as_deref().unwrap_or("nobody"))?;
            row("issuer", signer.issuer.as_deref().unwrap_or("nobody"))?;
        }
    }
    let built: Vec<&str> = BUILT
        .iter()
        .filter_map(|claim| signer.claims.get(claim.name()))
        .map(String::as_str)
        .collect();
    if !built.is_empty() {
        row("built", &built.join(" "))?;
    }
    if let Some(run) = signer.claims.get(Claim::RunInvocationUri.name()) {
        row("run", run)?;
    }
    let logged = signature
        .log_index
        .map(|index| format!(", log index {index}"))
        .unwrap_or_default();
    let promised = match signature.log_proof {
        Some("promise") => ", promise only",
        _ => "",
    };
    let time = signature.signed_at.as_deref();
    let time = time.unwrap_or("at an unknown time");
    row("signed", &format!("{time}{logged}"))?;
    match signature.predicate_type.as_deref() {
        None | Some(COSIGN_SIGN) => {}
        Some(predicate_type) => row("statement", predicate_type)?,
    }
    row("format", &format!("{}{promised}", signature.format))?;
    match signature.referrer.as_str() {
        "" => Ok(()),
        referrer => row("referrer", referrer),
    }
}

fn rejected(text: &mut String, rejected: &RejectedView) -> std::fmt::Result {
    if !rejected.referrer.is_empty() {
        writeln!(
            text,
            "  found     {} ({})",
            shown(&rejected.referrer),
            rejected.format
        )?;
    }
    for finding in &rejected.findings {
        self::finding(text, finding)?;
    }
    Ok(())
}

fn finding(text: &mut String, finding: &FindingView) -> std::fmt::Result {
    writeln!(text, "    {}: {}", finding.code, shown(&finding.what))?;
    for cause in &finding.why {
        writeln!(text, "      because  {}", shown(cause))?;
    }
    if let Some(expected) = &finding.expected {
        writeln!(text, "      expected {}", shown(expected))?;
        writeln!(
            text,
            "      found    {}",
            shown(finding.found.as_deref().unwrap_or("nothing"))
        )?;
    }
    Ok(())
}

fn problem(text: &mut String, title: &str, problem: &ProblemView) -> std::fmt::Result {
    writeln!(
        text,
        "{title}\n  code      {}\n  what      {}",
        problem.code,
        shown(&problem.what)
    )?;
    for cause in &problem.why {
        writeln!(text, "  why       {}", shown(cause))?;
    }
    // Our own words, with YAML on lines of its own.
    writeln!(
        text,
        "  fix       {}",
        problem
            .fix
            .replace('\n', "\n            ")
            .replace("            \n", "\n")
    )
}

/// The claims that tell a person what was built; the JSON report has all of them.
const BUILT: [Claim; 4] = [
    Claim::SourceRepositoryUri,
    Claim::SourceRepositoryRef,
    Claim::SourceRepositoryDigest,
    Claim::BuildTrigger,
];
/// How many refused candidates a person is shown.
const SHOWN_REJECTED: usize = 3;
