//! A certificate transparency log, reduced to its promise (RFC 6962 §3).
//!
//! A CA sends a *precertificate* to the log and gets a signed certificate timestamp (SCT) back, the log's promise to
//! publish; the CA embeds the SCT in the certificate it then issues. What the log signs is the certificate without
//! the SCT extension, together with a hash of the issuer's key, so that the promise fits one issuer only. This log
//! signs promises and keeps no tree: verifiers of Sigstore bundles check the promise, not the publication.

use der::Encode;
use jiff::Timestamp;
use sigstore_verify::crypto::{KeyPair, sha256};
use sigstore_verify::types::DerPublicKey;
use tls_codec::{SerializeBytes, TlsByteVecU16, TlsByteVecU24};
use x509_cert::certificate::TbsCertificate;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::SignedCertificateTimestampList;
use x509_cert::ext::pkix::sct::{
    DigitallySigned, HashAlgorithm, LogId, SerializedSct, SignatureAlgorithm,
    SignatureAndHashAlgorithm, SignedCertificateTimestamp, Version,
};

use crate::sandbox::certificate::extension;
use crate::sandbox::error::{Error, Result};

/// A log that promises to publish whatever it is shown.
pub(crate) struct CtLog {
    key: KeyPair,
    id: [u8; 32],
}

impl CtLog {
    /// A log with a fresh ECDSA P-256 key.
    pub(crate) fn new() -> Result<Self> {
        let key = KeyPair::generate_ecdsa_p256()?;
        let id = *sha256(key.public_key_der()?.as_bytes()).as_bytes();
        Ok(Self { key, id })
    }

    /// Somebody who promises in this log's name with another key.
    pub(crate) fn impostor(&self) -> Result<Self> {
        Ok(Self {
            key: KeyPair::generate_ecdsa_p256()?,
            id: self.id,
        })
    }

    /// The log's name in an SCT: SHA-256 of its SubjectPublicKeyInfo (RFC 6962 §3.2).
    pub(crate) fn id(&self) -> &[u8; 32] {
        &self.id
    }

    /// The key that SCTs verify under.
    pub(crate) fn public_key(&self) -> Result<DerPublicKey> {
        Ok(self.key.public_key_der()?)
    }

    /// The SCT list extension for `precertificate`, the certificate as it will be but for this extension.
    /// `issuer_key` is the SubjectPublicKeyInfo of the authority that will sign it.
    pub(crate) fn promise(
        &self,
        precertificate: &TbsCertificate,
        issuer_key: &DerPublicKey,
        now: Timestamp,
    ) -> Result<Extension> {
        let timestamp = u64::try_from(now.as_millisecond())
            .map_err(|_| Error::Range(format!("{now} lies before 1970")))?;
        let signature = self
            .key
            .sign(&signed_data(precertificate, issuer_key, timestamp)?)?;
        let sct = SignedCertificateTimestamp {
            version: Version::V1,
            log_id: LogId { key_id: self.id },
            timestamp,
            extensions: TlsByteVecU16::new(Vec::new()),
            signature: DigitallySigned {
                algorithm: SignatureAndHashAlgorithm {
                    hash: HashAlgorithm::Sha256,
                    signature: SignatureAlgorithm::Ecdsa,
                },
                signature: TlsByteVecU16::from_slice(signature.as_bytes()),
            },
        };
        let list = SignedCertificateTimestampList::new(&[SerializedSct::new(sct)?])
            .map_err(|error| Error::Tls(format!("{error:?}")))?;
        extension(&list, false)
    }
}

/// The `digitally-signed` struct of RFC 6962 §3.2, for a precertificate entry.
fn signed_data(
    precertificate: &TbsCertificate,
    issuer_key: &DerPublicKey,
    timestamp: u64,
) -> Result<Vec<u8>> {
    let mut data = vec![SCT_V1, CERTIFICATE_TIMESTAMP];
    data.extend(timestamp.to_be_bytes());
    data.extend(PRECERT_ENTRY.to_be_bytes());
    data.extend(sha256(issuer_key.as_bytes()).as_bytes());
    data.extend(TlsByteVecU24::new(precertificate.to_der()?).tls_serialize()?);
    data.extend(NO_EXTENSIONS.to_be_bytes());
    Ok(data)
}

const SCT_V1: u8 = 0;
const CERTIFICATE_TIMESTAMP: u8 = 0;
const PRECERT_ENTRY: u16 = 1;
const NO_EXTENSIONS: u16 = 0;
