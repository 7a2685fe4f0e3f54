//! An OCI registry in memory (distribution-spec 1.1), open to every client that speaks it.
//!
//! It checks what a real one checks: digests of what it is given, that a manifest's parts are there, the scope of
//! tokens. What differs between real registries is an option: the referrers API, tokens, tags that cannot move.
//! It keeps nothing on disk, deletes nothing by itself, and serves no byte ranges.
//!
//! | File        | Endpoints                                                                   |
//! |-------------|-----------------------------------------------------------------------------|
//! | `manifests` | `/v2/NAME/manifests/REFERENCE`, where a reference is a tag or a digest      |
//! | `blobs`     | `/v2/NAME/blobs/DIGEST`                                                     |
//! | `uploads`   | `/v2/NAME/blobs/uploads/`, where a blob gets in                             |
//! | `tags`      | `/v2/NAME/tags/list`                                                        |
//! | `referrers` | `/v2/NAME/referrers/DIGEST`, the manifests that point at another by `subject` |
//! | `auth`      | `/token`, and the check of what it issued                                   |

mod auth;
mod blobs;
mod digest;
mod door;
mod manifests;
mod path;
mod referrers;
mod refusal;
mod store;
mod tags;
mod uploads;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::http::{self, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

pub use self::auth::Credentials;
use self::auth::Gate;
use self::digest::Digest;
use self::door::Door;
use self::path::Reference;
use self::refusal::{Code, Refusal};
use self::store::{Manifest, Store};

/// In what a registry differs from others.
#[derive(Clone, Debug)]
pub struct RegistryOptions {
    /// Whether it has the referrers API. Without it, it answers as registries did before the API existed.
    pub referrers_api: bool,
    /// How many referrers it lists before it sends the client to a next page.
    pub referrers_page: usize,
    /// Whether it wants bearer tokens, and whom it lets push. Everybody may pull, with an anonymous token.
    pub token_auth: Option<Credentials>,
    /// Whether a tag, once set, stays on its manifest.
    pub immutable_tags: bool,
}

impl Default for RegistryOptions {
    /// A referrers API with pages of 1000, no tokens, tags that move.
    fn default() -> Self {
        Self {
            referrers_api: true,
            referrers_page: 1000,
            token_auth: None,
            immutable_tags: false,
        }
    }
}

/// The registry, and a way around its HTTP door for tests that play an attacker. Clones share the content.
#[derive(Clone)]
pub struct Registry(Arc<Shared>);

struct Shared {
    options: RegistryOptions,
    gate: Gate,
    store: Mutex<Store>,
}

impl Registry {
    /// An empty registry.
    pub fn new(options: RegistryOptions) -> Self {
        let gate = Gate::new(options.token_auth.clone());
        Self(Arc::new(Shared {
            options,
            gate,
            store: Mutex::default(),
        }))
    }

    /// Its endpoints. `url` is where they will be served, `http://127.0.0.1:PORT`; challenges name it.
    pub fn router(self, url: &str) -> Router {
        let door = Door {
            registry: self,
            url: url.into(),
        };
        // Repository names contain slashes, which no route pattern can hold in the middle of a path.
        Router::new().fallback(door::open).with_state(door)
    }

    /// The bytes served for a manifest, by tag or by digest.
    pub fn manifest(&self, repository: &str, reference: &str) -> Option<Vec<u8>> {
        let reference = Reference::parse(reference).ok()?;
        let store = self.store();
        let (_, manifest) = store
            .repository(repository)
            .ok()?
            .manifest(&reference)
            .ok()?;
        Some(manifest.bytes.to_vec())
    }

    /// The tags of a repository in alphabetical order; none if there is no such repository.
    pub fn tags(&self, repository: &str) -> Vec<String> {
        let store = self.store();
        store
            .repository(repository)
            .map(|repository| repository.tags.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// Deletes a tag, or a manifest with its tags. Tells whether there was one.
    pub fn delete_manifest(&self, repository: &str, reference: &str) -> bool {
        let Ok(reference) = Reference::parse(reference) else {
            return false;
        };
        let mut store = self.store();
        store
            .existing_mut(repository)
            .is_ok_and(|repository| repository.delete_manifest(&reference).is_ok())
    }

    /// Serves bytes under a digest, as manifest and as blob, whether they hash to it or not.
    ///
    /// A manifest that was there keeps its media type and its place among the referrers.
    ///
    /// Returns whether `digest` has the form of one.
    pub fn put_raw(&self, repository: &str, digest: &str, bytes: &[u8]) -> bool {
        let Ok(digest) = Digest::parse(digest) else {
            return false;
        };
        let bytes = Bytes::copy_from_slice(bytes);
        let mut store = self.store();
        let repository = store.repository_mut(repository);
        repository.blobs.insert(digest.clone(), bytes.clone());
        match repository.manifests.get_mut(&digest) {
            Some(manifest) => manifest.bytes = bytes,
            None => drop(
                repository
                    .manifests
                    .insert(digest, Manifest::unchecked(bytes)),
            ),
        }
        true
    }

    /// Adds a descriptor to the referrers of a manifest, whatever it says and whether it exists or not.
    pub fn add_referrer(&self, repository: &str, subject: &str, descriptor: Value) {
        let planted = (subject.to_owned(), descriptor);
        self.store()
            .repository_mut(repository)
            .planted_referrers
            .push(planted);
    }

    /// Makes every token that was issued invalid, as if it had expired.
    pub fn revoke_tokens(&self) {
        self.0.gate.revoke();
    }

    fn options(&self) -> &RegistryOptions {
        &self.0.options
    }

    /// A panic elsewhere cannot leave a half-written entry, so a poisoned lock is still good.
    fn store(&self) -> MutexGuard<'_, Store> {
        self.0.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("options", self.options())
            .finish_non_exhaustive()
    }
}

/// What every endpoint is given: a request that has arrived whole.
type Request = http::Request<Bytes>;

/// What every endpoint returns.
type Answer = Result<Response, Refusal>;

/// An answer with headers. A value that no header can hold is left out.
fn answer(status: StatusCode, headers: &[(HeaderName, &str)], body: impl Into<Bytes>) -> Response {
    let mut response = (status, body.into()).into_response();
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The refusal of a method that an endpoint does not have.
fn unsupported(method: &Method) -> Refusal {
    Refusal::new(Code::Unsupported, format!("{method} is not supported here"))
}

const DOCKER_CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

#[cfg(test)]
mod tests;
