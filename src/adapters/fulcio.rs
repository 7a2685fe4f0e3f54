//! Fulcio, the certificate authority (API v2, `POST /api/v2/signingCert`).

use super::http::{Http, Method};
use crate::ci::IdToken;
use crate::evidence::{Certificate, Signature};
use crate::flow::ports::{Service, ServiceError};
use crate::limits;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sigstore_verify::types::DerCertificate;

/// Has a public key certified for the identity in the token. `base` is Fulcio's URL without a slash at the end.
pub async fn certificate(
    http: &Http,
    base: &str,
    token: &IdToken,
    public_key_pem: &str,
    proof: &Signature,
) -> Result<Certificate, ServiceError> {
    let body = Wire {
        credentials: Credentials {
            oidc_identity_token: token.reveal(),
        },
        public_key_request: PublicKeyRequest {
            public_key: PublicKey {
                algorithm: "ECDSA",
                content: public_key_pem,
            },
            proof_of_possession: STANDARD.encode(&proof.0),
        },
    };
    let answer = http
        .request(
            Service::Fulcio,
            Method::POST,
            &format!("{base}/api/v2/signingCert"),
        )?
        .body(
            "application/json",
            serde_json::to_vec(&body).unwrap_or_default(),
        )
        .send(limits::SERVICE_ANSWER_BYTES)
        .await?
        .success()?;
    let chain: Chain = serde_json::from_slice(&answer.body)
        // Without the parser's words: they quote the answer, and it answers a request with a token in it.
        .map_err(|_| answer.unexpected("no certificate chain"))?;
    let leaf = chain
        .content
        .chain
        .certificates
        .first()
        .map(|pem| DerCertificate::from_pem(pem));
    match leaf {
        Some(Ok(leaf)) => Ok(Certificate(leaf.as_bytes().to_vec())),
        _ => Err(answer.unexpected("no certificate in the chain")),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    credentials: Credentials<'a>,
    public_key_request: PublicKeyRequest<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Credentials<'a> {
    oidc_identity_token: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PublicKeyRequest<'a> {
    public_key: PublicKey<'a>,
    proof_of_possession: String,
}

#[derive(Serialize)]
struct PublicKey<'a> {
    algorithm: &'a str,
    content: &'a str,
}

/// Only embedded SCTs: a detached one has no place in a bundle.
#[derive(Deserialize)]
struct Chain {
    #[serde(rename = "signedCertificateEmbeddedSct")]
    content: Content,
}

#[derive(Deserialize)]
struct Content {
    chain: Certificates,
}

#[derive(Deserialize)]
struct Certificates {
    certificates: Vec<String>,
}
