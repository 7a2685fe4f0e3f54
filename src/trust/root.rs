//! The trusted root: certificate authorities, logs and timestamp authorities with their times of validity.

use super::validity::narrow;
use super::{Instance, PublicKey};
use crate::outcome::{Code, Coded};
use serde_json::Value;
use sigstore_verify::Verifier;
use sigstore_verify::crypto::Keyring;
use sigstore_verify::trust_root;
use std::sync::Arc;

/// A trusted root, ready to verify with.
pub struct TrustedRoot {
    verifier: Verifier,
    logs: Keyring,
    requirements: Requirements,
    key: Option<PublicKey>,
}

impl TrustedRoot {
    /// Reads a `trusted_root.json`.
    pub fn parse(json: &str, requirements: Requirements) -> Result<Self, TrustError> {
        if let Some(what) = without_start(json) {
            return Err(TrustError::NoStart { what });
        }
        let mut root = trust_root::TrustedRoot::from_json(json).map_err(TrustError::Root)?;
        root.certificate_authorities.retain_mut(narrow);
        // A root that lacks an authority would make every signature look bad: say what is missing instead.
        for (missing, what) in [
            (
                root.certificate_authorities.is_empty(),
                "certificate authority",
            ),
            (
                root.tlogs.is_empty() && requirements == Requirements::Everything,
                "transparency log",
            ),
            (
                root.ctlogs.is_empty() && requirements == Requirements::Everything,
                "CT log",
            ),
            (
                root.timestamp_authorities.is_empty()
                    && requirements == Requirements::TimestampOnly,
                "timestamp authority",
            ),
        ] {
            if missing {
                return Err(TrustError::Incomplete { what });
            }
        }
        let verifier = Verifier::new(&root).map_err(|e| TrustError::Unusable(Box::new(e)))?;
        let logs = root.rekor_keys().map_err(TrustError::Root)?;
        Ok(Self {
            verifier,
            logs,
            requirements,
            key: None,
        })
    }

    /// If there is a key, believes signatures by it, and no certificate any more. Logs and timestamp authorities stay.
    #[must_use]
    pub fn believing(self, key: Option<PublicKey>) -> Self {
        Self { key, ..self }
    }

    /// The only key that is believed; nothing if certificates are.
    pub fn key(&self) -> Option<&PublicKey> {
        self.key.as_ref()
    }

    /// What a signature under this root must prove.
    pub fn requirements(&self) -> Requirements {
        self.requirements
    }

    /// The keys of the transparency logs.
    pub(crate) fn logs(&self) -> &Keyring {
        &self.logs
    }

    /// The verifier for this root.
    pub(crate) fn verifier(&self) -> &Verifier {
        &self.verifier
    }
}

/// The first authority with a time of validity that has no beginning: such a time proves nothing, so neither does
/// anything under it. Told apart from a file that is no trusted root, because it is a reason to refuse a signature.
fn without_start(json: &str) -> Option<&'static str> {
    let root: Value = serde_json::from_str(json).ok()?;
    let kinds = [
        ("tlogs", "transparency log"),
        ("ctlogs", "CT log"),
        ("certificateAuthorities", "certificate authority"),
        ("timestampAuthorities", "timestamp authority"),
    ];
    kinds.into_iter().find_map(|(field, what)| {
        let has_no_start = |authority: &Value| {
            [&authority["validFor"], &authority["publicKey"]["validFor"]]
                .into_iter()
                .any(|window| window.is_object() && window["start"].is_null())
        };
        root[field]
            .as_array()?
            .iter()
            .any(has_no_start)
            .then_some(what)
    })
}

/// What a signature must prove besides a chain to the certificate authority.
///
/// Chosen by who runs the instance, never by what a bundle or a file happens to lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirements {
    /// SCT, transparency log and a trusted time.
    Everything,
    /// Only a trusted time by a timestamp authority: the instance has neither CT log nor transparency log.
    TimestampOnly,
}

/// Why trust material cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// Not a trusted root.
    #[error("the trusted root cannot be read")]
    Root(#[source] trust_root::Error),
    /// With an authority that is valid until some time, but since no time.
    #[error("the trusted root has a {what} without a beginning of its validity (validFor.start)")]
    NoStart {
        /// The kind of authority.
        what: &'static str,
    },
    /// Without an authority of one kind.
    #[error("the trusted root has no {what}")]
    Incomplete {
        /// What is missing.
        what: &'static str,
    },
    /// An authority in it cannot be used.
    #[error("the trusted root cannot be used")]
    Unusable(#[source] Box<sigstore_verify::Error>),
    /// Not a signing config v0.2.
    #[error("the signing config cannot be read")]
    SigningConfig(#[source] trust_root::Error),
    /// No service of one kind that is valid now and speaks a protocol we speak.
    #[error("the signing config names no {what} that is valid now and that signgate can talk to")]
    NoService {
        /// The kind of service.
        what: &'static str,
    },
    /// It asks for more than one of a service.
    #[error("the signing config asks for more than one {what}, which signgate cannot do")]
    Several {
        /// The kind of service.
        what: &'static str,
    },
    /// The instance cannot be signed with from outside of it.
    #[error("the instance `{instance}` can be verified against, but not signed with")]
    CannotSign {
        /// The instance.
        instance: Instance,
    },
    /// The instance publishes no signing config.
    #[error("this Sigstore instance publishes no signing config, so it cannot be signed with")]
    NoSigningConfig,
    /// The TUF repository cannot be asked.
    #[error("the TUF repository cannot be reached or does not answer properly: {why}")]
    Unavailable {
        /// The chain of causes.
        why: String,
    },
    /// The TUF repository says something that does not verify.
    #[error("what the TUF repository says is refused: {why}")]
    Refused {
        /// The chain of causes.
        why: String,
    },
    /// Nothing is known, and nobody was asked.
    #[error("no trust material is at hand, and asking for it is not allowed (--offline)")]
    Nothing,
    /// The same failure, told to everybody who waited for it.
    #[error(transparent)]
    Shared(Arc<TrustError>),
}

impl Coded for TrustError {
    fn code(&self) -> Code {
        match self {
            Self::NoStart { .. } => Code::TrustWindowInvalid,
            Self::Unavailable { .. } | Self::Nothing => Code::TrustRootUnavailable,
            Self::Refused { .. } => Code::TrustMetadataRefused,
            Self::Shared(error) => error.code(),
            _ => Code::TrustInvalid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_instances_are_complete() {
        for instance in [Instance::Public, Instance::Staging, Instance::Github] {
            instance.trusted_root().unwrap();
        }
    }

    #[test]
    fn a_root_without_an_authority_is_refused_by_name() {
        let missing = |remove: &str, requirements| {
            let json = trust_root::SIGSTORE_PRODUCTION_TRUSTED_ROOT;
            let mut root: serde_json::Value = serde_json::from_str(json).unwrap();
            root.as_object_mut().unwrap().remove(remove);
            match TrustedRoot::parse(&root.to_string(), requirements) {
                Err(TrustError::Incomplete { what }) => what,
                _ => panic!("a root without {remove} was accepted"),
            }
        };
        assert_eq!(
            missing("certificateAuthorities", Requirements::Everything),
            "certificate authority"
        );
        assert_eq!(
            missing("tlogs", Requirements::Everything),
            "transparency log"
        );
        assert_eq!(missing("ctlogs", Requirements::Everything), "CT log");
        assert_eq!(
            missing("timestampAuthorities", Requirements::TimestampOnly),
            "timestamp authority"
        );
    }

    #[test]
    fn an_authority_that_is_valid_since_no_time_is_refused() {
        for (kind, window) in [
            ("tlogs", "/tlogs/0/publicKey/validFor"),
            ("ctlogs", "/ctlogs/0/publicKey/validFor"),
            (
                "certificateAuthorities",
                "/certificateAuthorities/0/validFor",
            ),
            ("timestampAuthorities", "/timestampAuthorities/0/validFor"),
        ] {
            let json = trust_root::SIGSTORE_PRODUCTION_TRUSTED_ROOT;
            let mut root: Value = serde_json::from_str(json).unwrap();
            let window = root.pointer_mut(window).unwrap();
            window.as_object_mut().unwrap().remove("start");
            assert!(
                matches!(
                    TrustedRoot::parse(&root.to_string(), Requirements::Everything),
                    Err(TrustError::NoStart { .. })
                ),
                "{kind}"
            );
        }
    }

    #[test]
    fn nothing_is_waived_for_a_root_from_a_file() {
        let github = trust_root::SIGSTORE_GITHUB_TRUSTED_ROOT;
        assert!(TrustedRoot::parse(github, Requirements::Everything).is_err());
    }
}
