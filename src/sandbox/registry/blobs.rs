//! Blobs: `/v2/NAME/blobs/DIGEST` (distribution-spec, "Pulling blobs", "Deleting blobs").

use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};

use super::digest::Digest;
use super::{Answer, DOCKER_CONTENT_DIGEST, Registry};

/// Answers a request for one blob. `HEAD` is answered like `GET`; the HTTP layer keeps the body back.
pub(super) fn answer(
    registry: &Registry,
    repository: &str,
    digest: &Digest,
    method: &Method,
) -> Answer {
    match *method {
        Method::GET | Method::HEAD => {
            let store = registry.store();
            let blob = store.repository(repository)?.blob(digest)?.clone();
            let headers = [
                (CONTENT_TYPE, "application/octet-stream"),
                (DOCKER_CONTENT_DIGEST, digest.as_str()),
            ];
            Ok(super::answer(StatusCode::OK, &headers, blob))
        }
        Method::DELETE => {
            let mut store = registry.store();
            let repository = store.existing_mut(repository)?;
            repository.blob(digest)?;
            repository.blobs.remove(digest);
            Ok(super::answer(StatusCode::ACCEPTED, &[], ""))
        }
        _ => Err(super::unsupported(method)),
    }
}
