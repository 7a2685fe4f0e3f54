//! The ways in which evidence can be wrong, one at a time.

use std::fmt;

use crate::sandbox::options::RekorVersion;

/// A single thing wrong with an otherwise perfect bundle. Which check has to notice is in the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Flaw {
    /// The envelope is signed by a key other than the certificate's; the log has logged it all the same.
    Signature,
    /// The certificate carries no promise of a certificate transparency log.
    SctMissing,
    /// The promise in the certificate is in the trusted log's name, by another key.
    SctWrongKey,
    /// The certificate is from an authority with the trusted one's name and other keys.
    CaUntrusted,
    /// The certificate is from a trusted authority whose intermediate has expired.
    AuthorityExpired,
    /// The certificate names somebody else as well, in second place.
    NamesSeveral,
    /// The two extensions for the issuer name different ones.
    IssuersDisagree,
    /// The extension for the repository is there twice, with different values.
    ExtensionRepeated,
    /// There is no log entry.
    LogEntryMissing,
    /// The log entry is real, by the same key and certificate, and of another statement.
    LogEntryOfAnotherArtifact,
    /// The log entry is real, of the same statement, and signed by somebody else.
    LogEntryOfAnotherSigner,
    /// The log entry is real, of the same statement by the same key and certificate, and of another signature.
    LogEntryOfAnotherSignature,
    /// The log entry is from a log that is not in the trusted root.
    LogUntrusted,
    /// One hash in the inclusion proof is wrong; the checkpoint is right.
    InclusionProof,
    /// The checkpoint is in the trusted log's name, by another key.
    CheckpointWrongKey,
    /// The promise of inclusion is in the trusted log's name, by another key (Rekor 1).
    PromiseWrongKey,
    /// The log promises that it saw the entry an hour before the certificate was issued (Rekor 1).
    IntegratedTimeOutsideCertificate,
    /// Nothing says when the signature was made: no signed timestamp, and no promise with a time either.
    TimestampMissing,
    /// The signed timestamp is for something other than the signature.
    TimestampWrongImprint,
    /// The signed timestamp is from an authority with the trusted one's name and other keys.
    TimestampUntrustedAuthority,
    /// The signed timestamp is from an hour before the certificate was issued.
    TimestampOutsideCertificate,
}

impl Flaw {
    /// Every flaw.
    pub const ALL: [Self; 21] = [
        Self::Signature,
        Self::SctMissing,
        Self::SctWrongKey,
        Self::CaUntrusted,
        Self::AuthorityExpired,
        Self::NamesSeveral,
        Self::IssuersDisagree,
        Self::ExtensionRepeated,
        Self::LogEntryMissing,
        Self::LogEntryOfAnotherArtifact,
        Self::LogEntryOfAnotherSigner,
        Self::LogEntryOfAnotherSignature,
        Self::LogUntrusted,
        Self::InclusionProof,
        Self::CheckpointWrongKey,
        Self::PromiseWrongKey,
        Self::IntegratedTimeOutsideCertificate,
        Self::TimestampMissing,
        Self::TimestampWrongImprint,
        Self::TimestampUntrustedAuthority,
        Self::TimestampOutsideCertificate,
    ];

    /// Whether evidence from this version of the log can have the flaw: Rekor 2 makes no promises.
    pub fn applies_to(self, rekor: RekorVersion) -> bool {
        match self {
            Self::PromiseWrongKey | Self::IntegratedTimeOutsideCertificate => {
                rekor == RekorVersion::V1
            }
            _ => true,
        }
    }

    /// Whether the Sigstore crates let it pass, so that noticing it is up to who uses them.
    pub fn escapes_the_crates(self) -> bool {
        matches!(
            self,
            Self::AuthorityExpired
                | Self::NamesSeveral
                | Self::IssuersDisagree
                | Self::ExtensionRepeated
        )
    }

    /// A stable name in kebab case, for the names of tests and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::SctMissing => "sct-missing",
            Self::SctWrongKey => "sct-wrong-key",
            Self::CaUntrusted => "ca-untrusted",
            Self::AuthorityExpired => "authority-expired",
            Self::NamesSeveral => "names-several",
            Self::IssuersDisagree => "issuers-disagree",
            Self::ExtensionRepeated => "extension-repeated",
            Self::LogEntryMissing => "log-entry-missing",
            Self::LogEntryOfAnotherArtifact => "log-entry-of-another-artifact",
            Self::LogEntryOfAnotherSigner => "log-entry-of-another-signer",
            Self::LogEntryOfAnotherSignature => "log-entry-of-another-signature",
            Self::LogUntrusted => "log-untrusted",
            Self::InclusionProof => "inclusion-proof",
            Self::CheckpointWrongKey => "checkpoint-wrong-key",
            Self::PromiseWrongKey => "promise-wrong-key",
            Self::IntegratedTimeOutsideCertificate => "integrated-time-outside-certificate",
            Self::TimestampMissing => "timestamp-missing",
            Self::TimestampWrongImprint => "timestamp-wrong-imprint",
            Self::TimestampUntrustedAuthority => "timestamp-untrusted-authority",
            Self::TimestampOutsideCertificate => "timestamp-outside-certificate",
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
