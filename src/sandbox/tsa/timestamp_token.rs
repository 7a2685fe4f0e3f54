//! RFC 3161 timestamps: reading a request, and building the signed token that answers it.
//!
//! A token is a CMS `SignedData` (RFC 5652) around a `TSTInfo` (RFC 3161 §2.4.2): "this digest existed at this
//! time". The signature covers three signed attributes: the content type, the digest of the `TSTInfo`, and which
//! certificate signed (ESSCertIDv2, RFC 5816), so that the certificate cannot be swapped.

use cms::cert::{CertificateChoices, IssuerAndSerialNumber};
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{
    CertificateSet, EncapsulatedContentInfo, SignedAttributes, SignedData, SignerIdentifier,
    SignerInfo, SignerInfos,
};
use der::asn1::{Any, GeneralizedTime, Int, ObjectIdentifier, OctetString, SetOfVec};
use der::oid::db::rfc5911::{ID_CONTENT_TYPE, ID_MESSAGE_DIGEST, ID_SIGNED_DATA};
use der::oid::db::rfc5912::{ID_SHA_256, ID_SHA_384, ID_SHA_512};
use der::{Encode, Sequence};
use jiff::Timestamp;
use sigstore_verify::crypto::{KeyPair, sha256};
use x509_cert::attr::Attribute;
use x509_cert::certificate::Certificate;
use x509_cert::ext::Extensions;
use x509_cert::spki::AlgorithmIdentifierOwned;

use crate::sandbox::certificate::{ecdsa_with_sha256, unix_duration};
use crate::sandbox::error::Result;

/// `TimeStampReq` (§2.4.1).
#[derive(Sequence)]
pub(crate) struct TimeStampRequest {
    pub(crate) version: u8,
    pub(crate) message_imprint: MessageImprint,
    #[asn1(optional = "true")]
    pub(crate) policy: Option<ObjectIdentifier>,
    #[asn1(optional = "true")]
    pub(crate) nonce: Option<Int>,
    #[asn1(default = "Default::default")]
    pub(crate) cert_req: bool,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    pub(crate) extensions: Option<Extensions>,
}

/// `MessageImprint` (§2.4.1): a digest and the algorithm that made it.
#[derive(Clone, Sequence)]
pub(crate) struct MessageImprint {
    pub(crate) hash_algorithm: AlgorithmIdentifierOwned,
    pub(crate) hashed_message: OctetString,
}

impl MessageImprint {
    /// The SHA-256 imprint of a message.
    pub(crate) fn sha256(message: &[u8]) -> Result<Self> {
        Ok(Self {
            hash_algorithm: algorithm(ID_SHA_256),
            hashed_message: OctetString::new(sha256(message).as_bytes())?,
        })
    }

    /// Whether the algorithm is SHA-256, SHA-384 or SHA-512 and the digest as long as it makes them.
    pub(crate) fn is_supported(&self) -> bool {
        let length = match self.hash_algorithm.oid {
            ID_SHA_256 => 32,
            ID_SHA_384 => 48,
            ID_SHA_512 => 64,
            _ => return false,
        };
        self.hashed_message.as_bytes().len() == length
    }
}

/// The key and the certificate that sign tokens.
pub(crate) struct TokenSigner {
    pub(crate) key: KeyPair,
    pub(crate) certificate: Certificate,
}

impl TokenSigner {
    /// A granted `TimeStampResp` (§2.4.2) in DER, for a request made at `now`.
    pub(crate) fn respond(
        &self,
        request: &TimeStampRequest,
        serial_number: u64,
        now: Timestamp,
    ) -> Result<Vec<u8>> {
        let info = TstInfo {
            version: 1,
            policy: request.policy.unwrap_or(DEFAULT_POLICY),
            message_imprint: request.message_imprint.clone(),
            serial_number,
            gen_time: GeneralizedTime::from_unix_duration(unix_duration(now)?)?,
            accuracy: Accuracy { seconds: 1 },
            nonce: request.nonce.clone(),
        };
        let response = TimeStampResponse {
            status: PkiStatusInfo { status: GRANTED },
            token: self.token(&info.to_der()?, request.cert_req)?,
        };
        Ok(response.to_der()?)
    }

    fn token(&self, info: &[u8], with_certificate: bool) -> Result<ContentInfo> {
        let certificates = if with_certificate {
            let choice = CertificateChoices::Certificate(self.certificate.clone());
            Some(CertificateSet(SetOfVec::try_from(vec![choice])?))
        } else {
            None
        };
        let signed_data = SignedData {
            // Version 3, because the content is not plain data (RFC 5652 §5.1).
            version: CmsVersion::V3,
            digest_algorithms: SetOfVec::try_from(vec![algorithm(ID_SHA_256)])?,
            encap_content_info: EncapsulatedContentInfo {
                econtent_type: ID_CT_TST_INFO,
                econtent: Some(Any::encode_from(&OctetString::new(info)?)?),
            },
            certificates,
            crls: None,
            signer_infos: SignerInfos(SetOfVec::try_from(vec![self.signer_info(info)?])?),
        };
        Ok(ContentInfo {
            content_type: ID_SIGNED_DATA,
            content: Any::encode_from(&signed_data)?,
        })
    }

    fn signer_info(&self, info: &[u8]) -> Result<SignerInfo> {
        let certificate = &self.certificate.tbs_certificate;
        let attributes = self.signed_attributes(info)?;
        // The signature covers the attributes as a SET, not with the implicit tag they are stored under (§5.4).
        let signature = self.key.sign(&attributes.to_der()?)?;
        Ok(SignerInfo {
            version: CmsVersion::V1,
            sid: SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
                issuer: certificate.issuer.clone(),
                serial_number: certificate.serial_number.clone(),
            }),
            digest_alg: algorithm(ID_SHA_256),
            signed_attrs: Some(attributes),
            signature_algorithm: ecdsa_with_sha256(),
            signature: OctetString::new(signature.as_bytes())?,
            unsigned_attrs: None,
        })
    }

    fn signed_attributes(&self, info: &[u8]) -> Result<SignedAttributes> {
        let certificate_hash = sha256(&self.certificate.to_der()?);
        let signing_certificate = SigningCertificateV2 {
            certs: vec![EssCertIdV2 {
                cert_hash: OctetString::new(certificate_hash.as_bytes())?,
            }],
        };
        let digest = OctetString::new(sha256(info).as_bytes())?;
        Ok(SetOfVec::try_from(vec![
            attribute(ID_CONTENT_TYPE, &Any::encode_from(&ID_CT_TST_INFO)?)?,
            attribute(ID_MESSAGE_DIGEST, &Any::encode_from(&digest)?)?,
            attribute(
                ID_AA_SIGNING_CERTIFICATE_V2,
                &Any::encode_from(&signing_certificate)?,
            )?,
        ])?)
    }
}

fn attribute(oid: ObjectIdentifier, value: &Any) -> Result<Attribute> {
    Ok(Attribute {
        oid,
        values: SetOfVec::try_from(vec![value.clone()])?,
    })
}

fn algorithm(oid: ObjectIdentifier) -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned {
        oid,
        parameters: None,
    }
}

/// `TSTInfo` (§2.4.2) with the optional fields that we fill.
#[derive(Sequence)]
struct TstInfo {
    version: u8,
    policy: ObjectIdentifier,
    message_imprint: MessageImprint,
    serial_number: u64,
    gen_time: GeneralizedTime,
    accuracy: Accuracy,
    #[asn1(optional = "true")]
    nonce: Option<Int>,
}

#[derive(Sequence)]
struct Accuracy {
    seconds: u32,
}

/// `TimeStampResp` (§2.4.2) of a granted request.
#[derive(Sequence)]
struct TimeStampResponse {
    status: PkiStatusInfo,
    token: ContentInfo,
}

#[derive(Sequence)]
struct PkiStatusInfo {
    status: u8,
}

/// `SigningCertificateV2` (RFC 5035 §3).
#[derive(Sequence)]
struct SigningCertificateV2 {
    certs: Vec<EssCertIdV2>,
}

/// `ESSCertIDv2` (RFC 5035 §4) with its default algorithm, SHA-256, left out as DER requires.
#[derive(Sequence)]
struct EssCertIdV2 {
    cert_hash: OctetString,
}

const GRANTED: u8 = 0;
const ID_CT_TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const ID_AA_SIGNING_CERTIFICATE_V2: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");
/// The policy of Sigstore's own authority, under its private enterprise number.
const DEFAULT_POLICY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.2");
