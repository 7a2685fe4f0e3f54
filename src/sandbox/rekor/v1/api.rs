//! The HTTP interface of Rekor v1 (`/api/v1/log`, OpenAPI 2): JSON in, JSON out, entries keyed by their UUID.

use std::collections::HashMap;

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sigstore_verify::types::Sha256Hash;

use super::body::{Proposal, ProposalError};
use super::{RekorV1, TREE_ID, uuid};
use crate::sandbox::error::Result;
use crate::sandbox::rekor::receipt::Receipt;

/// The routes of the log.
pub(super) fn router(log: RekorV1) -> Router {
    Router::new()
        .route("/api/v1/log", get(log_info))
        .route("/api/v1/log/publicKey", get(public_key))
        .route("/api/v1/log/entries", get(entry_by_index).post(create))
        .route("/api/v1/log/entries/{uuid}", get(entry_by_uuid))
        .layer(DefaultBodyLimit::max(MAX_REQUEST_BYTES))
        .with_state(log)
}

async fn create(
    State(log): State<RekorV1>,
    proposal: std::result::Result<Json<Value>, JsonRejection>,
) -> Response {
    let accepted = match proposal {
        Ok(Json(proposal)) => Proposal::parse(proposal).and_then(Proposal::canonical_body),
        Err(rejection) => Err(ProposalError(rejection.body_text())),
    };
    let (body, kind) = match accepted {
        Ok(accepted) => accepted,
        Err(ProposalError(reason)) => {
            let message = format!("error processing entry: {reason}");
            return failure(StatusCode::BAD_REQUEST, &message);
        }
    };
    let uuid = uuid(&body);
    let location = [(header::LOCATION, format!("/api/v1/log/entries/{uuid}"))];
    match log.submit(body, kind).transpose() {
        // sigstore-go, and with it cosign, finds the entry in the answer by this tag.
        Some(receipt) => {
            let tag = [(header::ETAG, uuid)];
            (location, tag, answer(StatusCode::CREATED, Some(receipt))).into_response()
        }
        None => {
            let message = format!(
                "an equivalent entry already exists in the transparency log with UUID {uuid}"
            );
            (location, failure(StatusCode::CONFLICT, &message)).into_response()
        }
    }
}

async fn entry_by_uuid(State(log): State<RekorV1>, Path(wanted): Path<String>) -> Response {
    // An entry may be asked for with or without the id of its tree.
    let receipt = log.find(|_, entry| uuid(&entry.body).ends_with(&wanted) && wanted.len() >= 64);
    answer(StatusCode::OK, receipt)
}

async fn entry_by_index(
    State(log): State<RekorV1>,
    Query(query): Query<HashMap<String, usize>>,
) -> Response {
    let wanted = query.get("logIndex").copied();
    answer(StatusCode::OK, log.find(|index, _| Some(index) == wanted))
}

async fn log_info(State(log): State<RekorV1>) -> Response {
    let (size, root) = log.head();
    match log.signer().checkpoint(size, &root) {
        Ok(checkpoint) => Json(json!({
            "rootHash": root.to_hex(),
            "treeSize": size,
            "signedTreeHead": checkpoint,
            "treeID": TREE_ID.to_string(),
            "inactiveShards": [],
        }))
        .into_response(),
        Err(error) => failure(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

async fn public_key(State(log): State<RekorV1>) -> Response {
    match log.public_key() {
        Ok(key) => ([(header::CONTENT_TYPE, PEM_TYPE)], key.to_pem()).into_response(),
        Err(error) => failure(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn answer(status: StatusCode, receipt: Option<Result<Receipt>>) -> Response {
    match receipt {
        Some(Ok(receipt)) => (status, Json(entry_json(&receipt))).into_response(),
        Some(Err(error)) => failure(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        None => failure(StatusCode::NOT_FOUND, "entry not found"),
    }
}

fn failure(status: StatusCode, message: &str) -> Response {
    let body = Json(json!({"code": status.as_u16(), "message": message}));
    (status, body).into_response()
}

/// An entry as version 1 writes it: hashes in hexadecimal, numbers as numbers, keyed by its UUID.
fn entry_json(receipt: &Receipt) -> Value {
    let proof = &receipt.proof;
    let hashes: Vec<String> = proof.hashes.iter().map(Sha256Hash::to_hex).collect();
    let promise = receipt.promise.as_ref();
    json!({
        uuid(&receipt.body): {
            "body": STANDARD.encode(&receipt.body),
            "integratedTime": promise.map(|promise| promise.integrated_time.as_second()),
            "logID": receipt.log_id.to_hex(),
            "logIndex": proof.index,
            "verification": {
                "signedEntryTimestamp":
                    promise.map(|promise| STANDARD.encode(&promise.signed_entry_timestamp)),
                "inclusionProof": {
                    "checkpoint": proof.checkpoint,
                    "hashes": hashes,
                    "logIndex": proof.index,
                    "rootHash": proof.root.to_hex(),
                    "treeSize": proof.tree_size,
                },
            },
        },
    })
}

const PEM_TYPE: &str = "application/x-pem-file";
/// Envelopes of attestations can be large, but not this large.
const MAX_REQUEST_BYTES: usize = 16 * 1024 * 1024;
