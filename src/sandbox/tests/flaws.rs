//! Each flaw is refused, and refused for the reason it names.

use sigstore_verify::{CertificateError, Error, TimestampError, TransparencyLogError};

use super::*;
use crate::sandbox::forge::Flaw;

#[tokio::test]
async fn a_bundle_without_a_flaw_verifies() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let forger = sandbox.forger();
    for rekor in RekorVersion::ALL {
        for identity in [
            Identity::github("acme/app", ".github/workflows/ci.yml", "refs/heads/main"),
            Identity::gitlab("acme/app", ".gitlab-ci.yml", "refs/heads/main"),
            Identity::buildkite("acme", "app", "main"),
            Identity::email("a@example.com"),
        ] {
            let bundle = forger.bundle(&statement(), &identity, rekor, None).unwrap();
            let verified = verify(&sandbox, &bundle).unwrap();
            assert!(verified.sct_verified() && verified.tlog_verified());
            assert_eq!(
                verified.issuer().unwrap(),
                sandbox.oidc().url(identity.provider())
            );
        }
    }
}

#[tokio::test]
async fn every_flaw_is_refused_for_its_own_reason() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let forger = sandbox.forger();
    let job = sandbox.oidc().job();
    for rekor in RekorVersion::ALL {
        for flaw in Flaw::ALL {
            if !flaw.applies_to(rekor) {
                continue;
            }
            let bundle = forger
                .bundle(&statement(), &job, rekor, Some(flaw))
                .unwrap();
            if flaw.escapes_the_crates() {
                verify(&sandbox, &bundle).unwrap_or_else(|error| panic!("{flaw}: {error:?}"));
                continue;
            }
            let error = verify(&sandbox, &bundle).expect_err(flaw.as_str());
            assert!(names(flaw, &error), "{flaw} with Rekor {rekor}: {error:?}");
        }
    }
}

#[tokio::test]
async fn a_verifier_that_skips_the_one_check_accepts() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let (forger, job) = (sandbox.forger(), sandbox.oidc().job());
    let all = VerificationPolicy::any_identity();
    for (flaw, policy) in [
        (Flaw::SctMissing, all.clone().skip_sct()),
        (Flaw::SctWrongKey, all.clone().skip_sct()),
        (Flaw::CaUntrusted, all.clone().skip_certificate_chain()),
        (
            Flaw::TimestampOutsideCertificate,
            all.clone().skip_certificate_chain(),
        ),
        (Flaw::LogEntryMissing, all.clone().skip_tlog_unsafe()),
        (Flaw::InclusionProof, all.clone().skip_tlog_unsafe()),
        (Flaw::CheckpointWrongKey, all.skip_tlog_unsafe()),
    ] {
        for rekor in RekorVersion::ALL {
            let bundle = forger
                .bundle(&statement(), &job, rekor, Some(flaw))
                .unwrap();
            verify_with(&sandbox, &bundle, &policy)
                .unwrap_or_else(|error| panic!("{flaw} with Rekor {rekor}: {error:?}"));
        }
    }
}

#[test]
fn names_of_flaws_are_unique() {
    let names: std::collections::HashSet<_> = Flaw::ALL.map(Flaw::as_str).into_iter().collect();
    assert_eq!(names.len(), Flaw::ALL.len());
}

/// Whether the error is the one that a check for exactly this flaw gives.
fn names(flaw: Flaw, error: &Error) -> bool {
    use CertificateError as Certificate;
    use TransparencyLogError as Log;
    match (flaw, error) {
        (Flaw::Signature, Error::SignatureInvalid(_))
        | (Flaw::LogEntryMissing, Error::Bundle(_))
        | (Flaw::LogEntryOfAnotherArtifact, Error::ArtifactMismatch(_)) => true,
        (Flaw::SctMissing | Flaw::SctWrongKey, Error::Certificate(Certificate::Sct(_))) => true,
        (
            Flaw::CaUntrusted
            | Flaw::TimestampOutsideCertificate
            | Flaw::IntegratedTimeOutsideCertificate,
            Error::Certificate(Certificate::ChainInvalid(_)),
        ) => true,
        (_, Error::TransparencyLog(error)) => matches!(
            (flaw, error),
            (
                Flaw::LogEntryOfAnotherArtifact | Flaw::LogEntryOfAnotherSigner,
                Log::EntryMismatch(_)
            ) | (
                Flaw::LogUntrusted,
                Log::InclusionPromise(_) | Log::Checkpoint(_)
            ) | (Flaw::InclusionProof, Log::InclusionProof(_))
                | (Flaw::CheckpointWrongKey, Log::Checkpoint(_))
                | (Flaw::PromiseWrongKey, Log::InclusionPromise(_))
        ),
        (_, Error::Timestamp(error)) => matches!(
            (flaw, error),
            (
                Flaw::TimestampMissing,
                TimestampError::NoVerifiedTimestamp(_)
            ) | (
                Flaw::TimestampWrongImprint | Flaw::TimestampUntrustedAuthority,
                TimestampError::Invalid(_)
            )
        ),
        _ => false,
    }
}
