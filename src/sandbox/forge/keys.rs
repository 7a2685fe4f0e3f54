//! Bundles signed with a key that nobody has certified, as `cosign sign --key` makes them.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use sigstore_verify::crypto::sha256;
use sigstore_verify::types::{
    DerPublicKey, DsseEnvelope, DsseSignature, KeyId, KindVersion, PayloadBytes, SignatureBytes,
    pae,
};

use super::legacy::{LegacyLayer, logged};
use super::{Forger, PAYLOAD_TYPE};
use crate::sandbox::error::Result;
use crate::sandbox::options::RekorVersion;
use crate::sandbox::rekor::v1::body::{dsse_body, hashedrekord_body as body_v1};
use crate::sandbox::rekor::v2::body::hashedrekord_body as body_v2;
use crate::sandbox::rekor::verifier::Verifier;

/// What a key signs.
#[derive(Debug, Clone, Copy)]
pub enum Signed<'a> {
    /// An in-toto statement, in an envelope.
    Statement(&'a [u8]),
    /// A file.
    File(&'a [u8]),
}

/// A key pair of one of the kinds that people have.
pub struct Key {
    pair: Pair,
    public_key: DerPublicKey,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl Key {
    /// ECDSA on P-256 with SHA-256.
    pub fn p256() -> Result<Self> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)?;
        let public_key = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key())?;
        let public_key = DerPublicKey::from_bytes(public_key.as_ref());
        Ok(Self::new(Pair::Ecdsa(pair), public_key))
    }

    /// ECDSA on P-384 with SHA-384.
    pub fn p384() -> Result<Self> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING)?;
        let public_key = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key())?;
        let public_key = DerPublicKey::from_bytes(public_key.as_ref());
        Ok(Self::new(Pair::Ecdsa(pair), public_key))
    }

    /// Ed25519.
    pub fn ed25519() -> Result<Self> {
        let pair = Ed25519KeyPair::generate()?;
        let public_key = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key())?;
        let public_key = DerPublicKey::from_bytes(public_key.as_ref());
        Ok(Self::new(Pair::Ed25519(pair), public_key))
    }

    /// RSA with 2048 bits, PKCS #1 v1.5 and SHA-256.
    pub fn rsa() -> Result<Self> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
        let public_key = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key())?;
        let public_key = DerPublicKey::from_bytes(public_key.as_ref());
        Ok(Self::new(Pair::Rsa(pair), public_key))
    }

    /// The public key in PEM.
    pub fn public_key_pem(&self) -> String {
        self.public_key.to_pem()
    }

    fn new(pair: Pair, public_key: DerPublicKey) -> Self {
        Self { pair, public_key }
    }

    fn sign(&self, message: &[u8]) -> Result<SignatureBytes> {
        let random = SystemRandom::new();
        Ok(SignatureBytes::new(match &self.pair {
            Pair::Ecdsa(pair) => pair.sign(&random, message)?.as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)?;
                signature
            }
        }))
    }
}

impl Forger {
    /// A signature over `payload` as cosign v2 attaches it, by `key`, as of now. Nothing is published.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn legacy_with_key(&self, payload: &[u8], key: &Key) -> Result<LegacyLayer> {
        let verifier = Verifier::PublicKey(key.public_key.clone());
        let signature = key.sign(payload)?;
        let body = body_v1(&sha256(payload), &signature, &verifier)?;
        let kind = KindVersion::HashedRekordV001;
        let receipt = self.trust.rekor_v1.append(body, kind, Timestamp::now())?;
        Ok(logged(payload, &signature, &receipt))
    }

    /// A bundle (v0.3, JSON) in which `key` signs, as of now: logged, and with a signed timestamp. Nothing is published.
    ///
    /// # Errors
    /// The system has no randomness to give, or the statement is so large that it cannot be encoded.
    pub fn with_key(&self, signed: Signed<'_>, key: &Key, rekor: RekorVersion) -> Result<String> {
        let now = Timestamp::now();
        let verifier = Verifier::PublicKey(key.public_key.clone());
        let (content, signature, digest, entry_v1) = match signed {
            Signed::Statement(statement) => {
                let message = pae(PAYLOAD_TYPE, statement);
                let signature = key.sign(&message)?;
                let signed = DsseSignature::new(signature.clone(), KeyId::default());
                let payload = PayloadBytes::from_bytes(statement);
                let envelope = DsseEnvelope::new(PAYLOAD_TYPE, payload, signed);
                let body = dsse_body(&serde_json::to_string(&envelope)?, &envelope, &verifier)?;
                let entry = (body, KindVersion::DsseV001);
                let content = ("dsseEnvelope", json!(envelope));
                (content, signature, sha256(&message), entry)
            }
            Signed::File(file) => {
                let (digest, signature) = (sha256(file), key.sign(file)?);
                let body = body_v1(&digest, &signature, &verifier)?;
                let entry = (body, KindVersion::HashedRekordV001);
                let content = json!({
                    "messageDigest": {"algorithm": "SHA2_256", "digest": digest},
                    "signature": signature,
                });
                (("messageSignature", content), signature, digest, entry)
            }
        };
        let receipt = match rekor {
            RekorVersion::V1 => self.trust.rekor_v1.append(entry_v1.0, entry_v1.1, now)?,
            RekorVersion::V2 => {
                let body = body_v2(&digest, &signature, &verifier)?;
                self.trust.rekor_v2.append(body)?
            }
        };
        let timestamp = self.trust.tsa.timestamp(signature.as_bytes(), now)?;
        let hint = sha256(key.public_key.as_bytes()).to_base64();
        let mut bundle = json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "publicKey": {"hint": hint},
                "tlogEntries": [receipt.to_protojson()],
                "timestampVerificationData": {
                    "rfc3161Timestamps": [{"signedTimestamp": STANDARD.encode(timestamp)}],
                },
            },
        });
        let (field, content): (&str, Value) = content;
        bundle[field] = content;
        Ok(bundle.to_string())
    }
}
