//! The command line: one file per subcommand, each turning arguments into a request, a flow, a report and an exit code.
//!
//! Standard output carries the result and nothing else.

mod options;
mod services;
mod sign;
mod sign_blob;
mod signer;
mod trust;
mod trust_source;
mod verify;
mod verify_blob;

#[cfg(feature = "sandbox")]
mod demo;
#[cfg(feature = "sandbox")]
mod sandbox;

use crate::outcome::{Code, Coded, Problem};
use crate::report::view::{Command, Report};
use crate::report::{Format, shown};
use clap::error::{ContextKind, ContextValue};
use clap::{Parser, Subcommand};
use std::io::{self, Write};
use std::panic::PanicHookInfo;

/// Signs container images keylessly in CI, and refuses the ones that do not verify.
#[derive(Parser)]
#[command(version, max_term_width = 100, after_long_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(Subcommand)]
enum Subcommands {
    Sign(sign::SignArgs),
    Verify(verify::VerifyArgs),
    SignBlob(sign_blob::SignBlobArgs),
    VerifyBlob(verify_blob::VerifyBlobArgs),
    Trust(trust::TrustArgs),
    #[cfg(feature = "sandbox")]
    Demo(demo::DemoArgs),
    #[cfg(feature = "sandbox")]
    Sandbox(sandbox::SandboxArgs),
}

impl Cli {
    /// Reads the command line. What an error repeats of it is escaped: an argument may come from a branch's name.
    pub fn read() -> Self {
        Self::try_parse().unwrap_or_else(|mut error| {
            let mut escaped = Vec::new();
            for (kind, value) in error.context() {
                match value {
                    ContextValue::String(text) if shown(text) != *text => {
                        escaped.push((kind, ContextValue::String(shown(text))));
                        // A suggestion repeats it once more.
                        escaped.push((ContextKind::Suggested, ContextValue::None));
                    }
                    _ => {}
                }
            }
            for (kind, value) in escaped {
                error.insert(kind, value);
            }
            match asks_for_json(std::env::args()) {
                true if error.use_stderr() => {
                    exit(failed(Format::Json, Command::Verify, &usage(&error)))
                }
                _ => error.exit(),
            }
        })
    }

    /// Runs the subcommand and returns the exit code.
    pub fn run(self) -> u8 {
        let runtime = match tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
        {
            Ok(runtime) => runtime,
            Err(error) => return failed(Format::Text, Command::Verify, &internal(&error)),
        };
        match self.command {
            Subcommands::Sign(args) => {
                let format = args.output.format;
                match runtime.block_on(args.run()) {
                    Ok(report) => print(format, &report),
                    Err(problem) => failed(format, Command::Sign, &problem),
                }
            }
            Subcommands::Verify(args) => {
                let format = args.output.format;
                match runtime.block_on(args.run()) {
                    Ok(report) => print(format, &report),
                    Err(problem) => failed(format, Command::Verify, &problem),
                }
            }
            Subcommands::SignBlob(args) => {
                let format = args.output.format;
                match runtime.block_on(args.run()) {
                    Ok(report) => print(format, &report),
                    Err(problem) => failed(format, Command::SignBlob, &problem),
                }
            }
            Subcommands::VerifyBlob(args) => {
                let format = args.output.format;
                match runtime.block_on(args.run()) {
                    Ok(report) => print(format, &report),
                    Err(problem) => failed(format, Command::VerifyBlob, &problem),
                }
            }
            Subcommands::Trust(args) => args.run(&runtime),
            #[cfg(feature = "sandbox")]
            Subcommands::Demo(args) => args.run(&runtime),
            #[cfg(feature = "sandbox")]
            Subcommands::Sandbox(args) => args.run(&runtime),
        }
    }
}

/// Whether the result is wanted as JSON, as far as a command line shows that cannot be read: a script that waits for
/// JSON gets it also then.
fn asks_for_json(arguments: impl Iterator<Item = String>) -> bool {
    let arguments: Vec<String> = arguments.collect();
    let by_option = arguments.iter().any(|argument| argument == "--format=json")
        || arguments
            .windows(2)
            .any(|pair| pair[0] == "--format" && pair[1] == "json");
    by_option || crate::adapters::env::read().var("SIGNGATE_FORMAT") == Some("json")
}

fn usage(error: &clap::Error) -> Problem {
    let text = error.to_string();
    let what = text
        .lines()
        .next()
        .unwrap_or_default()
        .trim_start_matches("error: ");
    Problem {
        code: Code::UsageInvalid,
        what: what.to_owned(),
        why: Vec::new(),
        fix: Code::UsageInvalid.fix().to_owned(),
    }
}

#[expect(
    clippy::exit,
    reason = "there is nothing to return to before the command line is read"
)]
fn exit(code: u8) -> ! {
    std::process::exit(code.into())
}

/// Prints the result. A result that nobody could read did not happen: the exit code says so.
fn print(format: Format, report: &Report) -> u8 {
    let mut out = io::stdout().lock();
    let printed = out
        .write_all(format.render(report).as_bytes())
        .and_then(|()| out.flush());
    if printed.is_ok() {
        report.exit_code
    } else {
        Code::Internal.exit()
    }
}

/// Prints why there is no result: for scripts where they look for the result, for people on standard error.
fn failed(format: Format, command: Command, problem: &Problem) -> u8 {
    let report = Report::of_problem(command, problem);
    if format == Format::Text {
        // There is nowhere left to report a failing standard error to.
        let _ = io::stderr()
            .lock()
            .write_all(format.render(&report).as_bytes());
        return report.exit_code;
    }
    print(format, &report)
}

/// What the process says and does when it panics: a bug of ours, exit code 1.
#[expect(
    clippy::exit,
    reason = "the outcome table gives our own bugs exit code 1, and unwinding would give 101"
)]
pub fn report_panic(panic: &PanicHookInfo<'_>) {
    let payload = panic.payload();
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let message = text
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or_default();
    let place = panic
        .location()
        .map(ToString::to_string)
        .unwrap_or_default();
    let what = shown(&format!("panicked at {place}: {message}"));
    let problem = Problem {
        code: Code::Internal,
        what,
        why: Vec::new(),
        fix: Code::Internal.fix().to_owned(),
    };
    let code = failed(Format::Text, Command::Verify, &problem);
    std::process::exit(code.into());
}

fn problem(error: impl Coded) -> Problem {
    Problem::of(&error)
}

fn internal(error: &dyn std::error::Error) -> Problem {
    Problem {
        code: Code::Internal,
        what: error.to_string(),
        why: error
            .source()
            .map(ToString::to_string)
            .into_iter()
            .collect(),
        fix: Code::Internal.fix().to_owned(),
    }
}

const EXAMPLES: &str = "\
Examples:
  Sign what a CI job has just built and pushed; needs no key and no configuration:
    signgate sign ghcr.io/acme/app@sha256:4bf5...

  Refuse it unless the release workflow of that repository signed it:
    signgate verify ghcr.io/acme/app@sha256:4bf5... \\
      --certificate-identity https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main \\
      --certificate-oidc-issuer https://token.actions.githubusercontent.com

Exit codes: 0 signed or allowed; 1 bug; 2 usage; 10 to 14 refused; 20 to 22 no usable ID token;
30 to 33 a service is unavailable, try again; 35 registry denies access; 40 registry refuses the signature.";
