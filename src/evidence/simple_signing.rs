//! What cosign v2 signs of an image: the "simple signing" payload, which names its digest.

use crate::image::Digest;
use serde::Deserialize;

/// A signed payload, as far as it is binding.
///
/// Left out on purpose: the name of the image (`docker-reference`), which its signer chose and which changes with
/// every copy to another registry; and `optional`, which binds nobody.
#[derive(Debug, Deserialize)]
pub struct SimpleSigning {
    critical: Critical,
}

impl SimpleSigning {
    /// Reads a payload.
    pub fn parse(payload: &[u8]) -> Result<Self, SimpleSigningError> {
        serde_json::from_slice(payload).map_err(SimpleSigningError)
    }

    /// Whether it says that an image is signed, and not something else in the same shape.
    pub fn is_image_signature(&self) -> bool {
        self.critical.kind == "cosign container image signature"
    }

    /// Whether it is about `digest`.
    pub fn is_about(&self, digest: &Digest) -> bool {
        self.critical.image.digest == digest.to_string()
    }
}

#[derive(Debug, Deserialize)]
struct Critical {
    #[serde(rename = "type")]
    kind: String,
    image: Image,
}

#[derive(Debug, Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

/// The payload is not one of an image signature.
#[derive(Debug, thiserror::Error)]
#[error("the signed payload does not name an image")]
pub struct SimpleSigningError(#[source] serde_json::Error);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_one_digest_in_one_place() {
        let digest = Digest::of(b"image");
        let payload = |image: &str| {
            format!(
                r#"{{"critical":{{"identity":{{"docker-reference":"{digest}"}},"image":{image},"type":"t"}},"optional":null}}"#
            )
        };
        let field = |digest: &Digest| format!(r#""docker-manifest-digest":"{digest}""#);
        let other = Digest::of(b"another");
        let parse = |image: &str| SimpleSigning::parse(payload(image).as_bytes());
        assert!(
            parse(&format!("{{{}}}", field(&digest)))
                .unwrap()
                .is_about(&digest)
        );
        assert!(
            !parse(&format!("{{{}}}", field(&other)))
                .unwrap()
                .is_about(&digest)
        );
        let twice = format!("{{{},{}}}", field(&other), field(&digest));
        for image in ["null", "{}", r#"{"docker-manifest-digest":null}"#, &twice] {
            assert!(parse(image).is_err(), "{image}");
        }
    }
}
