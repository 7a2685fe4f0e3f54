//! `signgate sign-blob`

use super::options::{NetworkOptions, OutputOptions};
use super::services::Services;
use super::sign::IdentityOptions;
use crate::adapters::files::{self, NewFile};
use crate::evidence::{Content, Statement};
use crate::flow::{self, SignFileRequest};
use crate::image::Digest;
use crate::limits;
use crate::outcome::{Code, Problem};
use crate::report::view::Report;
use clap::Args;
use std::path::{Path, PathBuf};

/// Sign a file with the identity of this CI job
///
/// The file stays where it is; only its digest is sent, to the transparency log.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct SignBlobArgs {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The file is an in-toto statement about another one: sign what it says
    #[arg(long)]
    statement: bool,

    /// Where to write the Sigstore bundle
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,

    #[command(flatten)]
    identity: IdentityOptions,

    #[command(flatten)]
    network: NetworkOptions,

    #[command(flatten)]
    pub(super) output: OutputOptions,
}

impl SignBlobArgs {
    pub(super) async fn run(self) -> Result<Report, Problem> {
        // 1. Whatever can be wrong without a network stops here.
        let requested = self.file.to_string_lossy().into_owned();
        let http = self.network.client()?;
        let identity = self.identity.read(&http)?;
        let (content, subject) = content(&self.file, self.statement)?;
        let bundle = NewFile::prepare(&self.bundle).map_err(super::problem)?;

        // 2. The story.
        let services = Services {
            http: &http,
            token: identity.token,
            trust: &identity.trust,
        };
        let request = SignFileRequest {
            content,
            subject,
            trusted_root: &identity.trust,
            now: identity.trust.now,
        };
        let signed = flow::sign_file(&services, request).await;
        identity.trust.warn();
        let signed = signed.map_err(super::problem)?;

        // 3. It is written only now that it is known to verify. Nothing in it is secret.
        let json = signed.evidence.evidence().json();
        bundle.write(json).map_err(super::problem)?;
        Ok(Report::of_sign_file(&requested, &signed))
    }
}

/// What to sign, and the digest that it is about.
fn content(file: &Path, is_statement: bool) -> Result<(Content, Digest), Problem> {
    if !is_statement {
        let digest = files::digest(file).map_err(super::problem)?;
        return Ok((Content::File(digest), digest));
    }
    let text = files::read_text(file, limits::STATEMENT_BYTES).map_err(super::problem)?;
    let statement = Statement::parse(text.as_bytes()).map_err(|error| no_statement(&error))?;
    let subject = statement.subjects().next();
    let subject = subject.ok_or_else(|| no_statement(&"no subject has a SHA-256 digest"))?;
    Ok((Content::Statement(text.into_bytes()), subject))
}

fn no_statement(why: &dyn ToString) -> Problem {
    Problem {
        code: Code::UsageInvalid,
        what: "the file is not an in-toto statement that can be signed".to_owned(),
        why: vec![why.to_string()],
        fix: "pass a statement of in-toto v1 whose subjects have SHA-256 digests, or leave out --statement".to_owned(),
    }
}

const EXAMPLES: &str = "\
Examples:
  In GitHub Actions, in a job with `permissions: id-token: write`:
    signgate sign-blob app.tar.gz --bundle app.tar.gz.sigstore.json

  An attestation about a file, such as its provenance:
    signgate sign-blob provenance.json --statement --bundle app.provenance.sigstore.json";
