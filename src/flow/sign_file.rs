//! `sign-blob`: signs one file, by its digest, or one statement. The bundle is verified before anybody gets it.

use super::FlowError;
use super::ports::{SigningServices, Trust};
use super::sign::Signer;
use crate::evidence::Content;
use crate::image::Digest;
use crate::policy::{Accepted, ExpectedStatement};
use crate::trust::TrustedRoot;
use crate::verify::{self, File};
use futures_util::try_join;
use jiff::Timestamp;

/// What to sign.
pub struct SignFileRequest<'a, T = TrustedRoot> {
    /// The file or the statement.
    pub content: Content,
    /// The digest of the file, or of a file that the statement is about.
    pub subject: Digest,
    /// Whom the new signature must convince: a trusted root, or whoever will have it.
    pub trusted_root: &'a T,
    /// The time now.
    pub now: Timestamp,
}

/// Signs a file.
///
/// Sequential requests: the ID token; the certificate; the timestamp and the log entry.
pub async fn sign_file<S: SigningServices>(
    services: &S,
    request: SignFileRequest<'_, impl Trust>,
) -> Result<Accepted, FlowError> {
    // 1. One key, and one certificate for it. Trust material is refreshed meanwhile where that is due.
    let token = async { services.id_token().await.map_err(FlowError::from) };
    let trusted_root = async {
        request
            .trusted_root
            .trusted_root()
            .await
            .map_err(FlowError::from)
    };
    let (token, trusted_root) = try_join!(token, trusted_root)?;
    let signer = Signer::new(services, token, request.now, ExpectedStatement::Any).await?;

    // 2. Sign and prove.
    let bundle = signer.bundle(request.content).await?;

    // 3. Verify as anybody will verify it.
    let referrer = bundle.digest();
    let file = File::Digest(request.subject);
    let evidence = verify::file_signature(bundle, file, trusted_root)
        .map_err(|source| FlowError::SelfCheckFile { source })?;
    signer.check_signer(&evidence)?;
    Ok(Accepted { referrer, evidence })
}
