//! `signgate demo`: the whole story on one machine, with the real commands and their real exit codes.

use super::sandbox::{NOTICE, report};
use crate::sandbox::Identity;
use crate::sandbox::Image;
use crate::sandbox::Options;
use crate::sandbox::Sandbox;
use anyhow::{Context, ensure};
use clap::Args;
use std::io::Write;
use std::process::{Command, Output};
use tokio::runtime::Runtime;

/// Sign an image as a GitHub workflow would, verify it, and see three images refused
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct DemoArgs {}

impl DemoArgs {
    pub(super) fn run(self, runtime: &Runtime) -> u8 {
        match runtime.block_on(demo()) {
            Ok(()) => 0,
            Err(error) => report(&error),
        }
    }
}

async fn demo() -> anyhow::Result<()> {
    let sandbox = Sandbox::start(Options::default())
        .await
        .context("the sandbox cannot start")?;
    let demo = Demo { sandbox };
    say(&format!("{NOTICE}\n"))?;

    say("1. A GitHub workflow on the main branch builds an image, pushes it, and signs it.")?;
    let app = demo.push("app:v1").await?;
    demo.signgate(&["sign", &app], 0).await?;

    say("2. The gate: only the release workflow on the main branch is accepted.")?;
    demo.gate(
        &app,
        0,
        "The pipeline goes on, and deploys exactly this digest.",
    )
    .await?;

    say("3. Somebody pushes an image without signing it.")?;
    let unsigned = demo.push("app:unsigned").await?;
    demo.gate(
        &unsigned,
        10,
        "The merge is blocked: nobody vouches for this image.",
    )
    .await?;

    say("4. Somebody replaces the signed manifest in the registry.")?;
    demo.replace(&app)?;
    demo.gate(
        &app,
        14,
        "The deployment stops: what the registry serves is not what was signed.",
    )
    .await?;

    say("5. The same repository and the same workflow, but started by a pull request.")?;
    let change = demo.push("app:pull-request").await?;
    let git_ref = "refs/pull/7/merge";
    demo.sandbox.oidc().set_job(
        Identity::github("acme/app", WORKFLOW, git_ref).with("event_name", "pull_request"),
    );
    demo.signgate(&["sign", &change], 0).await?;
    demo.gate(
        &change,
        12,
        "The deployment stops: code that nobody has merged must not sign for the main branch.",
    )
    .await
}

struct Demo {
    sandbox: Sandbox,
}

impl Demo {
    async fn push(&self, name: &str) -> anyhow::Result<String> {
        let reference = format!("{}/acme/{name}", self.sandbox.registry_host());
        let output = self.signgate(&["sandbox", "image", &reference], 0).await?;
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Verifies `image` as a merge gate would, and says what the pipeline does then.
    async fn gate(&self, image: &str, exit: i32, consequence: &str) -> anyhow::Result<()> {
        let identity = format!("https://github.com/acme/app/{WORKFLOW}@refs/heads/main");
        let issuer = format!(
            "{}/github",
            self.sandbox.url(crate::sandbox::ServiceName::Oidc)
        );
        let arguments = [
            "verify",
            image,
            "--certificate-identity",
            &identity,
            "--certificate-oidc-issuer",
            &issuer,
        ];
        self.signgate(&arguments, exit).await?;
        say(&format!("   => exit {exit}. {consequence}\n"))
    }

    /// The registry now serves the manifest of another image under the signed digest.
    fn replace(&self, image: &str) -> anyhow::Result<()> {
        let (_, digest) = image.split_once('@').context("an image without a digest")?;
        let other = Image::build("another image").index;
        ensure!(
            self.sandbox
                .registry()
                .put_raw("acme/app", digest, &other.bytes),
            "the image is not there"
        );
        Ok(())
    }

    /// Runs this very program as the job that the sandbox imitates, and shows what it shows.
    async fn signgate(&self, arguments: &[&str], exit: i32) -> anyhow::Result<Output> {
        say(&format!("   $ signgate {}", arguments.join(" ")))?;
        let mut command =
            Command::new(std::env::current_exe().context("this program cannot find itself")?);
        command.args(arguments).envs(self.sandbox.environment());
        // The sandbox answers on this thread meanwhile.
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        for stream in [&output.stdout, &output.stderr] {
            for line in String::from_utf8_lossy(stream).lines() {
                say(&format!("     {line}"))?;
            }
        }
        ensure!(
            output.status.code() == Some(exit),
            "expected exit code {exit}, got {}",
            output.status
        );
        Ok(output)
    }
}

fn say(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

const WORKFLOW: &str = ".github/workflows/release.yml";

const EXAMPLES: &str = "\
Examples:
  Everything happens on this machine, and nothing of it stays:
    signgate demo";
