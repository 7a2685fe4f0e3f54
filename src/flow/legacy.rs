//! Finds the signatures and attestations of cosign v2: layers of a manifest under a tag beside the image.

use super::FlowError;
use super::discover::{Announced, bounded};
use super::ports::Registry;
use crate::evidence::{Format, legacy_layers, legacy_limit};
use crate::image::{Descriptor, Digest, PinnedImage, Tag, Version};
use crate::verify::Rejection;
use futures_util::try_join;

/// What cosign v2 keeps beside `image`. To have nothing there is the rule.
pub(super) async fn announced(
    registry: &impl Registry,
    image: &PinnedImage,
) -> Result<Vec<Announced>, FlowError> {
    let tagged = async |tag, format| {
        let manifest = registry
            .manifest(image.repository(), &Version::Tag(tag))
            .await?;
        let announced =
            manifest.map(|manifest| announced_by(manifest.digest(), manifest.bytes(), format));
        Ok::<_, FlowError>(announced.unwrap_or_default())
    };
    let (mut signatures, attestations) = try_join!(
        tagged(Tag::of_signatures(image.digest()), Format::LegacySignature),
        tagged(
            Tag::of_attestations(image.digest()),
            Format::LegacyAttestation
        )
    )?;
    signatures.extend(attestations);
    Ok(signatures)
}

/// The layers of a manifest, those with the same content together: everybody who signs an image signs the same payload.
fn announced_by(referrer: &Digest, manifest: &[u8], format: Format) -> Vec<Announced> {
    let announced = |layers| Announced {
        referrer: *referrer,
        format,
        layers,
    };
    let layers = match legacy_layers(manifest) {
        Ok(layers) => layers,
        Err(error) => return vec![announced(Err(Rejection::Legacy(error)))],
    };
    let mut groups: Vec<Vec<Descriptor>> = Vec::new();
    let mut refused = Vec::new();
    for layer in layers {
        let limit = legacy_limit(&layer);
        match bounded(layer, limit) {
            Ok(layer) => match groups.iter_mut().find(|group| same_content(group, &layer)) {
                Some(group) => group.push(layer),
                None => groups.push(vec![layer]),
            },
            Err(rejection) => refused.push(announced(Err(rejection))),
        }
    }
    let groups = groups.into_iter().map(|group| announced(Ok(group)));
    groups.chain(refused).collect()
}

fn same_content(group: &[Descriptor], layer: &Descriptor) -> bool {
    group
        .first()
        .is_some_and(|known| (known.digest, known.size) == (layer.digest, layer.size))
}
