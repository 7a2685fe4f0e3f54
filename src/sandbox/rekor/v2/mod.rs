//! Rekor, version 2 (rekor-tiles): the same idea with less (`/api/v2/log/entries`).
//!
//! One kind of entry (`hashedrekord` 0.0.2), one assurance (inclusion proof with checkpoint). There is no promise
//! and no time: whoever needs a trusted time gets a signed timestamp. The log's name, `rekor-v2.sandbox`, is what its
//! checkpoints and the trusted root say; the address in the signing config is merely where it can be reached.
//!
//! Left out: tiles and entry bundles, from which monitors read the log.

pub(crate) mod body;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use sigstore_verify::types::KindVersion;

use self::body::Request;
use crate::sandbox::error::Result;
use crate::sandbox::rekor::checkpoint::NoteSigner;
use crate::sandbox::rekor::merkle::Tree;
use crate::sandbox::rekor::receipt::{Proof, Receipt};

/// The name of the log: origin of its checkpoints, and host of its base URL in the trusted root.
pub(crate) const LOG_NAME: &str = "rekor-v2.sandbox";

/// The log. Clones share it.
#[derive(Clone)]
pub(crate) struct RekorV2(Arc<Inner>);

struct Inner {
    signer: NoteSigner,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    tree: Tree,
    bodies: Vec<Vec<u8>>,
}

impl RekorV2 {
    /// An empty log with a fresh Ed25519 key.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(Arc::new(Inner {
            signer: NoteSigner::ed25519(LOG_NAME)?,
            entries: Mutex::default(),
        })))
    }

    /// Logs `body` unexamined. A forger may do this; the API examines first.
    pub(crate) fn append(&self, body: Vec<u8>) -> Result<Receipt> {
        self.append_to(&mut self.entries(), body)
    }

    /// Logs an entry that has been examined, or tells where it is already.
    fn submit(&self, body: Vec<u8>) -> Result<std::result::Result<Receipt, usize>> {
        let mut entries = self.entries();
        match entries.bodies.iter().position(|logged| *logged == body) {
            Some(index) => Ok(Err(index)),
            None => self.append_to(&mut entries, body).map(Ok),
        }
    }

    fn append_to(&self, entries: &mut Entries, body: Vec<u8>) -> Result<Receipt> {
        let index = entries.tree.push(&body);
        entries.bodies.push(body.clone());
        Ok(Receipt {
            log_id: *self.0.signer.log_id(),
            kind: KindVersion::HashedRekordV002,
            body,
            promise: None,
            proof: Proof::new(&entries.tree, index, &self.0.signer)?,
        })
    }

    /// The log's key and name.
    pub(crate) fn signer(&self) -> &NoteSigner {
        &self.0.signer
    }

    /// The HTTP face of the log.
    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/api/v2/log/entries", post(create))
            .route("/api/v2/checkpoint", get(checkpoint))
            .layer(DefaultBodyLimit::max(MAX_REQUEST_BYTES))
            .with_state(self)
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0
            .entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

async fn create(
    State(log): State<RekorV2>,
    request: std::result::Result<Json<Request>, JsonRejection>,
) -> Response {
    let body = match request {
        Ok(Json(request)) => request.accept(),
        Err(rejection) => Err(rejection.body_text()),
    };
    let submitted = match body {
        Ok(body) => log.submit(body),
        Err(reason) => return failure(StatusCode::BAD_REQUEST, INVALID_ARGUMENT, &reason),
    };
    match submitted {
        Ok(Ok(receipt)) => (StatusCode::CREATED, Json(receipt.to_protojson())).into_response(),
        Ok(Err(index)) => {
            let message = format!(
                "an equivalent entry already exists in the transparency log with index {index}"
            );
            let header = [("x-log-index", index.to_string())];
            let conflict = failure(StatusCode::CONFLICT, ALREADY_EXISTS, &message);
            (header, conflict).into_response()
        }
        Err(error) => failure(
            StatusCode::INTERNAL_SERVER_ERROR,
            INTERNAL,
            &error.to_string(),
        ),
    }
}

async fn checkpoint(State(log): State<RekorV2>) -> Response {
    let entries = log.entries();
    match log
        .0
        .signer
        .checkpoint(entries.tree.size(), &entries.tree.root())
    {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response(),
        Err(error) => failure(
            StatusCode::INTERNAL_SERVER_ERROR,
            INTERNAL,
            &error.to_string(),
        ),
    }
}

fn failure(status: StatusCode, code: u8, message: &str) -> Response {
    let body: Value = json!({"code": code, "message": message, "details": []});
    (status, Json(body)).into_response()
}

/// Codes of gRPC's `google.rpc.Code`.
const INVALID_ARGUMENT: u8 = 3;
const ALREADY_EXISTS: u8 = 6;
const INTERNAL: u8 = 13;
/// A digest, a signature and a certificate are a few KiB.
const MAX_REQUEST_BYTES: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_entry_leaves_out_its_zeros() {
        let log = RekorV2::new().unwrap();
        let first = log.append(b"first".to_vec()).unwrap().to_protojson();
        assert!(first.get("logIndex").is_none());
        assert!(first["inclusionProof"].get("hashes").is_none());
        let second = log.append(b"second".to_vec()).unwrap().to_protojson();
        assert_eq!(second["logIndex"], "1");
        assert_eq!(second["inclusionProof"]["treeSize"], "2");
    }
}
