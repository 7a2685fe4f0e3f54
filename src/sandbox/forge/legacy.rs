//! Signatures and attestations as cosign v2 made them: a layer's content, with everything else in its annotations.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use sigstore_verify::crypto::{KeyPair, sha256};
use sigstore_verify::types::{DerCertificate, SignatureBytes};

use super::{ANOTHER_STATEMENT, Entry, Flaw, Forger, Signer};
use crate::sandbox::error::Result;
use crate::sandbox::oidc::Identity;
use crate::sandbox::options::RekorVersion;
use crate::sandbox::rekor::receipt::Receipt;
use crate::sandbox::rekor::v1::body::hashedrekord_body;
use crate::sandbox::rekor::verifier::Verifier;

/// A layer of a `.sig` or `.att` manifest.
#[derive(Debug, Clone)]
pub struct LegacyLayer {
    /// The media type of the content.
    pub media_type: &'static str,
    /// What was signed.
    pub content: Vec<u8>,
    /// Signature and proofs.
    pub annotations: BTreeMap<String, String>,
}

impl LegacyLayer {
    /// The layer as a manifest lists it.
    pub fn descriptor(&self) -> Value {
        json!({
            "mediaType": self.media_type,
            "size": self.content.len(),
            "digest": format!("sha256:{}", sha256(&self.content).to_hex()),
            "annotations": self.annotations,
        })
    }
}

impl Forger {
    /// A signature by `identity` over the simple-signing `payload`, with one thing wrong if `flaw` says so. The log is
    /// Rekor 1; of what it answers, cosign v2 kept the promise only. There is a signed timestamp as well, which cosign v2
    /// had on demand.
    ///
    /// # Errors
    /// Like [`Self::bundle`].
    pub fn legacy_signature(
        &self,
        payload: &[u8],
        identity: &Identity,
        flaw: Option<Flaw>,
    ) -> Result<LegacyLayer> {
        let now = Timestamp::now();
        let Signer { key, certificate } = self.signer(identity, flaw, now)?;
        let signature = match flaw {
            Some(Flaw::Signature) => KeyPair::generate_ecdsa_p256()?.sign(payload)?,
            _ => key.sign(payload)?,
        };
        let body = match flaw {
            Some(Flaw::LogEntryOfAnotherArtifact) => {
                let other = key.sign(ANOTHER_STATEMENT)?;
                entry_body(ANOTHER_STATEMENT, &other, &certificate)?
            }
            Some(Flaw::LogEntryOfAnotherSignature) => {
                entry_body(payload, &key.sign(payload)?, &certificate)?
            }
            Some(Flaw::LogEntryOfAnotherSigner) => {
                let other = self.signer(identity, None, now)?;
                entry_body(payload, &other.key.sign(payload)?, &other.certificate)?
            }
            _ => entry_body(payload, &signature, &certificate)?,
        };
        let receipt = self.log(body, Entry::HashedRekord001, flaw, now)?;
        let mut annotations = proofs(&certificate, flaw, &receipt);
        annotations.insert(SIGNATURE.to_owned(), signature.to_base64());
        if let Some(token) = self.timestamp(&signature, flaw, now)? {
            let token = json!({"SignedRFC3161Timestamp": STANDARD.encode(token)});
            annotations.insert(TIMESTAMP.to_owned(), token.to_string());
        }
        Ok(LegacyLayer {
            media_type: "application/vnd.dev.cosign.simplesigning.v1+json",
            content: payload.to_vec(),
            annotations,
        })
    }

    /// An attestation by `identity` over the in-toto `statement`, logged as `entry`.
    ///
    /// # Errors
    /// Like [`Self::bundle`].
    pub fn legacy_attestation(
        &self,
        statement: &[u8],
        identity: &Identity,
        entry: Entry,
        flaw: Option<Flaw>,
    ) -> Result<LegacyLayer> {
        let now = Timestamp::now();
        let (signed, logged) = self.sign_envelope(statement, identity, flaw, now)?;
        let receipt = self.log(logged.body(entry)?, entry, flaw, now)?;
        let mut annotations = proofs(&signed.certificate, flaw, &receipt);
        annotations.insert(SIGNATURE.to_owned(), String::new());
        Ok(LegacyLayer {
            media_type: "application/vnd.dsse.envelope.v1+json",
            content: serde_json::to_vec(&signed.envelope)?,
            annotations,
        })
    }

    /// The simple-signing payload about the image with this SHA-256 digest.
    pub fn legacy_payload(sha256: &str) -> Value {
        json!({
            "critical": {
                "identity": {"docker-reference": "registry.example/acme/app"},
                "image": {"docker-manifest-digest": format!("sha256:{sha256}")},
                "type": "cosign container image signature",
            },
            "optional": null,
        })
    }
}

impl Flaw {
    /// Whether signatures of cosign v2 can have it: they come with Rekor 1's promise and without its proof.
    pub fn applies_to_legacy(self) -> bool {
        self.applies_to(RekorVersion::V1)
            && !matches!(
                self,
                Self::InclusionProof | Self::CheckpointWrongKey | Self::TimestampMissing
            )
    }
}

fn entry_body(
    payload: &[u8],
    signature: &SignatureBytes,
    certificate: &DerCertificate,
) -> Result<Vec<u8>> {
    let verifier = Verifier::Certificate(certificate.clone());
    Ok(hashedrekord_body(&sha256(payload), signature, &verifier)?)
}

/// A signature with its log entry, and nothing that says whose it is.
pub(super) fn logged(payload: &[u8], signature: &SignatureBytes, receipt: &Receipt) -> LegacyLayer {
    let mut annotations = BTreeMap::from([(SIGNATURE.to_owned(), signature.to_base64())]);
    annotations.extend(log_entry(receipt));
    LegacyLayer {
        media_type: "application/vnd.dev.cosign.simplesigning.v1+json",
        content: payload.to_vec(),
        annotations,
    }
}

/// The annotations with the certificate and the promise of the log.
fn proofs(
    certificate: &DerCertificate,
    flaw: Option<Flaw>,
    receipt: &Receipt,
) -> BTreeMap<String, String> {
    let mut annotations = BTreeMap::from([
        (CERTIFICATE.to_owned(), certificate.to_pem()),
        (CHAIN.to_owned(), String::new()),
    ]);
    if flaw != Some(Flaw::LogEntryMissing) {
        annotations.extend(log_entry(receipt));
    }
    annotations
}

/// The annotation with the log entry and the log's promise.
fn log_entry(receipt: &Receipt) -> Option<(String, String)> {
    let promise = receipt.promise.as_ref()?;
    let entry = json!({
        "SignedEntryTimestamp": STANDARD.encode(&promise.signed_entry_timestamp),
        "Payload": {
            "body": STANDARD.encode(&receipt.body),
            "integratedTime": promise.integrated_time.as_second(),
            "logIndex": receipt.proof.index,
            "logID": receipt.log_id.to_hex(),
        },
    });
    Some((LOG_ENTRY.to_owned(), entry.to_string()))
}

const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const CHAIN: &str = "dev.sigstore.cosign/chain";
const LOG_ENTRY: &str = "dev.sigstore.cosign/bundle";
const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";
