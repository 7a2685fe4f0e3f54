//! What the Sigstore crates do not look at in a signing certificate: whether it says only one thing.
//!
//! They read the first name of several and the newer of two issuers. A certificate that says more than one thing means
//! one thing to us and another to somebody else, so it is refused. Fulcio writes none.

use std::collections::BTreeMap;
use x509_cert::Certificate;
use x509_cert::der::asn1::Utf8StringRef;
use x509_cert::der::{Decode, oid::ObjectIdentifier};
use x509_cert::ext::pkix::SubjectAltName;

/// Checks that a certificate in DER has one name, one issuer and no claim twice.
pub(super) fn check(der: &[u8]) -> Result<(), CertificateFault> {
    let certificate = Certificate::from_der(der).map_err(|_| CertificateFault::Malformed)?;
    let extensions = certificate.tbs_certificate.extensions.unwrap_or_default();
    let mut by_oid: BTreeMap<ObjectIdentifier, &[u8]> = BTreeMap::new();
    for extension in &extensions {
        let value = extension.extn_value.as_bytes();
        // RFC 5280 §4.2: no more than one instance of an extension.
        if by_oid.insert(extension.extn_id, value).is_some() {
            return Err(CertificateFault::Repeated {
                oid: extension.extn_id.to_string(),
            });
        }
    }
    let names = by_oid.get(&SUBJECT_ALT_NAME).copied().unwrap_or_default();
    let names = SubjectAltName::from_der(names).map_err(|_| CertificateFault::Malformed)?;
    if names.0.len() != 1 {
        return Err(CertificateFault::Names {
            count: names.0.len(),
        });
    }
    match (by_oid.get(&ISSUER_V1), by_oid.get(&ISSUER_V2)) {
        (Some(first), Some(second)) => {
            let second =
                Utf8StringRef::from_der(second).map_err(|_| CertificateFault::Malformed)?;
            // Bare bytes by Fulcio's rule, though some wrote DER.
            let first_is_der = Utf8StringRef::from_der(first).is_ok_and(|first| first == second);
            match first_is_der || *first == second.as_str().as_bytes() {
                true => Ok(()),
                false => Err(CertificateFault::Issuers),
            }
        }
        _ => Ok(()),
    }
}

/// Why a certificate is ambiguous.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    /// Not the DER of a certificate with a name.
    #[error("it cannot be read")]
    Malformed,
    /// None, or more than one subject alternative name.
    #[error("it is for {count} names instead of one")]
    Names {
        /// How many.
        count: usize,
    },
    /// Two issuers.
    #[error("its two extensions for the issuer name different issuers")]
    Issuers,
    /// One extension twice.
    #[error("its extension {oid} is there more than once")]
    Repeated {
        /// Which one.
        oid: String,
    },
}

const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const ISSUER_V1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.1");
const ISSUER_V2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.8");
