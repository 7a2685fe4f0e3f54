//! A whole Sigstore, and a registry, on the loopback interface of one process: for trying, testing and learning.
//!
//! The servers speak the real protocols with real cryptography, so that signgate and cosign work against them
//! unchanged; but the keys are made anew at every start and the issuers believe anybody who is let in. Nothing here
//! is ever part of a release binary.
//!
//! # Who talks to whom
//!
//! Signing an image, in order:
//!
//! 1. **OIDC issuer** (`oidc`). The job asks its platform for an ID token: a signed statement of which repository,
//!    workflow, ref and commit is running.
//! 2. **Fulcio** (`fulcio`). The job makes a key pair, and exchanges the token for a certificate that binds the
//!    public key to the claims (`fulcio/extensions`) for ten minutes. Before the certificate authority (`fulcio/ca`) signs, the
//!    **certificate transparency log** (`fulcio/ct_log`) promises to make the certificate public.
//! 3. The job signs a statement about the image and throws the private key away. From now on the signature can only
//!    be believed if it was made within those ten minutes, which somebody else must attest:
//! 4. the **timestamp authority** (`tsa`) says when the signature existed, and
//! 5. **Rekor** says that everybody can see it: an append-only log (`rekor/merkle`) whose head is signed (`rekor/checkpoint`).
//!    Version 1 (`rekor/v1`) also promises and tells the time, version 2 (`rekor/v2`) does neither.
//! 6. **Registry** (`registry`). Certificate, signature, timestamp and log entry become one *bundle*, and the bundle
//!    is attached to the image.
//!
//! Verifying needs the registry only: everything else was proved beforehand, to whoever has the trusted root
//! (`trust`), which lists the keys of steps 2, 4 and 5. Steps 4 and 5 do not depend on each other. Who has not yet
//! asks the **TUF repository** (`tuf`), which also says whether it is still the newest one.
//!
//! # Playing with it
//!
//! [`Sandbox::service`] breaks or delays a service and turns its clock; [`Sandbox::oidc`] makes the job another one;
//! [`Sandbox::requests`] tells who asked for what; [`Sandbox::forger`] makes bundles that are wrong in exactly one
//! way; [`Sandbox::registry`] looks into the registry and poisons it.

mod certificate;
mod environment;
mod error;
mod forge;
mod fulcio;
mod image;
mod oidc;
mod options;
mod registry;
mod rekor;
mod serve;
#[cfg(test)]
mod tests;
mod trust;
mod tsa;
mod tuf;

pub use self::error::{Error, Result};
pub use self::forge::{BundleVersion, Entry, Flaw, Forger, Form, Key, LegacyLayer, SignedWithKey};
pub use self::image::{Blob, Image};
pub use self::oidc::{Identity, Issuer, Provider};
pub use self::options::{Options, RekorVersion, UnknownRekorVersion};
pub use self::registry::{Credentials, Registry, RegistryOptions};
pub use self::serve::{
    Change, Fault, FaultSpec, FaultSpecError, Faults, Listener, Order, Repeat, Request, RequestLog,
    Service, ServiceName, UnknownService,
};
pub use self::tuf::{TufAttack, TufRepository};

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use crate::sandbox::fulcio::ca::CertificateAuthority;
use crate::sandbox::rekor::v1::RekorV1;
use crate::sandbox::rekor::v2::RekorV2;
use crate::sandbox::serve::stand::{Services, Stands};
use crate::sandbox::trust::Trust;
use crate::sandbox::tsa::TimestampAuthority;

/// A running sandbox. Dropping it stops the servers and removes a temporary directory.
pub struct Sandbox {
    services: Services,
    issuer: Issuer,
    registry: Registry,
    trust: Trust,
    tuf: TufRepository,
    log: RequestLog,
    dir: PathBuf,
    _temporary: Option<TempDir>,
}

impl Sandbox {
    /// Starts every service on a free port of 127.0.0.1, within the current Tokio runtime, and writes
    /// `trusted_root.json`, `signing_config.json` and, as requests come, `requests.jsonl` into the directory.
    ///
    /// # Errors
    /// The directory cannot be written, or the system has no port or no randomness to give.
    pub async fn start(options: Options) -> Result<Self> {
        let (dir, temporary) = directory(options.dir.as_deref())?;
        let log = RequestLog::with_file(&dir.join("requests.jsonl"))?;
        let stands = Stands::set_up(&options).await?;
        let since = Timestamp::now()
            .checked_sub(TRUSTED_BEFORE_START)
            .map_err(|error| Error::Range(error.to_string()))?;

        let issuer = Issuer::new(stands.oidc.url(), stands.oidc.clock(), options.job.clone())?;
        let ca = CertificateAuthority::new(since)?;
        let trust = Trust {
            retired: Arc::new(ca.retired(since)?),
            ca: Arc::new(ca),
            rekor_v1: RekorV1::new(host(stands.rekor_v1.url()), stands.rekor_v1.clock())?,
            rekor_v2: RekorV2::new()?,
            tsa: TimestampAuthority::new(stands.tsa.clock(), since)?,
            since,
        };
        let addresses = stands.addresses();
        let trusted_root = trust.trusted_root(&addresses)?;
        write_json(&dir.join(TRUSTED_ROOT), &trusted_root)?;
        let signing_config = trust.signing_config(&addresses, &options.rekor);
        write_json(&dir.join(SIGNING_CONFIG), &signing_config)?;
        let files = [
            ("trusted_root.json", &trusted_root),
            ("signing_config.v0.2.json", &signing_config),
        ];
        let files = files.map(|(name, document)| (name.to_owned(), document.to_string().into()));
        let tuf = TufRepository::new(files.into(), stands.tuf.clock())?;
        std::fs::write(dir.join(TUF_ROOT), tuf.root())?;

        let registry = Registry::new(options.registry);
        let services = stands.open(&issuer, &trust, (&registry, &tuf), &log);
        Ok(Self {
            services,
            issuer,
            registry,
            trust,
            tuf,
            log,
            dir,
            _temporary: temporary,
        })
    }

    /// A service: its address, its faults and its clock.
    pub fn service(&self, name: ServiceName) -> &Service {
        match name {
            ServiceName::Oidc => &self.services.oidc,
            ServiceName::Fulcio => &self.services.fulcio,
            ServiceName::RekorV1 => &self.services.rekor_v1,
            ServiceName::RekorV2 => &self.services.rekor_v2,
            ServiceName::Tsa => &self.services.tsa,
            ServiceName::Registry => &self.services.registry,
            ServiceName::Tuf => &self.services.tuf,
        }
    }

    /// `http://127.0.0.1:PORT` of a service, without a slash at the end.
    pub fn url(&self, name: ServiceName) -> &str {
        &self.service(name).url
    }

    /// `127.0.0.1:PORT` of the registry, as it stands in an image reference.
    pub fn registry_host(&self) -> &str {
        host(self.url(ServiceName::Registry))
    }

    /// Every request that a service has answered.
    pub fn requests(&self) -> &RequestLog {
        &self.log
    }

    /// The registry, from the inside.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The TUF repository that delivers the trusted root and the signing config, from the inside.
    pub fn tuf(&self) -> &TufRepository {
        &self.tuf
    }

    /// The issuers, and through them the running job.
    pub fn oidc(&self) -> &Issuer {
        &self.issuer
    }

    /// Makes bundles that verify under this sandbox's trusted root, or just do not.
    pub fn forger(&self) -> Forger {
        Forger::new(self.trust.clone(), self.issuer.clone())
    }

    /// The trusted root, for `--trusted-root`.
    pub fn trusted_root_path(&self) -> PathBuf {
        self.dir.join(TRUSTED_ROOT)
    }

    /// The signing config, for `--signing-config`.
    pub fn signing_config_path(&self) -> PathBuf {
        self.dir.join(SIGNING_CONFIG)
    }

    /// The TUF repository's root of trust, for `--tuf-root`.
    pub fn tuf_root_path(&self) -> PathBuf {
        self.dir.join(TUF_ROOT)
    }

    /// The directory that holds the files.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What a shell exports to be the running GitHub job, for signgate and for cosign, at this moment.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        environment::environment(self)
    }
}

fn directory(wanted: Option<&Path>) -> Result<(PathBuf, Option<TempDir>)> {
    match wanted {
        Some(dir) => {
            std::fs::create_dir_all(dir)?;
            // The environment names files in it, for shells that stand somewhere else.
            Ok((std::path::absolute(dir)?, None))
        }
        None => {
            let temporary = tempfile::Builder::new()
                .prefix("signgate-sandbox-")
                .tempdir()?;
            Ok((temporary.path().to_owned(), Some(temporary)))
        }
    }
}

fn write_json(path: &Path, document: &serde_json::Value) -> Result<()> {
    Ok(std::fs::write(path, serde_json::to_vec_pretty(document)?)?)
}

fn host(url: &str) -> &str {
    url.strip_prefix("http://").unwrap_or(url)
}

const TRUSTED_ROOT: &str = "trusted_root.json";
const SIGNING_CONFIG: &str = "signing_config.json";
const TUF_ROOT: &str = "tuf_root.json";
/// Authorities are trusted from before the start, so that a service whose clock is slow is still believed.
const TRUSTED_BEFORE_START: SignedDuration = SignedDuration::from_hours(30 * 24);
