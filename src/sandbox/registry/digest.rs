//! Digests as the image-spec writes them: `sha256:` or `sha512:` and lower-case hex (image-spec, "Digests").

use std::fmt;

use sigstore_verify::crypto::{sha256, sha512};

use super::refusal::{Code, Refusal};

/// A digest of the right form. Whether some bytes have it is another question.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Digest(String);

impl Digest {
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let valid = text.split_once(':').is_some_and(|(algorithm, hex)| {
            let length = match algorithm {
                "sha256" => 64,
                "sha512" => 128,
                _ => return false,
            };
            hex.len() == length
                && hex
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        });
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(Refusal::new(Code::DigestInvalid, "not a digest of sha256 or sha512").about(text))
        }
    }

    /// The SHA-256 digest, which registries compute when the client names none.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(format!("sha256:{}", hex::encode(sha256(bytes).as_bytes())))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Refuses bytes that have another digest.
    pub(super) fn check(&self, bytes: &[u8]) -> Result<(), Refusal> {
        let actual = match self.0.split_once(':') {
            Some(("sha512", _)) => format!("sha512:{}", hex::encode(sha512(bytes).as_bytes())),
            _ => Self::of(bytes).0,
        };
        if actual == self.0 {
            Ok(())
        } else {
            Err(Refusal::new(
                Code::DigestInvalid,
                format!("the content has the digest {actual}"),
            )
            .about(self))
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
