//! `signgate verify-blob`

use super::options::{OutputOptions, TrustOptions};
use super::signer::SignerOptions;
use crate::adapters::{env, files};
use crate::flow::ports::Trust as _;
use crate::flow::{self, VerifyFileRequest};
use crate::image::Digest;
use crate::limits;
use crate::outcome::Problem;
use crate::policy::ExpectedStatement;
use crate::report::view::Report;
use crate::verify::File;
use clap::Args;
use std::path::{Path, PathBuf};

/// Verify that a file was signed by the expected identity or key
///
/// The bundle holds a signature over the file, or a statement (an attestation) that names it. No service is asked.
#[derive(Args)]
#[command(override_usage = USAGE, after_long_help = EXAMPLES)]
pub(super) struct VerifyBlobArgs {
    /// The file, or its digest as sha256:DIGEST
    #[arg(value_name = "FILE_OR_DIGEST")]
    file: PathBuf,

    /// The Sigstore bundle
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,

    /// Accept nothing but a statement with this predicate type
    #[arg(long = "type", value_name = "URI")]
    predicate_type: Option<String>,

    #[command(flatten)]
    signer: SignerOptions,

    #[command(flatten)]
    trust: TrustOptions,

    #[command(flatten)]
    pub(super) output: OutputOptions,
}

impl VerifyBlobArgs {
    pub(super) async fn run(self) -> Result<Report, Problem> {
        let requested = self.file.to_string_lossy().into_owned();
        let bundle = files::read_beyond(&self.bundle, limits::BUNDLE_BYTES as u64)
            .map_err(super::problem)?;
        let mut content = None;
        let file = match digest_in(&self.file) {
            Some(digest) => File::Digest(digest),
            None => {
                let file = files::open(&self.file).map_err(super::problem)?;
                File::Content(content.insert(file))
            }
        };
        let statement = match self.predicate_type {
            Some(predicate_type) => ExpectedStatement::OfType(predicate_type),
            None => ExpectedStatement::Any,
        };
        let (policy, key) = self.signer.policy()?;
        let trust = self.trust.source(None, &env::read(), key)?;
        let trusted_root = trust.trusted_root().await;
        trust.warn();
        let trusted_root = trusted_root.map_err(super::problem)?;
        let verdict = flow::verify_file(VerifyFileRequest {
            bundle,
            file,
            policy: &policy.of(statement),
            trusted_root,
        });
        let verdict = verdict.map_err(super::problem)?;
        Ok(Report::of_verify_file(
            &requested,
            verdict.digest,
            verdict.decision,
        ))
    }
}

/// A digest is what looks like one and is not the name of a file (the rule of the Sigstore conformance suite).
fn digest_in(file: &Path) -> Option<Digest> {
    let digest = file.to_str()?.to_ascii_lowercase().parse().ok()?;
    (!file.exists()).then_some(digest)
}

const USAGE: &str = "\
signgate verify-blob [OPTIONS] --bundle <FILE> --certificate-identity <IDENTITY>
                            --certificate-oidc-issuer <URL> <FILE_OR_DIGEST>
       signgate verify-blob [OPTIONS] --bundle <FILE> --key <FILE> <FILE_OR_DIGEST>";

const EXAMPLES: &str = "\
Examples:
  A release, signed by the workflow that built it:
    signgate verify-blob app.tar.gz --bundle app.tar.gz.sigstore.json \\
      --certificate-identity \\
      https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main \\
      --certificate-oidc-issuer https://token.actions.githubusercontent.com

  The same by its digest, without having it:
    signgate verify-blob sha256:4bf5... --bundle app.tar.gz.sigstore.json --key release.pub

  An SPDX document about it, signed by somebody with a key:
    signgate verify-blob app.tar.gz --bundle app.spdx.sigstore.json --key release.pub \\
      --type https://spdx.dev/Document";
