//! Options that several subcommands share.

use crate::adapters::files;
use crate::adapters::http::Http;
use crate::image::ImageRef;
use crate::limits;
use crate::outcome::Problem;
use crate::report::Format;
use crate::trust::{Instance, Requirements, SigningConfig, TrustError, TrustedRoot};
use clap::Args;
use jiff::SignedDuration;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Which Sigstore to believe.
#[derive(Args)]
#[command(next_help_heading = "Trust")]
pub(super) struct TrustOptions {
    /// Sigstore instance: public, staging or github
    #[arg(long, env = "SIGNGATE_INSTANCE", default_value_t, value_name = "NAME")]
    instance: Instance,

    /// Trusted root of a private instance (trusted_root.json), instead of a named one
    #[arg(
        long,
        env = "SIGNGATE_TRUSTED_ROOT",
        value_name = "FILE",
        conflicts_with = "instance"
    )]
    trusted_root: Option<PathBuf>,
}

impl TrustOptions {
    pub(super) fn trusted_root(&self) -> Result<TrustedRoot, Problem> {
        match &self.trusted_root {
            Some(path) => {
                let json =
                    files::read_text(path, limits::TRUST_FILE_BYTES).map_err(super::problem)?;
                TrustedRoot::parse(&json, Requirements::Everything)
                    .map_err(|error| of_file(&error, path))
            }
            None => self.instance.trusted_root().map_err(super::problem),
        }
    }

    /// The signing config in `file`, else that of the named instance.
    pub(super) fn signing_config(&self, file: Option<&PathBuf>) -> Result<SigningConfig, Problem> {
        match file {
            Some(path) => {
                let json =
                    files::read_text(path, limits::TRUST_FILE_BYTES).map_err(super::problem)?;
                SigningConfig::parse(&json).map_err(|error| of_file(&error, path))
            }
            None => self.instance.signing_config().map_err(super::problem),
        }
    }

    /// Whether a private instance is given.
    pub(super) fn is_private(&self) -> bool {
        self.trusted_root.is_some()
    }
}

/// How to reach it.
#[derive(Args)]
#[command(next_help_heading = "Network")]
pub(super) struct NetworkOptions {
    /// End of everything, such as 90s or 10m
    #[arg(long, env = "SIGNGATE_TIMEOUT", default_value = "10m", value_name = "DURATION", value_parser = duration)]
    timeout: Duration,

    /// Registry that may be reached without TLS, as host or host:port. This machine always may
    #[arg(
        long,
        env = "SIGNGATE_ALLOW_HTTP_REGISTRY",
        value_name = "HOST",
        value_delimiter = ',',
        value_parser = host
    )]
    allow_http_registry: Vec<String>,
}

impl NetworkOptions {
    pub(super) fn client(&self) -> Result<Http, Problem> {
        Http::new(self.timeout, self.allow_http_registry.clone())
            .map_err(|error| super::internal(&error))
    }
}

/// How to say it.
#[derive(Args)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputOptions {
    /// Format of the result on standard output: text or json
    #[arg(long, env = "SIGNGATE_FORMAT", default_value_t, value_name = "FORMAT")]
    pub(super) format: Format,
}

fn of_file(error: &TrustError, path: &Path) -> Problem {
    let problem = Problem::of(error);
    Problem {
        what: format!("{} ({})", problem.what, path.display()),
        ..problem
    }
}

/// Reads image references as typed.
pub(super) fn images(typed: &[String]) -> Result<Vec<ImageRef>, Problem> {
    typed
        .iter()
        .map(|image| image.parse().map_err(super::problem))
        .collect()
}

/// A host, with its port if it has one.
fn host(text: &str) -> Result<String, String> {
    match text.contains('/') {
        true => Err("name the host alone, as in registry.lan:5000".to_owned()),
        false => Ok(text.to_owned()),
    }
}

/// A length of time above zero, of at most a day, such as `90s` or `10m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let duration: SignedDuration = text
        .parse()
        .map_err(|_| "a duration looks like 90s or 10m".to_owned())?;
    match Duration::try_from(duration) {
        Ok(duration) if duration > Duration::ZERO && duration <= A_DAY => Ok(duration),
        _ => Err("a duration is more than zero and at most a day".to_owned()),
    }
}

const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);
