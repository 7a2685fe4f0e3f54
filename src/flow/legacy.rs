//! Finds the signatures and attestations of cosign v2: layers of a manifest under a tag beside the image.

use super::FlowError;
use super::discover::{Candidate, Content, content};
use super::ports::Registry;
use crate::evidence::{Format, legacy_evidence, legacy_layers, legacy_limit};
use crate::image::{Descriptor, Digest, Manifest, PinnedImage, Repository, Tag, Version};
use crate::verify::Rejection;
use futures_util::try_join;

/// A manifest of cosign v2, and what it holds.
pub(super) struct Legacy {
    manifest: Manifest,
    format: Format,
}

/// The manifests of cosign v2 about `image`. To have none is the rule.
pub(super) async fn manifests(
    registry: &impl Registry,
    image: &PinnedImage,
) -> Result<Vec<Legacy>, FlowError> {
    let tagged = async |tag, format| {
        let found = registry
            .manifest(image.repository(), &Version::Tag(tag))
            .await?;
        Ok::<_, FlowError>(found.map(|manifest| Legacy { manifest, format }))
    };
    let (signatures, attestations) = try_join!(
        tagged(Tag::of_signatures(image.digest()), Format::LegacySignature),
        tagged(
            Tag::of_attestations(image.digest()),
            Format::LegacyAttestation
        )
    )?;
    Ok(signatures.into_iter().chain(attestations).collect())
}

/// Layers with the same content: everybody who signs an image signs the same payload.
pub(super) struct Layers {
    manifest: Digest,
    format: Format,
    layers: Vec<Descriptor>,
}

impl Legacy {
    /// The layers, one group for each content.
    pub(super) fn layers(&self) -> Result<Vec<Layers>, Candidate> {
        let manifest = *self.manifest.digest();
        let layers = legacy_layers(self.manifest.bytes()).map_err(|error| Candidate {
            referrer: manifest,
            format: self.format,
            evidence: Err(Rejection::Legacy(error)),
        })?;
        let mut groups: Vec<Layers> = Vec::new();
        for layer in layers {
            match groups.iter_mut().find(|group| group.holds(&layer)) {
                Some(group) => group.layers.push(layer),
                None => groups.push(Layers {
                    manifest,
                    format: self.format,
                    layers: vec![layer],
                }),
            }
        }
        Ok(groups)
    }
}

impl Layers {
    fn holds(&self, layer: &Descriptor) -> bool {
        let same = |known: &Descriptor| {
            (&known.digest, known.size, &known.media_type)
                == (&layer.digest, layer.size, &layer.media_type)
        };
        self.layers.first().is_some_and(same)
    }

    /// One candidate a layer; their content is fetched once.
    pub(super) async fn candidates(
        self,
        registry: &impl Registry,
        repository: &Repository,
    ) -> Result<Vec<Candidate>, FlowError> {
        let Some(first) = self.layers.first() else {
            return Ok(Vec::new());
        };
        let limit = legacy_limit(first);
        let content = content(registry, repository, first, limit).await?;
        let evidence = |layer: &Descriptor| match &content {
            Content::Bytes(bytes) => legacy_evidence(layer, bytes).map_err(Rejection::Legacy),
            Content::Gone => Err(Rejection::Gone),
            Content::TooLarge => Err(Rejection::TooLarge { limit }),
        };
        let candidate = |layer| Candidate {
            referrer: self.manifest,
            format: self.format,
            evidence: evidence(layer),
        };
        Ok(self.layers.iter().map(candidate).collect())
    }
}
