//! What the registry holds. No HTTP here.

use std::collections::BTreeMap;

use axum::body::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::digest::Digest;
use super::path::Reference;
use super::refusal::{Code, Refusal};

/// The repositories by name.
#[derive(Default)]
pub(super) struct Store(BTreeMap<String, Repository>);

/// Blobs and manifests belong to one repository; nothing is shared between two.
#[derive(Default)]
pub(super) struct Repository {
    pub(super) blobs: BTreeMap<Digest, Bytes>,
    pub(super) manifests: BTreeMap<Digest, Manifest>,
    pub(super) tags: BTreeMap<String, Digest>,
    /// Blobs on their way in, by the name of the upload.
    pub(super) uploads: BTreeMap<String, Vec<u8>>,
    /// Descriptors put in by a test, with the subject they are served for.
    pub(super) planted_referrers: Vec<(String, Value)>,
}

/// A manifest as it was received.
pub(super) struct Manifest {
    pub(super) media_type: String,
    pub(super) bytes: Bytes,
    referrer: Option<Referrer>,
}

/// What a manifest contributes to the referrers of its subject.
struct Referrer {
    subject: String,
    artifact_type: Option<String>,
    annotations: Option<Value>,
}

impl Store {
    pub(super) fn repository(&self, name: &str) -> Result<&Repository, Refusal> {
        self.0.get(name).ok_or_else(|| unknown_name(name))
    }

    /// The repository, to take something out of it.
    pub(super) fn existing_mut(&mut self, name: &str) -> Result<&mut Repository, Refusal> {
        self.0.get_mut(name).ok_or_else(|| unknown_name(name))
    }

    /// The repository, which begins to exist when it is first written to.
    pub(super) fn repository_mut(&mut self, name: &str) -> &mut Repository {
        self.0.entry(name.to_owned()).or_default()
    }
}

impl Repository {
    pub(super) fn blob(&self, digest: &Digest) -> Result<&Bytes, Refusal> {
        let unknown = || Refusal::new(Code::BlobUnknown, "there is no such blob").about(digest);
        self.blobs.get(digest).ok_or_else(unknown)
    }

    pub(super) fn manifest(&self, reference: &Reference) -> Result<(&Digest, &Manifest), Refusal> {
        let digest = match reference {
            Reference::Tag(tag) => self.tags.get(tag),
            Reference::Digest(digest) => Some(digest),
        };
        digest
            .and_then(|digest| self.manifests.get_key_value(digest))
            .ok_or_else(|| unknown_manifest(reference))
    }

    /// Deletes a tag alone, or a manifest and the tags on it.
    pub(super) fn delete_manifest(&mut self, reference: &Reference) -> Result<(), Refusal> {
        let deleted = match reference {
            Reference::Tag(tag) => self.tags.remove(tag).is_some(),
            Reference::Digest(digest) => {
                self.tags.retain(|_, tagged| tagged != digest);
                self.manifests.remove(digest).is_some()
            }
        };
        if deleted {
            Ok(())
        } else {
            Err(unknown_manifest(reference))
        }
    }

    /// The descriptors of the manifests that have the subject, by digest, then what a test put in.
    pub(super) fn referrers(&self, subject: &Digest) -> Vec<Value> {
        let real = self.manifests.iter().filter_map(|(digest, manifest)| {
            let referrer = manifest.referrer.as_ref()?;
            (referrer.subject == subject.as_str()).then(|| referrer.descriptor(digest, manifest))
        });
        let planted = self.planted_referrers.iter();
        let planted = planted
            .filter(|(of, _)| of == subject.as_str())
            .map(|(_, descriptor)| descriptor.clone());
        real.chain(planted).collect()
    }
}

impl Manifest {
    /// A manifest as `fields` describes it.
    pub(super) fn new(media_type: String, bytes: Bytes, fields: Fields) -> Self {
        let artifact_type = fields
            .artifact_type
            .filter(|artifact_type| !artifact_type.is_empty());
        let config_type = fields.config.map(|config| config.media_type);
        let referrer = fields.subject.map(|subject| Referrer {
            subject: subject.digest,
            artifact_type: artifact_type.or(config_type),
            annotations: fields.annotations,
        });
        Self {
            media_type,
            bytes,
            referrer,
        }
    }

    /// Bytes that claim to be a manifest.
    pub(super) fn unchecked(bytes: Bytes) -> Self {
        let claimed = serde_json::from_slice::<Fields>(&bytes)
            .ok()
            .and_then(|fields| fields.media_type);
        let media_type = claimed.unwrap_or_else(|| "application/octet-stream".to_owned());
        Self {
            media_type,
            bytes,
            referrer: None,
        }
    }

    pub(super) fn subject(&self) -> Option<&str> {
        self.referrer
            .as_ref()
            .map(|referrer| referrer.subject.as_str())
    }
}

impl Referrer {
    fn descriptor(&self, digest: &Digest, manifest: &Manifest) -> Value {
        let mut descriptor = json!({
            "mediaType": manifest.media_type,
            "digest": digest.as_str(),
            "size": manifest.bytes.len(),
        });
        if let Some(artifact_type) = &self.artifact_type {
            descriptor["artifactType"] = artifact_type.as_str().into();
        }
        if let Some(annotations) = &self.annotations {
            descriptor["annotations"] = annotations.clone();
        }
        descriptor
    }
}

/// The fields that the registry reads in an image manifest or an index (image-spec, "manifest" and "image index").
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fields {
    pub(super) media_type: Option<String>,
    artifact_type: Option<String>,
    pub(super) config: Option<Descriptor>,
    #[serde(default)]
    pub(super) layers: Vec<Descriptor>,
    #[serde(default)]
    pub(super) manifests: Vec<Descriptor>,
    subject: Option<Descriptor>,
    annotations: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub(super) media_type: String,
    pub(super) digest: String,
    /// Where else the content is; a layer with such a place need not be in the registry.
    #[serde(default)]
    pub(super) urls: Vec<String>,
}

fn unknown_name(name: &str) -> Refusal {
    Refusal::new(Code::NameUnknown, "there is no such repository").about(name)
}

fn unknown_manifest(reference: &Reference) -> Refusal {
    let name = match reference {
        Reference::Tag(tag) => tag,
        Reference::Digest(digest) => digest.as_str(),
    };
    Refusal::new(Code::ManifestUnknown, "there is no such manifest").about(name)
}
