//! `signgate sandbox`: a local Sigstore and registry, for trial and for tests.

use crate::adapters::env;
use crate::adapters::http::Http;
use crate::adapters::registry::{Access, Registry};
use crate::flow::ports::{Registry as _, ServiceError};
use crate::image::{Digest, ImageRef, Manifest, Version};
use crate::outcome::Code;
use crate::sandbox::FaultSpec;
use crate::sandbox::Image;
use crate::sandbox::Sandbox;
use crate::sandbox::{Credentials, RegistryOptions};
use crate::sandbox::{Options, RekorVersion};
use anyhow::Context;
use clap::{Args, Subcommand};
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tokio::runtime::Runtime;

/// Run Sigstore and a registry on this machine, for trial and for tests
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct SandboxArgs {
    #[command(subcommand)]
    command: SandboxCommand,
}

#[derive(Subcommand)]
enum SandboxCommand {
    Up(UpArgs),
    Image(ImageArgs),
}

impl SandboxArgs {
    pub(super) fn run(self, runtime: &Runtime) -> u8 {
        let result = match self.command {
            SandboxCommand::Up(args) => runtime.block_on(args.run()),
            SandboxCommand::Image(args) => runtime.block_on(args.run()),
        };
        result.unwrap_or_else(|error| report(&error))
    }
}

/// Start the sandbox and print the environment that makes a shell a job in it
///
/// With a command, runs it in that environment and ends with its exit code. Without one, prints
/// the environment and serves until it is interrupted.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
struct UpArgs {
    /// Folder for the trusted root, the signing config, the environment and the log of requests
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// Transparency log that the signing config offers: v1 or v2
    #[arg(long, default_value_t = RekorVersion::V2, value_name = "VERSION")]
    rekor: RekorVersion,

    /// Added to every answer, such as 50ms
    #[arg(long, value_name = "DURATION", value_parser = super::options::duration)]
    latency: Option<Duration>,

    /// Something that goes wrong, such as rekor-v2=status:503,times=2; see --help
    #[arg(long, value_name = "SERVICE=FAULT")]
    fault: Vec<FaultSpec>,

    /// Registry without the referrers API
    #[arg(long)]
    no_referrers_api: bool,

    /// Registry that wants a bearer token, for the user `sandbox` with the password `sandbox`
    #[arg(long)]
    token_auth: bool,

    /// Registry whose tags cannot be moved
    #[arg(long)]
    immutable_tags: bool,

    /// Run this instead of serving for ever
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl UpArgs {
    async fn run(self) -> anyhow::Result<u8> {
        let options = Options {
            rekor: vec![self.rekor],
            registry: RegistryOptions {
                referrers_api: !self.no_referrers_api,
                token_auth: self.token_auth.then(|| Credentials {
                    username: "sandbox".to_owned(),
                    password: "sandbox".to_owned(),
                }),
                immutable_tags: self.immutable_tags,
                ..RegistryOptions::default()
            },
            latency: self.latency.unwrap_or_default(),
            faults: self.fault,
            dir: self.dir,
            ..Options::default()
        };
        let sandbox = Sandbox::start(options)
            .await
            .context("the sandbox cannot start")?;
        writeln!(std::io::stderr(), "{NOTICE}")?;
        if self.command.is_empty() {
            serve(&sandbox).await
        } else {
            run_inside(&sandbox, &self.command).await
        }
    }
}

/// Serves until interrupted. The environment is also in a file, which appears when everything answers.
async fn serve(sandbox: &Sandbox) -> anyhow::Result<u8> {
    let script: String = sandbox
        .environment()
        .iter()
        .map(|(name, value)| format!("export {name}='{}'\n", value.replace('\'', r"'\''")))
        .collect();
    let unfinished = sandbox.dir().join("environment.part");
    std::fs::write(&unfinished, &script)?;
    std::fs::rename(&unfinished, sandbox.dir().join("environment"))?;
    let mut out = std::io::stdout();
    out.write_all(script.as_bytes())?;
    out.flush()?;
    tokio::signal::ctrl_c()
        .await
        .context("cannot wait for an interrupt")?;
    Ok(0)
}

async fn run_inside(sandbox: &Sandbox, command: &[OsString]) -> anyhow::Result<u8> {
    let (program, arguments) = command.split_first().context("no command")?;
    let mut command = Command::new(program);
    command.args(arguments).envs(sandbox.environment());
    let name = program.to_string_lossy().into_owned();
    // The sandbox answers on this thread meanwhile.
    let status = tokio::task::spawn_blocking(move || command.status()).await?;
    let status = status.with_context(|| format!("cannot run {name}"))?;
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(Code::Internal.exit()))
}

/// Make a small image for two platforms and push it
#[derive(Args)]
#[command(after_long_help = IMAGE_EXAMPLES)]
struct ImageArgs {
    /// Where to, such as $SIGNGATE_SANDBOX_REGISTRY/acme/app:v1
    #[arg(value_name = "IMAGE")]
    reference: String,
}

impl ImageArgs {
    async fn run(self) -> anyhow::Result<u8> {
        let reference: ImageRef = self.reference.parse()?;
        let env = env::read();
        let http = Http::new(PUSH_TIMEOUT, Vec::new())?;
        let registry = Registry::new(&http, &env, Access::Write);
        let digest = push(&registry, &reference, &Image::build(&self.reference)).await?;
        writeln!(std::io::stdout(), "{}", reference.pinned(digest))?;
        Ok(0)
    }
}

/// Pushes an image, parts first, and returns the digest of its index.
async fn push(
    registry: &Registry<'_>,
    reference: &ImageRef,
    image: &Image,
) -> Result<Digest, ServiceError> {
    let repository = reference.repository();
    for blob in &image.blobs {
        registry.push_blob(repository, &blob.bytes).await?;
    }
    for manifest in &image.manifests {
        let manifest = Manifest::new(&manifest.media_type, manifest.bytes.clone());
        registry
            .push_manifest(repository, &Version::Digest(*manifest.digest()), &manifest)
            .await?;
    }
    let index = Manifest::new(&image.index.media_type, image.index.bytes.clone());
    registry
        .push_manifest(repository, &reference.version(), &index)
        .await?;
    Ok(*index.digest())
}

/// Says why a sandbox command failed. It decides nothing, so every failure is one of usage.
pub(super) fn report(error: &anyhow::Error) -> u8 {
    // There is nowhere left to report a failing standard error to.
    let _ = writeln!(std::io::stderr(), "error: {error:#}");
    Code::UsageInvalid.exit()
}

pub(super) const NOTICE: &str = "signgate sandbox: for trial and tests only. Its certificate authority believes anybody; it \
serves on the loopback interface and nowhere else.";

const PUSH_TIMEOUT: Duration = Duration::from_secs(60);

const IMAGE_EXAMPLES: &str = "\
Examples:
  In the environment of `signgate sandbox up`; the result is the image by digest:
    signgate sandbox image $SIGNGATE_SANDBOX_REGISTRY/acme/app:v1";

const EXAMPLES: &str = "\
Examples:
  A job in the sandbox that signs an image of its own:
    signgate sandbox up -- sh -c '
      image=$(signgate sandbox image $SIGNGATE_SANDBOX_REGISTRY/acme/app:v1)
      signgate sign $image'

  A sandbox for another shell, with the slow log of a bad day:
    signgate sandbox up --dir box --latency 50ms --fault rekor-v2=status:503,times=2
    . box/environment        # in the other shell

Faults, for the services oidc, fulcio, rekor-v1, rekor-v2, tsa, registry and tuf:
  latency:50ms  status:503  status:429:2 (with Retry-After)  stall  truncate
  content:TYPE:BODY  redirect:URL  clock:+3600s
  followed by ,times=N for the first N requests and ,on=TEXT for those whose `METHOD path` contains it.";
