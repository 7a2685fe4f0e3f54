//! `signgate trust update`

use super::report;
use crate::adapters::env;
use crate::cli::options::{NetworkOptions, OutputOptions, TrustOptions};
use crate::cli::trust_source::nothing_to_update;
use crate::outcome::Problem;
use crate::report::trust::TrustReport;
use clap::Args;

/// Refresh the cached trust material now, and fail if that cannot be done
#[derive(Args)]
pub(super) struct UpdateArgs {
    #[command(flatten)]
    trust: TrustOptions,

    #[command(flatten)]
    network: NetworkOptions,

    #[command(flatten)]
    pub(super) output: OutputOptions,
}

impl UpdateArgs {
    pub(super) async fn run(self) -> Result<TrustReport, Problem> {
        if self.trust.is_private() {
            return Err(nothing_to_update());
        }
        let http = self.network.client()?;
        let source = self.trust.source(Some(&http), &env::read(), None)?;
        let loaded = source.refreshed().await.map_err(crate::cli::problem)?;
        loaded.warn();
        report(&source, &loaded)
    }
}
