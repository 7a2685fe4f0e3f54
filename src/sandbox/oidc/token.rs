//! JSON Web Tokens (RFC 7519) as OIDC issuers sign them: compact JWS (RFC 7515) with RS256 (RFC 7518 §3.3).
//!
//! RS256 because every CI issuer uses it and cosign takes an inline token only if it is RS256. Claims are a plain
//! JSON object here; which claims make sense is the business of `identity` and `fulcio`.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use der::asn1::UintRef;
use der::{Decode, Sequence};
use serde_json::{Map, Value, json};
use sigstore_verify::crypto::sha256;

use crate::sandbox::error::Result;

/// The claims of a token.
pub(crate) type Claims = Map<String, Value>;

/// An RSA key that signs tokens, and the name it is published under.
pub(crate) struct TokenKey {
    key: KeyPair,
    id: String,
}

impl TokenKey {
    /// A fresh RSA-2048 key, named by a hash of its public half.
    pub(crate) fn new() -> Result<Self> {
        let key = KeyPair::generate(KeySize::Rsa2048)?;
        let spki: PublicKeyX509Der<'_> = key.public_key().as_der()?;
        let id = sha256(spki.as_ref()).to_hex()[..16].to_owned();
        Ok(Self { key, id })
    }

    /// A compact token: header, claims and signature, each base64url, joined by dots.
    pub(crate) fn sign(&self, claims: &Claims) -> Result<String> {
        self.sign_as(&self.id, claims)
    }

    /// A token that claims to be signed by the key named `key_id`, which need not be true.
    pub(crate) fn sign_as(&self, key_id: &str, claims: &Claims) -> Result<String> {
        let header = json!({"alg": "RS256", "kid": key_id, "typ": "JWT"});
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header)?),
            URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims)?)
        );
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            message.as_bytes(),
            &mut signature,
        )?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The claims of `token` if this key signed it; nothing about time, issuer or audience is checked.
    pub(crate) fn verify(&self, token: &str) -> Option<Claims> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let header: Value = decode(header)?;
        // The algorithm is ours to choose, never the token's (RFC 8725 §3.1).
        if header["alg"] != "RS256" || header["kid"] != self.id.as_str() {
            return None;
        }
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.key.public_key().as_ref())
            .verify(message.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?)
            .ok()?;
        decode(claims)
    }

    /// The name of the key (`kid`).
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The public half as a JSON Web Key (RFC 7517, RFC 7518 §6.3.1).
    pub(crate) fn jwk(&self) -> Result<Value> {
        let public = RsaPublicKey::from_der(self.key.public_key().as_ref())?;
        Ok(json!({
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.id,
            "n": URL_SAFE_NO_PAD.encode(public.modulus.as_bytes()),
            "e": URL_SAFE_NO_PAD.encode(public.exponent.as_bytes()),
        }))
    }
}

/// `RSAPublicKey` (RFC 8017 §A.1.1).
#[derive(Sequence)]
struct RsaPublicKey<'a> {
    modulus: UintRef<'a>,
    exponent: UintRef<'a>,
}

fn decode<T: serde::de::DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_verifies_under_its_own_key_only() {
        let key = TokenKey::new().unwrap();
        let other = TokenKey::new().unwrap();
        let claims = Claims::from_iter([("sub".to_owned(), json!("somebody"))]);

        let token = key.sign(&claims).unwrap();
        assert_eq!(key.verify(&token), Some(claims.clone()));
        assert_eq!(other.verify(&token), None);

        let forged = other.sign_as(key.id(), &claims).unwrap();
        assert_eq!(key.verify(&forged), None);
    }

    #[test]
    fn changed_claims_do_not_verify() {
        let key = TokenKey::new().unwrap();
        let token = key.sign(&Claims::new()).unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        let claims = URL_SAFE_NO_PAD.encode(br#"{"sub":"another"}"#);
        assert_eq!(
            key.verify(&format!("{}.{claims}.{}", parts[0], parts[2])),
            None
        );
    }
}
