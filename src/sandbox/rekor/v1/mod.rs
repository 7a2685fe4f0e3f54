//! Rekor, version 1: a transparency log of signatures (`/api/v1/log`).
//!
//! A submitter proposes an entry; the log checks that the signature in it is real, keeps a canonical body, and
//! answers with both of its assurances: a *promise* (signed entry timestamp, with the time) and a *proof* (Merkle
//! path and checkpoint). The kinds `dsse` and `hashedrekord`, both 0.0.1, are served; they are in `body`, the requests
//! in `api`. An entry that is already there is a conflict that names it.
//!
//! Left out: search, consistency proofs, sharding, and the other kinds.

mod api;
pub(crate) mod body;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Serialize;
use sigstore_verify::types::{DerPublicKey, KindVersion, Sha256Hash};

use crate::sandbox::error::Result;
use crate::sandbox::rekor::checkpoint::NoteSigner;
use crate::sandbox::rekor::merkle::{Tree, leaf_hash};
use crate::sandbox::rekor::receipt::{Promise, Proof, Receipt};
use crate::sandbox::serve::clock::Clock;

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
        self.append_to(&mut self.entries(), body, kind, now)
    }

    /// Logs an entry that has been examined, unless it is there already.
    fn submit(&self, body: Vec<u8>, kind: KindVersion) -> Result<Option<Receipt>> {
        let mut entries = self.entries();
        if entries.entries.iter().any(|entry| entry.body == body) {
            return Ok(None);
        }
        self.append_to(&mut entries, body, kind, self.0.clock.now())
            .map(Some)
    }

    fn append_to(
        &self,
        entries: &mut Entries,
        body: Vec<u8>,
        kind: KindVersion,
        now: Timestamp,
    ) -> Result<Receipt> {
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
        self.receipt(entries, index)
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
        api::router(self)
    }

    /// The size of the tree and its root.
    fn head(&self) -> (usize, Sha256Hash) {
        let entries = self.entries();
        (entries.tree.size(), entries.tree.root())
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

/// The id of the tree, then the hash of the leaf.
fn uuid(body: &[u8]) -> String {
    format!("{TREE_ID:016x}{}", leaf_hash(body).to_hex())
}

const TREE_ID: u64 = 1_193_050_959_916_656_506;
