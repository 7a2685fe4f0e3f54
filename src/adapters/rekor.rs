//! Rekor, the transparency log, in both its protocols.

use super::http::header::ACCEPT;
use super::http::{Answer, Http, Method};
use crate::evidence::{Certificate, Content, LogEntry, PAYLOAD_TYPE, Signature, pae};
use crate::flow::ports::{Service, ServiceError};
use crate::image::Digest;
use crate::limits;
use crate::trust::RekorVersion;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sigstore_verify::rekor::{
    DsseEntry, HashedRekord, HashedRekordV2, LogEntry as LogEntryV1, RekorV2KeyDetails,
};
use sigstore_verify::types;
use std::collections::HashMap;

/// Has a signature over `content` entered. `base` is the log's URL without a slash at the end.
pub async fn log_entry(
    http: &Http,
    (base, version): (&str, RekorVersion),
    content: &Content,
    signature: &Signature,
    certificate: &Certificate,
) -> Result<LogEntry, ServiceError> {
    let signature = types::SignatureBytes::new(signature.0.clone());
    let certificate = types::DerCertificate::new(certificate.0.clone());
    match version {
        RekorVersion::V1 => {
            let url = format!("{base}/api/v1/log/entries");
            let (answer, kind) = match content {
                Content::Statement(statement) => {
                    let envelope = types::DsseEnvelope::new(
                        PAYLOAD_TYPE,
                        types::PayloadBytes::new(statement.clone()),
                        types::DsseSignature::new(signature, types::KeyId::default()),
                    );
                    let entry = DsseEntry::new(&envelope, &certificate).ok();
                    (post(http, &url, entry).await?, types::KindVersion::DsseV001)
                }
                Content::File(digest) => {
                    let digest = types::Sha256Hash::new(*digest.as_bytes());
                    let entry = Some(HashedRekord::new(&digest, &signature, &certificate));
                    let kind = types::KindVersion::HashedRekordV001;
                    (post(http, &url, entry).await?, kind)
                }
            };
            // One entry, under its UUID.
            let entries: HashMap<String, LogEntryV1> = read(&answer)?;
            let entry = entries
                .into_values()
                .next()
                .ok_or_else(|| answer.unexpected("no entry"))?;
            let entry = entry.to_bundle_entry(kind);
            Ok(LogEntry(
                entry.map_err(|error| answer.unexpected(error.to_string()))?,
            ))
        }
        RekorVersion::V2 => {
            let digest = match content {
                Content::Statement(statement) => Digest::of(&pae(statement)),
                Content::File(digest) => *digest,
            };
            let digest = types::Sha256Hash::new(*digest.as_bytes());
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
