//! The OpenID Connect issuers: four platforms behind one address, told apart by path (`/github`, `/gitlab`,
//! `/buildkite`, `/email`).
//!
//! Each has the two documents that a relying party reads (OpenID Connect Discovery 1.0 §4 and the key set of
//! RFC 7517 §5). GitHub additionally has the endpoint that a runner asks for a token on behalf of its job:
//! `GET /actions/token?api-version=2.0&audience=…` with a bearer that only the job knows. The other platforms hand
//! the token to the job in its environment, so for them there is only [`Issuer::mint`].

mod claims;
pub(super) mod identity;
pub(super) mod token;

pub use identity::{Identity, Provider};

use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::rand;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::sandbox::error::Result;
use crate::sandbox::oidc::token::{Claims, TokenKey};
use crate::sandbox::serve::clock::Clock;

/// The issuers, their signing key, and the GitHub job that is running.
#[derive(Clone)]
pub struct Issuer(Arc<Inner>);

struct Inner {
    url: String,
    clock: Clock,
    key: TokenKey,
    request_token: String,
    job: Mutex<Identity>,
}

impl Issuer {
    /// Issuers at `url`, the address of the service without a trailing slash, with `job` as the running GitHub job.
    pub(crate) fn new(url: &str, clock: Clock, job: Identity) -> Result<Self> {
        Ok(Self(Arc::new(Inner {
            url: url.to_owned(),
            clock,
            key: TokenKey::new()?,
            request_token: random_hex()?,
            job: Mutex::new(job),
        })))
    }

    /// The issuer of a platform, as the `iss` claim and the certificate name it.
    pub fn url(&self, provider: Provider) -> String {
        format!("{}/{}", self.0.url, provider.path())
    }

    /// A token for `identity`, as its platform would issue it now.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn mint(&self, identity: &Identity) -> Result<String> {
        self.0.key.sign(&self.claims(identity)?)
    }

    /// The same token signed by a key that is not the issuer's, although the header names the issuer's.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn mint_forged(&self, identity: &Identity) -> Result<String> {
        TokenKey::new()?.sign_as(self.0.key.id(), &self.claims(identity)?)
    }

    /// Makes `job` the GitHub job that is running, whose token the runner's endpoint gives out.
    pub fn set_job(&self, job: Identity) {
        *self.0.job.lock().unwrap_or_else(PoisonError::into_inner) = job;
    }

    /// The GitHub job that is running.
    pub fn job(&self) -> Identity {
        self.0
            .job
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What the runner puts into `ACTIONS_ID_TOKEN_REQUEST_URL`; the audience is appended to it.
    pub fn request_url(&self) -> String {
        format!("{}/actions/token?api-version=2.0", self.0.url)
    }

    /// What the runner puts into `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
    pub fn request_token(&self) -> &str {
        &self.0.request_token
    }

    /// The claims of `token` and the platform it is from, if one of these issuers signed it for its own name.
    pub(crate) fn verify(&self, token: &str) -> Option<(Provider, Claims)> {
        let claims = self.0.key.verify(token)?;
        let issuer = claims.get("iss")?.as_str()?;
        let provider = Provider::ALL
            .into_iter()
            .find(|provider| self.url(*provider) == issuer)?;
        Some((provider, claims))
    }

    /// The claims of a token that the identity's platform issues now.
    pub(crate) fn claims(&self, identity: &Identity) -> Result<Claims> {
        let issuer = self.url(identity.provider());
        Ok(identity.claims(&issuer, self.0.clock.now(), &random_hex()?))
    }

    /// The HTTP face of the issuers.
    pub(crate) fn router(&self) -> Router {
        let mut router = Router::new().route("/actions/token", get(runner_token));
        for provider in Provider::ALL {
            let discovery = format!("/{provider}/.well-known/openid-configuration");
            let document = self.discovery_document(provider);
            router = router
                .route(&discovery, get(async move || Json(document)))
                .route(&format!("/{provider}/jwks"), get(jwks));
        }
        router.with_state(self.clone())
    }

    fn discovery_document(&self, provider: Provider) -> Value {
        let issuer = self.url(provider);
        json!({
            "issuer": issuer,
            "jwks_uri": format!("{issuer}/jwks"),
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid"],
        })
    }
}

#[derive(Deserialize)]
struct TokenRequest {
    audience: Option<String>,
}

/// `GET /actions/token`: GitHub's service answers only the bearer it gave to the job.
async fn runner_token(
    State(issuer): State<Issuer>,
    Query(request): Query<TokenRequest>,
    headers: HeaderMap,
) -> Response {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token);
    if bearer != Some(issuer.request_token()) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let mut job = issuer.job();
    if let Some(audience) = request.audience {
        job = job.audience(&audience);
    }
    match issuer.mint(&job) {
        Ok(token) => Json(json!({"count": token.len(), "value": token})).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn jwks(State(issuer): State<Issuer>) -> Response {
    match issuer.0.key.jwk() {
        Ok(key) => Json(json!({"keys": [key]})).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn random_hex() -> Result<String> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}
