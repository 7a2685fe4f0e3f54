//! Finds an image and everything that claims to be a signature on it. What it returns is unverified.
//!
//! Sequential requests: the image, its referrers, its fallback tag and the tags of cosign v2 at once; then the
//! referrers' manifests; then what all of them hold. Three, however many there are.

use super::FlowError;
use super::legacy;
use super::ports::{Fault, Registry, ServiceError};
use crate::evidence::{Bundle, Evidence, Format, bundle_layer, legacy_evidence};
use crate::image::{
    Descriptor, Digest, ImageIndex, ImageRef, PinnedImage, Repository, Tag, Version, media_type,
};
use crate::limits;
use crate::verify::Rejection;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use futures_util::try_join;

/// An image that exists.
pub(super) struct Resolved {
    /// It, by digest.
    pub(super) image: PinnedImage,
    /// The descriptor of its manifest, as a subject.
    pub(super) descriptor: Descriptor,
}

/// Something that says it is a signature.
pub(super) struct Candidate {
    /// The manifest that attaches it.
    pub(super) referrer: Digest,
    pub(super) format: Format,
    pub(super) evidence: Result<Evidence, Rejection>,
}

/// The same as a manifest announces it.
pub(super) struct Announced {
    pub(super) referrer: Digest,
    pub(super) format: Format,
    /// A bundle's layer, or all layers of cosign v2 that have the same content: it is fetched once.
    pub(super) layers: Result<Vec<Descriptor>, Rejection>,
}

/// Resolves `image` to a digest once and fetches its candidates.
pub(super) async fn discover(
    registry: &impl Registry,
    image: &ImageRef,
) -> Result<(PinnedImage, Vec<Candidate>), FlowError> {
    let (pinned, (referrers, mut announced)) = match image.version() {
        Version::Digest(digest) => {
            let pinned = image.pinned(digest);
            let (_, attached) = try_join!(resolve(registry, image), attached(registry, &pinned))?;
            (pinned, attached)
        }
        Version::Tag(_) => {
            let pinned = resolve(registry, image).await?.image;
            let attached = attached(registry, &pinned).await?;
            (pinned, attached)
        }
    };
    let bundles: Vec<Option<Announced>> = stream::iter(referrers)
        .map(|referrer| announced_by(registry, pinned.repository(), referrer))
        .buffered(limits::PARALLEL_FETCHES)
        .try_collect()
        .await?;
    announced.splice(0..0, bundles.into_iter().flatten());
    let layers = announced.iter().filter_map(|one| one.layers.as_ref().ok());
    let bytes = layers
        .flatten()
        .fold(0, |sum: u64, layer| sum.saturating_add(layer.size));
    if bytes > limits::EVIDENCE_BYTES as u64 {
        return Err(FlowError::TooMuchEvidence {
            image: pinned,
            bytes,
        });
    }
    let candidates: Vec<Vec<Candidate>> = stream::iter(announced)
        .map(|announced| candidates(registry, pinned.repository(), announced))
        .buffered(limits::PARALLEL_FETCHES)
        .try_collect()
        .await?;
    Ok((pinned, candidates.into_iter().flatten().collect()))
}

/// What refers to `image`, and what cosign v2 keeps beside it. To fail with one is to fail: what cannot be read must not
/// look absent because something else is there (cosign v3 turns to its old format on any error).
async fn attached(
    registry: &impl Registry,
    image: &PinnedImage,
) -> Result<(Vec<Descriptor>, Vec<Announced>), FlowError> {
    try_join!(
        referrers(registry, image),
        legacy::announced(registry, image)
    )
}

/// The image itself, by the digest that we compute over its manifest.
pub(super) async fn resolve(
    registry: &impl Registry,
    image: &ImageRef,
) -> Result<Resolved, FlowError> {
    let version = image.version();
    let manifest = registry
        .manifest(image.repository(), &version)
        .await?
        .ok_or_else(|| FlowError::ImageNotFound {
            image: image.clone(),
        })?;
    if let Version::Digest(expected) = version {
        addressed_by(&expected, manifest.digest(), image.repository())?;
    }
    // An answer of another kind, such as a status in JSON, must not get a signature as an image.
    if !media_type::ANY_IMAGE.contains(&manifest.media_type()) {
        return Err(FlowError::NotAnImage {
            image: Box::new(image.clone()),
            media_type: manifest.media_type().to_owned(),
        });
    }
    Ok(Resolved {
        image: image.pinned(*manifest.digest()),
        descriptor: manifest.descriptor(),
    })
}

/// What refers to `image`, by the referrers API and by the fallback tag: a registry that gained the API keeps what was
/// written before under the tag.
async fn referrers(
    registry: &impl Registry,
    image: &PinnedImage,
) -> Result<Vec<Descriptor>, FlowError> {
    let by_api = async { registry.referrers(image).await.map_err(FlowError::from) };
    let (by_api, by_tag) = try_join!(by_api, fallback_index(registry, image))?;
    let mut all: Vec<Descriptor> = Vec::new();
    for index in by_api.into_iter().chain(by_tag) {
        for descriptor in index.descriptors() {
            if !all.iter().any(|known| known.digest == descriptor.digest) {
                all.push(descriptor);
            }
        }
    }
    Ok(all)
}

/// The index under the fallback tag; nothing if there is no such tag.
pub(super) async fn fallback_index(
    registry: &impl Registry,
    image: &PinnedImage,
) -> Result<Option<ImageIndex>, FlowError> {
    let tag = Version::Tag(Tag::of_referrers(image.digest()));
    let Some(manifest) = registry.manifest(image.repository(), &tag).await? else {
        return Ok(None);
    };
    let index = ImageIndex::parse(manifest.bytes()).map_err(|source| FlowError::Referrers {
        image: image.clone(),
        source,
    })?;
    Ok(Some(index))
}

/// The bundle that a referrer announces; nothing if it is a referrer of another kind.
async fn announced_by(
    registry: &impl Registry,
    repository: &Repository,
    referrer: Descriptor,
) -> Result<Option<Announced>, FlowError> {
    let version = Version::Digest(referrer.digest);
    let layers = match registry.manifest(repository, &version).await? {
        None => Err(Rejection::Gone),
        Some(manifest) => {
            addressed_by(&referrer.digest, manifest.digest(), repository)?;
            match bundle_layer(manifest.bytes()) {
                None => return Ok(None),
                Some(layer) => bounded(layer, limits::BUNDLE_BYTES).map(|layer| vec![layer]),
            }
        }
    };
    Ok(Some(Announced {
        referrer: referrer.digest,
        format: Format::Bundle,
        layers,
    }))
}

/// A layer that announces no more than what is read.
pub(super) fn bounded(layer: Descriptor, limit: usize) -> Result<Descriptor, Rejection> {
    match layer.size > limit as u64 {
        true => Err(Rejection::TooLarge { limit }),
        false => Ok(layer),
    }
}

/// Fetches what was announced.
async fn candidates(
    registry: &impl Registry,
    repository: &Repository,
    announced: Announced,
) -> Result<Vec<Candidate>, FlowError> {
    let Announced {
        referrer,
        format,
        layers,
    } = announced;
    let candidate = |evidence| Candidate {
        referrer,
        format,
        evidence,
    };
    let layers = match layers {
        Ok(layers) => layers,
        Err(rejection) => return Ok(vec![candidate(Err(rejection))]),
    };
    let Some(first) = layers.first() else {
        return Ok(Vec::new());
    };
    let content = match content(registry, repository, first).await? {
        Ok(content) => content,
        Err(rejection) => return Ok(vec![candidate(Err(rejection))]),
    };
    let evidence = |layer| match format {
        Format::Bundle => Bundle::parse(content.clone())
            .map(Evidence::Bundle)
            .map_err(Rejection::Malformed),
        Format::LegacySignature | Format::LegacyAttestation => {
            legacy_evidence(layer, &content).map_err(Rejection::Legacy)
        }
    };
    Ok(layers
        .iter()
        .map(|layer| candidate(evidence(layer)))
        .collect())
}

/// Fetches the content of a layer. More than it announces is refused, so that the sum of what is kept holds.
async fn content(
    registry: &impl Registry,
    repository: &Repository,
    layer: &Descriptor,
) -> Result<Result<Vec<u8>, Rejection>, FlowError> {
    let blob = registry
        .blob(repository, &layer.digest, limits::BUNDLE_BYTES)
        .await;
    let bytes = match blob {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(Err(Rejection::Gone)),
        // More than it announced. That is the signer's doing, not an outage.
        Err(ServiceError {
            fault: Fault::TooLarge { limit },
            ..
        }) => return Ok(Err(Rejection::TooLarge { limit })),
        Err(error) => return Err(error.into()),
    };
    addressed_by(&layer.digest, &Digest::of(&bytes), repository)?;
    match bytes.len() as u64 > layer.size {
        true => Ok(Err(Rejection::LargerThanAnnounced)),
        false => Ok(Ok(bytes)),
    }
}

/// Content must hash to the digest that it was asked for by, whoever served it.
pub(super) fn addressed_by(
    expected: &Digest,
    found: &Digest,
    repository: &Repository,
) -> Result<(), FlowError> {
    if expected == found {
        return Ok(());
    }
    Err(FlowError::DigestMismatch {
        expected: *expected,
        found: *found,
        repository: repository.to_string(),
    })
}
