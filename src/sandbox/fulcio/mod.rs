//! Fulcio's HTTP API, version 2: a token goes in, a certificate comes out.
//!
//! `POST /api/v2/signingCert` checks, in this order, 1. the token, from the body or as a bearer: signed by a known
//! issuer, for the audience `sigstore`, at this time; 2. the public key: readable and of a kind that is accepted;
//! 3. the proof of possession: a signature by that key over the e-mail address, or over the `sub` claim for machines.
//! Then the [`CertificateAuthority`] issues. Refusals are as uninformative as the real service's, in the error shape
//! of grpc-gateway. `GET /api/v2/configuration` and `GET /api/v2/trustBundle` describe the service.
//!
//! Left out: certificate signing requests, detached SCTs, and the gRPC interface.

pub(super) mod ca;
mod ct_log;
mod extensions;

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use sigstore_verify::crypto::{KeyAlgorithm, verify_signature};
use sigstore_verify::types::{DerCertificate, DerPublicKey, HashAlgorithm, SignatureBytes};

use crate::sandbox::fulcio::ca::CertificateAuthority;
use crate::sandbox::oidc::Issuer;
use crate::sandbox::oidc::Provider;
use crate::sandbox::oidc::token::Claims;
use crate::sandbox::serve::clock::Clock;

/// The certificate authority, the issuers it believes, and its clock.
#[derive(Clone)]
pub(crate) struct Fulcio {
    pub(crate) authority: Arc<CertificateAuthority>,
    pub(crate) issuer: Issuer,
    pub(crate) clock: Clock,
}

impl Fulcio {
    /// The HTTP face of the service.
    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/api/v2/signingCert", post(signing_certificate))
            .route("/api/v2/configuration", get(configuration))
            .route("/api/v2/trustBundle", get(trust_bundle))
            .layer(DefaultBodyLimit::max(MAX_REQUEST_BYTES))
            .with_state(self)
    }

    /// A certificate chain as PEM, leaf first, for a request whose bearer token is `bearer`.
    fn sign(
        &self,
        request: &CertificateRequest,
        bearer: Option<&str>,
    ) -> Result<Vec<String>, Refusal> {
        let now = self.clock.now();
        let token = request
            .credentials
            .as_ref()
            .map(|credentials| credentials.oidc_identity_token.as_str())
            .filter(|token| !token.is_empty())
            .or(bearer)
            .ok_or(Refusal::IdentityToken)?;
        let (provider, claims) = self.issuer.verify(token).ok_or(Refusal::IdentityToken)?;
        let name = authenticate(provider, &claims, now).ok_or(Refusal::IdentityToken)?;

        let possession = &request.public_key_request;
        let key = DerPublicKey::from_pem(&possession.public_key.content)
            .map_err(|_| Refusal::PublicKey)?;
        // Whatever the curve, possession is proved with SHA-256.
        let scheme = KeyAlgorithm::from_spki(&key)
            .and_then(|algorithm| algorithm.resolve_signing_scheme(HashAlgorithm::Sha2256))
            .map_err(|_| Refusal::PublicKey)?;
        verify_signature(
            &key,
            name.as_bytes(),
            &possession.proof_of_possession,
            scheme,
        )
        .map_err(|_| Refusal::Signature)?;

        let leaf = self
            .authority
            .issue(provider, &claims, &key, now)
            .map_err(|_| Refusal::Authority)?;
        Ok(std::iter::once(&leaf)
            .chain(self.authority.chain())
            .map(DerCertificate::to_pem)
            .collect())
    }
}

/// The name whose signature proves possession of the key, if the token is for us and for now.
fn authenticate(provider: Provider, claims: &Claims, now: Timestamp) -> Option<&str> {
    let audience = claims.get("aud")?;
    let for_us = match audience {
        Value::Array(audiences) => audiences.iter().any(|audience| audience == AUDIENCE),
        audience => audience == AUDIENCE,
    };
    let time = |claim: &str| claims.get(claim).and_then(Value::as_i64);
    let expires = time("exp")?;
    let begins = time("nbf").unwrap_or(i64::MIN);
    if !for_us || now.as_second() >= expires || now.as_second() < begins {
        return None;
    }
    if provider == Provider::Email {
        if claims.get("email_verified") != Some(&Value::Bool(true)) {
            return None;
        }
        return claims.get("email")?.as_str();
    }
    claims.get("sub")?.as_str()
}

async fn signing_certificate(
    State(fulcio): State<Fulcio>,
    headers: HeaderMap,
    request: Result<Json<CertificateRequest>, axum::extract::rejection::JsonRejection>,
) -> Response {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let certificates = match &request {
        Ok(Json(request)) => fulcio.sign(request, bearer),
        Err(rejection) => Err(Refusal::Request(rejection.body_text())),
    };
    match certificates {
        Ok(certificates) => Json(json!({
            "signedCertificateEmbeddedSct": {"chain": {"certificates": certificates}}
        }))
        .into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn configuration(State(fulcio): State<Fulcio>) -> Json<Value> {
    let issuers: Vec<Value> = Provider::ALL
        .into_iter()
        .map(|provider| {
            let (challenge, kind) = match provider {
                Provider::Email => ("email", "email"),
                _ => ("sub", "ci-provider"),
            };
            json!({
                "issuerUrl": fulcio.issuer.url(provider),
                "audience": AUDIENCE,
                "challengeClaim": challenge,
                "spiffeTrustDomain": "",
                "issuerType": kind,
            })
        })
        .collect();
    Json(json!({"issuers": issuers}))
}

async fn trust_bundle(State(fulcio): State<Fulcio>) -> Json<Value> {
    let certificates = fulcio
        .authority
        .chain()
        .map(|certificate| certificate.to_pem());
    Json(json!({"chains": [{"certificates": certificates}]}))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CertificateRequest {
    /// Clients that send the token as a bearer leave this out.
    credentials: Option<Credentials>,
    public_key_request: PublicKeyRequest,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credentials {
    oidc_identity_token: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PublicKeyRequest {
    public_key: PublicKey,
    proof_of_possession: SignatureBytes,
}

#[derive(Deserialize)]
struct PublicKey {
    /// PEM; the `algorithm` beside it says nothing that the key does not say itself.
    content: String,
}

/// Why no certificate was issued, in the words of the real service.
enum Refusal {
    Request(String),
    IdentityToken,
    PublicKey,
    Signature,
    Authority,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code, message) = match self {
            Self::Request(reason) => (StatusCode::BAD_REQUEST, INVALID_ARGUMENT, reason),
            Self::IdentityToken => invalid("There was an error processing the identity token"),
            Self::PublicKey => {
                invalid("The public key supplied in the request could not be parsed")
            }
            Self::Signature => {
                invalid("The signature supplied in the request could not be verified")
            }
            Self::Authority => (
                StatusCode::INTERNAL_SERVER_ERROR,
                INTERNAL,
                "error communicating with CA backend".to_owned(),
            ),
        };
        let body = Json(json!({"code": code, "message": message, "details": []}));
        (status, body).into_response()
    }
}

fn invalid(message: &str) -> (StatusCode, u8, String) {
    (
        StatusCode::BAD_REQUEST,
        INVALID_ARGUMENT,
        message.to_owned(),
    )
}

const AUDIENCE: &str = "sigstore";
/// Codes of gRPC's `google.rpc.Code`.
const INVALID_ARGUMENT: u8 = 3;
const INTERNAL: u8 = 13;
/// A token and a key are a few KiB; more than this is an attempt to fill our memory.
const MAX_REQUEST_BYTES: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use sigstore_verify::crypto::KeyPair;

    use super::*;
    use crate::sandbox::oidc::Identity;

    fn fulcio() -> Fulcio {
        let clock = Clock::new(Timestamp::now);
        let job = Identity::email("nobody@example.com");
        Fulcio {
            authority: Arc::new(CertificateAuthority::new(clock.now()).unwrap()),
            issuer: Issuer::new("http://127.0.0.1:1", clock.clone(), job).unwrap(),
            clock,
        }
    }

    fn request(token: String, name: &str) -> CertificateRequest {
        let key = KeyPair::generate_ecdsa_p256().unwrap();
        CertificateRequest {
            credentials: Some(Credentials {
                oidc_identity_token: token,
            }),
            public_key_request: PublicKeyRequest {
                public_key: PublicKey {
                    content: key.public_key_der().unwrap().to_pem(),
                },
                proof_of_possession: key.sign(name.as_bytes()).unwrap(),
            },
        }
    }

    #[test]
    fn a_valid_token_gets_a_chain_of_three() {
        let fulcio = fulcio();
        let token = fulcio
            .issuer
            .mint(&Identity::email("a@example.com"))
            .unwrap();
        let chain = fulcio.sign(&request(token, "a@example.com"), None);
        assert_eq!(chain.ok().unwrap().len(), 3);
    }

    #[test]
    fn a_token_may_come_as_a_bearer_instead() {
        let fulcio = fulcio();
        let token = fulcio
            .issuer
            .mint(&Identity::email("a@example.com"))
            .unwrap();
        let mut request = request(String::new(), "a@example.com");
        request.credentials = None;
        assert!(fulcio.sign(&request, Some(&token)).is_ok());
        let refusal = fulcio.sign(&request, None).err();
        assert!(matches!(refusal, Some(Refusal::IdentityToken)));
    }

    #[test]
    fn a_token_that_is_wrong_in_one_way_is_refused() {
        let fulcio = fulcio();
        let job = Identity::email("a@example.com");
        for wrong in [
            job.clone().audience("nobody"),
            job.clone().expires_in(SignedDuration::from_secs(-1)),
            job.clone().without("exp"),
            job.clone().with("nbf", i64::MAX),
            job.clone().with("email_verified", false),
            job.clone().with("iss", "https://elsewhere.example"),
        ] {
            let token = fulcio.issuer.mint(&wrong).unwrap();
            let refusal = fulcio.sign(&request(token, "a@example.com"), None).err();
            assert!(matches!(refusal, Some(Refusal::IdentityToken)), "{wrong:?}");
        }
        let forged = fulcio.issuer.mint_forged(&job).unwrap();
        let refusal = fulcio.sign(&request(forged, "a@example.com"), None).err();
        assert!(matches!(refusal, Some(Refusal::IdentityToken)));
    }

    #[test]
    fn possession_must_be_proved_over_the_name_in_the_token() {
        let fulcio = fulcio();
        let token = fulcio
            .issuer
            .mint(&Identity::email("a@example.com"))
            .unwrap();
        let refusal = fulcio.sign(&request(token, "b@example.com"), None).err();
        assert!(matches!(refusal, Some(Refusal::Signature)));
    }
}
