//! The timestamp authority: `POST /api/v1/timestamp` (RFC 3161 §3.4 over HTTP), as Sigstore's own serves it.
//!
//! A root of its own and one leaf that may do nothing but sign timestamps. It answers requests for SHA-256, SHA-384
//! and SHA-512 imprints with its clock's time; the tokens are built in `timestamp_token`. `GET
//! /api/v1/timestamp/certchain` gives the chain. Left out: the real service's JSON form of a request.

pub(super) mod timestamp_token;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use der::Decode;
use der::oid::db::rfc5280::ID_KP_TIME_STAMPING;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sigstore_verify::crypto::KeyPair;
use sigstore_verify::types::DerCertificate;
use x509_cert::certificate::Certificate;
use x509_cert::ext::pkix::{ExtendedKeyUsage, KeyUsage, KeyUsages};

use crate::sandbox::certificate::{Authority, extension, name, subject_key_identifier, validity};
use crate::sandbox::error::Result;
use crate::sandbox::serve::clock::Clock;
use crate::sandbox::tsa::timestamp_token::{MessageImprint, TimeStampRequest, TokenSigner};

/// The authority. Clones share it.
#[derive(Clone)]
pub(crate) struct TimestampAuthority(Arc<Inner>);

struct Inner {
    clock: Clock,
    root: DerCertificate,
    leaf: DerCertificate,
    signer: TokenSigner,
    serial_number: AtomicU64,
}

impl TimestampAuthority {
    /// An authority whose certificates are valid from `not_before` for ten years.
    pub(crate) fn new(clock: Clock, not_before: Timestamp) -> Result<Self> {
        let validity = validity(not_before, LIFETIME)?;
        let root = Authority::root("sandbox timestamping root", validity)?;
        let key = KeyPair::generate_ecdsa_p256()?;
        let public_key = key.public_key_der()?;
        // Critical and alone: RFC 3161 §2.3 reserves the key for timestamps.
        let extensions = vec![
            extension(&KeyUsage(KeyUsages::DigitalSignature.into()), true)?,
            extension(&ExtendedKeyUsage(vec![ID_KP_TIME_STAMPING]), true)?,
            subject_key_identifier(&public_key)?,
            root.key_identifier()?,
        ];
        let body = root.body(name("sandbox timestamping")?, validity, extensions);
        let leaf = root.sign(&body.with_key(&public_key)?)?;
        let certificate = Certificate::from_der(leaf.as_bytes())?;
        Ok(Self(Arc::new(Inner {
            clock,
            root: root.certificate().clone(),
            leaf,
            signer: TokenSigner { key, certificate },
            serial_number: AtomicU64::new(1),
        })))
    }

    /// An authority with the same names and other keys, which nobody trusts.
    pub(crate) fn stranger(&self, not_before: Timestamp) -> Result<Self> {
        Self::new(self.0.clock.clone(), not_before)
    }

    /// The response to a request for a timestamp of `message` as of `now`, as a client would ask for a bundle: the
    /// SHA-256 imprint, without nonce and certificates.
    pub(crate) fn timestamp(&self, message: &[u8], now: Timestamp) -> Result<Vec<u8>> {
        let request = TimeStampRequest {
            version: 1,
            message_imprint: MessageImprint::sha256(message)?,
            policy: None,
            nonce: None,
            cert_req: false,
            extensions: None,
        };
        self.respond(&request, now)
    }

    /// The leaf, then the root.
    pub(crate) fn chain(&self) -> [&DerCertificate; 2] {
        [&self.0.leaf, &self.0.root]
    }

    /// The HTTP face of the authority.
    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/api/v1/timestamp", post(create))
            .route("/api/v1/timestamp/certchain", get(certificate_chain))
            .layer(DefaultBodyLimit::max(MAX_REQUEST_BYTES))
            .with_state(self)
    }

    fn respond(&self, request: &TimeStampRequest, now: Timestamp) -> Result<Vec<u8>> {
        let serial_number = self.0.serial_number.fetch_add(1, Ordering::Relaxed);
        self.0.signer.respond(request, serial_number, now)
    }
}

async fn create(State(authority): State<TimestampAuthority>, body: Bytes) -> Response {
    let request = match TimeStampRequest::from_der(&body) {
        Ok(request) if request.version == 1 => request,
        _ => return failure(StatusCode::BAD_REQUEST, "Error parsing timestamp request"),
    };
    if !request.message_imprint.is_supported() {
        return failure(StatusCode::BAD_REQUEST, "Unsupported message imprint");
    }
    match authority.respond(&request, authority.0.clock.now()) {
        Ok(response) => (
            StatusCode::CREATED,
            [(header::CONTENT_TYPE, "application/timestamp-reply")],
            response,
        )
            .into_response(),
        Err(error) => failure(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

async fn certificate_chain(State(authority): State<TimestampAuthority>) -> Response {
    let chain: String = authority
        .chain()
        .into_iter()
        .map(DerCertificate::to_pem)
        .collect();
    (
        [(header::CONTENT_TYPE, "application/pem-certificate-chain")],
        chain,
    )
        .into_response()
}

fn failure(status: StatusCode, message: &str) -> Response {
    let body = Json(json!({"code": status.as_u16(), "message": message}));
    (status, body).into_response()
}

const LIFETIME: SignedDuration = SignedDuration::from_hours(10 * 365 * 24);
/// A request is a digest and a nonce.
const MAX_REQUEST_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use sigstore_verify::tsa::verify_timestamp_for_authority;
    use sigstore_verify::types::{SignatureBytes, TimestampToken, TsaAuthority};

    use super::*;

    fn authority() -> TimestampAuthority {
        TimestampAuthority::new(Clock::new(Timestamp::now), Timestamp::now()).unwrap()
    }

    fn verify(
        trusted: &TimestampAuthority,
        response: Vec<u8>,
        message: &[u8],
    ) -> std::result::Result<Timestamp, sigstore_verify::tsa::Error> {
        let [leaf, root] = trusted.chain();
        let authority = TsaAuthority::new(leaf.clone(), Vec::new(), root.clone(), None);
        verify_timestamp_for_authority(
            &TimestampToken::new(response),
            &SignatureBytes::from_bytes(message),
            &authority,
        )
    }

    #[test]
    fn a_timestamp_verifies_and_tells_the_time() {
        let authority = authority();
        let now = Timestamp::now();
        let response = authority.timestamp(b"signature", now).unwrap();
        let time = verify(&authority, response, b"signature").unwrap();
        assert_eq!(time.as_second(), now.as_second());
    }

    #[test]
    fn a_timestamp_is_for_one_message_and_from_one_authority() {
        let (one, other) = (authority(), authority());
        let response = one.timestamp(b"signature", Timestamp::now()).unwrap();
        assert!(verify(&one, response.clone(), b"another").is_err());
        assert!(verify(&other, response, b"signature").is_err());
    }
}
