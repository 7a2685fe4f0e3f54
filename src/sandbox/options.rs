//! What can be chosen about a sandbox before it starts.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::sandbox::oidc::Identity;
use crate::sandbox::registry::RegistryOptions;
use crate::sandbox::serve::FaultSpec;

/// Choices for [`Sandbox::start`](crate::sandbox::Sandbox::start). The default is what a new installation of Sigstore looks
/// like: Rekor 2, a registry with the referrers API, no faults.
#[derive(Debug, Clone)]
pub struct Options {
    /// The logs that the signing config offers, best first. Both logs always run and are always trusted.
    pub rekor: Vec<RekorVersion>,
    /// How the registry behaves.
    pub registry: RegistryOptions,
    /// The GitHub job that the environment describes and whose token the runner endpoint gives out.
    pub job: Identity,
    /// Added to every answer of every service.
    pub latency: Duration,
    /// Faults and clock offsets that hold from the start.
    pub faults: Vec<FaultSpec>,
    /// Where files go; by default a temporary directory that is removed with the sandbox.
    pub dir: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rekor: vec![RekorVersion::V2],
            registry: RegistryOptions::default(),
            job: Identity::github(
                "acme/app",
                ".github/workflows/release.yml",
                "refs/heads/main",
            ),
            latency: Duration::ZERO,
            faults: Vec::new(),
            dir: None,
        }
    }
}

/// A major version of the transparency log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RekorVersion {
    /// Rekor 1: promises, integrated times and proofs.
    V1,
    /// Rekor 2: proofs only, so that a signed timestamp is needed.
    V2,
}

impl RekorVersion {
    /// Both versions.
    pub const ALL: [Self; 2] = [Self::V1, Self::V2];
}

impl fmt::Display for RekorVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        })
    }
}

impl FromStr for RekorVersion {
    type Err = UnknownRekorVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|version| version.to_string() == text)
            .ok_or_else(|| UnknownRekorVersion(text.to_owned()))
    }
}

/// A version of Rekor that the sandbox does not have.
#[derive(Debug, thiserror::Error)]
#[error("unknown version of Rekor `{0}`: it is v1 or v2")]
pub struct UnknownRekorVersion(String);
