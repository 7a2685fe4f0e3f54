//! The formats of cosign v2: signatures and attestations as layers of a manifest under a tag beside the image.
//!
//! A layer's content is what was signed, its annotations are signature and proofs. All of it is read into the shape of
//! a bundle, so that one verifier judges every format; nothing is believed here.
//!
//! Not read: the annotation with the certificate chain. The trusted root has the intermediates; what a signer brings
//! along cannot make its certificate more trusted.

use super::bundle::{Bundle, BundleError};
use super::{Evidence, LegacySignature};
use crate::image::{Descriptor, Digest};
use crate::limits;
use crate::outcome::{Code, Coded};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

/// The layers of a `.sig` or `.att` manifest that hold a signature or an attestation. Two layers that are the same to
/// the last annotation are one: a copy is not a second signature.
pub fn legacy_layers(manifest: &[u8]) -> Result<Vec<Descriptor>, LegacyError> {
    #[derive(Deserialize)]
    struct Layers {
        layers: Vec<Value>,
    }
    let manifest: Layers = serde_json::from_slice(manifest).map_err(LegacyError::Manifest)?;
    let count = manifest.layers.len();
    if count > limits::LEGACY_LAYERS {
        return Err(LegacyError::TooMany { count });
    }
    let mut layers: Vec<Descriptor> = Vec::new();
    for layer in &manifest.layers {
        let Ok(layer) = Descriptor::deserialize(layer) else {
            continue;
        };
        let is_known = [SIMPLE_SIGNING, DSSE].contains(&layer.media_type.as_str());
        if is_known && !layers.contains(&layer) {
            layers.push(layer);
        }
    }
    Ok(layers)
}

/// How much of the content of `layer` is read.
pub fn legacy_limit(layer: &Descriptor) -> usize {
    match layer.media_type.as_str() {
        DSSE => limits::BUNDLE_BYTES,
        _ => limits::LEGACY_PAYLOAD_BYTES,
    }
}

/// What `layer` with its content is, in the shape of a bundle.
pub fn legacy_evidence(layer: &Descriptor, content: &[u8]) -> Result<Evidence, LegacyError> {
    let annotation = |name| layer.annotations.get(name).map_or("", String::as_str);
    let entry = log_entry(annotation(LOG_ENTRY))?;
    // Version 0.1 is the one that asks for a promise instead of a proof. Without a promise there must be a proof.
    let media_type = match entry {
        Some(_) => "application/vnd.dev.sigstore.bundle+json;version=0.1",
        None => "application/vnd.dev.sigstore.bundle.v0.3+json",
    };
    let mut material = match certificate(annotation(CERTIFICATE))? {
        Some(certificate) => json!({"certificate": {"rawBytes": certificate}}),
        None => json!({"publicKey": {"hint": ""}}),
    };
    material["tlogEntries"] = Value::from_iter(entry);
    let bundle = |material: Value, content: (&str, Value)| {
        let mut bundle = json!({"mediaType": media_type, "verificationMaterial": material});
        bundle[content.0] = content.1;
        Bundle::parse(bundle.to_string().into_bytes()).map_err(LegacyError::Bundle)
    };
    if layer.media_type == DSSE {
        // A timestamp is not looked at: of an attestation cosign has the whole envelope stamped, not the signature.
        let envelope = serde_json::from_slice(content).map_err(LegacyError::Envelope)?;
        return bundle(material, ("dsseEnvelope", envelope)).map(Evidence::LegacyAttestation);
    }
    material["timestampVerificationData"] = timestamp(annotation(TIMESTAMP))?;
    let signature = json!({
        "messageDigest": {
            "algorithm": "SHA2_256",
            "digest": STANDARD.encode(Digest::of(content).as_bytes()),
        },
        "signature": annotation(SIGNATURE),
    });
    Ok(Evidence::LegacySignature(LegacySignature {
        payload: content.to_vec(),
        bundle: bundle(material, ("messageSignature", signature))?,
    }))
}

/// The base64 of the only certificate in `pem`; nothing if there is none, as when a key has signed.
///
/// A public key in its place would be a signature by anybody (GHSA-fx35-mq7g-6g98).
fn certificate(pem: &str) -> Result<Option<String>, LegacyError> {
    if pem.is_empty() {
        return Ok(None);
    }
    pem.trim()
        .strip_prefix("-----BEGIN CERTIFICATE-----")
        .and_then(|rest| rest.strip_suffix("-----END CERTIFICATE-----"))
        .filter(|base64| !base64.contains('-'))
        .map(|base64| Some(base64.split_ascii_whitespace().collect()))
        .ok_or(LegacyError::Certificate)
}

/// The log entry in the protobuf JSON of bundles; nothing if there is none.
fn log_entry(annotation: &str) -> Result<Option<Value>, LegacyError> {
    #[derive(Deserialize)]
    struct Promised {
        #[serde(rename = "SignedEntryTimestamp", default)]
        promise: String,
        #[serde(rename = "Payload")]
        payload: Payload,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Payload {
        body: String,
        integrated_time: i64,
        log_index: i64,
        #[serde(rename = "logID")]
        log_id: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Body {
        kind: String,
        api_version: String,
    }
    if annotation.is_empty() {
        return Ok(None);
    }
    let malformed = LegacyError::LogEntry;
    let Promised { promise, payload } = serde_json::from_str(annotation).map_err(malformed)?;
    let body = STANDARD.decode(&payload.body).unwrap_or_default();
    let body: Body = serde_json::from_slice(&body).map_err(malformed)?;
    let log_id = hex::decode(&payload.log_id).unwrap_or_default();
    Ok(Some(json!({
        "logIndex": payload.log_index.to_string(),
        "logId": {"keyId": STANDARD.encode(log_id)},
        "kindVersion": {"kind": body.kind, "version": body.api_version},
        "integratedTime": payload.integrated_time.to_string(),
        "inclusionPromise": {"signedEntryTimestamp": promise},
        "canonicalizedBody": payload.body,
    })))
}

/// The signed timestamp in the protobuf JSON of bundles; an empty list if there is none.
fn timestamp(annotation: &str) -> Result<Value, LegacyError> {
    #[derive(Deserialize)]
    struct Stamped {
        #[serde(rename = "SignedRFC3161Timestamp")]
        timestamp: String,
    }
    if annotation.is_empty() {
        return Ok(json!({}));
    }
    let Stamped { timestamp } = serde_json::from_str(annotation).map_err(LegacyError::Timestamp)?;
    Ok(json!({"rfc3161Timestamps": [{"signedTimestamp": timestamp}]}))
}

/// Why a layer cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LegacyError {
    /// What is under the tag is not an image manifest.
    #[error("what is under the tag is not a manifest with layers")]
    Manifest(#[source] serde_json::Error),
    /// More than [`limits::LEGACY_LAYERS`].
    #[error(
        "the manifest has {count} layers, more than the {} that are read",
        limits::LEGACY_LAYERS
    )]
    TooMany {
        /// How many.
        count: usize,
    },
    /// A public key, several certificates, or neither.
    #[error("the certificate annotation does not hold exactly one certificate")]
    Certificate,
    /// Not what Rekor 1 promised.
    #[error("the log entry cannot be read")]
    LogEntry(#[source] serde_json::Error),
    /// Not a timestamp.
    #[error("the timestamp cannot be read")]
    Timestamp(#[source] serde_json::Error),
    /// Not the JSON of an envelope.
    #[error("the attestation is not a DSSE envelope")]
    Envelope(#[source] serde_json::Error),
    /// The parts do not make a bundle.
    #[error(transparent)]
    Bundle(BundleError),
}

impl Coded for LegacyError {
    fn code(&self) -> Code {
        match self {
            Self::TooMany { .. } => Code::EvidenceTooLarge,
            Self::Certificate => Code::CertificateInvalid,
            Self::Bundle(error) => error.code(),
            Self::Manifest(_) | Self::LogEntry(_) | Self::Timestamp(_) | Self::Envelope(_) => {
                Code::BundleMalformed
            }
        }
    }
}

/// The layer of a signature: its content names the image.
const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// The layer of an attestation: its content is the envelope.
const DSSE: &str = "application/vnd.dsse.envelope.v1+json";
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const LOG_ENTRY: &str = "dev.sigstore.cosign/bundle";
const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(kind: &str, annotations: Value) -> Value {
        json!({"mediaType": kind, "digest": Digest::of(b"x"), "size": 1, "annotations": annotations})
    }

    fn read(annotations: Value) -> Result<Evidence, LegacyError> {
        let layer = Descriptor::deserialize(layer(SIMPLE_SIGNING, annotations)).unwrap();
        legacy_evidence(&layer, b"x")
    }

    #[test]
    fn a_copy_is_not_a_second_layer_and_other_layers_are_none() {
        let signed = |by| layer(SIMPLE_SIGNING, json!({SIGNATURE: by}));
        let tar = layer("application/vnd.oci.image.layer.v1.tar+gzip", json!({}));
        let layers = [signed("a"), tar, signed("a"), signed("b"), json!(null)];
        let manifest = json!({"layers": layers}).to_string();
        assert_eq!(legacy_layers(manifest.as_bytes()).unwrap().len(), 2);
        for manifest in ["", "{}", r#"{"manifests":[]}"#, r#"{"layers":null}"#] {
            let error = legacy_layers(manifest.as_bytes()).unwrap_err();
            assert_eq!(error.code(), Code::BundleMalformed, "{manifest}");
        }
    }

    #[test]
    fn only_a_certificate_is_one() {
        let pem = |label: &str| format!("-----BEGIN {label}-----\nMA==\n-----END {label}-----\n");
        assert!(read(json!({CERTIFICATE: pem("CERTIFICATE")})).is_ok());
        let two = pem("CERTIFICATE").repeat(2);
        for other in [
            &pem("PUBLIC KEY"),
            &pem("EC PRIVATE KEY"),
            &two,
            "MA==",
            " ",
        ] {
            let error = read(json!({CERTIFICATE: other})).err().unwrap();
            assert_eq!(error.code(), Code::CertificateInvalid, "{other}");
        }
    }

    #[test]
    fn annotations_that_are_none_of_cosigns_are_malformed() {
        for (name, value) in [
            (LOG_ENTRY, "{}"),
            (LOG_ENTRY, "null"),
            (
                LOG_ENTRY,
                r#"{"Payload":{"body":"","integratedTime":1,"logIndex":1,"logID":""}}"#,
            ),
            (
                LOG_ENTRY,
                r#"{"Payload":{"body":"e30=","integratedTime":1,"logIndex":1,"logID":""}}"#,
            ),
            (TIMESTAMP, "{}"),
            (SIGNATURE, "not base64"),
        ] {
            let error = read(json!({name: value})).err().unwrap();
            assert_eq!(error.code(), Code::BundleMalformed, "{name} {value}");
        }
    }
}
