//! Who signed: somebody whom a certificate authority knows, or whoever has a key.

use super::Identity;
use crate::image::Digest;

/// The signer of verified evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    /// The identity in a signing certificate.
    Identity(Box<Identity>),
    /// The holder of the private key whose public key has this digest (of its SubjectPublicKeyInfo in DER).
    Key(Digest),
}

impl Signer {
    /// The identity, if there is a certificate.
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Identity(identity) => Some(identity),
            Self::Key(_) => None,
        }
    }
}
