//! Whom to believe in this run: the options for it, and the material that they lead to.

use crate::adapters::files;
use crate::adapters::http::{Http, Method};
use crate::adapters::tuf::{self, Repository};
use crate::ci::Env;
use crate::flow::ports::{self, Service};
use crate::limits;
use crate::outcome::{Code, Problem};
use crate::report::shown;
use crate::trust::material::without_answer;
use crate::trust::{
    Instance, Material, PublicKey, Requirements, SigningConfig, SigningServices, Source,
    TrustError, TrustedRoot,
};
use clap::Args;
use jiff::Timestamp;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::OnceCell;

/// Which Sigstore to believe.
#[derive(Args)]
#[command(next_help_heading = "Trust")]
pub(super) struct TrustOptions {
    /// Sigstore instance: public, staging or github
    #[arg(long, env = "SIGNGATE_INSTANCE", default_value_t, value_name = "NAME")]
    instance: Instance,

    /// Trusted root of a private instance (trusted_root.json), instead of a named one
    #[arg(
        long,
        env = "SIGNGATE_TRUSTED_ROOT",
        value_name = "FILE",
        conflicts_with = "instance"
    )]
    trusted_root: Option<PathBuf>,

    /// TUF repository of a private instance (with --tuf-root), or a mirror of the named one's
    #[arg(
        long,
        env = "SIGNGATE_TUF_URL",
        value_name = "URL",
        conflicts_with = "trusted_root"
    )]
    tuf_url: Option<String>,

    /// Root of trust (root.json) of the private instance's TUF repository
    #[arg(
        long,
        env = "SIGNGATE_TUF_ROOT",
        value_name = "FILE",
        requires = "tuf_url",
        conflicts_with = "instance"
    )]
    tuf_root: Option<PathBuf>,
}

/// Whether Sigstore may be asked for anything.
#[derive(Args)]
#[command(next_help_heading = "Trust")]
pub(super) struct OfflineOption {
    /// Ask no Sigstore service for anything: use the trust material that is at hand
    #[arg(long, env = "SIGNGATE_OFFLINE")]
    offline: bool,
}

impl OfflineOption {
    /// The client, if it may ask Sigstore.
    pub(super) fn allows<'a>(&self, http: &'a Http) -> Option<&'a Http> {
        (!self.offline).then_some(http)
    }
}

impl TrustOptions {
    /// The material for verifying, with which `key` is believed instead of certificates, if there is one. What is in
    /// files is read at once, the rest when it is needed. Without `http` nobody is asked.
    pub(super) fn source(
        &self,
        http: Option<&Http>,
        env: &Env,
        key: Option<PublicKey>,
    ) -> Result<TrustSource, Problem> {
        let now = Timestamp::now();
        let mut source = TrustSource {
            name: self.instance.to_string(),
            repository: None,
            requirements: Requirements::Everything,
            http: http.cloned(),
            key,
            now,
            must_sign: false,
            loaded: OnceCell::new(),
        };
        if let Some(path) = &self.trusted_root {
            source.name = path.display().to_string();
            let loaded = source.of_file(path, None)?;
            source.loaded = OnceCell::new_with(Some(Ok(loaded)));
            return Ok(source);
        }
        let cache = tuf::directory(env);
        source.repository = Some(match (&self.tuf_url, &self.tuf_root) {
            (Some(url), Some(root)) => {
                source.name.clone_from(url);
                let root = files::read_text(root, limits::TRUST_FILE_BYTES);
                let root = root.map_err(super::problem)?.into_bytes();
                Repository::private(url.clone(), root, cache.as_deref())
            }
            (mirror, _) => {
                source.requirements = self.instance.requirements();
                Repository::of_instance(self.instance, mirror.clone(), cache.as_deref())
            }
        });
        // A URL that cannot be used is a mistake in the configuration, not an outage.
        if let (Some(http), Some(url)) = (http, &self.tuf_url) {
            http.request(Service::Tuf, Method::GET, url)
                .map_err(super::problem)?;
        }
        Ok(source)
    }

    /// The material for signing. `config` is the signing config that goes with the trusted root in a file.
    pub(super) fn signing_source(
        &self,
        http: &Http,
        env: &Env,
        config: Option<&PathBuf>,
    ) -> Result<TrustSource, Problem> {
        let mut source = self.source(Some(http), env, None)?;
        source.must_sign = true;
        if let (Some(root), Some(config)) = (&self.trusted_root, config) {
            let loaded = source.of_file(root, Some(config))?;
            source.loaded = OnceCell::new_with(Some(Ok(loaded)));
        } else if self.tuf_url.is_none() {
            // What cannot be signed with is known before anybody is asked.
            self.instance.signing_config().map_err(super::problem)?;
        }
        Ok(source)
    }

    /// Whether a private instance is given by files.
    pub(super) fn is_private(&self) -> bool {
        self.trusted_root.is_some()
    }
}

/// Trust material that is found when it is first asked for: meanwhile a story can do something else.
pub(super) struct TrustSource {
    /// The name of the instance, or what stands for it.
    pub(super) name: String,
    /// Nothing if the material is in files.
    pub(super) repository: Option<Repository>,
    requirements: Requirements,
    /// Nothing if nobody may be asked.
    http: Option<Http>,
    key: Option<PublicKey>,
    pub(super) now: Timestamp,
    must_sign: bool,
    loaded: OnceCell<Result<Loaded, Arc<TrustError>>>,
}

/// Trust material, ready to use.
pub(super) struct Loaded {
    pub(super) material: Material,
    trusted_root: TrustedRoot,
    services: Option<SigningServices>,
    warnings: Vec<String>,
}

impl Loaded {
    /// Says on standard error what is wrong with it.
    pub(super) fn warn(&self) {
        for warning in &self.warnings {
            // There is nowhere left to report a failing standard error to.
            let _ = writeln!(io::stderr().lock(), "warning: {}", shown(warning));
        }
    }
}

impl TrustSource {
    /// The material by the rule in [`crate::trust::material`]. Whoever asks again gets the same answer.
    pub(super) async fn loaded(&self) -> Result<&Loaded, TrustError> {
        let loaded = self
            .loaded
            .get_or_init(|| async { self.load().await.map_err(Arc::new) });
        let loaded = loaded.await.as_ref();
        loaded.map_err(|error| TrustError::Shared(Arc::clone(error)))
    }

    /// Where to sign.
    pub(super) async fn services(&self) -> Result<&SigningServices, TrustError> {
        let services = self.loaded().await?.services.as_ref();
        services.ok_or(TrustError::NoSigningConfig)
    }

    /// Says on standard error what is wrong with the material that was used.
    pub(super) fn warn(&self) {
        if let Some(Ok(loaded)) = self.loaded.get() {
            loaded.warn();
        }
    }

    /// What the repository says now, whatever the cache holds.
    pub(super) async fn refreshed(&self) -> Result<Loaded, TrustError> {
        let (Some(repository), Some(http)) = (&self.repository, &self.http) else {
            return Err(TrustError::Nothing);
        };
        let (material, unwritable) = repository.refresh(http, self.now).await?;
        self.ready(
            material,
            unwritable.iter().map(ToString::to_string).collect(),
        )
    }

    async fn load(&self) -> Result<Loaded, TrustError> {
        let Some(repository) = &self.repository else {
            return Err(TrustError::Nothing);
        };
        let (cached, unreadable) = repository.cached(self.now).await;
        let mut warnings: Vec<String> = unreadable.iter().map(ToString::to_string).collect();
        let is_fresh = cached
            .as_ref()
            .is_some_and(|cached| cached.is_fresh(self.now));
        let failure = match is_fresh || self.http.is_none() {
            true => None,
            false => match self.refreshed().await {
                Ok(mut loaded) => {
                    loaded.warnings.splice(0..0, warnings);
                    return Ok(loaded);
                }
                Err(error) => Some(error),
            },
        };
        let (material, stale) = without_answer(cached, repository.embedded(), failure, self.now)?;
        if let Some(stale) = stale {
            warnings.push(stale.to_string());
            warnings.extend(stale.failure.map(|failure| failure.to_string()));
        }
        self.ready(material, warnings)
    }

    fn ready(&self, material: Material, warnings: Vec<String>) -> Result<Loaded, TrustError> {
        let trusted_root = TrustedRoot::parse(&material.trusted_root, self.requirements)?;
        let trusted_root = trusted_root.believing(self.key.clone());
        let services = match (&material.signing_config, self.must_sign) {
            (Some(json), true) => Some(SigningConfig::parse(json)?.services(self.now)?),
            _ => None,
        };
        Ok(Loaded {
            material,
            trusted_root,
            services,
            warnings,
        })
    }

    fn of_file(&self, root: &Path, config: Option<&PathBuf>) -> Result<Loaded, Problem> {
        let read = |path| files::read_text(path, limits::TRUST_FILE_BYTES).map_err(super::problem);
        let of = |error: TrustError, path: &Path| {
            let problem = Problem::of(&error);
            let what = format!("{} ({})", problem.what, path.display());
            Problem { what, ..problem }
        };
        let trusted_root = read(root)?;
        TrustedRoot::parse(&trusted_root, self.requirements).map_err(|error| of(error, root))?;
        let signing_config = config.map(|path| read(path)).transpose()?;
        if let (Some(json), Some(path)) = (&signing_config, config) {
            SigningConfig::parse(json).map_err(|error| of(error, path))?;
        }
        let material = Material {
            trusted_root,
            signing_config,
            source: Source::File,
            metadata: None,
        };
        self.ready(material, Vec::new()).map_err(super::problem)
    }
}

impl ports::Trust for TrustSource {
    async fn trusted_root(&self) -> Result<&TrustedRoot, TrustError> {
        if self.must_sign {
            self.services().await?;
        }
        Ok(&self.loaded().await?.trusted_root)
    }
}

/// `trust` commands are about a TUF repository, which files do not have.
pub(super) fn nothing_to_update() -> Problem {
    Problem {
        code: Code::UsageInvalid,
        what: "a trusted root in a file cannot be updated".to_owned(),
        why: Vec::new(),
        fix: "name an --instance, or its TUF repository with --tuf-url and --tuf-root".to_owned(),
    }
}
