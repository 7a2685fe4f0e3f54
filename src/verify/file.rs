//! Verifies bundles for files.

use super::bundle::{Over, Proven};
use super::{Rejection, Verified};
use crate::evidence::{Bundle, Format, Statement};
use crate::image::{Digest, Hashing};
use crate::limits;
use crate::trust::TrustedRoot;
use sigstore_verify::crypto::{KeyAlgorithm, parse_certificate_info};
use sigstore_verify::types::{HashAlgorithm, Sha256Hash, SignatureContent};
use std::io::{self, Read};

/// A file, as far as it is at hand.
pub enum File<'a> {
    /// Only its digest is known.
    Digest(Digest),
    /// Its content, read once.
    Content(&'a mut dyn Read),
}

/// Verifies `bundle` for `file` against `root`, whoever signed it: a signature over the file, or a statement of any
/// kind that names it.
pub fn file_signature(
    bundle: Bundle,
    file: File<'_>,
    root: &TrustedRoot,
) -> Result<Verified<Bundle>, Rejection> {
    // 1. to 6. The digest is that of the very bytes that were verified.
    let (subject, proven) = match file {
        File::Digest(digest) => {
            let over = Sha256Hash::new(*digest.as_bytes());
            (digest, Proven::of(&bundle, over.into(), root))
        }
        File::Content(content) => {
            let mut content = Hashing::new(content);
            let proven = match needs_all_of_it(&bundle, root) {
                true => read_all(&mut content)
                    .and_then(|bytes| Proven::of(&bundle, bytes.as_slice().into(), root)),
                false => Proven::of(&bundle, Over::Stream(&mut content), root),
            };
            (content.digest(), proven)
        }
    };

    // 7. The statement, or the digest beside the signature, is about this very digest.
    let statement = bundle.payload().map(Statement::parse).transpose();
    let is_about_subject = match &statement {
        Ok(Some(statement)) => statement.is_about(&subject),
        Ok(None) => declared(&bundle).is_none_or(|declared| declared == subject.as_bytes()),
        Err(_) => false,
    };
    let proven = proven.map_err(|rejection| match rejection {
        // Said of a log entry about something else as well; ours is about this file.
        Rejection::Subject if is_about_subject => Rejection::LogEntryMismatch,
        rejection => rejection,
    })?;
    let statement = statement.map_err(Rejection::Statement)?;
    if statement.is_some() && !is_about_subject {
        return Err(Rejection::Subject);
    }
    Ok(proven.verified(bundle, Format::Bundle, subject, statement))
}

/// The SHA-256 digest that stands beside a signature over bytes.
fn declared(bundle: &Bundle) -> Option<&[u8]> {
    match &bundle.parsed().content {
        SignatureContent::MessageSignature(signature) => signature
            .message_digest
            .as_ref()
            .filter(|digest| digest.algorithm == HashAlgorithm::Sha2256)
            .map(|digest| digest.digest.as_bytes()),
        _ => None,
    }
}

/// Ed25519 signs a message in two passes, so nothing less than all of it can be verified.
fn needs_all_of_it(bundle: &Bundle, root: &TrustedRoot) -> bool {
    let certificate = bundle.parsed().signing_certificate();
    let certificate = certificate.and_then(|der| parse_certificate_info(der).ok());
    let by_certificate =
        certificate.is_some_and(|info| info.key_algorithm == KeyAlgorithm::Ed25519);
    let by_key = root.key().is_some_and(|key| key.signs_whole_messages());
    bundle.payload().is_none() && (by_certificate || by_key)
}

fn read_all(content: &mut dyn Read) -> Result<Vec<u8>, Rejection> {
    let mut bytes = Vec::new();
    // One byte more than allowed, so that a longer file is noticed and not cut.
    content
        .take(limits::WHOLE_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(Rejection::Unreadable)?;
    if bytes.len() as u64 > limits::WHOLE_FILE_BYTES {
        let reason = format!(
            "a file of more than {} bytes cannot be verified with an Ed25519 key",
            limits::WHOLE_FILE_BYTES
        );
        return Err(Rejection::Unreadable(io::Error::new(
            io::ErrorKind::FileTooLarge,
            reason,
        )));
    }
    Ok(bytes)
}
