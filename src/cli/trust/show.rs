//! `signgate trust show`

use super::report;
use crate::adapters::env;
use crate::cli::options::{OutputOptions, TrustOptions};
use crate::outcome::Problem;
use crate::report::trust::TrustReport;
use clap::Args;

/// Show what is at hand: its source, its age, and everybody it trusts. Asks nobody
#[derive(Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    trust: TrustOptions,

    #[command(flatten)]
    pub(super) output: OutputOptions,
}

impl ShowArgs {
    pub(super) async fn run(self) -> Result<TrustReport, Problem> {
        let source = self.trust.source(None, &env::read(), None)?;
        let loaded = source.loaded().await;
        source.warn();
        report(&source, loaded.map_err(crate::cli::problem)?)
    }
}
