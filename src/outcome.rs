//! How a run can end: one closed list of codes, each with its exit code, its meaning and what to do.
//!
//! A code is stable: it is never renamed and never reused. Its fix lives here, beside it. The table in
//! the README is generated from [`Code::ALL`].

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

/// An error that a user can see: it has a code, and through it an exit code and a fix.
pub trait Coded: Error {
    /// The stable code of this error.
    fn code(&self) -> Code;

    /// What to do, as one imperative sentence; copyable YAML may follow it.
    fn fix(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.code().fix())
    }
}

macro_rules! codes {
    ($($variant:ident $id:literal exit $exit:literal: $meaning:literal; fix: $fix:literal;)+) => {
        /// A machine-readable code of an outcome that is not plain success.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $meaning] $variant,)+
        }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code as scripts see it, in kebab case.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)+ }
            }

            /// The exit code of the process.
            pub const fn exit(self) -> u8 {
                match self { $(Self::$variant => $exit,)+ }
            }

            /// What the code says, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)+ }
            }

            /// What to do about it, as an imperative sentence.
            pub const fn fix(self) -> &'static str {
                match self { $(Self::$variant => $fix,)+ }
            }
        }
    };
}

codes! {
    Internal "internal-error" exit 1: "signgate itself failed.";
        fix: "report this with the command and its output; it is a bug in signgate";
    UsageInvalid "usage-invalid" exit 2: "The command line cannot be understood or contradicts itself.";
        fix: "see `signgate --help`";
    ReferenceInvalid "image-reference-invalid" exit 2: "An image reference is not well formed.";
        fix: "write it as registry/repository@sha256:DIGEST or registry/repository:TAG";
    FileUnreadable "file-unreadable" exit 2: "A file named on the command line cannot be read.";
        fix: "check the path and its permissions";
    FileUnwritable "file-unwritable" exit 2: "A file named on the command line cannot be written.";
        fix: "check that its folder exists and may be written to";
    TrustInvalid "trust-material-invalid" exit 2: "The trusted root or the signing config cannot be used.";
        fix: "pass a Sigstore trusted_root.json with --trusted-root and a signing_config v0.2 with --signing-config";
    PatternUnsafe "identity-pattern-unsafe" exit 2: "A pattern for identities is wrong or would let strangers in.";
        fix: "correct the pattern, or name the identity exactly with --certificate-identity";
    PlainHttpRefused "plain-http-refused" exit 2: "A service would be reached without TLS.";
        fix: "use https, or name the registry with --allow-http-registry HOST if the network to it is trusted";
    CredentialsInvalid "credentials-invalid" exit 2: "Registry credentials are configured but cannot be used.";
        fix: "repair the docker or podman credentials file, or log in again";
    NoSignature "no-signature" exit 10: "The image carries no signature.";
        fix: "sign the image in the job that builds it: `signgate sign IMAGE@DIGEST`";
    SignatureGone "signature-gone" exit 10: "A signature is listed for the image, but the registry does not have it.";
        fix: "sign the image again, and keep cleanup policies away from its referrers and its sha256-* tag";
    ImageNotFound "image-not-found" exit 11: "The registry has no such image or tag.";
        fix: "check the repository, the tag and that the build pushed the image before this step";
    IdentityMismatch "identity-mismatch" exit 12: "The image is signed, but by another identity.";
        fix: "compare expected and found: sign from the expected workflow and ref, or correct the expected identity";
    IssuerMismatch "issuer-mismatch" exit 12: "The image is signed with an identity from another OIDC issuer.";
        fix: "compare expected and found: correct --certificate-oidc-issuer if the found issuer is the one you trust";
    ClaimMismatch "claim-mismatch" exit 12: "The image is signed by the expected identity, but from another context.";
        fix: "compare expected and found: sign from the expected repository, ref and trigger, or correct --require";
    SignerKindMismatch "signer-kind-mismatch" exit 12: "A key signed where an identity is expected, or the other way round.";
        fix: "verify with --key if the signer has a key, with --certificate-identity if a CI job or a person signed";
    PredicateMismatch "predicate-type-mismatch" exit 12: "The signed statement is an attestation, not an image signature.";
        fix: "sign the image itself: `signgate sign IMAGE@DIGEST`; an attestation about it does not replace that";
    BundleMalformed "bundle-malformed" exit 13: "A Sigstore bundle cannot be read.";
        fix: "sign the image again; the stored bundle is damaged or was not written by a Sigstore client";
    BundleUnsupported "bundle-unsupported" exit 13: "A Sigstore bundle uses something that cannot be verified.";
        fix: "sign the image again with signgate or cosign v3, which write bundles v0.3";
    TrustWindowInvalid "trust-window-invalid" exit 13: "An authority in the trusted root is valid since no time, so nothing is proven by it.";
        fix: "pass a trusted root in which every authority says since when it is valid (validFor.start)";
    PublicKeyInvalid "public-key-invalid" exit 13: "What is given with --key is not a public key, so nothing verifies with it.";
        fix: "pass the public key of the signer in PEM (BEGIN PUBLIC KEY), of the kind ECDSA P-256 or P-384, Ed25519 or RSA";
    SignatureInvalid "signature-invalid" exit 13: "The signature does not match what it signs.";
        fix: "do not use this image; find out who wrote the signature, then build and sign again";
    CertificateInvalid "certificate-invalid" exit 13: "The signing certificate is not trusted for the time of signing.";
        fix: "check that --instance or --trusted-root names the Sigstore instance that the image was signed with";
    SctInvalid "sct-invalid" exit 13: "The certificate's proof of publication (SCT) is missing or wrong.";
        fix: "check that --instance or --trusted-root names the Sigstore instance that the image was signed with; if it does, sign again";
    LogProofInvalid "log-proof-invalid" exit 13: "The transparency log entry is missing, not proven, or about something else.";
        fix: "check that --instance or --trusted-root names the Sigstore instance that the image was signed with; if it does, sign again";
    TimestampInvalid "timestamp-invalid" exit 13: "No trusted time of signing can be established.";
        fix: "check that --instance or --trusted-root names the Sigstore instance that the image was signed with; if it does, sign again";
    EvidenceTooLarge "evidence-too-large" exit 13: "The image carries more evidence than signgate reads.";
        fix: "remove stale or hostile referrers from the image; its signature cannot be told apart from them";
    SubjectMismatch "subject-mismatch" exit 14: "The signature is about another digest.";
        fix: "do not use this image; sign the digest that will be deployed";
    DigestMismatch "digest-mismatch" exit 14: "The registry returned bytes that do not hash to the digest asked for.";
        fix: "do not use this registry's answer; check for a broken proxy or cache, or for tampering";
    IdTokenMissing "id-token-missing" exit 20: "There is no ID token to sign with.";
        fix: "give the job permission to ask its CI for an ID token, or pass --identity-token-file";
    IdTokenInvalid "id-token-invalid" exit 22: "The ID token cannot be used: wrong audience, expired, or not a token.";
        fix: "request a fresh ID token with the audience `sigstore` right before signing";
    IdTokenRejected "id-token-rejected" exit 22: "The certificate authority does not accept the ID token.";
        fix: "use an issuer that this Sigstore instance accepts, or a private instance with --trusted-root and --signing-config";
    RegistryUnavailable "registry-unavailable" exit 30: "The registry cannot be reached or does not answer properly.";
        fix: "run the job again; nothing was decided";
    FulcioUnavailable "fulcio-unavailable" exit 31: "The certificate authority cannot be reached or does not answer properly.";
        fix: "run the job again; nothing was published";
    TokenEndpointUnavailable "token-endpoint-unavailable" exit 32: "The CI's ID token endpoint cannot be reached or does not answer properly.";
        fix: "run the job again; nothing was published";
    RekorUnavailable "rekor-unavailable" exit 33: "The transparency log cannot be reached or does not answer properly.";
        fix: "run the job again; nothing was published";
    TsaUnavailable "tsa-unavailable" exit 33: "The timestamp authority cannot be reached or does not answer properly.";
        fix: "run the job again; nothing was published";
    TrustRootUnavailable "trust-root-unavailable" exit 34: "No verified trust material is at hand that is recent enough.";
        fix: "let this machine reach the TUF repository, or pass a trusted_root.json with --trusted-root";
    TrustMetadataRefused "trust-metadata-refused" exit 34: "The TUF repository's metadata does not verify: rolled back, expired, or signed by the wrong keys.";
        fix: "find out who answers for the TUF repository; nothing of it was believed. If it has a new root, pass that with --tuf-root";
    RegistryDenied "registry-denied" exit 35: "The registry denies access.";
        fix: "log in to the registry in this job, with read access to verify and write access to sign";
    SignatureRefused "signature-refused" exit 40: "The registry refuses to store the signature.";
        fix: "allow the tag `sha256-DIGEST` to be written and moved: exclude it from tag immutability and quotas";
    SignatureNotKept "signature-not-kept" exit 40: "The registry accepted the signature but does not return it.";
        fix: "run the job again; if it repeats, look for a cleanup policy or a cache in front of the registry";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// What a user is told when something went wrong: code, what, why, what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The stable code.
    pub code: Code,
    /// What happened, naming the image, service or file. Lower case, no full stop.
    pub what: String,
    /// The chain of causes, outermost first, each said once.
    pub why: Vec<String>,
    /// What to do, as an imperative sentence.
    pub fix: String,
}

impl Problem {
    /// The problem that `error` is, with its chain of causes read once.
    pub fn of(error: &(impl Coded + ?Sized)) -> Self {
        let what = error.to_string();
        let mut why: Vec<String> = Vec::new();
        let mut cause = error.source();
        while let Some(error) = cause {
            let said = error.to_string();
            // Some errors repeat their source in their own words.
            if !said.is_empty() && !why.last().unwrap_or(&what).contains(&said) {
                why.push(said);
            }
            cause = error.source();
        }
        Self {
            code: error.code(),
            what,
            why,
            fix: error.fix().into_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_are_unique_kebab_case() {
        let ids: HashSet<_> = Code::ALL.iter().map(|code| code.id()).collect();
        assert_eq!(ids.len(), Code::ALL.len());
        for id in ids {
            assert!(
                id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
                "{id}"
            );
        }
    }

    #[test]
    fn no_code_exits_as_success() {
        assert!(Code::ALL.iter().all(|code| code.exit() != 0));
    }

    #[test]
    fn every_exit_code_is_in_the_table_of_outcomes() {
        let table = [
            1, 2, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 30, 31, 32, 33, 34, 35, 40,
        ];
        for code in Code::ALL {
            assert!(table.contains(&code.exit()), "{code}");
        }
    }
}
