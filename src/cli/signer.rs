//! Whom to accept, as options.

use crate::adapters::files;
use crate::limits;
use crate::outcome::{Code, Problem};
use crate::policy::{ExpectedIdentity, ExpectedSan, Pattern, Policy};
use crate::trust::PublicKey;
use crate::verify::Claim;
use clap::{ArgGroup, Args};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Whom to accept.
#[derive(Args)]
#[command(next_help_heading = "Whom to accept")]
#[group(skip)]
#[command(group = ArgGroup::new("signer").required(true))]
pub(super) struct SignerOptions {
    /// The identity in the signing certificate, exactly: for a CI job its workflow and ref
    #[arg(
        long,
        env = "SIGNGATE_CERTIFICATE_IDENTITY",
        value_name = "IDENTITY",
        group = "signer"
    )]
    certificate_identity: Option<String>,

    /// A pattern for the whole identity (RE2); it must start with a fixed scheme and host
    #[arg(
        long,
        env = "SIGNGATE_CERTIFICATE_IDENTITY_REGEXP",
        value_name = "PATTERN",
        group = "signer"
    )]
    certificate_identity_regexp: Option<String>,

    /// The OIDC issuer that vouches for this identity, exactly
    #[arg(
        long,
        env = "SIGNGATE_CERTIFICATE_OIDC_ISSUER",
        value_name = "URL",
        required_unless_present = "key",
        conflicts_with = "key"
    )]
    certificate_oidc_issuer: Option<String>,

    /// What the certificate must say about the job, such as build-trigger=push; may be repeated
    #[arg(
        long,
        env = "SIGNGATE_REQUIRE",
        value_name = "CLAIM=VALUE",
        value_delimiter = ',',
        value_parser = claim,
        conflicts_with = "key"
    )]
    require: Vec<(Claim, String)>,

    /// Instead of an identity the public key that must have signed, in PEM. The log is required all the same
    #[arg(long, env = "SIGNGATE_KEY", value_name = "FILE", group = "signer")]
    key: Option<PathBuf>,
}

impl SignerOptions {
    /// Whom to accept, and the key to believe if it is the holder of one.
    pub(super) fn policy(self) -> Result<(Policy, Option<PublicKey>), Problem> {
        if let Some(path) = self.key {
            let pem = files::read_text(&path, limits::PUBLIC_KEY_BYTES).map_err(super::problem)?;
            let key = PublicKey::parse(&pem).map_err(super::problem)?;
            return Ok((Policy::key(key.fingerprint()), Some(key)));
        }
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
            issuer: self.certificate_oidc_issuer.unwrap_or_default(),
            claims,
        };
        let policy = Policy::identity(expected).map_err(super::problem)?;
        Ok((policy, None))
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
