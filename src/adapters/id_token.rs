//! Fetches the ID token that a [`TokenSource`] describes.

use super::http::header::{ACCEPT, AUTHORIZATION};
use super::http::{Http, Method};
use crate::ci::{IdToken, TokenSource};
use crate::flow::ports::{Service, TokenError};
use crate::limits;
use serde::Deserialize;

/// Fetches the token.
pub async fn fetch(http: &Http, source: &TokenSource) -> Result<IdToken, TokenError> {
    match source {
        TokenSource::Ready(token) => Ok(token.clone()),
        TokenSource::Request { url, bearer } => {
            let answer = http
                .request(Service::TokenEndpoint, Method::GET, url)?
                .secret_header(AUTHORIZATION, &format!("Bearer {}", bearer.reveal()))
                .header(ACCEPT, "application/json")
                .send(limits::SERVICE_ANSWER_BYTES)
                .await?
                .success()?;
            #[derive(Deserialize)]
            struct Wire {
                value: String,
            }
            let wire: Wire = serde_json::from_slice(&answer.body)
                .map_err(|_| answer.unexpected("no JSON with the token in `value`"))?;
            Ok(IdToken::parse(&wire.value)?)
        }
    }
}
