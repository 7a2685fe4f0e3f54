//! Uploads of blobs: `/v2/NAME/blobs/uploads/` (distribution-spec, "Pushing blobs").
//!
//! A blob gets in by one request (`POST ?digest=`), by two (`POST`, then `PUT ?digest=` with the content), in pieces
//! (`POST`, `PATCH`..., `PUT ?digest=`), or from another repository (`POST ?mount=&from=`).

use std::collections::HashMap;

use axum::extract::Query;
use axum::http::header::{CONTENT_RANGE, LOCATION, RANGE};
use axum::http::{HeaderName, Method, StatusCode, Uri};
use axum::response::Response;

use super::auth::Action;
use super::digest::Digest;
use super::refusal::{Code, Refusal};
use super::store::Repository;
use super::{Answer, DOCKER_CONTENT_DIGEST, Registry, Request};

/// Begins an upload, or does without one.
pub(super) fn begin(registry: &Registry, name: &str, request: &Request) -> Answer {
    if request.method() != Method::POST {
        return Err(super::unsupported(request.method()));
    }
    let query = query(request.uri());
    if let (Some(digest), Some(from)) = (query.get("mount"), query.get("from"))
        && registry
            .0
            .gate
            .allows(request.headers(), from, Action::Pull)
        && let Some(answer) = mount(registry, name, &Digest::parse(digest)?, from)
    {
        return Ok(answer);
    }
    if let Some(digest) = query.get("digest") {
        let digest = Digest::parse(digest)?;
        let content = request.body().clone();
        digest.check(&content)?;
        registry
            .store()
            .repository_mut(name)
            .blobs
            .insert(digest.clone(), content);
        return Ok(created(name, &digest));
    }
    let id = super::auth::random_name();
    registry
        .store()
        .repository_mut(name)
        .uploads
        .insert(id.clone(), Vec::new());
    Ok(progress(StatusCode::ACCEPTED, name, &id, 0))
}

/// Goes on with an upload, ends it, or tells how far it is.
pub(super) fn go_on(registry: &Registry, name: &str, id: &str, request: &Request) -> Answer {
    match *request.method() {
        Method::GET => {
            let received = upload(registry.store().existing_mut(name)?, id)?.len();
            Ok(progress(StatusCode::NO_CONTENT, name, id, received))
        }
        Method::PATCH => {
            let received = append(registry, name, id, request)?;
            Ok(progress(StatusCode::ACCEPTED, name, id, received))
        }
        Method::PUT => {
            append(registry, name, id, request)?;
            finish(registry, name, id, request.uri())
        }
        Method::DELETE => {
            let mut store = registry.store();
            let repository = store.existing_mut(name)?;
            upload(repository, id)?;
            repository.uploads.remove(id);
            Ok(super::answer(StatusCode::NO_CONTENT, &[], ""))
        }
        _ => Err(super::unsupported(request.method())),
    }
}

/// A blob of another repository, if it is there. If not, the client has to upload it.
fn mount(registry: &Registry, name: &str, digest: &Digest, from: &str) -> Option<Response> {
    let mut store = registry.store();
    let blob = store.repository(from).ok()?.blob(digest).ok()?.clone();
    store
        .repository_mut(name)
        .blobs
        .insert(digest.clone(), blob);
    Some(created(name, digest))
}

/// Adds a piece, which has to begin where the one before it ended. Returns how many bytes there are now.
fn append(registry: &Registry, name: &str, id: &str, request: &Request) -> Result<usize, Refusal> {
    let piece = request.body();
    let mut store = registry.store();
    let upload = upload(store.existing_mut(name)?, id)?;
    let end = upload.len() + piece.len();
    let expected = format!("{}-{}", upload.len(), end.saturating_sub(1));
    if request
        .headers()
        .get(CONTENT_RANGE)
        .is_some_and(|claimed| *claimed != *expected)
    {
        return Err(Refusal::new(
            Code::BlobUploadInvalid,
            format!("the piece has the range {expected}"),
        )
        .with_header(RANGE, range(upload.len())));
    }
    if end > LIMIT {
        return Err(too_large());
    }
    upload.extend_from_slice(piece);
    Ok(end)
}

/// Makes the upload a blob. It is over in any case: after a wrong digest the client has to begin again.
fn finish(registry: &Registry, name: &str, id: &str, uri: &Uri) -> Answer {
    let digest = query(uri).remove("digest").unwrap_or_default();
    let digest = Digest::parse(&digest)?;
    let mut store = registry.store();
    let repository = store.existing_mut(name)?;
    let content = repository.uploads.remove(id).ok_or_else(|| unknown(id))?;
    digest.check(&content)?;
    repository.blobs.insert(digest.clone(), content.into());
    Ok(created(name, &digest))
}

fn upload<'a>(repository: &'a mut Repository, id: &str) -> Result<&'a mut Vec<u8>, Refusal> {
    repository.uploads.get_mut(id).ok_or_else(|| unknown(id))
}

fn unknown(id: &str) -> Refusal {
    Refusal::new(Code::BlobUploadUnknown, "there is no such upload").about(id)
}

pub(super) fn too_large() -> Refusal {
    Refusal::new(
        Code::SizeInvalid,
        format!("a blob has at most {LIMIT} bytes"),
    )
}

fn query(uri: &Uri) -> HashMap<String, String> {
    Query::try_from_uri(uri)
        .map(|Query(query)| query)
        .unwrap_or_default()
}

fn created(name: &str, digest: &Digest) -> Response {
    let location = format!("/v2/{name}/blobs/{digest}");
    let headers = [
        (LOCATION, location.as_str()),
        (DOCKER_CONTENT_DIGEST, digest.as_str()),
    ];
    super::answer(StatusCode::CREATED, &headers, "")
}

/// The place to go on at. It has a query of its own, as many registries' have: a client must add to it.
fn progress(status: StatusCode, name: &str, id: &str, received: usize) -> Response {
    let location = format!("/v2/{name}/blobs/uploads/{id}?received={received}");
    let range = range(received);
    let headers = [
        (LOCATION, location.as_str()),
        (RANGE, range.as_str()),
        (DOCKER_UPLOAD_UUID, id),
    ];
    super::answer(status, &headers, "")
}

/// The first and the last byte received. The spec has no way to say "none"; registries say `0-0`.
fn range(received: usize) -> String {
    format!("0-{}", received.saturating_sub(1))
}

const DOCKER_UPLOAD_UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");

/// 64 MiB, far more than anything in a test, and far less than the memory of any machine.
pub(super) const LIMIT: usize = 64 << 20;
