//! Verifies Sigstore bundles.

use super::rejection::Rejection;
use super::{Facts, Identity, Signer, Verified};
use crate::evidence::{Bundle, Statement};
use crate::image::Digest;
use crate::trust::{Requirements, TrustedRoot};
use sigstore_verify::VerificationPolicy;
use sigstore_verify::types::{KindVersion, Sha256Hash, TransparencyLogEntry};

/// Verifies `bundle` for the image with the digest `subject` against `root`, whoever signed it.
pub fn image_signature(
    bundle: Bundle,
    subject: &Digest,
    root: &TrustedRoot,
) -> Result<Verified<Bundle>, Rejection> {
    // 1. An image signature is a signed statement; a bare signature over bytes says nothing about an image.
    let payload = bundle.payload().ok_or(Rejection::NoStatement)?;

    // 2. to 6. Everything is required that this instance can prove. The identity is judged afterwards, by the policy.
    let policy = match root.requirements() {
        Requirements::Everything => VerificationPolicy::any_identity(),
        Requirements::TimestampOnly => VerificationPolicy::any_identity()
            .skip_tlog_unsafe()
            .skip_sct(),
    };
    let digest = Sha256Hash::new(*subject.as_bytes());
    let statement = Statement::parse(payload);
    let is_about_subject = statement
        .as_ref()
        .is_ok_and(|statement| statement.is_about(subject));
    let result = root
        .verifier()
        .verify(digest, bundle.parsed(), &policy)
        .map_err(|error| match error {
            // Said of a log entry about another statement as well; ours is about this digest.
            sigstore_verify::Error::ArtifactMismatch(_) if is_about_subject => {
                Rejection::LogEntryMismatch
            }
            error => error.into(),
        })?;

    // 5. once more: the crates ask for a proof in one entry, and pass over the others that have none.
    let entries = &bundle.parsed().verification_material.tlog_entries;
    let everything = root.requirements() == Requirements::Everything;
    if everything && entries.iter().any(|entry| entry.inclusion_proof.is_none()) {
        return Err(Rejection::NoLogProof);
    }

    // 7. Ours as well: the statement we report on is the one that names this digest, in SHA-256.
    let statement = statement.map_err(Rejection::Statement)?;
    if !is_about_subject {
        return Err(Rejection::Subject);
    }

    // No verdict by absence of errors: what was required must have been established.
    let certificate = result
        .certificate()
        .filter(|_| result.certificate_verified());
    if everything && !(result.sct_verified() && result.tlog_verified()) {
        return Err(Rejection::NotEstablished);
    }
    let (Some(certificate), Some(signed_at)) =
        (certificate, result.verified_timestamps().iter().min())
    else {
        return Err(Rejection::NotEstablished);
    };

    let log_index = everything
        .then(|| entries.iter().find(|entry| is_index_signed(entry)))
        .flatten()
        .map(|entry| entry.log_index.get());
    let facts = Facts {
        subject: *subject,
        statement,
        signer: Signer::Identity(Box::new(Identity::of(certificate))),
        signed_at: *signed_at,
        log_index,
    };
    Ok(Verified {
        evidence: bundle,
        facts,
    })
}

/// Whether the log signed the index of this entry: with Rekor v2 the proof is for it, with v1 only the inclusion promise
/// names it, and the proof is for a place in one of several trees.
fn is_index_signed(entry: &TransparencyLogEntry) -> bool {
    entry.kind_version == KindVersion::HashedRekordV002 || entry.inclusion_promise.is_some()
}
