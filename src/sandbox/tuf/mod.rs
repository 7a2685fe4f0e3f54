//! The TUF repository: how a client learns whom to trust, and that this is still so (The Update Framework 1.0).
//!
//! Four roles sign. **Root** (two offline keys, both needed) names the keys of everybody, and its own successors.
//! **Targets** (two keys, both needed) lists the digests of the files: trusted root and signing config. **Snapshot**
//! says which versions belong together, and **timestamp**, which expires soonest, which snapshot is the newest; one
//! online key signs both. The documents are made in `metadata`, and made wrong in `attack`. Left out: delegations.

mod attack;
mod metadata;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use crate::sandbox::error::Result;
use crate::sandbox::serve::clock::Clock;
use crate::sandbox::tuf::metadata::{Keys, Listed};

pub use self::attack::TufAttack;

/// The repository, from the inside. Clones share it.
#[derive(Clone)]
pub struct TufRepository(Arc<Inner>);

struct Inner {
    clock: Clock,
    first_root: Vec<u8>,
    shelf: Mutex<Shelf>,
}

/// What is published, and what it was made from.
struct Shelf {
    keys: Keys,
    root_version: u64,
    /// Of timestamp, snapshot and targets: they are always published together.
    version: u64,
    files: BTreeMap<String, Vec<u8>>,
    published: BTreeMap<String, Vec<u8>>,
}

impl TufRepository {
    /// A repository that lists `files`.
    pub(crate) fn new(files: BTreeMap<String, Vec<u8>>, clock: Clock) -> Result<Self> {
        let keys = Keys::generate()?;
        let first_root = metadata::root(&keys, 1, clock.now(), &keys.root_signers())?;
        let mut shelf = Shelf {
            keys,
            root_version: 1,
            version: 0,
            files,
            published: BTreeMap::new(),
        };
        shelf.publish(&clock, None)?;
        Ok(Self(Arc::new(Inner {
            clock,
            first_root,
            shelf: Mutex::new(shelf),
        })))
    }

    /// The first root, for `--tuf-root`: what a client is given by another way.
    pub fn root(&self) -> &[u8] {
        &self.0.first_root
    }

    /// Everything that can be fetched, by its path.
    pub fn published(&self) -> BTreeMap<String, Vec<u8>> {
        self.shelf().published.clone()
    }

    /// Publishes the next version of everything, with the time of the service's clock.
    ///
    /// # Errors
    /// A document cannot be signed.
    pub fn publish(&self) -> Result<()> {
        self.shelf().publish(&self.0.clock, None)
    }

    /// Replaces a file, and publishes the next version.
    ///
    /// # Errors
    /// A document cannot be signed.
    pub fn replace(&self, name: &str, content: impl Into<Vec<u8>>) -> Result<()> {
        let mut shelf = self.shelf();
        shelf.files.insert(name.to_owned(), content.into());
        shelf.publish(&self.0.clock, None)
    }

    /// Publishes a new root with new root keys, signed by the old and by the new ones.
    ///
    /// # Errors
    /// A key cannot be made, or a document cannot be signed.
    pub fn rotate_root(&self) -> Result<()> {
        self.shelf().rotate_root(&self.0.clock, None)
    }

    /// From now on the repository is wrong in one way. [`publish`](Self::publish) makes it right again.
    ///
    /// # Errors
    /// A key cannot be made, or a document cannot be signed.
    pub fn attack(&self, attack: TufAttack) -> Result<()> {
        self.shelf().attack(&self.0.clock, attack)
    }

    /// The HTTP face of the repository.
    pub(crate) fn router(self) -> Router {
        Router::new().fallback(serve).with_state(self)
    }

    /// A panic elsewhere is a failed test anyway.
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(State(repository): State<TufRepository>, uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    match repository.shelf().published.get(path) {
        Some(bytes) => bytes.clone().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

impl Shelf {
    /// The next version of targets, snapshot and timestamp, right but for `attack`.
    fn publish(&mut self, clock: &Clock, attack: Option<TufAttack>) -> Result<()> {
        self.version += 1;
        let (version, now) = (self.version, clock.now());
        let name = format!("{version}.targets.json");
        let targets = metadata::targets(&self.keys, version, &self.files, now, attack)?;
        let snapshot = metadata::snapshot(
            &self.keys,
            version,
            Listed::of(version, &targets),
            now,
            attack,
        )?;
        let timestamp = metadata::timestamp(
            &self.keys,
            version,
            Listed::of(version, &snapshot),
            now,
            attack,
        )?;
        for (path, content) in &self.files {
            let digest = metadata::digest(content);
            let path = format!("targets/{digest}.{path}");
            self.published.insert(path, content.clone());
        }
        self.published.insert(name, targets);
        let name = format!("{version}.snapshot.json");
        self.published.insert(name, snapshot);
        self.published.insert(TIMESTAMP.to_owned(), timestamp);
        Ok(())
    }

    fn rotate_root(&mut self, clock: &Clock, attack: Option<TufAttack>) -> Result<()> {
        let successor = self.keys.with_new_root_keys()?;
        let next = self.root_version + 1;
        let version = match attack {
            Some(TufAttack::RootSkipsVersion) => next + 1,
            _ => next,
        };
        let mut signers = match attack {
            Some(TufAttack::RootWithoutOldKeys) => Vec::new(),
            _ => self.keys.root_signers(),
        };
        if attack != Some(TufAttack::RootWithoutNewKeys) {
            signers.extend(successor.root_signers());
        }
        let root = metadata::root(&successor, version, clock.now(), &signers)?;
        self.published.insert(format!("{next}.root.json"), root);
        if attack.is_none() {
            (self.root_version, self.keys) = (next, successor);
        }
        Ok(())
    }
}

const TIMESTAMP: &str = "timestamp.json";
