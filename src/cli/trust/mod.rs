//! `signgate trust`: whom this machine believes. One file for each of its subcommands.

mod export;
mod show;
mod update;

use super::trust_source::{Loaded, TrustSource};
use crate::adapters::tuf::Repository;
use crate::outcome::{Code, Problem};
use crate::report::Format;
use crate::report::trust::TrustReport;
use crate::report::view::Command;
use clap::{Args, Subcommand};
use std::io::{self, Write};
use tokio::runtime::Runtime;

/// Show, update or export the trust material: whom signgate believes
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct TrustArgs {
    #[command(subcommand)]
    command: TrustCommand,
}

#[derive(Subcommand)]
enum TrustCommand {
    Show(show::ShowArgs),
    Update(update::UpdateArgs),
    Export(export::ExportArgs),
}

impl TrustArgs {
    pub(super) fn run(self, runtime: &Runtime) -> u8 {
        let (format, result) = match self.command {
            TrustCommand::Show(args) => (args.output.format, runtime.block_on(args.run())),
            TrustCommand::Update(args) => (args.output.format, runtime.block_on(args.run())),
            TrustCommand::Export(args) => (args.output.format, runtime.block_on(args.run())),
        };
        match result {
            Ok(report) => print(format, &report),
            Err(problem) => super::failed(format, Command::Trust, &problem),
        }
    }
}

fn report(source: &TrustSource, loaded: &Loaded) -> Result<TrustReport, Problem> {
    let url = source.repository.as_ref().map(Repository::url);
    TrustReport::new(&source.name, url, &loaded.material, source.now).map_err(super::problem)
}

/// Prints the result. A result that nobody could read did not happen: the exit code says so.
fn print(format: Format, report: &TrustReport) -> u8 {
    let mut out = io::stdout().lock();
    let printed = out
        .write_all(report.render(format).as_bytes())
        .and_then(|()| out.flush());
    match printed {
        Ok(()) => report.exit_code,
        Err(_) => Code::Internal.exit(),
    }
}

const EXAMPLES: &str = "\
Examples:
  Whom would `signgate verify` believe on this machine, and how old is that?
    signgate trust show

  Fill the cache, so that jobs on this machine need no network to Sigstore:
    signgate trust update

  Carry the trust material to where there is no network at all:
    signgate trust export --out trust
    signgate verify IMAGE --trusted-root trust/trusted_root.json ...

signgate refreshes what it needs by itself, when the TUF metadata in its cache has expired. The
cache is in SIGNGATE_CACHE_DIR, else in signgate below XDG_CACHE_HOME or ~/.cache.";
