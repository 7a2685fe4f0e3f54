//! The documents of a TUF repository: canonical JSON, signed with Ed25519.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sigstore_tuf::canonical_json::to_canonical_bytes;
use sigstore_verify::crypto::sha256;

use crate::sandbox::error::{Error, Result};
use crate::sandbox::tuf::TufAttack;

/// The keys of all roles.
pub(super) struct Keys {
    root: [Arc<Key>; 2],
    targets: [Arc<Key>; 2],
    online: Arc<Key>,
    stranger: Arc<Key>,
}

struct Key {
    id: String,
    document: Value,
    pair: Ed25519KeyPair,
}

impl Key {
    fn generate() -> Result<Arc<Self>> {
        let pair = Ed25519KeyPair::generate()?;
        let document = json!({
            "keytype": "ed25519",
            "scheme": "ed25519",
            "keyval": {"public": hex::encode(pair.public_key())},
        });
        Ok(Arc::new(Self {
            id: digest(&canonical(&document)?),
            document,
            pair,
        }))
    }
}

/// Somebody who signs in the name of a key, with that key or another one.
pub(super) struct Signer {
    id: String,
    key: Arc<Key>,
}

impl Signer {
    fn with(key: &Arc<Key>) -> Self {
        Self {
            id: key.id.clone(),
            key: key.clone(),
        }
    }
}

impl Keys {
    pub(super) fn generate() -> Result<Self> {
        Ok(Self {
            root: [Key::generate()?, Key::generate()?],
            targets: [Key::generate()?, Key::generate()?],
            online: Key::generate()?,
            stranger: Key::generate()?,
        })
    }

    /// The same keys, but for those of the root.
    pub(super) fn with_new_root_keys(&self) -> Result<Self> {
        Ok(Self {
            root: [Key::generate()?, Key::generate()?],
            targets: self.targets.clone(),
            online: self.online.clone(),
            stranger: self.stranger.clone(),
        })
    }

    pub(super) fn root_signers(&self) -> Vec<Signer> {
        self.root.iter().map(Signer::with).collect()
    }

    fn targets_signers(&self, attack: Option<TufAttack>) -> Vec<Signer> {
        let [first, second] = &self.targets;
        let (one, two) = (Signer::with(first), Signer::with(second));
        match attack {
            Some(TufAttack::ThresholdMissed) => vec![one],
            Some(TufAttack::ThresholdByRepetition) => vec![one, Signer::with(first)],
            Some(TufAttack::TargetsWrongKey) => vec![one, self.impostor(second)],
            _ => vec![one, two],
        }
    }

    fn online_signer(&self, is_wrong: bool) -> Vec<Signer> {
        vec![match is_wrong {
            true => self.impostor(&self.online),
            false => Signer::with(&self.online),
        }]
    }

    fn impostor(&self, of: &Key) -> Signer {
        Signer {
            id: of.id.clone(),
            key: self.stranger.clone(),
        }
    }
}

/// A document as another one names it.
#[derive(Clone)]
pub(super) struct Listed(Value);

impl Listed {
    pub(super) fn of(version: u64, bytes: &[u8]) -> Self {
        Self(json!({
            "version": version,
            "length": bytes.len(),
            "hashes": {"sha256": digest(bytes)},
        }))
    }
}

/// Which keys speak for which role, and how many of them are needed.
pub(super) fn root(
    keys: &Keys,
    version: u64,
    now: Timestamp,
    signers: &[Signer],
) -> Result<Vec<u8>> {
    let everybody = keys.root.iter().chain(&keys.targets).chain([&keys.online]);
    let documents: BTreeMap<&str, &Value> = everybody
        .map(|key| (key.id.as_str(), &key.document))
        .collect();
    let both = |keys: &[Arc<Key>; 2]| json!({"keyids": keys.iter().map(|key| &key.id).collect::<Vec<_>>(), "threshold": 2});
    let online = json!({"keyids": [keys.online.id], "threshold": 1});
    let document = json!({
        "_type": "root",
        "spec_version": SPEC,
        "version": version,
        "expires": after(now, 365)?,
        "consistent_snapshot": true,
        "keys": documents,
        "roles": {
            "root": both(&keys.root),
            "targets": both(&keys.targets),
            "snapshot": online,
            "timestamp": online,
        },
    });
    signed(document, signers)
}

/// The files and their digests.
pub(super) fn targets(
    keys: &Keys,
    version: u64,
    files: &BTreeMap<String, Vec<u8>>,
    now: Timestamp,
    attack: Option<TufAttack>,
) -> Result<Vec<u8>> {
    let files: BTreeMap<&str, Value> = files
        .iter()
        .map(|(name, bytes)| {
            let listed = json!({"length": bytes.len(), "hashes": {"sha256": digest(bytes)}});
            (name.as_str(), listed)
        })
        .collect();
    let document = json!({
        "_type": "targets",
        "spec_version": SPEC,
        "version": version,
        "expires": expiry(now, 90, attack == Some(TufAttack::TargetsExpired))?,
        "targets": files,
    });
    signed(document, &keys.targets_signers(attack))
}

/// Which targets belong to this version.
pub(super) fn snapshot(
    keys: &Keys,
    version: u64,
    targets: Listed,
    now: Timestamp,
    attack: Option<TufAttack>,
) -> Result<Vec<u8>> {
    let document = json!({
        "_type": "snapshot",
        "spec_version": SPEC,
        "version": version,
        "expires": expiry(now, 30, attack == Some(TufAttack::SnapshotExpired))?,
        "meta": {"targets.json": targets.0},
    });
    signed(
        document,
        &keys.online_signer(attack == Some(TufAttack::SnapshotWrongKey)),
    )
}

/// Which snapshot is the newest, for a week.
pub(super) fn timestamp(
    keys: &Keys,
    version: u64,
    snapshot: Listed,
    now: Timestamp,
    attack: Option<TufAttack>,
) -> Result<Vec<u8>> {
    let document = json!({
        "_type": "timestamp",
        "spec_version": SPEC,
        "version": version,
        "expires": expiry(now, 7, attack == Some(TufAttack::Freeze))?,
        "meta": {"snapshot.json": snapshot.0},
    });
    signed(
        document,
        &keys.online_signer(attack == Some(TufAttack::TimestampWrongKey)),
    )
}

/// SHA-256, in hex.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex::encode(sha256(bytes).as_bytes())
}

/// A time at which whatever was signed then has expired by now.
pub(super) fn long_ago(now: Timestamp) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(24 * 366))
        .unwrap_or(now)
}

fn signed(document: Value, signers: &[Signer]) -> Result<Vec<u8>> {
    let bytes = canonical(&document)?;
    let signatures: Vec<Value> = signers
        .iter()
        .map(|signer| {
            let signature = signer.key.pair.sign(&bytes);
            json!({"keyid": signer.id, "sig": hex::encode(signature.as_ref())})
        })
        .collect();
    Ok(serde_json::to_vec(
        &json!({"signatures": signatures, "signed": document}),
    )?)
}

fn canonical(document: &Value) -> Result<Vec<u8>> {
    to_canonical_bytes(document).map_err(|error| Error::Crypto(error.to_string()))
}

fn expiry(now: Timestamp, days: i64, is_expired: bool) -> Result<String> {
    after(now, if is_expired { -1 } else { days })
}

/// TUF writes whole seconds.
fn after(now: Timestamp, days: i64) -> Result<String> {
    let then = now
        .checked_add(SignedDuration::from_hours(24 * days))
        .map_err(|error| Error::Range(error.to_string()))?;
    Ok(then.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

const SPEC: &str = "1.0.31";
