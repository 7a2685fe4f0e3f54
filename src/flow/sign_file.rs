//! `sign-blob`: signs one file, by its digest, or one statement. The bundle is verified before anybody gets it.

use super::FlowError;
use super::ports::SigningServices;
use super::sign::Signer;
use crate::evidence::Content;
use crate::image::Digest;
use crate::policy::{Accepted, ExpectedStatement};
use crate::trust::TrustedRoot;
use crate::verify::{self, File};
use jiff::Timestamp;

/// What to sign.
pub struct SignFileRequest<'a> {
    /// The file or the statement.
    pub content: Content,
    /// The digest of the file, or of a file that the statement is about.
    pub subject: Digest,
    /// Whom the new signature must convince.
    pub trusted_root: &'a TrustedRoot,
    /// The time now.
    pub now: Timestamp,
}

/// Signs a file.
///
/// Sequential requests: the ID token; the certificate; the timestamp and the log entry.
pub async fn sign_file<S: SigningServices>(
    services: &S,
    request: SignFileRequest<'_>,
) -> Result<Accepted, FlowError> {
    // 1. One key, and one certificate for it.
    let token = services.id_token().await?;
    let signer = Signer::new(services, token, request.now, ExpectedStatement::Any).await?;

    // 2. Sign and prove.
    let bundle = signer.bundle(request.content).await?;

    // 3. Verify as anybody will verify it.
    let referrer = bundle.digest();
    let file = File::Digest(request.subject);
    let evidence = verify::file_signature(bundle, file, request.trusted_root)
        .map_err(|source| FlowError::SelfCheckFile { source })?;
    signer.check_signer(&evidence)?;
    Ok(Accepted { referrer, evidence })
}
