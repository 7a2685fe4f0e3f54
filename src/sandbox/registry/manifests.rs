//! Manifests: `/v2/NAME/manifests/REFERENCE` (distribution-spec, "Pulling manifests", "Pushing manifests",
//! "Pushing manifests with subject", "Deleting").

use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderName, Method, StatusCode};
use axum::response::Response;

use super::digest::Digest;
use super::path::Reference;
use super::refusal::{Code, Refusal};
use super::store::{Descriptor, Fields, Manifest, Repository};
use super::{Answer, DOCKER_CONTENT_DIGEST, Registry, Request};

/// Answers a request for one manifest. `HEAD` is answered like `GET`; the HTTP layer keeps the body back.
pub(super) fn answer(
    registry: &Registry,
    repository: &str,
    reference: &Reference,
    request: &Request,
) -> Answer {
    match *request.method() {
        Method::GET | Method::HEAD => read(registry, repository, reference),
        Method::PUT => write(registry, repository, reference, request),
        Method::DELETE => {
            registry
                .store()
                .repository_mut(repository)
                .delete_manifest(reference)?;
            Ok(super::answer(StatusCode::ACCEPTED, &[], ""))
        }
        _ => Err(super::unsupported(request.method())),
    }
}

fn read(registry: &Registry, repository: &str, reference: &Reference) -> Answer {
    let store = registry.store();
    let (digest, manifest) = store.repository(repository)?.manifest(reference)?;
    let headers = [
        (CONTENT_TYPE, manifest.media_type.as_str()),
        (DOCKER_CONTENT_DIGEST, digest.as_str()),
    ];
    Ok(super::answer(
        StatusCode::OK,
        &headers,
        manifest.bytes.clone(),
    ))
}

fn write(registry: &Registry, name: &str, reference: &Reference, request: &Request) -> Answer {
    let content_type = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let bytes = request.body();
    if bytes.len() > LIMIT {
        return Err(Refusal::new(
            Code::SizeInvalid,
            format!("a manifest has at most {LIMIT} bytes"),
        ));
    }
    let digest = match reference {
        Reference::Tag(_) => Digest::of(bytes),
        Reference::Digest(digest) => {
            digest.check(bytes)?;
            digest.clone()
        }
    };
    let fields = parse(bytes)?;
    let media_type = media_type(content_type, &fields)?;

    let mut store = registry.store();
    let repository = store.repository_mut(name);
    check_parts(repository, &fields)?;
    if let Reference::Tag(tag) = reference {
        let moves = repository
            .tags
            .get(tag)
            .is_some_and(|tagged| *tagged != digest);
        if moves && registry.options().immutable_tags {
            return Err(immutable(name, tag));
        }
        repository.tags.insert(tag.clone(), digest.clone());
    }
    let manifest = Manifest::new(media_type, bytes.clone(), fields);
    let subject = manifest
        .subject()
        .filter(|_| registry.options().referrers_api)
        .map(str::to_owned);
    repository.manifests.insert(digest.clone(), manifest);
    Ok(created(name, &digest, subject.as_deref()))
}

fn parse(bytes: &Bytes) -> Result<Fields, Refusal> {
    serde_json::from_slice(bytes)
        .map_err(|error| Refusal::new(Code::ManifestInvalid, error.to_string()))
}

/// The media type of a manifest is said outside and may be said inside, but not differently.
fn media_type(content_type: Option<String>, fields: &Fields) -> Result<String, Refusal> {
    let invalid = |message| Err(Refusal::new(Code::ManifestInvalid, message));
    match (content_type, &fields.media_type) {
        (Some(outside), Some(inside)) if outside != *inside => {
            invalid("the Content-Type is not the mediaType of the manifest")
        }
        (Some(outside), _) => Ok(outside),
        (None, Some(inside)) => Ok(inside.clone()),
        (None, None) => invalid("there is neither a Content-Type nor a mediaType"),
    }
}

/// Everything a manifest is made of has to be there. Its subject need not: it may be pushed later.
fn check_parts(repository: &Repository, fields: &Fields) -> Result<(), Refusal> {
    let missing = |part: &Descriptor| {
        Err(Refusal::new(
            Code::ManifestBlobUnknown,
            "a part of the manifest is not in the repository",
        )
        .about(&part.digest))
    };
    let layers = fields.layers.iter().filter(|layer| layer.urls.is_empty());
    for part in fields.config.iter().chain(layers) {
        if !repository.blobs.contains_key(&Digest::parse(&part.digest)?) {
            return missing(part);
        }
    }
    for part in &fields.manifests {
        if !repository
            .manifests
            .contains_key(&Digest::parse(&part.digest)?)
        {
            return missing(part);
        }
    }
    Ok(())
}

fn immutable(name: &str, tag: &str) -> Refusal {
    let message =
        format!("the tag {tag} of {name} is immutable and already names another manifest");
    Refusal::new(Code::TagInvalid, message).about(tag)
}

/// `OCI-Subject` tells the client that the registry lists the referrer itself, so no fallback tag is needed.
fn created(name: &str, digest: &Digest, subject: Option<&str>) -> Response {
    let location = format!("/v2/{name}/manifests/{digest}");
    let mut headers = vec![
        (LOCATION, location.as_str()),
        (DOCKER_CONTENT_DIGEST, digest.as_str()),
    ];
    headers.extend(subject.map(|subject| (OCI_SUBJECT, subject)));
    super::answer(StatusCode::CREATED, &headers, "")
}

const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

/// 4 MiB, the least that the distribution-spec wants a registry to take and what most of them take.
const LIMIT: usize = 4 << 20;
