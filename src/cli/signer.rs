//! Whom to accept, as options.

use crate::outcome::{Code, Problem};
use crate::policy::{ExpectedIdentity, ExpectedSan, Pattern, Policy};
use crate::verify::Claim;
use clap::{ArgGroup, Args};
use std::collections::BTreeMap;

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
    #[arg(
        long,
        env = "SIGNGATE_CERTIFICATE_IDENTITY_REGEXP",
        value_name = "PATTERN",
        group = "san"
    )]
    certificate_identity_regexp: Option<String>,

    /// The OIDC issuer that vouches for this identity, exactly
    #[arg(long, env = "SIGNGATE_CERTIFICATE_OIDC_ISSUER", value_name = "URL")]
    certificate_oidc_issuer: String,

    /// What the certificate must say about the job, such as build-trigger=push; may be repeated
    #[arg(
        long,
        env = "SIGNGATE_REQUIRE",
        value_name = "CLAIM=VALUE",
        value_delimiter = ',',
        value_parser = claim
    )]
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
        let mut claims = BTreeMap::new();
        for (claim, value) in self.require {
            if claims.insert(claim, value).is_some() {
                return Err(Problem {
                    code: Code::UsageInvalid,
                    what: format!("--require {claim} is given twice"),
                    why: vec!["a claim has one value: only the last would count".to_owned()],
                    fix: "require each claim once".to_owned(),
                });
            }
        }
        let expected = ExpectedIdentity {
            san,
            issuer: self.certificate_oidc_issuer,
            claims,
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
