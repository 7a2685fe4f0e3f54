//! Rekor, the transparency log, in both its protocols.

use super::http::header::ACCEPT;
use super::http::{Answer, Http, Method};
use crate::evidence::{Certificate, LogEntry, PAYLOAD_TYPE, Signature, pae};
use crate::flow::ports::{Service, ServiceError};
use crate::image::Digest;
use crate::limits;
use crate::trust::RekorVersion;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sigstore_verify::rekor::{
    DsseEntry, HashedRekordV2, LogEntry as LogEntryV1, RekorV2KeyDetails,
};
use sigstore_verify::types;
use std::collections::HashMap;

/// Has a signature over `statement` entered. `base` is the log's URL without a slash at the end.
pub async fn log_entry(
    http: &Http,
    (base, version): (&str, RekorVersion),
    statement: &[u8],
    signature: &Signature,
    certificate: &Certificate,
) -> Result<LogEntry, ServiceError> {
    let signature = types::SignatureBytes::new(signature.0.clone());
    let certificate = types::DerCertificate::new(certificate.0.clone());
    match version {
        RekorVersion::V1 => {
            let envelope = types::DsseEnvelope::new(
                PAYLOAD_TYPE,
                types::PayloadBytes::new(statement.to_vec()),
                types::DsseSignature::new(signature, types::KeyId::default()),
            );
            let url = format!("{base}/api/v1/log/entries");
            let answer = post(http, &url, DsseEntry::new(&envelope, &certificate).ok()).await?;
            // One entry, under its UUID.
            let entries: HashMap<String, LogEntryV1> = read(&answer)?;
            let entry = entries
                .into_values()
                .next()
                .ok_or_else(|| answer.unexpected("no entry"))?;
            let entry = entry.to_bundle_entry(types::KindVersion::DsseV001);
            Ok(LogEntry(
                entry.map_err(|error| answer.unexpected(error.to_string()))?,
            ))
        }
        RekorVersion::V2 => {
            let digest = types::Sha256Hash::new(*Digest::of(&pae(statement)).as_bytes());
            let details = RekorV2KeyDetails::PkixEcdsaP256Sha256;
            let entry =
                HashedRekordV2::new_with_certificate(&digest, &signature, &certificate, details);
            let url = format!("{base}/api/v2/log/entries");
            let answer = post(http, &url, Some(entry)).await?;
            Ok(LogEntry(read(&answer)?))
        }
    }
}

async fn post(
    http: &Http,
    url: &str,
    entry: Option<impl Serialize>,
) -> Result<Answer, ServiceError> {
    http.request(Service::Rekor, Method::POST, url)?
        .header(ACCEPT, "application/json")
        .body(
            "application/json",
            serde_json::to_vec(&entry).unwrap_or_default(),
        )
        .send(limits::SERVICE_ANSWER_BYTES)
        .await?
        .success()
}

fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, ServiceError> {
    serde_json::from_slice(&answer.body)
        .map_err(|error| answer.unexpected(format!("no log entry: {error}")))
}
