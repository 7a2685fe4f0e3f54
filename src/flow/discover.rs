//! Finds an image and everything that claims to be a signature on it. What it returns is unverified.
//!
//! Sequential requests: the image, its referrers and its fallback tag at once; then the referrers' manifests; then
//! their bundles. Three, however many referrers there are.

use super::FlowError;
use super::ports::{Fault, Registry, ServiceError};
use crate::evidence::{Bundle, bundle_layer};
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

/// A referrer that says it holds a bundle.
pub(super) struct Candidate {
    pub(super) referrer: Digest,
    pub(super) bundle: Result<Bundle, Rejection>,
}

/// A bundle as the manifest of its referrer announces it.
struct Announced {
    referrer: Digest,
    layer: Result<Descriptor, Rejection>,
}

/// Resolves `image` to a digest once and fetches its candidates.
pub(super) async fn discover(
    registry: &impl Registry,
    image: &ImageRef,
) -> Result<(PinnedImage, Vec<Candidate>), FlowError> {
    let (pinned, referrers) = match image.version() {
        Version::Digest(digest) => {
            let pinned = image.pinned(digest);
            let (_, referrers) = try_join!(resolve(registry, image), referrers(registry, &pinned))?;
            (pinned, referrers)
        }
        Version::Tag(_) => {
            let pinned = resolve(registry, image).await?.image;
            let referrers = referrers(registry, &pinned).await?;
            (pinned, referrers)
        }
    };
    let announced: Vec<Option<Announced>> = stream::iter(referrers)
        .map(|referrer| announced(registry, pinned.repository(), referrer))
        .buffered(limits::PARALLEL_FETCHES)
        .try_collect()
        .await?;
    let announced: Vec<Announced> = announced.into_iter().flatten().collect();
    let sizes = announced.iter().filter_map(|one| one.layer.as_ref().ok());
    let bytes = sizes.fold(0, |sum: u64, layer| sum.saturating_add(layer.size));
    if bytes > limits::EVIDENCE_BYTES as u64 {
        return Err(FlowError::TooMuchEvidence {
            image: pinned,
            bytes,
        });
    }
    let candidates = stream::iter(announced)
        .map(|announced| candidate(registry, pinned.repository(), announced))
        .buffered(limits::PARALLEL_FETCHES)
        .try_collect()
        .await?;
    Ok((pinned, candidates))
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
async fn announced(
    registry: &impl Registry,
    repository: &Repository,
    referrer: Descriptor,
) -> Result<Option<Announced>, FlowError> {
    let version = Version::Digest(referrer.digest);
    let layer = match registry.manifest(repository, &version).await? {
        None => Err(Rejection::Gone),
        Some(manifest) => {
            addressed_by(&referrer.digest, manifest.digest(), repository)?;
            match bundle_layer(manifest.bytes()) {
                None => return Ok(None),
                Some(layer) if layer.size > limits::BUNDLE_BYTES as u64 => Err(Rejection::TooLarge),
                Some(layer) => Ok(layer),
            }
        }
    };
    Ok(Some(Announced {
        referrer: referrer.digest,
        layer,
    }))
}

/// Fetches an announced bundle. One that is larger than announced is refused, so that the sum of what is kept holds.
async fn candidate(
    registry: &impl Registry,
    repository: &Repository,
    Announced { referrer, layer }: Announced,
) -> Result<Candidate, FlowError> {
    let candidate = |bundle| Ok(Candidate { referrer, bundle });
    let layer = match layer {
        Ok(layer) => layer,
        Err(rejection) => return candidate(Err(rejection)),
    };
    let blob = registry
        .blob(repository, &layer.digest, limits::BUNDLE_BYTES)
        .await;
    let bytes = match blob {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return candidate(Err(Rejection::Gone)),
        // More than it announced. That is the signer's doing, not an outage.
        Err(ServiceError {
            fault: Fault::TooLarge { .. },
            ..
        }) => return candidate(Err(Rejection::TooLarge)),
        Err(error) => return Err(error.into()),
    };
    addressed_by(&layer.digest, &Digest::of(&bytes), repository)?;
    if bytes.len() as u64 > layer.size {
        return candidate(Err(Rejection::LargerThanAnnounced));
    }
    candidate(Bundle::parse(bytes).map_err(Rejection::Malformed))
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
