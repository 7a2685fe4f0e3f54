//! `signgate sign-blob`

use super::options::{NetworkOptions, OutputOptions};
use super::services::Services;
use super::sign::IdentityOptions;
use crate::adapters::files::{self, NewFile};
use crate::flow::{self, SignFileRequest};
use crate::outcome::Problem;
use crate::report::view::Report;
use clap::Args;
use std::path::PathBuf;

/// Sign a file with the identity of this CI job
///
/// The file stays where it is; only its digest is sent, to the transparency log.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct SignBlobArgs {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,

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
        let identity = self.identity.read()?;
        let digest = files::digest(&self.file).map_err(super::problem)?;
        let bundle = NewFile::prepare(&self.bundle).map_err(super::problem)?;

        // 2. The story.
        let http = self.network.client()?;
        let services = Services {
            http: &http,
            token: identity.token,
            addresses: identity.addresses,
        };
        let request = SignFileRequest {
            digest,
            trusted_root: &identity.trusted_root,
            now: identity.now,
        };
        let signed = flow::sign_file(&services, &request)
            .await
            .map_err(super::problem)?;

        // 3. It is written only now that it is known to verify. Nothing in it is secret.
        let json = signed.evidence.evidence().json();
        bundle.write(json).map_err(super::problem)?;
        Ok(Report::of_sign_file(&requested, &signed))
    }
}

const EXAMPLES: &str = "\
Examples:
  In GitHub Actions, in a job with `permissions: id-token: write`:
    signgate sign-blob app.tar.gz --bundle app.tar.gz.sigstore.json";
