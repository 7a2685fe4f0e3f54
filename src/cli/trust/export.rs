//! `signgate trust export`

use super::report;
use crate::adapters::{env, files};
use crate::cli::options::{NetworkOptions, OfflineOption, OutputOptions, TrustOptions};
use crate::outcome::Problem;
use crate::report::trust::TrustReport;
use clap::Args;
use std::path::PathBuf;

/// Write the trust material to files, for --trusted-root and --signing-config
#[derive(Args)]
pub(super) struct ExportArgs {
    /// Folder for trusted_root.json and signing_config.json; made if it does not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    #[command(flatten)]
    trust: TrustOptions,

    #[command(flatten)]
    offline: OfflineOption,

    #[command(flatten)]
    network: NetworkOptions,

    #[command(flatten)]
    pub(super) output: OutputOptions,
}

impl ExportArgs {
    pub(super) async fn run(self) -> Result<TrustReport, Problem> {
        let http = self.network.client()?;
        let source = self
            .trust
            .source(self.offline.allows(&http), &env::read(), None)?;
        let loaded = source.loaded().await;
        source.warn();
        let loaded = loaded.map_err(crate::cli::problem)?;
        let mut report = report(&source, loaded)?;
        for (name, text) in [
            ("trusted_root.json", Some(&loaded.material.trusted_root)),
            (
                "signing_config.json",
                loaded.material.signing_config.as_ref(),
            ),
        ] {
            if let Some(text) = text {
                let path = self.out.join(name);
                files::replace(&path, text.as_bytes()).map_err(crate::cli::problem)?;
                report.files.push(path.display().to_string());
            }
        }
        Ok(report)
    }
}
