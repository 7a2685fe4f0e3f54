//! Rekor, version 2 (rekor-tiles): the same idea with less (`/api/v2/log/entries`).
//!
//! One kind of entry (`hashedrekord` 0.0.2), one assurance (inclusion proof with checkpoint). There is no promise
//! and no time: whoever needs a trusted time gets a signed timestamp. The log's name, `rekor-v2.sandbox`, is what its
//! checkpoints and the trusted root say; the address in the signing config is merely where it can be reached.
//!
//! Left out: tiles and entry bundles, from which monitors read the log.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sigstore_verify::types::{
    DerCertificate, DerPublicKey, KindVersion, Sha256Hash, SignatureBytes,
};

use super::checkpoint::NoteSigner;
use super::error::Result;
use super::merkle::Tree;
use super::receipt::{Proof, Receipt};
use super::verifier::Verifier;

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
        let mut entries = self.entries();
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

    fn index_of(&self, body: &[u8]) -> Option<usize> {
        self.entries()
            .bodies
            .iter()
            .position(|logged| logged == body)
    }
}

/// The canonical body of an entry: RFC 8785 JSON, whose fields are declared here in their canonical order.
pub(crate) fn hashedrekord_body(
    digest: &Sha256Hash,
    signature: &SignatureBytes,
    verifier: &Verifier,
) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Body {
        api_version: "0.0.2",
        kind: "hashedrekord",
        spec: Spec {
            hashed_rekord_v002: Record {
                data: Data {
                    algorithm: "SHA2_256",
                    digest: *digest,
                },
                signature: RecordSignature {
                    content: signature.clone(),
                    verifier: match verifier.clone() {
                        Verifier::Certificate(raw_bytes) => WireVerifier {
                            key_details: KEY_DETAILS.to_owned(),
                            public_key: None,
                            x509_certificate: Some(Raw { raw_bytes }),
                        },
                        Verifier::PublicKey(raw_bytes) => WireVerifier {
                            key_details: KEY_DETAILS.to_owned(),
                            public_key: Some(Raw { raw_bytes }),
                            x509_certificate: None,
                        },
                    },
                },
            },
        },
    })
}

async fn create(
    State(log): State<RekorV2>,
    request: std::result::Result<Json<Request>, JsonRejection>,
) -> Response {
    let body = match request {
        Ok(Json(request)) => request.record.accept(),
        Err(rejection) => Err(rejection.body_text()),
    };
    let body = match body {
        Ok(body) => body,
        Err(reason) => return failure(StatusCode::BAD_REQUEST, INVALID_ARGUMENT, &reason),
    };
    if let Some(index) = log.index_of(&body) {
        let message = format!(
            "an equivalent entry already exists in the transparency log with index {index}"
        );
        let header = [("x-log-index", index.to_string())];
        let conflict = failure(StatusCode::CONFLICT, ALREADY_EXISTS, &message);
        return (header, conflict).into_response();
    }
    match log.append(body) {
        Ok(receipt) => (StatusCode::CREATED, Json(receipt.to_protojson())).into_response(),
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

#[derive(Deserialize)]
struct Request {
    #[serde(rename = "hashedRekordRequestV002")]
    record: RecordRequest,
}

#[derive(Deserialize)]
struct RecordRequest {
    digest: Sha256Hash,
    signature: RecordSignature,
}

impl RecordRequest {
    /// Checks the signature over the digest and returns the bytes to log.
    fn accept(self) -> std::result::Result<Vec<u8>, String> {
        let WireVerifier {
            key_details,
            public_key,
            x509_certificate,
        } = self.signature.verifier;
        if key_details != KEY_DETAILS {
            return Err(format!("unsupported key details {key_details}"));
        }
        let verifier = match (x509_certificate, public_key) {
            (Some(certificate), None) => Verifier::Certificate(certificate.raw_bytes),
            (None, Some(key)) => Verifier::PublicKey(key.raw_bytes),
            _ => return Err("exactly one verifier is expected".to_owned()),
        };
        if !verifier.signed_digest(self.digest.as_bytes(), &self.signature.content) {
            return Err("invalid signature".to_owned());
        }
        hashedrekord_body(&self.digest, &self.signature.content, &verifier)
            .map_err(|error| error.to_string())
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    api_version: &'static str,
    kind: &'static str,
    spec: Spec,
}

#[derive(Serialize)]
struct Spec {
    #[serde(rename = "hashedRekordV002")]
    hashed_rekord_v002: Record,
}

#[derive(Serialize)]
struct Record {
    data: Data,
    signature: RecordSignature,
}

#[derive(Serialize)]
struct Data {
    algorithm: &'static str,
    digest: Sha256Hash,
}

#[derive(Serialize, Deserialize)]
struct RecordSignature {
    content: SignatureBytes,
    verifier: WireVerifier,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireVerifier {
    key_details: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<Raw<DerPublicKey>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x509_certificate: Option<Raw<DerCertificate>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw<T> {
    raw_bytes: T,
}

const KEY_DETAILS: &str = "PKIX_ECDSA_P256_SHA_256";
/// Codes of gRPC's `google.rpc.Code`.
const INVALID_ARGUMENT: u8 = 3;
const ALREADY_EXISTS: u8 = 6;
const INTERNAL: u8 = 13;
/// A digest, a signature and a certificate are a few KiB.
const MAX_REQUEST_BYTES: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use sigstore_verify::crypto::{KeyPair, sha256};

    use super::*;

    fn request(key: &KeyPair, signed: &[u8], logged: &[u8]) -> RecordRequest {
        RecordRequest {
            digest: sha256(logged),
            signature: RecordSignature {
                content: key.sign(signed).unwrap(),
                verifier: WireVerifier {
                    key_details: KEY_DETAILS.to_owned(),
                    public_key: Some(Raw {
                        raw_bytes: key.public_key_der().unwrap(),
                    }),
                    x509_certificate: None,
                },
            },
        }
    }

    #[test]
    fn only_a_signature_over_the_digest_is_accepted() {
        let key = KeyPair::generate_ecdsa_p256().unwrap();
        assert!(request(&key, b"artifact", b"artifact").accept().is_ok());
        assert_eq!(
            request(&key, b"artifact", b"another").accept(),
            Err("invalid signature".to_owned())
        );
    }

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
