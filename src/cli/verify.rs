//! `signgate verify`

use super::options::{self, NetworkOptions, OfflineOption, OutputOptions, TrustOptions};
use super::signer::SignerOptions;
use crate::adapters::env;
use crate::adapters::registry::{Access, Registry};
use crate::flow::{self, VerifyRequest};
use crate::outcome::Problem;
use crate::report::view::Report;
use clap::Args;
use futures_util::stream::{self, StreamExt};

/// Verify that images were signed by the expected identity or key
#[derive(Args)]
#[command(after_long_help = EXAMPLES, override_usage = USAGE)]
pub(super) struct VerifyArgs {
    /// Images to verify, best by digest
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,

    #[command(flatten)]
    signer: SignerOptions,

    #[command(flatten)]
    trust: TrustOptions,

    #[command(flatten)]
    offline: OfflineOption,

    #[command(flatten)]
    network: NetworkOptions,

    #[command(flatten)]
    pub(super) output: OutputOptions,
}

impl VerifyArgs {
    pub(super) async fn run(self) -> Result<Report, Problem> {
        // 1. Whatever can be wrong without a network stops here.
        let images = options::images(&self.images)?;
        let (policy, key) = self.signer.policy()?;
        let env = env::read();
        let http = self.network.client()?;
        let trust = self.trust.source(self.offline.allows(&http), &env, key)?;

        // 2. The story, for a few images at a time.
        let registry = Registry::new(&http, &env, Access::Read);
        let (registry, policy, trusted_root) = (&registry, &policy, &trust);
        let results = stream::iter(images)
            .map(|image| async move {
                let request = VerifyRequest {
                    image: &image,
                    policy,
                    trusted_root,
                };
                let result = flow::verify(registry, &request).await;
                (image, result)
            })
            .buffered(PARALLEL_IMAGES)
            .collect()
            .await;
        trust.warn();
        Ok(Report::of_verify(results))
    }
}

const PARALLEL_IMAGES: usize = 8;

const EXAMPLES: &str = "\
Examples:
  Before a merge or a deployment (the identity of a GitHub workflow on the main branch):
    signgate verify ghcr.io/acme/app@sha256:4bf5... \\
      --certificate-identity \\
      https://github.com/acme/app/.github/workflows/build.yml@refs/heads/main \\
      --certificate-oidc-issuer https://token.actions.githubusercontent.com

  A GitLab pipeline's identity has a double slash before the path of the configuration file:
    signgate verify registry.gitlab.com/acme/app@sha256:4bf5... \\
      --certificate-identity https://gitlab.com/acme/app//.gitlab-ci.yml@refs/heads/main \\
      --certificate-oidc-issuer https://gitlab.com

  A name is not enough where strangers can start a run under it (GitHub's pull_request_target,
  merge requests from forks on GitLab). Require what the certificate says about the job:
      --require build-trigger=push --require source-repository-identifier=123456

  Claims: build-signer-uri, build-signer-digest, runner-environment, source-repository-uri,
  source-repository-digest, source-repository-ref, source-repository-identifier,
  source-repository-owner-uri, source-repository-owner-identifier, build-config-uri,
  build-config-digest, build-trigger, run-invocation-uri,
  source-repository-visibility-at-signing, deployment-environment, token-subject

A tag is resolved once; the result names the digest that was verified. Deploy that digest.";

const USAGE: &str = "\
signgate verify [OPTIONS] --certificate-identity <IDENTITY> \\
           --certificate-oidc-issuer <URL> <IMAGE>...
       signgate verify [OPTIONS] --key <FILE> <IMAGE>...";
