//! The entries of Rekor v1: what a submitter proposes, what the log checks, and the canonical body it keeps.
//!
//! `dsse` 0.0.1 takes an envelope and who can verify it, and keeps only hashes and the signature; `hashedrekord`
//! 0.0.1 takes a digest, a signature and its verifier, and keeps them as they are. The fields of every body are
//! declared in canonical (alphabetical) order, because the log hashes the bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sigstore_verify::crypto::sha256;
use sigstore_verify::types::{DsseEnvelope, KindVersion, Sha256Hash, SignatureBytes};

use crate::sandbox::rekor::verifier::Verifier;

/// A proposed entry, by kind.
pub(crate) enum Proposal {
    Dsse(DsseProposal),
    HashedRekord(HashedRekord),
}

/// Why an entry was not accepted, in words for the submitter.
#[derive(Debug)]
pub(crate) struct ProposalError(pub(crate) String);

impl Proposal {
    /// Reads a proposal; other kinds and versions are refused.
    pub(crate) fn parse(proposal: Value) -> Result<Self, ProposalError> {
        let kind = proposal["kind"].as_str().unwrap_or_default().to_owned();
        let version = proposal["apiVersion"].as_str().unwrap_or_default();
        match (kind.as_str(), version) {
            ("dsse", "0.0.1") => read(proposal).map(|entry: Entry<_>| Self::Dsse(entry.spec)),
            ("hashedrekord", "0.0.1") => {
                read(proposal).map(|entry: Entry<_>| Self::HashedRekord(entry.spec))
            }
            _ => Err(refuse(format!("unsupported entry kind {kind} {version}"))),
        }
    }

    /// Checks the signature and returns the bytes to log.
    pub(crate) fn canonical_body(self) -> Result<(Vec<u8>, KindVersion), ProposalError> {
        match self {
            Self::Dsse(proposal) => Ok((proposal.accept()?, KindVersion::DsseV001)),
            Self::HashedRekord(record) => Ok((record.accept()?, KindVersion::HashedRekordV001)),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DsseProposal {
    proposed_content: ProposedContent,
}

#[derive(Deserialize)]
struct ProposedContent {
    /// The envelope as a JSON text; its exact bytes are hashed.
    envelope: String,
    /// Base64 of PEM.
    verifiers: Vec<String>,
}

impl DsseProposal {
    fn accept(self) -> Result<Vec<u8>, ProposalError> {
        let content = self.proposed_content;
        let envelope: DsseEnvelope =
            serde_json::from_str(&content.envelope).map_err(|error| refuse(error.to_string()))?;
        let [verifier] = content.verifiers.as_slice() else {
            return Err(refuse("exactly one verifier is expected"));
        };
        let verifier = decode_verifier(verifier)?;
        let signature = &envelope.signature.sig;
        if !verifier.signed(&envelope.pae(), signature) {
            return Err(refuse("could not verify envelope"));
        }
        dsse_body(&content.envelope, &envelope, &verifier)
            .map_err(|error| refuse(error.to_string()))
    }
}

/// The body of a `dsse` entry, for an envelope and the text it was submitted as.
pub(crate) fn dsse_body(
    text: &str,
    envelope: &DsseEnvelope,
    verifier: &Verifier,
) -> serde_json::Result<Vec<u8>> {
    let spec = DsseSpec {
        envelope_hash: Hash::of(text.as_bytes()),
        payload_hash: Hash::of(envelope.payload.as_bytes()),
        signatures: [LoggedSignature {
            signature: envelope.signature.sig.clone(),
            verifier: STANDARD.encode(verifier.to_pem()),
        }],
    };
    serde_json::to_vec(&Entry::new("dsse", spec))
}

/// The body of an `intoto` 0.0.2 entry, which attestations had before `dsse`. The log keeps the envelope without its
/// payload, and its signature in base64 of base64.
pub(crate) fn intoto_body(
    envelope: &DsseEnvelope,
    verifier: &Verifier,
) -> serde_json::Result<Vec<u8>> {
    let text = serde_json::to_string(envelope)?;
    let spec = json!({
        "content": {
            "envelope": {
                "payloadType": envelope.payload_type,
                "signatures": [{
                    "publicKey": STANDARD.encode(verifier.to_pem()),
                    "sig": STANDARD.encode(envelope.signature.sig.to_base64()),
                }],
            },
            "hash": Hash::of(text.as_bytes()),
            "payloadHash": Hash::of(envelope.payload.as_bytes()),
        },
    });
    serde_json::to_vec(&json!({"apiVersion": "0.0.2", "kind": "intoto", "spec": spec}))
}

/// The body of a `hashedrekord` entry, for a signature over something with this digest.
pub(crate) fn hashedrekord_body(
    digest: &Sha256Hash,
    signature: &SignatureBytes,
    verifier: &Verifier,
) -> serde_json::Result<Vec<u8>> {
    let record = HashedRekord {
        data: Data {
            hash: Hash {
                algorithm: SHA256.to_owned(),
                value: digest.to_hex(),
            },
        },
        signature: Signature {
            content: signature.clone(),
            public_key: PublicKey {
                content: STANDARD.encode(verifier.to_pem()),
            },
        },
    };
    serde_json::to_vec(&Entry::new("hashedrekord", record))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DsseSpec {
    envelope_hash: Hash,
    payload_hash: Hash,
    signatures: [LoggedSignature; 1],
}

#[derive(Serialize)]
struct LoggedSignature {
    signature: SignatureBytes,
    verifier: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct HashedRekord {
    data: Data,
    signature: Signature,
}

#[derive(Serialize, Deserialize)]
struct Data {
    hash: Hash,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signature {
    content: SignatureBytes,
    public_key: PublicKey,
}

#[derive(Serialize, Deserialize)]
struct PublicKey {
    content: String,
}

impl HashedRekord {
    fn accept(mut self) -> Result<Vec<u8>, ProposalError> {
        if self.data.hash.algorithm != SHA256 {
            return Err(refuse(format!(
                "unsupported hash algorithm {}",
                self.data.hash.algorithm
            )));
        }
        let digest = hex::decode(&self.data.hash.value)
            .ok()
            .filter(|digest| digest.len() == 32)
            .ok_or_else(|| refuse("invalid value for hash"))?;
        let verifier = decode_verifier(&self.signature.public_key.content)?;
        if !verifier.signed_digest(&digest, &self.signature.content) {
            return Err(refuse("verifying signature: invalid signature"));
        }
        self.signature.public_key.content = STANDARD.encode(verifier.to_pem());
        serde_json::to_vec(&Entry::new("hashedrekord", self))
            .map_err(|error| refuse(error.to_string()))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<T> {
    api_version: String,
    kind: String,
    spec: T,
}

impl<T> Entry<T> {
    fn new(kind: &str, spec: T) -> Self {
        Self {
            api_version: "0.0.1".to_owned(),
            kind: kind.to_owned(),
            spec,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Hash {
    algorithm: String,
    /// Hexadecimal.
    value: String,
}

impl Hash {
    fn of(bytes: &[u8]) -> Self {
        Self {
            algorithm: SHA256.to_owned(),
            value: sha256(bytes).to_hex(),
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, ProposalError> {
    serde_json::from_value(value).map_err(|error| refuse(error.to_string()))
}

fn decode_verifier(base64_pem: &str) -> Result<Verifier, ProposalError> {
    STANDARD
        .decode(base64_pem)
        .ok()
        .and_then(|pem| Verifier::from_pem(&pem))
        .ok_or_else(|| refuse("verifier is neither a certificate nor a public key"))
}

fn refuse(reason: impl Into<String>) -> ProposalError {
    ProposalError(reason.into())
}

const SHA256: &str = "sha256";

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sigstore_verify::crypto::KeyPair;

    use super::*;

    fn record(key: &KeyPair, signed: &[u8], logged: &[u8]) -> Value {
        let pem = key.public_key_der().unwrap().to_pem();
        json!({
            "apiVersion": "0.0.1",
            "kind": "hashedrekord",
            "spec": {
                "data": {"hash": {"algorithm": "sha256", "value": sha256(logged).to_hex()}},
                "signature": {
                    "content": key.sign(signed).unwrap(),
                    "publicKey": {"content": STANDARD.encode(pem)},
                },
            },
        })
    }

    fn submit(proposal: Value) -> Result<Vec<u8>, ProposalError> {
        Proposal::parse(proposal)?
            .canonical_body()
            .map(|(body, _)| body)
    }

    #[test]
    fn a_record_is_logged_as_it_was_proposed() {
        let key = KeyPair::generate_ecdsa_p256().unwrap();
        let proposal = record(&key, b"artifact", b"artifact");
        let body = submit(proposal.clone()).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), proposal);
    }

    #[test]
    fn a_signature_over_something_else_is_not_logged() {
        let key = KeyPair::generate_ecdsa_p256().unwrap();
        assert!(submit(record(&key, b"artifact", b"another")).is_err());
    }

    #[test]
    fn kinds_that_are_not_served_are_refused() {
        let refusal = submit(json!({"kind": "rpm", "apiVersion": "0.0.1", "spec": {}}));
        assert_eq!(refusal.unwrap_err().0, "unsupported entry kind rpm 0.0.1");
    }
}
