//! Options that several subcommands share.

pub(super) use super::trust_source::{OfflineOption, TrustOptions};
use crate::adapters::http::Http;
use crate::image::ImageRef;
use crate::outcome::Problem;
use crate::report::Format;
use clap::Args;
use jiff::SignedDuration;
use std::time::Duration;

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
