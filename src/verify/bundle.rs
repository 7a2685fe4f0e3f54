//! Verifies Sigstore bundles.

use super::certificate;
use super::rejection::Rejection;
use super::{Facts, Identity, LogProof, Signer, Verified};
use crate::evidence::{Bundle, Format, Statement};
use crate::image::Digest;
use crate::trust::{Requirements, TrustedRoot};
use jiff::Timestamp;
use sigstore_verify::VerificationPolicy;
use sigstore_verify::types::{Artifact, KindVersion, MediaType, Sha256Hash, TransparencyLogEntry};

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
        let leaf = bundle
            .parsed()
            .signing_certificate()
            .ok_or(Rejection::NoCertificate)?;

        // 2. to 6. Everything is required that this instance can prove. The identity is judged afterwards, by the policy.
        let policy = match root.requirements() {
            Requirements::Everything => VerificationPolicy::any_identity(),
            Requirements::TimestampOnly => VerificationPolicy::any_identity()
                .skip_tlog_unsafe()
                .skip_sct(),
        };
        let result = root.verifier().verify(artifact, bundle.parsed(), &policy)?;

        // 5. once more: the crates ask for a proof in one entry, and pass over the others that have none.
        let everything = root.requirements() == Requirements::Everything;
        let entries = &bundle.parsed().verification_material.tlog_entries;
        let (mut log_proof, mut log_index) = (None, None);
        if everything {
            let proofs = entries.iter().map(|entry| log_proof_of(bundle, entry));
            let proofs: Option<Vec<LogProof>> = proofs.collect();
            let proofs = proofs.ok_or(Rejection::NoLogProof)?;
            log_proof = Some(proofs.into_iter().min().ok_or(Rejection::NotEstablished)?);
            let signed = entries.iter().find(|entry| is_index_signed(entry));
            log_index = signed.map(|entry| entry.log_index.get());
        }

        // 3. once more: what the crates read from the certificate, nobody else can read otherwise.
        certificate::check(leaf.as_bytes()).map_err(Rejection::Certificate)?;

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
        Ok(Self {
            signer: Signer::Identity(Box::new(Identity::of(certificate))),
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

/// What proves a log entry. Bundles v0.1, and cosign v2, are from before there were proofs: a promise that the log signed
/// is enough there, as the format says.
fn log_proof_of(bundle: &Bundle, entry: &TransparencyLogEntry) -> Option<LogProof> {
    let promise_is_enough = bundle.parsed().media_type() == MediaType::Bundle0_1;
    match (&entry.inclusion_proof, &entry.inclusion_promise) {
        (Some(_), _) => Some(LogProof::Inclusion),
        (None, Some(_)) if promise_is_enough => Some(LogProof::Promise),
        (None, _) => None,
    }
}

/// Whether the log signed the index of this entry: with Rekor v2 the proof is for it, with v1 only the inclusion promise
/// names it, and the proof is for a place in one of several trees.
fn is_index_signed(entry: &TransparencyLogEntry) -> bool {
    entry.kind_version == KindVersion::HashedRekordV002 || entry.inclusion_promise.is_some()
}
