//! Whom we believe: the trusted root to verify with, the signing config to sign with, and the instances that both
//! belong to.
//!
//! Nothing is fetched here. A Sigstore instance is known by name, with the material that this version was built with,
//! or given as files, or fetched and verified by `adapters::tuf`. Which of these is used is decided in [`material`].

mod authorities;
mod key;
pub mod material;
mod root;
mod signing_config;
mod validity;

pub use authorities::{Authority, authorities};
pub use key::{KeyError, PublicKey};
pub use material::{Material, Source};
pub use root::{Requirements, TrustError, TrustedRoot};
pub use signing_config::{RekorVersion, SigningConfig, SigningServices};

use sigstore_verify::trust_root::SigstoreInstance;
use std::fmt;
use std::str::FromStr;

/// A Sigstore instance that is known by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Instance {
    /// The public-good instance, sigstore.dev.
    #[default]
    Public,
    /// Its staging instance, sigstage.dev.
    Staging,
    /// GitHub's instance for private repositories: no log and no SCT, time from its timestamp authority.
    Github,
}

impl Instance {
    /// What a signature of this instance must prove.
    pub fn requirements(self) -> Requirements {
        match self {
            Self::Public | Self::Staging => Requirements::Everything,
            Self::Github => Requirements::TimestampOnly,
        }
    }

    /// The trusted root of this instance that this version was built with.
    pub fn trusted_root(self) -> Result<TrustedRoot, TrustError> {
        TrustedRoot::parse(
            self.known().embedded_trusted_root_json(),
            self.requirements(),
        )
    }

    /// The signing config of this instance that this version was built with.
    pub fn signing_config(self) -> Result<SigningConfig, TrustError> {
        match self.known().embedded_signing_config_json() {
            Some(json) => SigningConfig::parse(json),
            None => Err(TrustError::CannotSign { instance: self }),
        }
    }

    fn known(self) -> SigstoreInstance {
        match self {
            Self::Public => SigstoreInstance::PublicGood,
            Self::Staging => SigstoreInstance::Staging,
            Self::Github => SigstoreInstance::GitHub,
        }
    }

    /// Every one of them.
    pub const ALL: [Self; 3] = [Self::Public, Self::Staging, Self::Github];
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Staging => "staging",
            Self::Github => "github",
        })
    }
}

impl FromStr for Instance {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|instance| instance.to_string() == name).ok_or_else(|| {
            "known instances are public, staging and github; a private one is given by --trusted-root and \
             --signing-config"
                .to_owned()
        })
    }
}
