//! The TUF repository of a Sigstore instance (The Update Framework 1.0): it delivers the trusted root and the signing
//! config, and proves that they are the newest ones.
//!
//! The protocol itself (signatures, thresholds, versions, expiry, digests) is done by the crate; its bytes come from
//! `transport`, over our client, and from `cache`, which is believed as little as the network. What is used when
//! there is no answer is decided in [`crate::trust::material`].

mod cache;
mod transport;

pub use cache::{CacheError, directory};

use super::http::Http;
use crate::flow::ports::{Fault, ServiceError};
use crate::limits;
use crate::trust::material::Metadata;
use crate::trust::{Instance, Material, Source, TrustError};
use cache::{Cache, Files};
use futures_util::future::OptionFuture;
use futures_util::join;
use jiff::{SignedDuration, Timestamp};
use sigstore_tuf::{Error, StoreRepository, TargetFile, Updater, UpdaterConfig};
use sigstore_verify::trust_root::{SIGNING_CONFIG_TARGET, SigstoreInstance, TRUSTED_ROOT_TARGET};
use std::path::Path;
use std::time::Duration;
use transport::Remote;

/// A TUF repository, its root of trust, and what an earlier run left of it.
pub struct Repository {
    url: String,
    root: Vec<u8>,
    embedded: Option<Material>,
    cache: Option<Cache>,
}

impl Repository {
    /// The repository of a named instance, or a mirror of it. The root of trust is built into this version.
    pub fn of_instance(instance: Instance, mirror: Option<String>, cache: Option<&Path>) -> Self {
        let known = match instance {
            Instance::Public => SigstoreInstance::PublicGood,
            Instance::Staging => SigstoreInstance::Staging,
            Instance::Github => SigstoreInstance::GitHub,
        };
        let url = mirror.unwrap_or_else(|| known.tuf_url().to_owned());
        let embedded = Some(Material::embedded(instance));
        Self::new(url, known.tuf_root().to_vec(), embedded, cache)
    }

    /// The repository of a private instance. `root` is the root of trust, which the user got by another way.
    pub fn private(url: String, root: Vec<u8>, cache: Option<&Path>) -> Self {
        Self::new(url, root, None, cache)
    }

    fn new(url: String, root: Vec<u8>, embedded: Option<Material>, cache: Option<&Path>) -> Self {
        let url = url.trim_end_matches('/').to_owned();
        let cache = cache.map(|directory| Cache::of(directory, &url));
        Self {
            url,
            root,
            embedded,
            cache,
        }
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The material that this version was built with.
    pub fn embedded(&self) -> Option<Material> {
        self.embedded.clone()
    }

    /// What the cache holds, verified from the root of trust on, but accepted for a while after its expiry; and what
    /// is wrong with the cache.
    pub async fn cached(&self, now: Timestamp) -> (Option<Material>, Option<CacheError>) {
        let (files, problem) = self.files();
        // Expired within the grace is the same as fresh at its beginning.
        let grace = SignedDuration::from_hours(24 * limits::TRUST_GRACE_DAYS);
        let Ok(then) = now.checked_sub(grace) else {
            return (None, problem);
        };
        let verified = async {
            let repository = StoreRepository::new(files.clone());
            self.run(repository, &files, then, Source::Cache).await
        };
        (verified.await.ok(), problem)
    }

    /// Asks the repository. What it says is kept for the next run, if it can be: the second value tells if not.
    ///
    /// Sequential requests: the next root and the timestamp at once; the snapshot; the targets; the files. One if
    /// nothing changed, and no more than three if the files are those that this version was built with.
    pub async fn refresh(
        &self,
        http: &Http,
        now: Timestamp,
    ) -> Result<(Material, Option<CacheError>), TrustError> {
        let (files, _) = self.files();
        let before = files.texts();
        let limit = Duration::from_secs(limits::TRUST_REFRESH_SECONDS);
        let remote = Remote::new(
            http.within(limit, "20 seconds for trust material"),
            &self.url,
        );
        let material = self
            .run(remote, &files, now, Source::Tuf)
            .await
            .map_err(|error| failure(&error))?;
        let after = files.texts();
        let kept = match &self.cache {
            Some(cache) if after != before => cache.save(&after).err(),
            _ => None,
        };
        Ok((material, kept))
    }

    /// The whole client workflow (TUF spec 5) over `repository`. `files` are the version floors, and get what is new.
    async fn run(
        &self,
        repository: impl sigstore_tuf::Repository + 'static,
        files: &Files,
        now: Timestamp,
        source: Source,
    ) -> Result<Material, Error> {
        let mut updater = Updater::new(repository, &self.root)?
            .with_config(bounds())
            .with_store(files.clone());
        updater.refresh(now).await?;
        let root = updater.get_target_info(TRUSTED_ROOT_TARGET, now).await?;
        let root = root.ok_or_else(|| Error::TargetNotFound(TRUSTED_ROOT_TARGET.to_owned()))?;
        // GitHub's instance has none.
        let config = updater.get_target_info(SIGNING_CONFIG_TARGET, now).await?;
        let config = config.as_ref();
        let config = config.map(|config| file(&updater, SIGNING_CONFIG_TARGET, config));
        let config = OptionFuture::from(config);
        let (root, config) = join!(file(&updater, TRUSTED_ROOT_TARGET, &root), config);
        Ok(Material {
            trusted_root: root?,
            signing_config: config.transpose()?,
            source,
            metadata: metadata(&updater),
        })
    }

    /// What the cache holds. The embedded files are in it from the start: if they are still current, their digests
    /// say so, and they need not be fetched.
    fn files(&self) -> (Files, Option<CacheError>) {
        let (mut texts, problem) = match self.cache.as_ref().map(Cache::load) {
            Some(Ok(texts)) => (texts, None),
            Some(Err(error)) => (cache::Texts::new(), Some(error)),
            None => (cache::Texts::new(), None),
        };
        if let Some(embedded) = self.embedded() {
            let config = embedded.signing_config;
            for (name, text) in [
                (TRUSTED_ROOT_TARGET, Some(embedded.trusted_root)),
                (SIGNING_CONFIG_TARGET, config),
            ] {
                if let Some(text) = text {
                    texts.entry(format!("targets/{name}")).or_insert(text);
                }
            }
        }
        (Files::new(texts), problem)
    }
}

/// A file that the metadata lists, with the digest that the metadata lists.
async fn file(updater: &Updater, name: &str, listed: &TargetFile) -> Result<String, Error> {
    let bytes = match updater.find_cached_target(listed, name) {
        Some(bytes) => bytes,
        None => updater.download_target(listed, name).await?,
    };
    String::from_utf8(bytes).map_err(|_| Error::Malformed(format!("{name} is not text")))
}

fn metadata(updater: &Updater) -> Option<Metadata> {
    let trusted = updater.trusted();
    let (root, timestamp) = (trusted.root(), trusted.timestamp()?);
    let (snapshot, targets) = (trusted.snapshot()?, trusted.targets_role("targets")?);
    let expires = [timestamp.expires, snapshot.expires, targets.expires];
    Some(Metadata {
        root: root.version,
        timestamp: timestamp.version,
        snapshot: snapshot.version,
        targets: targets.version,
        expires: expires.into_iter().fold(root.expires, Timestamp::min),
    })
}

fn bounds() -> UpdaterConfig {
    let mut bounds = UpdaterConfig::default();
    bounds.target_max_length = limits::TUF_TARGET_BYTES;
    bounds.max_root_rotations = limits::TUF_ROOT_ROTATIONS;
    bounds
}

/// Who does not answer is unavailable; who answers something that does not verify is refused.
fn failure(error: &Error) -> TrustError {
    let mut causes = vec![error.to_string()];
    let mut cause = std::error::Error::source(error);
    let mut is_refusal = !matches!(error, Error::Transport { .. } | Error::Io { .. });
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<ServiceError>() {
            causes.clear();
            is_refusal = matches!(error.fault, Fault::TooLarge { .. });
        }
        causes.push(error.to_string());
        cause = error.source();
    }
    let why = causes.join(": ");
    match is_refusal {
        true => TrustError::Refused { why },
        false => TrustError::Unavailable { why },
    }
}
