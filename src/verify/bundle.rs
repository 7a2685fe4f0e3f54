//! Verifies Sigstore bundles.

use super::certificate;
use super::rejection::Rejection;
use super::strict::{self, LogProof};
use super::{Facts, Identity, Signer, Verified};
use crate::evidence::{Bundle, Format, Statement};
use crate::image::Digest;
use crate::trust::{Requirements, TrustedRoot};
use jiff::Timestamp;
use sigstore_verify::types::{Artifact, KindVersion, Sha256Hash, TransparencyLogEntry};
use sigstore_verify::{
    Policy, PublicKeyVerificationPolicy, VerificationPolicy, VerificationResult,
};
use std::io::Read;

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
    let proven = Proven::of(&bundle, digest.into(), root).map_err(|rejection| match rejection {
        // Said of a log entry about another statement as well; ours is about this digest.
        Rejection::Subject if is_about_subject => Rejection::LogEntryMismatch,
        rejection => rejection,
    })?;

    // 7. Ours as well: the statement we report on is the one that names this digest, in SHA-256.
    let statement = statement.map_err(Rejection::Statement)?;
    if !is_about_subject {
        return Err(Rejection::Subject);
    }
    Ok(proven.verified(bundle, format, *subject, Some(statement)))
}

/// What a signature is verified over.
pub(super) enum Over<'a> {
    /// Bytes at hand, or a digest.
    Artifact(Artifact<'a>),
    /// Bytes that pass by once.
    Stream(&'a mut dyn Read),
}

impl<'a, T: Into<Artifact<'a>>> From<T> for Over<'a> {
    fn from(artifact: T) -> Self {
        Self::Artifact(artifact.into())
    }
}

/// What the cryptography of a bundle has established.
pub(super) struct Proven {
    signer: Signer,
    signed_at: Option<Timestamp>,
    log_proof: Option<LogProof>,
    log_index: Option<u64>,
}

impl Proven {
    /// Steps 1 to 6 for `bundle` over `over`. A signature or a log entry of something else is [`Rejection::Subject`].
    pub(super) fn of(
        bundle: &Bundle,
        over: Over<'_>,
        root: &TrustedRoot,
    ) -> Result<Self, Rejection> {
        let everything = root.requirements() == Requirements::Everything;
        // Everything is required that this instance can prove. The identity is judged afterwards, by the policy.
        let result = match root.key() {
            None if !bundle.has_certificate() => return Err(Rejection::SignedByKey),
            Some(_) if bundle.has_certificate() => return Err(Rejection::SignedByCertificate),
            None if everything => run(root, bundle, over, &VerificationPolicy::any_identity())?,
            None => {
                let policy = VerificationPolicy::any_identity();
                run(root, bundle, over, &policy.skip_tlog_unsafe().skip_sct())?
            }
            Some(key) => {
                let policy = PublicKeyVerificationPolicy::new(key.der().clone());
                match everything {
                    true => run(root, bundle, over, &policy)?,
                    false => run(root, bundle, over, &policy.skip_tlog_unsafe())?,
                }
            }
        };
        let log_proof = strict::check(bundle, root)?;

        // No verdict by absence of errors: what was required must have been established.
        if everything && !(result.tlog_verified() && log_proof.is_some()) {
            return Err(Rejection::NotEstablished);
        }
        let signed_at = result.verified_timestamps().iter().min().copied();
        let signer = match root.key() {
            // A key has no times of validity, so it needs no time of signing; a certificate does.
            Some(key) => Signer::Key(key.fingerprint()),
            None => {
                let is_proven = result.certificate_verified()
                    && signed_at.is_some()
                    && (result.sct_verified() || !everything);
                let certificate = result.certificate().filter(|_| is_proven);
                let certificate = certificate.ok_or(Rejection::NotEstablished)?;
                // 3. once more: what the crates read from the certificate, nobody else can read otherwise.
                let leaf = bundle.parsed().signing_certificate();
                certificate::check(leaf.map(|leaf| leaf.as_bytes()).unwrap_or_default())
                    .map_err(Rejection::Certificate)?;
                Signer::Identity(Box::new(Identity::of(certificate)))
            }
        };
        let entries = &bundle.parsed().verification_material.tlog_entries;
        Ok(Self {
            signer,
            signed_at,
            log_proof,
            log_index: log_proof.and_then(|_| entries.iter().find_map(signed_log_index)),
        })
    }

    /// The only maker of [`Verified`]: it takes what has been established, and the statement, if one was signed, that
    /// the caller has found to be about `subject`.
    pub(super) fn verified(
        self,
        evidence: Bundle,
        format: Format,
        subject: Digest,
        statement: Option<Statement>,
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

fn run(
    root: &TrustedRoot,
    bundle: &Bundle,
    over: Over<'_>,
    policy: &dyn Policy,
) -> Result<VerificationResult, Rejection> {
    let (verifier, bundle) = (root.verifier(), bundle.parsed());
    Ok(match over {
        Over::Artifact(artifact) => verifier.verify(artifact, bundle, policy)?,
        Over::Stream(stream) => verifier.verify_reader(stream, bundle, policy)?,
    })
}

/// The index of an entry where it is signed: by Rekor 1 with its promise, by Rekor 2 with the proof. In a proof by
/// Rekor 1 it is another number, the place in one of its trees.
fn signed_log_index(entry: &TransparencyLogEntry) -> Option<u64> {
    let is_signed =
        entry.inclusion_promise.is_some() || entry.kind_version == KindVersion::HashedRekordV002;
    is_signed.then(|| entry.log_index.get())
}
