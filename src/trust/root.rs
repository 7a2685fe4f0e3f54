//! The trusted root: certificate authorities, logs and timestamp authorities with their times of validity.

use super::Instance;
use super::validity::narrow;
use crate::outcome::{Code, Coded};
use sigstore_verify::Verifier;
use sigstore_verify::trust_root;

/// A trusted root, ready to verify with.
pub struct TrustedRoot {
    verifier: Verifier,
    requirements: Requirements,
}

impl TrustedRoot {
    /// Reads a `trusted_root.json`.
    pub fn parse(json: &str, requirements: Requirements) -> Result<Self, TrustError> {
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
        Ok(Self {
            verifier,
            requirements,
        })
    }

    /// What a signature under this root must prove.
    pub fn requirements(&self) -> Requirements {
        self.requirements
    }

    /// The verifier for this root.
    pub(crate) fn verifier(&self) -> &Verifier {
        &self.verifier
    }
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
}

impl Coded for TrustError {
    fn code(&self) -> Code {
        Code::TrustInvalid
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
    fn nothing_is_waived_for_a_root_from_a_file() {
        let github = trust_root::SIGSTORE_GITHUB_TRUSTED_ROOT;
        assert!(TrustedRoot::parse(github, Requirements::Everything).is_err());
    }
}
