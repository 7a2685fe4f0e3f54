//! Bearer tokens: `/token`, and what a request may do with them (the token specification of docker/distribution, which
//! the registries share, and RFC 6750).
//!
//! 1. A request without a token is answered 401 with a challenge that names the realm and the scope it needs.
//! 2. The client asks the realm for a token with that scope, with its user name and password or without.
//! 3. The realm gives the rights that the client has, which may be fewer than it asked for.
//! 4. The client sends its request again, with the token.
//!
//! Tokens are random names of rights kept here, not signed documents: clients may not look into them.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::Query;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Uri};
use axum::response::IntoResponse;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::Answer;
use super::refusal::{Code, Refusal};

/// The user who may push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The user name; without a colon (RFC 7617 §2).
    pub username: String,
    /// The password.
    pub password: String,
}

/// What a request does to a repository. Registries differ in what deleting needs; here it is the right to push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Pull,
    Push,
}

/// Issues tokens and checks them. Without credentials it lets everything pass.
pub(super) struct Gate {
    credentials: Option<Credentials>,
    tokens: Mutex<HashMap<String, Grant>>,
}

/// The rights behind a token.
struct Grant {
    rights: Vec<(String, Action)>,
    until: Instant,
}

impl Gate {
    pub(super) fn new(credentials: Option<Credentials>) -> Self {
        Self {
            credentials,
            tokens: Mutex::default(),
        }
    }

    /// Answers `GET /token?service=&scope=`. A scope may be repeated, or several be separated by spaces.
    pub(super) fn issue(&self, uri: &Uri, headers: &HeaderMap) -> Answer {
        let credentials = self.credentials.as_ref().ok_or(Refusal::PageNotFound)?;
        let known = match headers
            .get(AUTHORIZATION)
            .map(|value| value.to_str().unwrap_or_default())
        {
            None => false,
            Some(basic) if is_basic(basic, credentials) => true,
            Some(_) => {
                return Err(Refusal::new(
                    Code::Unauthorized,
                    "the user name or the password is wrong",
                ));
            }
        };
        let query = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map(|Query(query)| query)
            .unwrap_or_default();
        let scopes = query
            .iter()
            .filter(|(key, _)| key == "scope")
            .flat_map(|(_, scopes)| scopes.split(' '));
        let rights = scopes
            .flat_map(rights)
            .filter(|(_, action)| known || *action == Action::Pull)
            .collect();
        let token = random_name();
        self.tokens().insert(
            token.clone(),
            Grant {
                rights,
                until: Instant::now() + LIFETIME,
            },
        );
        // Older clients read `token`, newer ones `access_token`.
        let body =
            json!({ "token": token, "access_token": token, "expires_in": LIFETIME.as_secs() });
        Ok(Json(body).into_response())
    }

    /// Lets a request pass, or says what it lacks. `url` is where the registry is served.
    pub(super) fn admit(
        &self,
        url: &str,
        headers: &HeaderMap,
        need: Option<(&str, Action)>,
    ) -> Result<(), Refusal> {
        if self.credentials.is_none() {
            return Ok(());
        }
        let challenge = || challenge(url, need);
        let Some(token) = bearer(headers) else {
            return Err(Refusal::challenge("a token is needed", challenge()));
        };
        let tokens = self.tokens();
        let Some(grant) = tokens
            .get(token)
            .filter(|grant| grant.until > Instant::now())
        else {
            let challenge = format!("{},error=\"invalid_token\"", challenge());
            return Err(Refusal::challenge(
                "the token is not valid, or no longer",
                challenge,
            ));
        };
        match need {
            Some((repository, action)) if !grant.allows(repository, action) => {
                Err(Refusal::new(Code::Denied, "the token does not allow this").about(repository))
            }
            _ => Ok(()),
        }
    }

    /// Whether the token of a request also allows something else.
    pub(super) fn allows(&self, headers: &HeaderMap, repository: &str, action: Action) -> bool {
        self.admit("", headers, Some((repository, action))).is_ok()
    }

    /// Forgets all tokens.
    pub(super) fn revoke(&self) {
        self.tokens().clear();
    }

    /// A panic elsewhere cannot leave a half-written token, so a poisoned lock is still good.
    fn tokens(&self) -> MutexGuard<'_, HashMap<String, Grant>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Grant {
    fn allows(&self, repository: &str, action: Action) -> bool {
        self.rights
            .iter()
            .any(|(name, right)| name == repository && *right == action)
    }
}

/// The rights of a scope `repository:NAME:pull,push`. What is none of ours gives none.
fn rights(scope: &str) -> Vec<(String, Action)> {
    let Some((name, actions)) = scope
        .strip_prefix("repository:")
        .and_then(|rest| rest.rsplit_once(':'))
    else {
        return Vec::new();
    };
    let right = |action| match action {
        "pull" => Some((name.to_owned(), Action::Pull)),
        "push" | "delete" => Some((name.to_owned(), Action::Push)),
        _ => None,
    };
    actions.split(',').filter_map(right).collect()
}

fn challenge(url: &str, need: Option<(&str, Action)>) -> String {
    let scope = match need {
        Some((repository, Action::Pull)) => format!(",scope=\"repository:{repository}:pull\""),
        Some((repository, Action::Push)) => format!(",scope=\"repository:{repository}:pull,push\""),
        None => String::new(),
    };
    format!("Bearer realm=\"{url}/token\",service=\"sandbox\"{scope}")
}

/// `Basic` and the base64 of `USER:PASSWORD` (RFC 7617 §2).
fn is_basic(header: &str, credentials: &Credentials) -> bool {
    let expected = format!("{}:{}", credentials.username, credentials.password);
    let given = split_scheme(header, "Basic").and_then(|given| BASE64_STANDARD.decode(given).ok());
    given.is_some_and(|given| given == expected.as_bytes())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    split_scheme(headers.get(AUTHORIZATION)?.to_str().ok()?, "Bearer")
}

/// What follows the scheme, which is written in any case (RFC 9110 §11.1).
fn split_scheme<'a>(header: &'a str, scheme: &str) -> Option<&'a str> {
    let (given, rest) = header.split_once(' ')?;
    given
        .eq_ignore_ascii_case(scheme)
        .then(|| rest.trim_start())
}

/// A name that nobody guesses, for tokens and uploads: the standard library keys its hashers at random.
pub(super) fn random_name() -> String {
    format!(
        "{:016x}{:016x}",
        RandomState::new().hash_one(0),
        RandomState::new().hash_one(1)
    )
}

/// Five minutes, as at most registries.
const LIFETIME: Duration = Duration::from_secs(300);
