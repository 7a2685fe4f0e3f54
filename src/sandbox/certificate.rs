//! X.509 certificates (RFC 5280): fill in a `TBSCertificate`, sign its DER, attach the signature.
//!
//! An [`Authority`] is a key together with the certificate that speaks for it. Fulcio's root and intermediate, and the
//! root of the timestamp authority, are authorities; what they put into the certificates they issue is decided by
//! `fulcio` and `tsa`. Nothing here decides whether somebody deserves a certificate.

use std::time::Duration;

use aws_lc_rs::rand;
use der::asn1::{BitString, ObjectIdentifier, OctetString, UtcTime};
use der::oid::AssociatedOid;
use der::{Decode, Encode};
use jiff::{SignedDuration, Timestamp};
use sigstore_verify::crypto::{KeyPair, sha256};
use sigstore_verify::types::{DerCertificate, DerPublicKey};
use x509_cert::certificate::{Certificate, TbsCertificate, Version};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages,
    SubjectKeyIdentifier,
};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::{Time, Validity};

use crate::sandbox::error::{Error, Result};

/// A key, and the certificate that says whose it is.
pub(crate) struct Authority {
    key: KeyPair,
    certificate: Certificate,
    der: DerCertificate,
}

impl Authority {
    /// A self-signed root that may sign certificates of further authorities (CA:TRUE, keyCertSign, cRLSign).
    pub(crate) fn root(common_name: &str, validity: Validity) -> Result<Self> {
        let key = KeyPair::generate_ecdsa_p256()?;
        let subject = name(common_name)?;
        let body = Body {
            issuer: subject.clone(),
            subject,
            validity,
            extensions: authority_extensions(&key, None)?,
        };
        let der = sign(&body.with_key(&key.public_key_der()?)?, &key)?;
        Self::new(key, der)
    }

    /// An intermediate below this authority whose certificates serve one purpose only: `usage` is an extended key
    /// usage (RFC 5280 §4.2.1.12) such as codeSigning, and verifiers apply it to everything below.
    pub(crate) fn intermediate(
        &self,
        common_name: &str,
        validity: Validity,
        usage: ObjectIdentifier,
    ) -> Result<Self> {
        let key = KeyPair::generate_ecdsa_p256()?;
        let mut extensions = authority_extensions(&key, Some(0))?;
        extensions.push(extension(&ExtendedKeyUsage(vec![usage]), false)?);
        extensions.push(self.key_identifier()?);
        let body = self.body(name(common_name)?, validity, extensions);
        let der = self.sign(&body.with_key(&key.public_key_der()?)?)?;
        Self::new(key, der)
    }

    /// The part of a certificate that is the same whoever's key goes into it.
    pub(crate) fn body(
        &self,
        subject: Name,
        validity: Validity,
        extensions: Vec<Extension>,
    ) -> Body {
        Body {
            issuer: self.certificate.tbs_certificate.subject.clone(),
            subject,
            validity,
            extensions,
        }
    }

    /// Signs a certificate with this authority's key (ecdsa-with-SHA256).
    pub(crate) fn sign(&self, tbs: &TbsCertificate) -> Result<DerCertificate> {
        sign(tbs, &self.key)
    }

    /// The extension that points from an issued certificate to this authority's key (RFC 5280 §4.2.1.1).
    pub(crate) fn key_identifier(&self) -> Result<Extension> {
        let identifier = AuthorityKeyIdentifier {
            key_identifier: Some(OctetString::new(key_hash(&self.public_key()?)?)?),
            ..AuthorityKeyIdentifier::default()
        };
        extension(&identifier, false)
    }

    /// SubjectPublicKeyInfo of the authority, as its certificate carries it.
    pub(crate) fn public_key(&self) -> Result<DerPublicKey> {
        Ok(self.key.public_key_der()?)
    }

    /// The authority's certificate.
    pub(crate) fn certificate(&self) -> &DerCertificate {
        &self.der
    }

    fn new(key: KeyPair, der: DerCertificate) -> Result<Self> {
        let certificate = Certificate::from_der(der.as_bytes())?;
        Ok(Self {
            key,
            certificate,
            der,
        })
    }
}

/// Everything in a certificate but the key, the serial number and the signature.
pub(crate) struct Body {
    issuer: Name,
    subject: Name,
    validity: Validity,
    extensions: Vec<Extension>,
}

impl Body {
    /// Completes the body with the subject's key and a fresh serial number: the bytes an authority signs.
    pub(crate) fn with_key(self, key: &DerPublicKey) -> Result<TbsCertificate> {
        Ok(TbsCertificate {
            version: Version::V3,
            serial_number: serial_number()?,
            signature: ecdsa_with_sha256(),
            issuer: self.issuer,
            validity: self.validity,
            subject: self.subject,
            subject_public_key_info: SubjectPublicKeyInfoOwned::from_der(key.as_bytes())?,
            issuer_unique_id: None,
            subject_unique_id: None,
            extensions: Some(self.extensions),
        })
    }
}

/// Wraps a typed extension; `critical` means a verifier that does not know it must refuse the certificate.
pub(crate) fn extension<T: AssociatedOid + Encode>(value: &T, critical: bool) -> Result<Extension> {
    raw_extension(T::OID, critical, value.to_der()?)
}

/// Wraps bytes that are already an extension's value.
pub(crate) fn raw_extension(
    oid: ObjectIdentifier,
    critical: bool,
    value: Vec<u8>,
) -> Result<Extension> {
    Ok(Extension {
        extn_id: oid,
        critical,
        extn_value: OctetString::new(value)?,
    })
}

/// Identifies a key by the SHA-1-sized prefix of a hash of it (RFC 7093 §2, method 1).
pub(crate) fn subject_key_identifier(key: &DerPublicKey) -> Result<Extension> {
    extension(
        &SubjectKeyIdentifier(OctetString::new(key_hash(key)?)?),
        false,
    )
}

/// A distinguished name in the sandbox's organisation.
pub(crate) fn name(common_name: &str) -> Result<Name> {
    Ok(format!("CN={common_name},O=signgate sandbox").parse()?)
}

/// Validity from `not_before` for `lifetime`; whole seconds, as UTCTime (dates before 2050, RFC 5280 §4.1.2.5.1).
pub(crate) fn validity(not_before: Timestamp, lifetime: SignedDuration) -> Result<Validity> {
    let not_after = not_before
        .checked_add(lifetime)
        .map_err(|error| Error::Range(error.to_string()))?;
    Ok(Validity {
        not_before: utc_time(not_before)?,
        not_after: utc_time(not_after)?,
    })
}

/// Seconds since 1970 as the unsigned duration that ASN.1 times are made from.
pub(crate) fn unix_duration(time: Timestamp) -> Result<Duration> {
    let seconds = u64::try_from(time.as_second())
        .map_err(|_| Error::Range(format!("{time} lies before 1970")))?;
    Ok(Duration::from_secs(seconds))
}

/// The signature algorithm of every certificate and CMS message here: ecdsa-with-SHA256 (RFC 5758 §3.2).
pub(crate) fn ecdsa_with_sha256() -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned {
        oid: ECDSA_WITH_SHA256,
        parameters: None,
    }
}

fn sign(tbs: &TbsCertificate, key: &KeyPair) -> Result<DerCertificate> {
    let signature = key.sign(&tbs.to_der()?)?;
    let certificate = Certificate {
        tbs_certificate: tbs.clone(),
        signature_algorithm: ecdsa_with_sha256(),
        signature: BitString::from_bytes(signature.as_bytes())?,
    };
    Ok(DerCertificate::new(certificate.to_der()?))
}

fn authority_extensions(key: &KeyPair, path_length: Option<u8>) -> Result<Vec<Extension>> {
    let constraints = BasicConstraints {
        ca: true,
        path_len_constraint: path_length,
    };
    let usage = KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign);
    Ok(vec![
        extension(&usage, true)?,
        extension(&constraints, true)?,
        subject_key_identifier(&key.public_key_der()?)?,
    ])
}

fn key_hash(key: &DerPublicKey) -> Result<Vec<u8>> {
    let info = SubjectPublicKeyInfoOwned::from_der(key.as_bytes())?;
    let hash = sha256(info.subject_public_key.raw_bytes());
    Ok(hash.as_bytes()[..20].to_vec())
}

fn serial_number() -> Result<SerialNumber> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes)?;
    // Positive and never zero (RFC 5280 §4.1.2.2).
    bytes[0] = bytes[0] & 0x3f | 0x40;
    Ok(SerialNumber::new(&bytes)?)
}

fn utc_time(time: Timestamp) -> Result<Time> {
    Ok(Time::UtcTime(UtcTime::from_unix_duration(unix_duration(
        time,
    )?)?))
}

const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
