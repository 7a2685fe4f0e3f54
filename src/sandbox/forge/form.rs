//! The forms that a bundle has had over the years.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sigstore_verify::types::KindVersion;

use super::Signed;
use crate::sandbox::options::RekorVersion;
use crate::sandbox::rekor::receipt::Receipt;

/// A version of the bundle with a kind of log entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// The version.
    pub version: BundleVersion,
    /// The log entry; for an envelope one of [`Entry::ENVELOPE`].
    pub entry: Entry,
}

impl Form {
    /// What is written today, with this version of the log.
    pub(super) fn current(rekor: RekorVersion) -> Self {
        Self {
            version: BundleVersion::V03,
            entry: match rekor {
                RekorVersion::V1 => Entry::Dsse001,
                RekorVersion::V2 => Entry::HashedRekord002,
            },
        }
    }

    /// The bundle of what was signed.
    pub(super) fn assemble(
        self,
        signed: &Signed,
        receipt: Option<Receipt>,
        timestamp: Option<Vec<u8>>,
    ) -> String {
        let certificate = json!({"rawBytes": signed.certificate});
        let mut material = match self.version {
            BundleVersion::V03 => json!({"certificate": certificate}),
            _ => json!({"x509CertificateChain": {"certificates": [certificate]}}),
        };
        if let Some(receipt) = receipt {
            let mut entry = receipt.to_protojson();
            if let (BundleVersion::V01PromiseOnly, Some(entry)) =
                (self.version, entry.as_object_mut())
            {
                entry.remove("inclusionProof");
            }
            material["tlogEntries"] = json!([entry]);
        }
        if let Some(timestamp) = timestamp {
            let timestamp = STANDARD.encode(timestamp);
            material["timestampVerificationData"] =
                json!({"rfc3161Timestamps": [{"signedTimestamp": timestamp}]});
        }
        let bundle = json!({
            "mediaType": self.version.media_type(),
            "verificationMaterial": material,
            "dsseEnvelope": signed.envelope,
        });
        bundle.to_string()
    }
}

/// A version of the bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BundleVersion {
    /// 0.1, in which a promise of inclusion was enough, so that there is nothing else.
    V01PromiseOnly,
    /// 0.1, with a proof as well.
    V01,
    /// 0.2: a proof and its checkpoint are required.
    V02,
    /// 0.3: one certificate instead of a chain.
    V03,
}

impl BundleVersion {
    /// Every version.
    pub const ALL: [Self; 4] = [Self::V01PromiseOnly, Self::V01, Self::V02, Self::V03];

    /// The media type, in the bundle and in the registry.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::V01PromiseOnly | Self::V01 => {
                "application/vnd.dev.sigstore.bundle+json;version=0.1"
            }
            Self::V02 => "application/vnd.dev.sigstore.bundle+json;version=0.2",
            Self::V03 => "application/vnd.dev.sigstore.bundle.v0.3+json",
        }
    }
}

/// A kind of log entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// `hashedrekord` 0.0.1 of Rekor 1, for bare signatures only.
    HashedRekord001,
    /// `hashedrekord` 0.0.2 of Rekor 2.
    HashedRekord002,
    /// `dsse` 0.0.1 of Rekor 1.
    Dsse001,
    /// `intoto` 0.0.2 of Rekor 1.
    Intoto002,
}

impl Entry {
    /// The kinds that can hold an envelope.
    pub const ENVELOPE: [Self; 3] = [Self::HashedRekord002, Self::Dsse001, Self::Intoto002];

    pub(super) fn kind(self) -> KindVersion {
        match self {
            Self::HashedRekord001 => KindVersion::HashedRekordV001,
            Self::HashedRekord002 => KindVersion::HashedRekordV002,
            Self::Dsse001 => KindVersion::DsseV001,
            Self::Intoto002 => KindVersion::IntotoV002,
        }
    }
}
