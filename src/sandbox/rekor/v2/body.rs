//! The entries of Rekor v2: `hashedrekord` 0.0.2, as submitted and as logged.
//!
//! An entry is the digest of what was signed, the signature, and who can verify it. The logged form is canonical JSON
//! (RFC 8785), so every struct declares its fields in that order. Verifiers rebuild these bytes from a bundle.

use serde::{Deserialize, Serialize};
use sigstore_verify::types::{DerCertificate, DerPublicKey, Sha256Hash, SignatureBytes};

use crate::sandbox::rekor::verifier::Verifier;

/// The body of a submission.
#[derive(Deserialize)]
pub(crate) struct Request {
    #[serde(rename = "hashedRekordRequestV002")]
    record: RecordRequest,
}

impl Request {
    /// Checks the signature over the digest and returns the bytes to log, or the reason for refusing.
    pub(crate) fn accept(self) -> Result<Vec<u8>, String> {
        self.record.accept()
    }
}

#[derive(Deserialize)]
struct RecordRequest {
    digest: Sha256Hash,
    signature: RecordSignature,
}

impl RecordRequest {
    fn accept(self) -> Result<Vec<u8>, String> {
        let WireVerifier {
            key_details,
            public_key,
            x509_certificate,
        } = self.signature.verifier;
        if key_details != KEY_DETAILS {
            return Err(format!("unsupported key details {key_details}"));
        }
        let verifier = match (x509_certificate, public_key) {
            (Some(certificate), None) => Verifier::Certificate(certificate.raw_bytes),
            (None, Some(key)) => Verifier::PublicKey(key.raw_bytes),
            _ => return Err("exactly one verifier is expected".to_owned()),
        };
        if !verifier.signed_digest(self.digest.as_bytes(), &self.signature.content) {
            return Err("invalid signature".to_owned());
        }
        hashedrekord_body(&self.digest, &self.signature.content, &verifier)
            .map_err(|error| error.to_string())
    }
}

/// The canonical body of an entry: RFC 8785 JSON, whose fields are declared here in their canonical order.
pub(crate) fn hashedrekord_body(
    digest: &Sha256Hash,
    signature: &SignatureBytes,
    verifier: &Verifier,
) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Body {
        api_version: "0.0.2",
        kind: "hashedrekord",
        spec: Spec {
            hashed_rekord_v002: Record {
                data: Data {
                    algorithm: "SHA2_256",
                    digest: *digest,
                },
                signature: RecordSignature {
                    content: signature.clone(),
                    verifier: match verifier.clone() {
                        Verifier::Certificate(raw_bytes) => WireVerifier {
                            key_details: KEY_DETAILS.to_owned(),
                            public_key: None,
                            x509_certificate: Some(Raw { raw_bytes }),
                        },
                        Verifier::PublicKey(raw_bytes) => WireVerifier {
                            key_details: KEY_DETAILS.to_owned(),
                            public_key: Some(Raw { raw_bytes }),
                            x509_certificate: None,
                        },
                    },
                },
            },
        },
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    api_version: &'static str,
    kind: &'static str,
    spec: Spec,
}

#[derive(Serialize)]
struct Spec {
    #[serde(rename = "hashedRekordV002")]
    hashed_rekord_v002: Record,
}

#[derive(Serialize)]
struct Record {
    data: Data,
    signature: RecordSignature,
}

#[derive(Serialize)]
struct Data {
    algorithm: &'static str,
    digest: Sha256Hash,
}

#[derive(Serialize, Deserialize)]
struct RecordSignature {
    content: SignatureBytes,
    verifier: WireVerifier,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireVerifier {
    key_details: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<Raw<DerPublicKey>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x509_certificate: Option<Raw<DerCertificate>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw<T> {
    raw_bytes: T,
}

const KEY_DETAILS: &str = "PKIX_ECDSA_P256_SHA_256";

#[cfg(test)]
mod tests {
    use sigstore_verify::crypto::{KeyPair, sha256};

    use super::*;

    fn request(key: &KeyPair, signed: &[u8], logged: &[u8]) -> RecordRequest {
        RecordRequest {
            digest: sha256(logged),
            signature: RecordSignature {
                content: key.sign(signed).unwrap(),
                verifier: WireVerifier {
                    key_details: KEY_DETAILS.to_owned(),
                    public_key: Some(Raw {
                        raw_bytes: key.public_key_der().unwrap(),
                    }),
                    x509_certificate: None,
                },
            },
        }
    }

    #[test]
    fn only_a_signature_over_the_digest_is_accepted() {
        let key = KeyPair::generate_ecdsa_p256().unwrap();
        assert!(request(&key, b"artifact", b"artifact").accept().is_ok());
        assert_eq!(
            request(&key, b"artifact", b"another").accept(),
            Err("invalid signature".to_owned())
        );
    }
}
