//! Bundles, and signatures of cosign v2, made in-process by the sandbox's own authorities, right or wrong for exactly one reason.
//!
//! A forger owns every key in the sandbox, so it can make what no attacker could: evidence in which all is genuine
//! but one thing. A verifier that skips the one check that matters will accept it.

mod flaw;
mod form;
mod keys;
mod legacy;
mod log;

pub use flaw::Flaw;
pub use form::{BundleVersion, Entry, Form};
pub use keys::{Key, Signed as SignedWithKey};
pub use legacy::LegacyLayer;

use der::asn1::{Ia5String, Utf8StringRef};
use der::oid::{AssociatedOid, ObjectIdentifier};
use der::{Decode, Encode};
use jiff::{SignedDuration, Timestamp};
use sigstore_verify::crypto::KeyPair;
use sigstore_verify::types::{
    DerCertificate, DsseEnvelope, DsseSignature, KeyId, PayloadBytes, SignatureBytes, pae,
};

use x509_cert::certificate::TbsCertificate;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use crate::sandbox::error::{Error, Result};
use crate::sandbox::oidc::Identity;
use crate::sandbox::oidc::Issuer;
use crate::sandbox::options::RekorVersion;
use crate::sandbox::trust::Trust;

/// Makes bundles of the sandbox's authorities without asking its services.
#[derive(Clone)]
pub struct Forger {
    trust: Trust,
    issuer: Issuer,
}

impl Forger {
    pub(crate) fn new(trust: Trust, issuer: Issuer) -> Self {
        Self { trust, issuer }
    }

    /// A bundle (v0.3, JSON) in which `identity` signs the in-toto `statement`, as of now, with one thing wrong if
    /// `flaw` says so. Nothing is published anywhere.
    ///
    /// # Errors
    /// The identity lacks the claims of its certificate's subject, or the statement is so large that it cannot be
    /// encoded.
    pub fn bundle(
        &self,
        statement: &[u8],
        identity: &Identity,
        rekor: RekorVersion,
        flaw: Option<Flaw>,
    ) -> Result<String> {
        self.bundle_as(Form::current(rekor), statement, identity, flaw)
    }

    /// The same in another form.
    ///
    /// # Errors
    /// Like [`Self::bundle`].
    pub fn bundle_as(
        &self,
        form: Form,
        statement: &[u8],
        identity: &Identity,
        flaw: Option<Flaw>,
    ) -> Result<String> {
        let now = Timestamp::now();
        let (signed, logged) = self.sign_envelope(statement, identity, flaw, now)?;
        let receipt = match flaw {
            Some(Flaw::LogEntryMissing) => None,
            _ => Some(self.log(logged.body(form.entry)?, form.entry, flaw, now)?),
        };
        let timestamp = self.timestamp(signed.signature(), flaw, now)?;
        Ok(form.assemble(&signed, receipt, timestamp))
    }

    /// What is signed, and what is logged: the same, unless the flaw is that it is not.
    fn sign_envelope(
        &self,
        statement: &[u8],
        identity: &Identity,
        flaw: Option<Flaw>,
        now: Timestamp,
    ) -> Result<(Signed, Signed)> {
        let signer = self.signer(identity, flaw, now)?;
        let signed = match flaw {
            Some(Flaw::Signature) => Signer {
                key: KeyPair::generate_ecdsa_p256()?,
                certificate: signer.certificate.clone(),
            }
            .sign(statement)?,
            _ => signer.sign(statement)?,
        };
        let logged = match flaw {
            Some(Flaw::LogEntryOfAnotherArtifact) => signer.sign(ANOTHER_STATEMENT)?,
            Some(Flaw::LogEntryOfAnotherSigner) => {
                self.signer(identity, None, now)?.sign(statement)?
            }
            Some(Flaw::LogEntryOfAnotherSignature) => signer.sign(statement)?,
            _ => signed.clone(),
        };
        Ok((signed, logged))
    }

    /// Two right bundles by one key with one certificate, over two statements: what an attacker can mix.
    ///
    /// # Errors
    /// As for [`Self::bundle`].
    pub fn pair(
        &self,
        statements: [&[u8]; 2],
        identity: &Identity,
        rekor: RekorVersion,
    ) -> Result<[String; 2]> {
        let now = Timestamp::now();
        let signer = self.signer(identity, None, now)?;
        let bundle = |statement| -> Result<String> {
            let signed = signer.sign(statement)?;
            let form = Form::current(rekor);
            let receipt = self.log(signed.body(form.entry)?, form.entry, None, now)?;
            let timestamp = self.timestamp(signed.signature(), None, now)?;
            Ok(form.assemble(&signed, Some(receipt), timestamp))
        };
        Ok([bundle(statements[0])?, bundle(statements[1])?])
    }

    /// A fresh key with its certificate.
    fn signer(&self, identity: &Identity, flaw: Option<Flaw>, now: Timestamp) -> Result<Signer> {
        let key = KeyPair::generate_ecdsa_p256()?;
        let claims = self.issuer.claims(identity)?;
        let (provider, public_key) = (identity.provider(), key.public_key_der()?);
        let ca = &self.trust.ca;
        let certificate = match flaw {
            Some(Flaw::CaUntrusted) => {
                let impostor = ca.impostor(self.trust.since)?;
                impostor.issue(provider, &claims, &public_key, now)?
            }
            Some(Flaw::AuthorityExpired) => {
                let retired = &self.trust.retired;
                retired.issue(provider, &claims, &public_key, now)?
            }
            Some(Flaw::SctMissing) => {
                ca.sign(&ca.precertificate(provider, &claims, &public_key, now)?)?
            }
            Some(Flaw::SctWrongKey) => {
                let precertificate = ca.precertificate(provider, &claims, &public_key, now)?;
                ca.finish(precertificate, &ca.log().impostor()?, now)?
            }
            Some(Flaw::NamesSeveral | Flaw::IssuersDisagree | Flaw::ExtensionRepeated) => {
                let mut precertificate = ca.precertificate(provider, &claims, &public_key, now)?;
                make_ambiguous(&mut precertificate, flaw)?;
                ca.finish(precertificate, ca.log(), now)?
            }
            _ => ca.issue(provider, &claims, &public_key, now)?,
        };
        Ok(Signer { key, certificate })
    }

    fn timestamp(
        &self,
        signature: &SignatureBytes,
        flaw: Option<Flaw>,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>> {
        let tsa = &self.trust.tsa;
        let signature = signature.as_bytes();
        Ok(Some(match flaw {
            Some(Flaw::TimestampMissing) => return Ok(None),
            Some(Flaw::TimestampWrongImprint) => tsa.timestamp(ANOTHER_STATEMENT, now)?,
            Some(Flaw::TimestampUntrustedAuthority) => {
                tsa.stranger(self.trust.since)?.timestamp(signature, now)?
            }
            Some(Flaw::TimestampOutsideCertificate) => {
                tsa.timestamp(signature, an_hour_before(now)?)?
            }
            _ => tsa.timestamp(signature, now)?,
        }))
    }
}

struct Signer {
    key: KeyPair,
    certificate: DerCertificate,
}

impl Signer {
    /// A DSSE envelope around the statement: the signature covers its pre-authentication encoding.
    fn sign(&self, statement: &[u8]) -> Result<Signed> {
        let signature = self.key.sign(&pae(PAYLOAD_TYPE, statement))?;
        let signature = DsseSignature::new(signature, KeyId::default());
        let payload = PayloadBytes::from_bytes(statement);
        Ok(Signed {
            envelope: DsseEnvelope::new(PAYLOAD_TYPE, payload, signature),
            certificate: self.certificate.clone(),
        })
    }
}

#[derive(Clone)]
struct Signed {
    envelope: DsseEnvelope,
    certificate: DerCertificate,
}

impl Signed {
    fn signature(&self) -> &SignatureBytes {
        &self.envelope.signature.sig
    }
}

fn an_hour_before(time: Timestamp) -> Result<Timestamp> {
    time.checked_sub(SignedDuration::from_hours(1))
        .map_err(|error| Error::Range(error.to_string()))
}

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const ANOTHER_STATEMENT: &[u8] = br#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"0000000000000000000000000000000000000000000000000000000000000000"}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}"#;

/// Makes a certificate say two things.
fn make_ambiguous(certificate: &mut TbsCertificate, flaw: Option<Flaw>) -> Result<()> {
    let extensions = certificate.extensions.get_or_insert_default();
    match flaw {
        Some(Flaw::NamesSeveral) => {
            for extension in extensions
                .iter_mut()
                .filter(|one| one.extn_id == SubjectAltName::OID)
            {
                let mut names = SubjectAltName::from_der(extension.extn_value.as_bytes())?;
                names
                    .0
                    .push(GeneralName::UniformResourceIdentifier(Ia5String::new(
                        SOMEBODY_ELSE,
                    )?));
                *extension = super::certificate::extension(&names, true)?;
            }
        }
        Some(Flaw::IssuersDisagree) => {
            extensions.retain(|extension| extension.extn_id != ISSUER_V1);
            let other = SOMEBODY_ELSE.as_bytes().to_vec();
            extensions.push(super::certificate::raw_extension(ISSUER_V1, false, other)?);
        }
        _ => {
            let other = Utf8StringRef::new(SOMEBODY_ELSE)?.to_der()?;
            extensions.push(super::certificate::raw_extension(
                SOURCE_REPOSITORY,
                false,
                other,
            )?);
        }
    }
    Ok(())
}

const SOMEBODY_ELSE: &str = "https://somebody.example/else";
const ISSUER_V1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.1");
const SOURCE_REPOSITORY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.12");
