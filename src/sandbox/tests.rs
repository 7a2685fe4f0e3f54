//! The sandbox as a whole: everything a signer needs, over HTTP alone, verified by a verifier that is not ours.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sigstore_verify::crypto::{KeyPair, sha256};
use sigstore_verify::rekor::{DsseEntry, HashedRekordV2, LogEntry, RekorV2KeyDetails};
use sigstore_verify::trust_root::{SigningConfig, TrustedRoot};
use sigstore_verify::types::{
    Artifact, Bundle, DerCertificate, DsseEnvelope, DsseSignature, KeyId, KindVersion,
    PayloadBytes, Sha256Hash, SignatureBytes, TransparencyLogEntry, pae,
};
use sigstore_verify::{VerificationPolicy, VerificationResult, Verifier};

use crate::sandbox::Sandbox;
use crate::sandbox::oidc::Identity;
use crate::sandbox::options::{Options, RekorVersion};
use crate::sandbox::serve::ServiceName;

mod flaws;
mod services;

/// A statement about the artifact with the digest of `ARTIFACT`.
fn statement() -> Vec<u8> {
    serde_json::to_vec(&json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": sha256(ARTIFACT).to_hex()}}],
        "predicateType": "https://sigstore.dev/cosign/sign/v1",
        "predicate": {},
    }))
    .unwrap()
}

fn verify(sandbox: &Sandbox, bundle: &str) -> Result<VerificationResult, sigstore_verify::Error> {
    verify_with(sandbox, bundle, &VerificationPolicy::any_identity())
}

fn verify_with(
    sandbox: &Sandbox,
    bundle: &str,
    policy: &VerificationPolicy,
) -> Result<VerificationResult, sigstore_verify::Error> {
    let root = TrustedRoot::from_file(sandbox.trusted_root_path()).unwrap();
    let bundle = Bundle::from_json(bundle).unwrap();
    let digest: Sha256Hash = sha256(ARTIFACT);
    Verifier::new(&root)?.verify(Artifact::from(digest), &bundle, policy)
}

const ARTIFACT: &[u8] = b"an image";
