//! Verifies Sigstore bundles.

use super::rejection::Rejection;
use super::{Facts, LogProof, Signer, Verified};
use crate::evidence::{Bundle, Format, Statement};
use crate::image::Digest;
use crate::trust::{Requirements, TrustedRoot};
use jiff::Timestamp;
use sigstore_verify::VerificationPolicy;
use sigstore_verify::types::{Artifact, KindVersion, Sha256Hash, TransparencyLogEntry};

/// Verifies `bundle` for the image with the digest `subject` against `root`, whoever signed it.
pub fn image_signature(
    bundle: Bundle,
    subject: &Digest,
    root: &TrustedRoot,
) -> Result<Verified<Bundle>, Rejection> {
    statement(bundle, Format::Bundle, subject, root)
}

/// Verifies the statement in `bundle`, which was found in `format`.
pub(super) fn statement(
    bundle: Bundle,
    format: Format,
    subject: &Digest,
    root: &TrustedRoot,
) -> Result<Verified<Bundle>, Rejection> {
    // 1. An image signature is a signed statement; a bare signature over bytes says nothing about an image.
    let payload = bundle.payload().ok_or(Rejection::NoStatement)?;
    let statement = Statement::parse(payload);
    let is_about_subject = statement
        .as_ref()
        .is_ok_and(|statement| statement.is_about(subject));

    // 1. to 7.
    let digest = Sha256Hash::new(*subject.as_bytes());
    let proven = Proven::of(&bundle, digest, root).map_err(|rejection| match rejection {
        // Said of a log entry about another statement as well; ours is about this digest.
        Rejection::Subject if is_about_subject => Rejection::LogEntryMismatch,
        rejection => rejection,
    })?;

    // 7. Ours as well: the statement we report on is the one that names this digest, in SHA-256.
    let statement = statement.map_err(Rejection::Statement)?;
    if !is_about_subject {
        return Err(Rejection::Subject);
    }
    Ok(proven.verified(bundle, format, *subject, statement))
}

/// What the cryptography of a bundle has established.
pub(super) struct Proven {
    signer: Signer,
    signed_at: Timestamp,
    log_proof: Option<LogProof>,
    log_index: Option<u64>,
}

impl Proven {
    /// Steps 1 to 6 for `bundle` over `artifact`. A signature or a log entry of something else is
    /// [`Rejection::Subject`].
    pub(super) fn of<'a>(
        bundle: &Bundle,
        artifact: impl Into<Artifact<'a>>,
        root: &TrustedRoot,
    ) -> Result<Self, Rejection> {
        // Everything is required that this instance can prove. The identity is judged afterwards, by the policy.
        let policy = match root.requirements() {
            Requirements::Everything => VerificationPolicy::any_identity(),
            Requirements::TimestampOnly => VerificationPolicy::any_identity()
                .skip_tlog_unsafe()
                .skip_sct(),
        };
        if bundle.parsed().signing_certificate().is_none() {
            return Err(Rejection::NoCertificate);
        }
        let result = root.verifier().verify(artifact, bundle.parsed(), &policy)?;

        // No verdict by absence of errors: what was required must have been established.
        let everything = root.requirements() == Requirements::Everything;
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

        let entries = &bundle.parsed().verification_material.tlog_entries;
        let (mut log_proof, mut log_index) = (None, None);
        if everything {
            // The verifier wants one entry to be proven, and lets others ride along unproven. We want all of them.
            let proofs: Option<Vec<LogProof>> = entries.iter().map(log_proof_of).collect();
            let proofs = proofs.ok_or(Rejection::LogEntryUnproven)?;
            log_proof = Some(proofs.into_iter().min().ok_or(Rejection::NotEstablished)?);
            log_index = entries.iter().find_map(signed_log_index);
        }
        Ok(Self {
            signer: Signer::of(certificate),
            signed_at: *signed_at,
            log_proof,
            log_index,
        })
    }

    /// The only maker of [`Verified`]: it takes what has been established, and `statement`, which the caller has found
    /// to be about `subject`.
    pub(super) fn verified(
        self,
        evidence: Bundle,
        format: Format,
        subject: Digest,
        statement: Statement,
    ) -> Verified<Bundle> {
        let facts = Facts {
            subject,
            statement,
            format,
            signer: self.signer,
            signed_at: self.signed_at,
            log_proof: self.log_proof,
            log_index: self.log_index,
        };
        Verified { evidence, facts }
    }
}

/// How a log entry that has been verified is proven to be one.
fn log_proof_of(entry: &TransparencyLogEntry) -> Option<LogProof> {
    match (&entry.inclusion_proof, &entry.inclusion_promise) {
        (Some(_), _) => Some(LogProof::Inclusion),
        (None, Some(_)) => Some(LogProof::Promise),
        (None, None) => None,
    }
}

/// The index of an entry where it is signed: by Rekor 1 with its promise, by Rekor 2 with the proof. In a proof by
/// Rekor 1 it is another number, the place in one of its trees.
fn signed_log_index(entry: &TransparencyLogEntry) -> Option<u64> {
    let is_signed =
        entry.inclusion_promise.is_some() || entry.kind_version == KindVersion::HashedRekordV002;
    is_signed.then(|| entry.log_index.get())
}
