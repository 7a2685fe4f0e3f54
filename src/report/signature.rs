//! What there is to say about one signature: who made it, or why it does not count.

use super::escape::bounded;
use crate::policy::{Accepted, Finding, Rejected};
use crate::verify::{LogProof, Signer};
use serde::Serialize;
use std::collections::BTreeMap;

/// A verified signature.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SignatureView {
    /// The digest of the manifest that attaches it; nothing for a file.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub referrer: String,
    /// How it is attached: `bundle`, or `legacy` for the tags of cosign v2.
    pub format: &'static str,
    /// Who signed.
    #[serde(flatten)]
    pub signer: SignerView,
    /// What kind of statement was signed; nothing if it was a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate_type: Option<String>,
    /// The trusted time of signing, RFC 3339. A key may sign without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_at: Option<String>,
    /// How the transparency log vouches for it: `inclusion`, or only a `promise`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_proof: Option<&'static str>,
    /// Its place in the transparency log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_index: Option<u64>,
}

/// Who signed. What the certificate does not say is left out.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SignerView {
    /// Subject alternative name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// OIDC issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// What the certificate says about the CI job, by the names of [`crate::verify::Claim`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<&'static str, String>,
    /// Digest of the public key, where a key signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// A signature that does not satisfy the policy, or cannot be verified.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RejectedView {
    /// The digest of the manifest that attaches it; nothing for a file.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub referrer: String,
    /// How it is attached: `bundle`, or `legacy` for the tags of cosign v2.
    pub format: &'static str,
    /// Who signed, if the cryptography holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<SignerView>,
    /// Every reason.
    pub findings: Vec<FindingView>,
}

/// A reason to deny.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FindingView {
    /// The stable code.
    pub code: &'static str,
    /// In words.
    pub what: String,
    /// The causes, outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
    /// What the policy expects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

impl SignatureView {
    pub(super) fn new(Accepted { referrer, evidence }: &Accepted) -> Self {
        Self {
            referrer: referrer.to_string(),
            format: evidence.format().as_str(),
            signer: SignerView::new(evidence.signer()),
            predicate_type: evidence
                .statement()
                .map(|statement| statement.predicate_type().to_owned()),
            signed_at: evidence.signed_at().map(|time| time.to_string()),
            log_proof: evidence.log_proof().map(LogProof::as_str),
            log_index: evidence.log_index(),
        }
    }
}

impl SignerView {
    fn new(signer: &Signer) -> Self {
        match signer {
            Signer::Identity(identity) => Self {
                identity: identity.san().map(str::to_owned),
                issuer: identity.issuer().map(str::to_owned),
                claims: identity
                    .claims()
                    .map(|(claim, value)| (claim.name(), value.to_owned()))
                    .collect(),
                key: None,
            },
            Signer::Key(digest) => Self {
                key: Some(digest.to_string()),
                ..Self::default()
            },
        }
    }
}

impl RejectedView {
    pub(super) fn new(rejected: &Rejected) -> Self {
        Self {
            referrer: rejected.referrer.to_string(),
            format: rejected.format.as_str(),
            signer: rejected.signer.as_ref().map(SignerView::new),
            findings: rejected.findings.iter().map(FindingView::new).collect(),
        }
    }
}

impl FindingView {
    fn new(finding: &Finding) -> Self {
        Self {
            code: finding.code.id(),
            what: bounded(&finding.what),
            why: finding.why.iter().map(|cause| bounded(cause)).collect(),
            expected: finding.expected.clone(),
            found: finding.found.as_deref().map(bounded),
        }
    }
}
