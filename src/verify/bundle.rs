//! Verifies Sigstore bundles.

use super::certificate;
use super::rejection::Rejection;
use super::{Facts, Identity, Signer, Verified};
use crate::evidence::{Bundle, Statement};
use crate::image::Digest;
use crate::trust::{Requirements, TrustedRoot};
use sigstore_verify::VerificationPolicy;
use sigstore_verify::types::{KindVersion, MediaType, Sha256Hash, TransparencyLogEntry};

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
    let everything = root.requirements() == Requirements::Everything;
    let entries = &bundle.parsed().verification_material.tlog_entries;
    if everything && !entries.iter().all(|entry| is_proven(&bundle, entry)) {
        return Err(Rejection::NoLogProof);
    }

    // 3. once more: what the crates read from the certificate, nobody else can read otherwise.
    let leaf = bundle.parsed().signing_certificate();
    certificate::check(leaf.map(|leaf| leaf.as_bytes()).unwrap_or_default())
        .map_err(Rejection::Certificate)?;

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

/// Whether a log entry brings what proves it. Bundles v0.1 are from before there were proofs: a promise that the log
/// signed is enough there, as the format says.
fn is_proven(bundle: &Bundle, entry: &TransparencyLogEntry) -> bool {
    let promise_is_enough = bundle.parsed().media_type() == MediaType::Bundle0_1;
    entry.inclusion_proof.is_some() || promise_is_enough && entry.inclusion_promise.is_some()
}

/// Whether the log signed the index of this entry: with Rekor v2 the proof is for it, with v1 only the inclusion promise
/// names it, and the proof is for a place in one of several trees.
fn is_index_signed(entry: &TransparencyLogEntry) -> bool {
    entry.kind_version == KindVersion::HashedRekordV002 || entry.inclusion_promise.is_some()
}
