//! The `signgate` command: parse, run, print, exit.

use signgate::cli::Cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(signgate::cli::report_panic));
    ExitCode::from(Cli::read().run())
}
