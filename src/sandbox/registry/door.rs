//! The way from a request to its endpoint: the whole request is read, its path understood, its token checked.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{self, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;

use super::auth::Action;
use super::path::Target;
use super::refusal::{Code, Refusal};
use super::{Answer, Registry, Request};
use super::{answer, blobs, manifests, referrers, tags, uploads};

/// The registry where it is served.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) registry: Registry,
    /// `http://127.0.0.1:PORT`, for challenges.
    pub(super) url: Arc<str>,
}

/// Handles one request.
pub(super) async fn open(State(door): State<Door>, request: http::Request<Body>) -> Response {
    match receive(request).await {
        Ok(request) => door.answer(&request).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

/// Reads a request to its end even if it is too large: a client may look for the answer only then.
async fn receive(request: http::Request<Body>) -> Result<Request, Refusal> {
    let (head, body) = request.into_parts();
    let mut pieces = body.into_data_stream();
    let mut body = Vec::new();
    let mut length = 0;
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| Refusal::new(Code::SizeInvalid, error.to_string()))?;
        length += piece.len();
        if length <= uploads::LIMIT {
            body.extend_from_slice(&piece);
        }
    }
    if length > uploads::LIMIT {
        return Err(uploads::too_large());
    }
    Ok(Request::from_parts(head, body.into()))
}

impl Door {
    fn answer(&self, request: &Request) -> Answer {
        let gate = &self.registry.0.gate;
        if request.uri().path() == "/token" && request.method() == Method::GET {
            return gate.issue(request.uri(), request.headers());
        }
        let target = Target::parse(request.uri().path())?;
        gate.admit(
            &self.url,
            request.headers(),
            need(request.method(), &target),
        )?;
        let registry = &self.registry;
        match target {
            Target::Base => Ok(answer(StatusCode::OK, &[], "{}")),
            Target::Manifest {
                repository,
                reference,
            } => manifests::answer(registry, &repository, &reference, request),
            Target::Blob { repository, digest } => {
                blobs::answer(registry, &repository, &digest, request.method())
            }
            Target::Uploads { repository } => uploads::begin(registry, &repository, request),
            Target::Upload { repository, id } => {
                uploads::go_on(registry, &repository, &id, request)
            }
            Target::Tags { repository } => tags::answer(registry, &repository, request.uri()),
            Target::Referrers {
                repository,
                subject,
            } => referrers::answer(registry, &repository, &subject, request.uri()),
        }
    }
}

/// The repository and the right a request needs; none for `/v2/`, where any token is good.
fn need<'a>(method: &Method, target: &'a Target) -> Option<(&'a str, Action)> {
    let action = match *method {
        Method::GET | Method::HEAD => Action::Pull,
        _ => Action::Push,
    };
    Some((target.repository()?, action))
}
