//! How a registry wants requests to be authorized: basic, or a bearer token from its token server (distribution's token
//! authentication, RFC 6750 challenges).

use super::credentials::{self, Credentials};
use crate::adapters::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use crate::adapters::http::{Answer, Http, Method, Request, Url};
use crate::ci::{Env, Secret};
use crate::flow::ports::{Service, ServiceError};
use crate::image::Repository;
use crate::limits;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::collections::HashMap;
use tokio::sync::Mutex;

/// What a run does with registries. Asked for once, so that one token serves the whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// `pull`
    Read,
    /// `pull,push`
    Write,
}

/// The authorizations of a run, by repository.
pub(super) struct Auth<'a> {
    http: &'a Http,
    env: &'a Env,
    access: Access,
    known: Mutex<HashMap<Repository, Authorization>>,
}

/// What goes into the `Authorization` header.
#[derive(Clone, Default)]
pub(super) struct Authorization(Option<Secret>);

impl Authorization {
    pub(super) fn apply<'r>(&self, request: Request<'r>) -> Request<'r> {
        match &self.0 {
            Some(value) => request.secret_header(AUTHORIZATION, value.reveal()),
            None => request,
        }
    }

    fn is(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(a), Some(b)) => a.reveal() == b.reveal(),
            _ => false,
        }
    }
}

impl<'a> Auth<'a> {
    pub(super) fn new(http: &'a Http, env: &'a Env, access: Access) -> Self {
        Self {
            http,
            env,
            access,
            known: Mutex::default(),
        }
    }

    /// The authorization that the repository last asked for; none before it asked.
    pub(super) async fn known(&self, repository: &Repository) -> Authorization {
        self.known
            .lock()
            .await
            .get(repository)
            .cloned()
            .unwrap_or_default()
    }

    /// The authorization that `refused`, an answer 401 to a request with `used`, asks for. Requests that are refused at
    /// the same time wait here for one login.
    pub(super) async fn answer_challenge(
        &self,
        repository: &Repository,
        refused: &Answer,
        used: &Authorization,
    ) -> Result<Authorization, ServiceError> {
        let mut known = self.known.lock().await;
        if let Some(newer) = known.get(repository).filter(|newer| !newer.is(used)) {
            return Ok(newer.clone());
        }
        let challenge = refused
            .header(WWW_AUTHENTICATE)
            .and_then(Challenge::parse)
            .ok_or_else(|| refused.refusal())?;
        let credentials = credentials::of(repository.registry(), self.env)?;
        let authorization = match challenge {
            Challenge::Basic => match &credentials {
                Some(Credentials::Password { user, password }) => basic(user, password),
                _ => return Err(refused.refusal()),
            },
            Challenge::Bearer { realm, service } => {
                let scope = format!("repository:{}:{}", repository.path(), self.scope());
                self.token(&realm, service.as_deref(), &scope, credentials.as_ref())
                    .await?
            }
        };
        known.insert(repository.clone(), authorization.clone());
        Ok(authorization)
    }

    fn scope(&self) -> &'static str {
        match self.access {
            Access::Read => "pull",
            Access::Write => "pull,push",
        }
    }

    /// Logs in at the token server: with a refresh token by POST (OAuth 2), else by GET, anonymously if there are no
    /// credentials.
    async fn token(
        &self,
        realm: &str,
        service: Option<&str>,
        scope: &str,
        credentials: Option<&Credentials>,
    ) -> Result<Authorization, ServiceError> {
        let mut query: Vec<(&str, &str)> = vec![("scope", scope)];
        query.extend(service.map(|service| ("service", service)));
        let request = match credentials {
            Some(Credentials::RefreshToken(token)) => {
                query.extend([
                    ("grant_type", "refresh_token"),
                    ("client_id", "signgate"),
                    ("refresh_token", token.reveal()),
                ]);
                let form = Url::parse_with_params("form:", &query).ok();
                let form = form.as_ref().and_then(Url::query).unwrap_or_default();
                self.http
                    .request(Service::Registry, Method::POST, realm)?
                    .body(
                        "application/x-www-form-urlencoded",
                        form.as_bytes().to_vec(),
                    )
            }
            other => {
                let url = Url::parse_with_params(realm, &query)
                    .map_or_else(|_| realm.to_owned(), String::from);
                let request = self.http.request(Service::Registry, Method::GET, &url)?;
                match other {
                    Some(Credentials::Password { user, password }) => {
                        basic(user, password).apply(request)
                    }
                    _ => request,
                }
            }
        };
        let answer = request
            .send(limits::SERVICE_ANSWER_BYTES)
            .await?
            .success()?;
        let token: Token = serde_json::from_slice(&answer.body)
            .map_err(|_| answer.unexpected("no JSON with a token"))?;
        let token = token
            .token
            .or(token.access_token)
            .ok_or_else(|| answer.unexpected("no token"))?;
        Ok(Authorization(Some(Secret::new(format!("Bearer {token}")))))
    }
}

/// Both names are in use (distribution's token specification).
#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

fn basic(user: &str, password: &Secret) -> Authorization {
    let pair = Secret::new(format!("{user}:{}", password.reveal()));
    Authorization(Some(Secret::new(format!(
        "Basic {}",
        STANDARD.encode(pair.reveal())
    ))))
}

/// What a 401 asks for.
#[derive(Debug, PartialEq, Eq)]
enum Challenge {
    Basic,
    Bearer {
        realm: String,
        service: Option<String>,
    },
}

impl Challenge {
    fn parse(header: &str) -> Option<Self> {
        let (scheme, parameters) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        let parameter = |name: &str| {
            let start = parameters
                .to_ascii_lowercase()
                .find(&format!("{name}=\""))?
                + name.len()
                + 2;
            parameters
                .get(start..)?
                .split('"')
                .next()
                .map(str::to_owned)
        };
        let is_bearer = scheme.eq_ignore_ascii_case("bearer");
        is_bearer
            .then(|| {
                Some(Self::Bearer {
                    realm: parameter("realm")?,
                    service: parameter("service"),
                })
            })
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        let header = r#"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull""#;
        assert_eq!(
            Challenge::parse(header),
            Some(Challenge::Bearer {
                realm: "https://auth.example/token".to_owned(),
                service: Some("registry.example".to_owned())
            })
        );
        assert_eq!(
            Challenge::parse(r#"Basic realm="x""#),
            Some(Challenge::Basic)
        );
        for other in ["", "Digest realm=\"x\"", "Bearer", "Bearer service=\"x\""] {
            assert_eq!(Challenge::parse(other), None, "{other}");
        }
    }
}
