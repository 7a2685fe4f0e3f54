//! `verify-blob`: is this file signed by whom we expect? Asks nobody: everything needed is in the bundle.

use crate::evidence::{Bundle, Format};
use crate::image::Digest;
use crate::limits;
use crate::policy::{Decision, Policy};
use crate::trust::TrustedRoot;
use crate::verify::{self, File, Rejection};

/// What to verify, by which measure.
pub struct VerifyFileRequest<'a> {
    /// The bytes of the bundle, or more than [`limits::BUNDLE_BYTES`] of them.
    pub bundle: Vec<u8>,
    /// The file.
    pub file: File<'a>,
    /// Whom to accept.
    pub policy: &'a Policy,
    /// Whom to believe.
    pub trusted_root: &'a TrustedRoot,
}

/// What was decided about a file.
pub struct FileVerdict {
    /// Its digest, if that is known: a file is not read for a bundle that cannot be right.
    pub digest: Option<Digest>,
    /// The decision.
    pub decision: Decision,
}

/// Verifies one file. The only failure that is no decision is a file that cannot be read.
pub fn verify_file(request: VerifyFileRequest<'_>) -> Result<FileVerdict, Rejection> {
    let VerifyFileRequest {
        bundle: json,
        file,
        policy,
        trusted_root,
    } = request;
    let mut digest = match &file {
        File::Digest(digest) => Some(*digest),
        File::Content(_) => None,
    };
    let bundle = Digest::of(&json);
    let outcome = if json.len() > limits::BUNDLE_BYTES {
        Err(Rejection::TooLarge {
            limit: limits::BUNDLE_BYTES,
        })
    } else {
        Bundle::parse(json)
            .map_err(Rejection::Malformed)
            .and_then(|bundle| verify::file_signature(bundle, file, trusted_root))
    };
    let (verified, unverified) = match outcome {
        Ok(evidence) => {
            digest = Some(*evidence.subject());
            (vec![(bundle, evidence)], Vec::new())
        }
        Err(error @ Rejection::Unreadable(_)) => return Err(error),
        Err(rejection) => (Vec::new(), vec![(bundle, Format::Bundle, rejection)]),
    };
    Ok(FileVerdict {
        digest,
        decision: policy.evaluate(verified, unverified),
    })
}
