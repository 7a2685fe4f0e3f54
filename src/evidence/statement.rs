//! The in-toto statement: which digests it is about and what it says of them.

use crate::image::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The predicate type that says no more than "this image is signed" (cosign's predicate specification).
pub const COSIGN_SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

/// An in-toto statement, as far as the gate needs it. Predicates have types of their own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Statement {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
}

impl Statement {
    /// The statement "this image is signed", as the exact bytes to sign. Cosign writes the same fields: a subject
    /// without a name, annotations even when there are none.
    pub fn image_signature(digest: &Digest) -> Vec<u8> {
        let statement = Wire {
            statement_type: "https://in-toto.io/Statement/v1",
            subject: [WireSubject {
                digest: WireDigest {
                    sha256: digest.hex(),
                },
                annotations: BTreeMap::new(),
            }],
            predicate_type: COSIGN_SIGN,
            predicate: BTreeMap::new(),
        };
        serde_json::to_vec(&statement).unwrap_or_default()
    }

    /// Reads the payload of an envelope.
    pub fn parse(payload: &[u8]) -> Result<Self, StatementError> {
        let statement: Self = serde_json::from_slice(payload).map_err(StatementError::Json)?;
        if !STATEMENT_TYPES.contains(&statement.statement_type.as_str()) {
            return Err(StatementError::Type);
        }
        Ok(statement)
    }

    /// What kind of statement it is, as a URI.
    pub fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    /// The subjects that are known by SHA-256.
    pub fn subjects(&self) -> impl Iterator<Item = Digest> {
        let digests = self
            .subject
            .iter()
            .filter_map(|subject| subject.digest.get("sha256"));
        digests.filter_map(|hex| format!("sha256:{hex}").parse().ok())
    }

    /// Whether `digest` is among the subjects. A subject known only by a weaker algorithm does not count.
    pub fn is_about(&self, digest: &Digest) -> bool {
        let hex = digest.hex();
        self.subject
            .iter()
            .any(|subject| subject.digest.get("sha256") == Some(&hex))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Subject {
    digest: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Wire {
    #[serde(rename = "_type")]
    statement_type: &'static str,
    subject: [WireSubject; 1],
    #[serde(rename = "predicateType")]
    predicate_type: &'static str,
    predicate: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct WireSubject {
    digest: WireDigest,
    annotations: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct WireDigest {
    sha256: String,
}

/// Why a payload is not a statement.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// Not the JSON of a statement.
    #[error("the signed payload is not an in-toto statement")]
    Json(#[source] serde_json::Error),
    /// A `_type` other than in-toto's.
    #[error("the signed payload is a statement of an unknown version")]
    Type,
}

/// v1, and the v0.1 that cosign still writes for attestations.
const STATEMENT_TYPES: [&str; 2] = [
    "https://in-toto.io/Statement/v1",
    "https://in-toto.io/Statement/v0.1",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let digest = Digest::of(b"image");
        let statement = Statement::parse(&Statement::image_signature(&digest)).unwrap();
        assert_eq!(statement.predicate_type(), COSIGN_SIGN);
        assert!(statement.is_about(&digest));
        assert_eq!(statement.subjects().collect::<Vec<_>>(), [digest]);
        assert!(!statement.is_about(&Digest::of(b"another")));
    }

    #[test]
    fn has_the_fields_that_cosign_writes() {
        let text = String::from_utf8(Statement::image_signature(&Digest::of(b"{}"))).unwrap();
        assert_eq!(
            text,
            r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"annotations":{}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}"#
        );
    }

    #[test]
    fn null_missing_and_weak_subjects_are_about_nothing() {
        let digest = Digest::of(b"image");
        let with = |subject: &str| {
            format!(
                r#"{{"_type":"https://in-toto.io/Statement/v1","predicateType":"p","predicate":{{}},"subject":{subject}}}"#
            )
        };
        for subject in ["null", "{}", "[null]", r#"[{"digest":null}]"#, "[{}]"] {
            assert!(
                Statement::parse(with(subject).as_bytes()).is_err(),
                "{subject}"
            );
        }
        for subject in [
            "[]",
            r#"[{"digest":{"sha1":"00"}}]"#,
            r#"[{"digest":{"sha256":""}}]"#,
        ] {
            assert!(
                !Statement::parse(with(subject).as_bytes())
                    .unwrap()
                    .is_about(&digest),
                "{subject}"
            );
        }
    }

    #[test]
    fn foreign_statement_types_are_refused() {
        let other = br#"{"_type":"https://evil.example/v1","predicateType":"p","subject":[]}"#;
        assert!(matches!(Statement::parse(other), Err(StatementError::Type)));
    }
}
