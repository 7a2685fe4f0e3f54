//! Finds an image and everything that claims to be a signature on it. What it returns is unverified.
//!
//! Sequential requests: the image, its referrers, its fallback tag and the tags of cosign v2 at once; then the
//! referrers' manifests and what cosign v2 signed; then the bundles. Three, however many there are.

use super::FlowError;
use super::legacy::{self, Layers, Legacy};
use super::ports::{Fault, Registry, ServiceError};
use crate::evidence::{Bundle, Evidence, Format, bundle_layer};
use crate::image::{
    Descriptor, Digest, ImageIndex, ImageRef, PinnedImage, Repository, Tag, Version,
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

/// Resolves `image` to a digest once and fetches its candidates.
pub(super) async fn discover(
    registry: &impl Registry,
    image: &ImageRef,
) -> Result<(PinnedImage, Vec<Candidate>), FlowError> {
    let (pinned, attached) = match image.version() {
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
    let (referrers, legacy) = attached;
    let (mut layers, mut candidates) = (Vec::new(), Vec::new());
    for manifest in &legacy {
        match manifest.layers() {
            Ok(found) => layers.extend(found.into_iter().map(Fetch::Layers)),
            Err(unreadable) => candidates.push(unreadable),
        }
    }
    // Every format goes through the one bound on parallel requests.
    let fetches = referrers.into_iter().map(Fetch::Referrer).chain(layers);
    let fetched: Vec<Vec<Candidate>> = stream::iter(fetches)
        .map(|fetch| fetch.candidates(registry, pinned.repository()))
        .buffered(limits::PARALLEL_FETCHES)
        .try_collect()
        .await?;
    candidates.extend(fetched.into_iter().flatten());
    Ok((pinned, candidates))
}

/// Something that is still to be fetched.
enum Fetch {
    Referrer(Descriptor),
    Layers(Layers),
}

impl Fetch {
    async fn candidates(
        self,
        registry: &impl Registry,
        repository: &Repository,
    ) -> Result<Vec<Candidate>, FlowError> {
        match self {
            Self::Referrer(referrer) => {
                let candidate = candidate(registry, repository, referrer).await?;
                Ok(candidate.into_iter().collect())
            }
            Self::Layers(layers) => layers.candidates(registry, repository).await,
        }
    }
}

/// Everything that is attached to `image`, in every format. To fail with one is to fail: what cannot be read must not
/// look absent because something else is there (cosign v3 turns to its old format on any error).
async fn attached(
    registry: &impl Registry,
    image: &PinnedImage,
) -> Result<(Vec<Descriptor>, Vec<Legacy>), FlowError> {
    try_join!(
        referrers(registry, image),
        legacy::manifests(registry, image)
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

/// The bundle that a referrer holds; nothing if it is a referrer of another kind.
async fn candidate(
    registry: &impl Registry,
    repository: &Repository,
    referrer: Descriptor,
) -> Result<Option<Candidate>, FlowError> {
    let candidate = |evidence| {
        Ok(Some(Candidate {
            referrer: referrer.digest,
            format: Format::Bundle,
            evidence,
        }))
    };
    let version = Version::Digest(referrer.digest);
    let Some(manifest) = registry.manifest(repository, &version).await? else {
        return candidate(Err(Rejection::Gone));
    };
    addressed_by(&referrer.digest, manifest.digest(), repository)?;
    let Some(layer) = bundle_layer(manifest.bytes()) else {
        return Ok(None);
    };
    let limit = limits::BUNDLE_BYTES;
    candidate(match content(registry, repository, &layer, limit).await? {
        Content::Bytes(bytes) => Bundle::parse(bytes)
            .map(Evidence::Bundle)
            .map_err(Rejection::Malformed),
        Content::Gone => Err(Rejection::Gone),
        Content::TooLarge => Err(Rejection::TooLarge { limit }),
    })
}

/// The content of a layer. What is wrong with it is the signer's doing, not an outage.
pub(super) enum Content {
    Bytes(Vec<u8>),
    Gone,
    TooLarge,
}

/// Fetches a layer of at most `limit` bytes.
pub(super) async fn content(
    registry: &impl Registry,
    repository: &Repository,
    layer: &Descriptor,
    limit: usize,
) -> Result<Content, FlowError> {
    if layer.size > limit as u64 {
        return Ok(Content::TooLarge);
    }
    let bytes = match registry.blob(repository, &layer.digest, limit).await {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(Content::Gone),
        // More than it announced.
        Err(ServiceError {
            fault: Fault::TooLarge { .. },
            ..
        }) => return Ok(Content::TooLarge),
        Err(error) => return Err(error.into()),
    };
    addressed_by(&layer.digest, &Digest::of(&bytes), repository)?;
    Ok(Content::Bytes(bytes))
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
