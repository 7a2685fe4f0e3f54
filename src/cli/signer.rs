//! Whom to accept, as options.

use crate::outcome::Problem;
use crate::policy::{ExpectedIdentity, ExpectedSan, Pattern, Policy};
use crate::verify::Claim;
use clap::{ArgGroup, Args};

/// Whom to accept.
#[derive(Args)]
#[command(next_help_heading = "Whom to accept")]
#[group(skip)]
#[command(group = ArgGroup::new("san").required(true))]
pub(super) struct SignerOptions {
    /// The identity in the signing certificate, exactly: for a CI job its workflow and ref
    #[arg(
        long,
        env = "SIGNGATE_CERTIFICATE_IDENTITY",
        value_name = "IDENTITY",
        group = "san"
    )]
    certificate_identity: Option<String>,

    /// A pattern for the whole identity (RE2); it must start with a fixed scheme and host
    #[arg(long, value_name = "PATTERN", group = "san")]
    certificate_identity_regexp: Option<String>,

    /// The OIDC issuer that vouches for this identity, exactly
    #[arg(long, env = "SIGNGATE_CERTIFICATE_OIDC_ISSUER", value_name = "URL")]
    certificate_oidc_issuer: String,

    /// What the certificate must say about the job, such as build-trigger=push; may be repeated
    #[arg(long, value_name = "CLAIM=VALUE", value_parser = claim)]
    require: Vec<(Claim, String)>,
}

impl SignerOptions {
    pub(super) fn policy(self) -> Result<Policy, Problem> {
        let san = match (self.certificate_identity, self.certificate_identity_regexp) {
            (_, Some(pattern)) => {
                ExpectedSan::Matching(Pattern::parse(&pattern).map_err(super::problem)?)
            }
            (exact, None) => ExpectedSan::Exact(exact.unwrap_or_default()),
        };
        let expected = ExpectedIdentity {
            san,
            issuer: self.certificate_oidc_issuer,
            claims: self.require.into_iter().collect(),
        };
        Policy::identity(expected).map_err(super::problem)
    }
}

fn claim(text: &str) -> Result<(Claim, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("a required claim looks like build-trigger=push")?;
    Ok((
        name.parse().map_err(|error| format!("{error}"))?,
        value.to_owned(),
    ))
}
