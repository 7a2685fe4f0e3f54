//! Rekor, version 1: a transparency log of signatures (`/api/v1/log`).
//!
//! A submitter proposes an entry; the log checks that the signature in it is real, keeps a canonical body, and
//! answers with both of its assurances: a *promise* (signed entry timestamp, with the time) and a *proof* (Merkle
//! path and checkpoint). The kinds `dsse` and `hashedrekord`, both 0.0.1, are served; the bodies are in `rekor_body`.
//! An entry that is already there is a conflict that names it.
//!
//! Left out: search, consistency proofs, sharding, and the other kinds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use sigstore_verify::types::{DerPublicKey, KindVersion, Sha256Hash};

use super::checkpoint::NoteSigner;
use super::clock::Clock;
use super::error::Result;
use super::merkle::{Tree, leaf_hash};
use super::receipt::{Promise, Proof, Receipt};
use super::rekor_body::{Proposal, ProposalError};

/// The log. Clones share it.
#[derive(Clone)]
pub(crate) struct RekorV1(Arc<Inner>);

struct Inner {
    host: String,
    clock: Clock,
    signer: NoteSigner,
    tree: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    tree: Tree,
    entries: Vec<Entry>,
}

struct Entry {
    body: Vec<u8>,
    kind: KindVersion,
    promise: Promise,
}

impl RekorV1 {
    /// An empty log that calls itself `host`, which its checkpoints name together with the tree.
    pub(crate) fn new(host: &str, clock: Clock) -> Result<Self> {
        Ok(Self(Arc::new(Inner {
            host: host.to_owned(),
            clock,
            signer: NoteSigner::ecdsa(&format!("{host} - {TREE_ID}"), host)?,
            tree: Mutex::default(),
        })))
    }

    /// A log with the same name and another key, which nobody trusts.
    pub(crate) fn stranger(&self) -> Result<Self> {
        Self::new(&self.0.host, self.0.clock.clone())
    }

    /// Logs `body` unexamined, as of `now`. A forger may do this; the API examines first.
    pub(crate) fn append(
        &self,
        body: Vec<u8>,
        kind: KindVersion,
        now: Timestamp,
    ) -> Result<Receipt> {
        let mut entries = self.entries();
        let index = entries.entries.len();
        let promise = Promise {
            integrated_time: now,
            signed_entry_timestamp: self
                .0
                .signer
                .sign(&self.promise_bytes(&body, index, now)?)?,
        };
        entries.tree.push(&body);
        entries.entries.push(Entry {
            body,
            kind,
            promise,
        });
        self.receipt(&entries, index)
    }

    /// What a promise signs: the entry as canonical JSON (RFC 8785), with its place and time.
    pub(crate) fn promise_bytes(
        &self,
        body: &[u8],
        index: usize,
        now: Timestamp,
    ) -> Result<Vec<u8>> {
        // The order of the fields is the canonical one; every value is ASCII or a small number.
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Promised {
            body: String,
            integrated_time: i64,
            #[serde(rename = "logID")]
            log_id: String,
            log_index: usize,
        }
        Ok(serde_json::to_vec(&Promised {
            body: STANDARD.encode(body),
            integrated_time: now.as_second(),
            log_id: self.0.signer.log_id().to_hex(),
            log_index: index,
        })?)
    }

    /// The log's key and names.
    pub(crate) fn signer(&self) -> &NoteSigner {
        &self.0.signer
    }

    /// The key that promises and checkpoints verify under.
    pub(crate) fn public_key(&self) -> Result<DerPublicKey> {
        self.0.signer.public_key()
    }

    /// The HTTP face of the log.
    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/api/v1/log", get(log_info))
            .route("/api/v1/log/publicKey", get(public_key))
            .route("/api/v1/log/entries", get(entry_by_index).post(create))
            .route("/api/v1/log/entries/{uuid}", get(entry_by_uuid))
            .layer(DefaultBodyLimit::max(MAX_REQUEST_BYTES))
            .with_state(self)
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn receipt(&self, entries: &Entries, index: usize) -> Result<Receipt> {
        let entry = &entries.entries[index];
        Ok(Receipt {
            log_id: *self.0.signer.log_id(),
            kind: entry.kind,
            body: entry.body.clone(),
            promise: Some(entry.promise.clone()),
            proof: Proof::new(&entries.tree, index, &self.0.signer)?,
        })
    }

    fn find(&self, wanted: impl Fn(usize, &Entry) -> bool) -> Option<Result<Receipt>> {
        let entries = self.entries();
        let index = entries
            .entries
            .iter()
            .enumerate()
            .position(|(index, entry)| wanted(index, entry))?;
        Some(self.receipt(&entries, index))
    }
}

async fn create(State(log): State<RekorV1>, Json(proposal): Json<Value>) -> Response {
    let (body, kind) = match Proposal::parse(proposal).and_then(Proposal::canonical_body) {
        Ok(accepted) => accepted,
        Err(ProposalError(reason)) => {
            return failure(
                StatusCode::BAD_REQUEST,
                &format!("error processing entry: {reason}"),
            );
        }
    };
    if log.find(|_, entry| entry.body == body).is_some() {
        let uuid = uuid(&body);
        let message =
            format!("an equivalent entry already exists in the transparency log with UUID {uuid}");
        let location = [(header::LOCATION, format!("/api/v1/log/entries/{uuid}"))];
        return (location, failure(StatusCode::CONFLICT, &message)).into_response();
    }
    let location = format!("/api/v1/log/entries/{}", uuid(&body));
    let receipt = log.append(body, kind, log.0.clock.now());
    (
        [(header::LOCATION, location)],
        answer(StatusCode::CREATED, Some(receipt)),
    )
        .into_response()
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
    let entries = log.entries();
    let (size, root) = (entries.tree.size(), entries.tree.root());
    match log.0.signer.checkpoint(size, &root) {
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

/// The id of the tree, then the hash of the leaf.
fn uuid(body: &[u8]) -> String {
    format!("{TREE_ID:016x}{}", leaf_hash(body).to_hex())
}

const TREE_ID: u64 = 1_193_050_959_916_656_506;
const PEM_TYPE: &str = "application/x-pem-file";
/// Envelopes of attestations can be large, but not this large.
const MAX_REQUEST_BYTES: usize = 16 * 1024 * 1024;
