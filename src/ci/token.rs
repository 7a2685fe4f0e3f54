//! Secrets: values without a printable form that are wiped when dropped.

use super::claims::{Claims, ClaimsError};
use crate::limits;
use zeroize::Zeroizing;

/// A text that is never printed: a bearer token or a password.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a secret into custody.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text, for the one request that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// An OIDC ID token: whoever holds it can sign as this job until it expires.
///
/// Its claims are readable, the token is not: there is no `Debug` and no `Display`.
#[derive(Clone)]
pub struct IdToken {
    secret: Secret,
    claims: Claims,
}

impl IdToken {
    /// Reads a token and its claims. The issuer's signature is Fulcio's to check, not ours.
    pub fn parse(text: &str) -> Result<Self, ClaimsError> {
        let text = text.trim();
        if text.len() > limits::ID_TOKEN_BYTES {
            return Err(ClaimsError::TooLarge);
        }
        Ok(Self {
            secret: Secret::new(text),
            claims: Claims::of_jwt(text)?,
        })
    }

    /// What the token says.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The token, for the request to the certificate authority.
    pub fn reveal(&self) -> &str {
        self.secret.reveal()
    }
}
