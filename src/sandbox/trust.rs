//! Whom to trust and where to go: the two files that a Sigstore client is configured with.
//!
//! [`trusted_root`](Trust::trusted_root) lists keys and certificates, for verifying
//! (`dev.sigstore.trustroot.v1.TrustedRoot`); [`signing_config`](Trust::signing_config) lists addresses, for signing
//! (`SigningConfig` 0.2). Both are protobuf JSON. In the real world TUF delivers them.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use sigstore_verify::types::{DerCertificate, DerPublicKey, Sha256Hash};

use crate::sandbox::error::Result;
use crate::sandbox::fulcio::ca::CertificateAuthority;
use crate::sandbox::options::RekorVersion;
use crate::sandbox::rekor::v1::RekorV1;
use crate::sandbox::rekor::v2::{LOG_NAME, RekorV2};
use crate::sandbox::tsa::TimestampAuthority;

/// Everybody whose word counts in the sandbox, and since when. Clones share them.
#[derive(Clone)]
pub(crate) struct Trust {
    pub(crate) ca: Arc<CertificateAuthority>,
    /// Trusted as the other one, but with an intermediate that has expired.
    pub(crate) retired: Arc<CertificateAuthority>,
    pub(crate) rekor_v1: RekorV1,
    pub(crate) rekor_v2: RekorV2,
    pub(crate) tsa: TimestampAuthority,
    pub(crate) since: Timestamp,
}

/// Where the services can be reached, each as `http://127.0.0.1:PORT`.
pub(crate) struct Addresses {
    pub(crate) oidc: String,
    pub(crate) fulcio: String,
    pub(crate) rekor_v1: String,
    pub(crate) rekor_v2: String,
    pub(crate) tsa: String,
}

impl Trust {
    /// The trusted root, for verifiers.
    pub(crate) fn trusted_root(&self, at: &Addresses) -> Result<Value> {
        let (v1, v2, ct) = (
            self.rekor_v1.signer(),
            self.rekor_v2.signer(),
            self.ca.log(),
        );
        // Clients compare the host of this URL with the origin of the checkpoints, so it is a name, not an address.
        let v2_url = format!("https://{LOG_NAME}");
        let ct_id = Sha256Hash::new(*ct.id());
        Ok(json!({
            "mediaType": TRUSTED_ROOT_TYPE,
            "tlogs": [
                self.log(&at.rekor_v1, ECDSA, &v1.public_key()?, v1.log_id()),
                self.log(&v2_url, ED25519, &v2.public_key()?, v2.log_id()),
            ],
            "certificateAuthorities": [
                self.authority("sandbox root", &at.fulcio, self.ca.chain()),
                self.authority("retired sandbox root", &at.fulcio, self.retired.chain()),
            ],
            "ctlogs": [self.log(CT_LOG_URL, ECDSA, &ct.public_key()?, &ct_id)],
            "timestampAuthorities": [self.authority(
                "sandbox timestamping",
                &timestamp_url(at),
                self.tsa.chain(),
            )],
        }))
    }

    /// The signing config, for signers: any one of the logs in `rekor`, and the timestamp authority.
    pub(crate) fn signing_config(&self, at: &Addresses, rekor: &[RekorVersion]) -> Value {
        let logs: Vec<Value> = rekor
            .iter()
            .map(|version| match version {
                RekorVersion::V1 => self.service(&at.rekor_v1, 1),
                RekorVersion::V2 => self.service(&at.rekor_v2, 2),
            })
            .collect();
        json!({
            "mediaType": SIGNING_CONFIG_TYPE,
            "caUrls": [self.service(&at.fulcio, 1)],
            "oidcUrls": [self.service(&format!("{}/email", at.oidc), 1)],
            "rekorTlogUrls": logs,
            "tsaUrls": [self.service(&timestamp_url(at), 1)],
            "rekorTlogConfig": {"selector": "ANY"},
            "tsaConfig": {"selector": "ANY"},
        })
    }

    fn log(&self, url: &str, key_details: &str, key: &DerPublicKey, id: &Sha256Hash) -> Value {
        json!({
            "baseUrl": url,
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": key,
                "keyDetails": key_details,
                "validFor": {"start": self.since.to_string()},
            },
            "logId": {"keyId": id},
        })
    }

    fn authority(&self, name: &str, url: &str, chain: [&DerCertificate; 2]) -> Value {
        json!({
            "subject": {"organization": "signgate sandbox", "commonName": name},
            "uri": url,
            "certChain": {"certificates": chain.map(|certificate| json!({"rawBytes": certificate}))},
            "validFor": {"start": self.since.to_string()},
        })
    }

    fn service(&self, url: &str, major_api_version: u32) -> Value {
        json!({
            "url": url,
            "majorApiVersion": major_api_version,
            "validFor": {"start": self.since.to_string()},
            "operator": "sandbox",
        })
    }
}

/// A timestamp authority is listed with the path that answers.
fn timestamp_url(at: &Addresses) -> String {
    format!("{}/api/v1/timestamp", at.tsa)
}

const TRUSTED_ROOT_TYPE: &str = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";
const SIGNING_CONFIG_TYPE: &str = "application/vnd.dev.sigstore.signingconfig.v0.2+json";
const ECDSA: &str = "PKIX_ECDSA_P256_SHA_256";
const ED25519: &str = "PKIX_ED25519";
/// The certificate transparency log is not served; this is only its name.
const CT_LOG_URL: &str = "https://ct-log.sandbox";
