//! The reports on files: as those on images, without a registry.

use super::view::{Command, Image, Report, SignatureView, VERSION, VerdictView};
use crate::image::Digest;
use crate::outcome::Code;
use crate::policy::{Accepted, Decision};

impl Report {
    /// The report of `signgate verify-blob`. `digest` is that of the bytes that were verified, if they could be read.
    pub fn of_verify_file(requested: &str, digest: Option<Digest>, decision: Decision) -> Self {
        let (file, code) = Image::decided(&requested, decision);
        Self::of_file(Command::VerifyBlob, file, digest, code)
    }

    /// The report of `signgate sign-blob`.
    pub fn of_sign_file(requested: &str, signed: &Accepted) -> Self {
        let file = Image {
            signatures: vec![SignatureView::new(signed)],
            ..Image::new(&requested, VerdictView::Signed)
        };
        let digest = Some(*signed.evidence.subject());
        Self::of_file(Command::SignBlob, file, digest, None)
    }

    fn of_file(
        command: Command,
        mut file: Image,
        digest: Option<Digest>,
        code: Option<Code>,
    ) -> Self {
        // Nothing attaches the bundle of a file.
        for signature in &mut file.signatures {
            signature.referrer.clear();
        }
        for candidate in &mut file.rejected {
            candidate.referrer.clear();
        }
        file.digest = digest.map(|digest| digest.to_string());
        Self {
            version: VERSION,
            command,
            exit_code: code.map_or(0, Code::exit),
            images: Vec::new(),
            files: vec![file],
            problem: None,
        }
    }
}
