//! Manifests and descriptors (OCI image-spec v1.1), as far as signatures need them.

use super::digest::Digest;
use crate::limits;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The media types of image manifests and indexes.
pub mod media_type {
    /// OCI image manifest.
    pub const IMAGE_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// OCI image index.
    pub const IMAGE_INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// Docker's image manifest.
    pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    /// Docker's index.
    pub const DOCKER_MANIFEST_LIST: &str =
        "application/vnd.docker.distribution.manifest.list.v2+json";
    /// What to accept when an image may be of any kind.
    pub const ANY_IMAGE: [&str; 4] = [
        IMAGE_MANIFEST,
        IMAGE_INDEX,
        DOCKER_MANIFEST,
        DOCKER_MANIFEST_LIST,
    ];
}

/// The bytes of a manifest or index with the digest that we computed over them.
///
/// There is no way to make one with a digest that somebody else claims.
#[derive(Debug, Clone)]
pub struct Manifest {
    media_type: String,
    digest: Digest,
    bytes: Vec<u8>,
}

impl Manifest {
    /// A manifest as received or built.
    pub fn new(media_type: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self {
            media_type: media_type.into(),
            digest: Digest::of(&bytes),
            bytes,
        }
    }

    /// Its media type, as its sender says.
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// The digest of its bytes.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The exact bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The descriptor by which others refer to it.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor {
            media_type: self.media_type.clone(),
            digest: self.digest,
            size: self.bytes.len() as u64,
            artifact_type: None,
            annotations: BTreeMap::new(),
        }
    }
}

/// A reference to content: type, digest, size (image-spec, "Descriptor"). Extra fields are dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// The media type of the content.
    pub media_type: String,
    /// The digest of the content.
    pub digest: Digest,
    /// The size of the content in bytes.
    pub size: u64,
    /// For a referrer: what kind of artifact it is. Not authenticated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Notes by whoever wrote the descriptor. Not authenticated.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// An index read as a list of referrers: the referrers API's answer, or the fallback tag's content.
///
/// Entries are kept as JSON: other writers' entries are written back with every field that they had, and one entry
/// that we cannot read (a sha512 digest) does not hide the others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageIndex {
    entries: Vec<serde_json::Value>,
}

impl ImageIndex {
    /// Reads an index.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        #[derive(Deserialize)]
        struct Wire {
            // Required, or `{}` would say that there are none; `null` is how Go writes an empty list.
            #[serde(deserialize_with = "Option::deserialize")]
            manifests: Option<Vec<serde_json::Value>>,
        }
        let wire: Wire = serde_json::from_slice(bytes).map_err(ManifestError::Json)?;
        let entries = wire.manifests.unwrap_or_default();
        match entries.len() {
            found if found > limits::REFERRERS => Err(ManifestError::TooMany { found }),
            _ => Ok(Self { entries }),
        }
    }

    /// Appends the next page of the same list.
    pub fn extend(&mut self, page: Self) -> Result<(), ManifestError> {
        self.entries.extend(page.entries);
        match self.entries.len() {
            found if found > limits::REFERRERS => Err(ManifestError::TooMany { found }),
            _ => Ok(()),
        }
    }

    /// The entries that are descriptors.
    pub fn descriptors(&self) -> impl Iterator<Item = Descriptor> {
        self.entries
            .iter()
            .filter_map(|entry| Descriptor::deserialize(entry).ok())
    }

    /// Whether an entry for `digest` is there.
    pub fn contains(&self, digest: &Digest) -> bool {
        self.descriptors().any(|entry| entry.digest == *digest)
    }

    /// Adds `descriptor` unless it is there; entries stay sorted by digest as other clients keep them.
    pub fn insert(&mut self, descriptor: &Descriptor) -> Result<(), ManifestError> {
        if !self.contains(&descriptor.digest) {
            self.entries
                .push(serde_json::to_value(descriptor).map_err(ManifestError::Json)?);
            self.entries
                .sort_by(|a, b| digest_text(a).cmp(digest_text(b)));
        }
        Ok(())
    }

    /// The index as a manifest to push.
    pub fn to_manifest(&self) -> Result<Manifest, ManifestError> {
        let wire = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": media_type::IMAGE_INDEX,
            "manifests": self.entries,
        });
        let bytes = serde_json::to_vec(&wire).map_err(ManifestError::Json)?;
        Ok(Manifest::new(media_type::IMAGE_INDEX, bytes))
    }
}

fn digest_text(entry: &serde_json::Value) -> &str {
    entry
        .get("digest")
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default()
}

/// Why a manifest or index cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not the JSON it should be.
    #[error("it is not valid JSON of its kind")]
    Json(#[source] serde_json::Error),
    /// More referrers than [`limits::REFERRERS`].
    #[error(
        "it lists {found} referrers, more than the {} that are read",
        limits::REFERRERS
    )]
    TooMany {
        /// How many there are.
        found: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(seed: &str) -> Descriptor {
        Manifest::new(media_type::IMAGE_MANIFEST, seed.as_bytes().to_vec()).descriptor()
    }

    #[test]
    fn inserting_keeps_foreign_entries_with_every_field_they_had() {
        let foreign = r#"{"manifests":[
            {"mediaType":"x","digest":"sha512:00","size":1,"platform":{"os":"linux"},"data":"e30="},
            {"unreadable":true}]}"#;
        let mut index = ImageIndex::parse(foreign.as_bytes()).unwrap();
        index.insert(&descriptor("a")).unwrap();
        index.insert(&descriptor("a")).unwrap();
        let written: serde_json::Value =
            serde_json::from_slice(index.to_manifest().unwrap().bytes()).unwrap();
        let entries = written["manifests"].as_array().unwrap();
        assert_eq!(entries.len(), 3);
        assert!(
            entries
                .iter()
                .any(|entry| entry["platform"]["os"] == "linux" && entry["data"] == "e30=")
        );
        assert_eq!(index.descriptors().count(), 1);
    }

    #[test]
    fn too_many_referrers_are_refused_not_truncated() {
        let index = ImageIndex {
            entries: vec![serde_json::json!({}); limits::REFERRERS + 1],
        };
        let bytes = index.to_manifest().unwrap().bytes;
        assert!(matches!(
            ImageIndex::parse(&bytes),
            Err(ManifestError::TooMany { .. })
        ));
    }
}
