//! `signgate sign`

use super::options::{self, NetworkOptions, OutputOptions, TrustOptions};
use super::services::Services;
use super::trust_source::TrustSource;
use crate::adapters::http::Http;
use crate::adapters::registry::{Access, Registry};
use crate::adapters::{env, files};
use crate::ci::{self, Env, IdToken, TokenSource};
use crate::flow::{self, SignRequest};
use crate::limits;
use crate::outcome::{Code, Problem};
use crate::report::view::Report;
use clap::Args;
use std::path::{Path, PathBuf};

/// Sign images with the identity of this CI job
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct SignArgs {
    /// Images that are in their registry already, best by digest
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,

    #[command(flatten)]
    identity: IdentityOptions,

    #[command(flatten)]
    network: NetworkOptions,

    #[command(flatten)]
    pub(super) output: OutputOptions,
}

impl SignArgs {
    pub(super) async fn run(self) -> Result<Report, Problem> {
        // 1. Whatever can be wrong without a network stops here.
        let images = options::images(&self.images)?;
        let http = self.network.client()?;
        let identity = self.identity.read(&http)?;

        // 2. The story.
        let registry = Registry::new(&http, &identity.env, Access::Write);
        let services = Services {
            http: &http,
            token: identity.token,
            trust: &identity.trust,
        };
        let request = SignRequest {
            images: &images,
            trusted_root: &identity.trust,
            now: identity.trust.now,
        };
        let signed = flow::sign(&registry, &services, &request).await;
        identity.trust.warn();
        let signed = signed.map_err(super::problem)?;
        Ok(Report::of_sign(&images, &signed))
    }
}

/// As whom to sign, and with which Sigstore.
#[derive(Args)]
pub(super) struct IdentityOptions {
    /// Read the ID token from a file instead of asking the CI for one
    #[arg(long, env = "SIGNGATE_IDENTITY_TOKEN_FILE", value_name = "FILE")]
    identity_token_file: Option<PathBuf>,

    #[command(flatten)]
    trust: TrustOptions,

    /// Services of a private instance (signing_config.json v0.2), instead of a named one
    #[arg(
        long,
        env = "SIGNGATE_SIGNING_CONFIG",
        value_name = "FILE",
        help_heading = "Trust"
    )]
    signing_config: Option<PathBuf>,
}

/// What these options come to, in this environment.
pub(super) struct SigningIdentity {
    pub(super) env: Env,
    pub(super) token: TokenSource,
    pub(super) trust: TrustSource,
}

impl IdentityOptions {
    pub(super) fn read(self, http: &Http) -> Result<SigningIdentity, Problem> {
        if self.trust.is_private() != self.signing_config.is_some() {
            return Err(half_an_instance());
        }
        let env = env::read();
        let token = match self.identity_token_file {
            Some(file) => token_in(&file)?,
            None => ci::token_source(&env).map_err(super::problem)?,
        };
        let trust = self
            .trust
            .signing_source(http, &env, self.signing_config.as_ref())?;
        Ok(SigningIdentity { env, token, trust })
    }
}

fn token_in(file: &Path) -> Result<TokenSource, Problem> {
    let text = files::read_text(file, limits::ID_TOKEN_BYTES as u64).map_err(super::problem)?;
    Ok(TokenSource::Ready(
        IdToken::parse(&text).map_err(super::problem)?,
    ))
}

fn half_an_instance() -> Problem {
    Problem {
        code: Code::UsageInvalid,
        what: "--trusted-root and --signing-config are given one without the other".to_owned(),
        why: vec![
            "both describe one instance: signing with one and verifying with another cannot work"
                .to_owned(),
        ],
        fix: "pass both, or --instance with a known name".to_owned(),
    }
}

const EXAMPLES: &str = "\
Examples:
  In GitHub Actions, in a job with `permissions: id-token: write`:
    signgate sign ghcr.io/acme/app@${{ steps.build.outputs.digest }}

  In GitLab CI, in a job with `id_tokens: SIGSTORE_ID_TOKEN: aud: sigstore`:
    signgate sign $CI_REGISTRY_IMAGE@$DIGEST

  Several images at once share one certificate:
    signgate sign ghcr.io/acme/app@sha256:4bf5... ghcr.io/acme/worker@sha256:91cc...

Signing by tag resolves the tag once and signs the digest it points to.";
