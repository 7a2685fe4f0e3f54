//! What an ID token says, read without believing it: Fulcio checks the signature, we check what would make it refuse.

use super::AUDIENCE;
use crate::limits;
use crate::outcome::{Code, Coded};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The claims of an ID token that signing depends on.
#[derive(Debug, Clone, Deserialize)]
pub struct Claims {
    iss: String,
    sub: String,
    #[serde(default)]
    aud: Audience,
    exp: i64,
    nbf: Option<i64>,
    email: Option<String>,
    /// A boolean in most tokens, the text "true" in some.
    email_verified: Option<serde_json::Value>,
    #[serde(flatten)]
    others: BTreeMap<String, serde_json::Value>,
}

impl Claims {
    /// Reads the payload of a JWT.
    pub(super) fn of_jwt(jwt: &str) -> Result<Self, ClaimsError> {
        let mut parts = jwt.split('.');
        let (Some(_), Some(payload), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(ClaimsError::NotAToken);
        };
        let json = URL_SAFE_NO_PAD
            .decode(payload.trim_end_matches('='))
            .map_err(|_| ClaimsError::NotAToken)?;
        serde_json::from_slice(&json).map_err(ClaimsError::Payload)
    }

    /// The issuer, which ends up in the certificate.
    pub fn issuer(&self) -> &str {
        &self.iss
    }

    /// What the certificate authority asks a signature over, to prove possession of the key: the verified email
    /// address, else the subject.
    pub fn challenge(&self) -> &str {
        let verified =
            matches!(&self.email_verified, Some(value) if value == true || value == "true");
        match &self.email {
            Some(email) if verified => email,
            _ => &self.sub,
        }
    }

    /// The text of another claim.
    pub fn text(&self, claim: &str) -> Option<&str> {
        self.others.get(claim).and_then(serde_json::Value::as_str)
    }

    /// Refuses a token that Fulcio would refuse with fewer words: wrong audience, expired, not valid yet.
    pub fn check(&self, now: Timestamp) -> Result<(), ClaimsError> {
        if !self.aud.contains(AUDIENCE) {
            return Err(ClaimsError::Audience {
                found: self.aud.to_string(),
            });
        }
        let now = now.as_second();
        if self.exp.saturating_add(limits::CLOCK_SKEW_SECONDS) < now {
            return Err(ClaimsError::Expired {
                seconds: now.saturating_sub(self.exp),
            });
        }
        match self.nbf {
            Some(start) if start.saturating_sub(limits::CLOCK_SKEW_SECONDS) > now => {
                Err(ClaimsError::NotYetValid {
                    seconds: start.saturating_sub(now),
                })
            }
            _ => Ok(()),
        }
    }
}

/// One audience or several (RFC 7519 §4.1.3).
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn contains(&self, audience: &str) -> bool {
        match self {
            Self::One(one) => one == audience,
            Self::Many(many) => many.iter().any(|one| one == audience),
        }
    }
}

impl Default for Audience {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl std::fmt::Display for Audience {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::One(one) => f.write_str(one),
            Self::Many(many) => f.write_str(&many.join(", ")),
        }
    }
}

/// Why an ID token cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClaimsError {
    /// Three base64url parts were expected.
    #[error("the ID token is not a JSON Web Token")]
    NotAToken,
    /// More than [`limits::ID_TOKEN_BYTES`].
    #[error("the ID token is larger than any real one")]
    TooLarge,
    /// The payload is not a claims object with `iss`, `sub` and `exp`.
    #[error("the payload of the ID token cannot be read")]
    Payload(#[source] serde_json::Error),
    /// Nothing in it says who the signer is.
    #[error("the ID token names nobody: its claims hold no identity")]
    NoIdentity,
    /// For somebody else.
    #[error("the ID token is for the audience `{found}`, not `{AUDIENCE}`", found = found.escape_debug())]
    Audience {
        /// The audiences it is for.
        found: String,
    },
    /// Too late.
    #[error("the ID token expired {seconds} seconds ago")]
    Expired {
        /// How long ago.
        seconds: i64,
    },
    /// Too early: most likely a wrong clock here.
    #[error(
        "the ID token becomes valid only in {seconds} seconds; is the clock of this machine right?"
    )]
    NotYetValid {
        /// How long until then.
        seconds: i64,
    },
}

impl Coded for ClaimsError {
    fn code(&self) -> Code {
        Code::IdTokenInvalid
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ci::IdToken;
    use serde_json::json;

    fn token(claims: &serde_json::Value) -> Result<IdToken, ClaimsError> {
        let part = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        IdToken::parse(&format!(
            "{}.{}.c2ln",
            part(&json!({"alg": "RS256"})),
            part(claims)
        ))
    }

    fn check(claims: &serde_json::Value, now: i64) -> Result<(), ClaimsError> {
        token(claims)?
            .claims()
            .check(Timestamp::from_second(now).unwrap())
    }

    #[test]
    fn a_fresh_token_for_sigstore_passes() {
        let claims =
            json!({"iss": "i", "sub": "s", "aud": ["x", "sigstore"], "exp": 1000, "nbf": 500});
        check(&claims, 700).unwrap();
        check(&claims, 1000 + limits::CLOCK_SKEW_SECONDS).unwrap();
        check(&claims, 500 - limits::CLOCK_SKEW_SECONDS).unwrap();
    }

    #[test]
    fn audience_expiry_and_start_are_refused() {
        let claims = json!({"iss": "i", "sub": "s", "aud": "sigstore", "exp": 1000, "nbf": 500});
        assert!(matches!(
            check(&claims, 1061),
            Err(ClaimsError::Expired { seconds: 61 })
        ));
        assert!(matches!(
            check(&claims, 439),
            Err(ClaimsError::NotYetValid { .. })
        ));
        for audience in [
            json!("sigstore2"),
            json!([]),
            json!("https://github.com/acme"),
        ] {
            let claims = json!({"iss": "i", "sub": "s", "aud": audience, "exp": 1000});
            assert!(matches!(
                check(&claims, 700),
                Err(ClaimsError::Audience { .. })
            ));
        }
    }

    #[test]
    fn times_at_the_ends_of_what_can_be_written_are_compared_like_others() {
        let claims = |exp: i64, nbf: i64| json!({"iss": "i", "sub": "s", "aud": "sigstore", "exp": exp, "nbf": nbf});
        check(&claims(i64::MAX, i64::MIN), 700).unwrap();
        assert!(matches!(
            check(&claims(i64::MIN, 0), 700),
            Err(ClaimsError::Expired { .. })
        ));
        assert!(matches!(
            check(&claims(i64::MAX, i64::MAX), -700),
            Err(ClaimsError::NotYetValid { .. })
        ));
    }

    #[test]
    fn garbage_is_refused() {
        for text in ["", "a.b", "a.b.c.d", "..", "a.!!.c", "a.e30.c"] {
            assert!(IdToken::parse(text).is_err(), "{text}");
        }
        assert!(matches!(
            IdToken::parse(&"a".repeat(70_000)),
            Err(ClaimsError::TooLarge)
        ));
    }

    #[test]
    fn only_a_verified_email_is_the_challenge() {
        let challenge = |verified| {
            let claims = json!({"iss": "i", "sub": "s", "exp": 1, "email": "a@b.c", "email_verified": verified});
            token(&claims).unwrap().claims().challenge().to_owned()
        };
        assert_eq!(challenge(json!(true)), "a@b.c");
        assert_eq!(challenge(json!("true")), "a@b.c");
        assert_eq!(challenge(json!(false)), "s");
        assert_eq!(challenge(json!(null)), "s");
    }
}
