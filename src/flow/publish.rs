//! Attaches a verified bundle to its image, so that it is found again: by the referrers API, or under the fallback tag
//! where the registry does not have it.

use super::FlowError;
use super::discover::{Resolved, addressed_by, fallback_index};
use super::ports::{Registry, SubjectNoted};
use crate::evidence::{Bundle, EMPTY_CONFIG, Referrer};
use crate::image::{Descriptor, Digest, ImageIndex, PinnedImage, Tag, Version};
use crate::verify::Verified;
use futures_util::try_join;
use jiff::Timestamp;

/// Publishes `evidence` beside the image that was `found`, and reads it back. Returns the digest of the manifest that
/// attaches it.
pub(super) async fn publish(
    registry: &impl Registry,
    found: &Resolved,
    evidence: &Verified<Bundle>,
    now: Timestamp,
) -> Result<Digest, FlowError> {
    // It is attached to what it was verified for, whatever was found.
    let subject = &Descriptor {
        digest: *evidence.subject(),
        ..found.descriptor.clone()
    };
    let image = &found.image;
    let bundle = evidence.evidence();
    let created = format!("{:.0}", now);
    let referrer = Referrer::new(
        subject,
        bundle.digest(),
        bundle.json().len() as u64,
        &created,
    );

    // 1. The blobs that the manifest names.
    try_join!(
        registry.push_blob(image.repository(), bundle.json()),
        registry.push_blob(image.repository(), EMPTY_CONFIG)
    )?;

    // 2. The manifest. The fallback tag is read beside it: whether it is needed is known only by the answer.
    let version = Version::Digest(*referrer.manifest.digest());
    let push = async {
        let pushed = registry
            .push_manifest(image.repository(), &version, &referrer.manifest)
            .await;
        pushed.map_err(FlowError::from)
    };
    let (noted, index) = try_join!(push, fallback_index(registry, image))?;

    // 3. Where the registry does not list it, we do; then everything is read back.
    match noted {
        SubjectNoted::Yes => try_join!(
            read_back(registry, image, &referrer, bundle),
            listed(registry, image, &referrer)
        )?,
        SubjectNoted::No => {
            let list = list_under_tag(registry, image, &referrer, index.unwrap_or_default());
            try_join!(read_back(registry, image, &referrer, bundle), list)?
        }
    };
    Ok(*referrer.manifest.digest())
}

/// The registry returns the manifest and the bundle as they were sent.
async fn read_back(
    registry: &impl Registry,
    image: &PinnedImage,
    referrer: &Referrer,
    bundle: &Bundle,
) -> Result<(), FlowError> {
    let version = Version::Digest(*referrer.manifest.digest());
    let digest = bundle.digest();
    let (manifest, blob) = try_join!(
        registry.manifest(image.repository(), &version),
        registry.blob(image.repository(), &digest, bundle.json().len())
    )?;
    let manifest = manifest.ok_or_else(|| not_kept(image, "its manifest is not there"))?;
    addressed_by(
        referrer.manifest.digest(),
        manifest.digest(),
        image.repository(),
    )?;
    let blob = blob.ok_or_else(|| not_kept(image, "its bundle is not there"))?;
    addressed_by(&digest, &Digest::of(&blob), image.repository())
}

/// The referrers API lists it.
async fn listed(
    registry: &impl Registry,
    image: &PinnedImage,
    referrer: &Referrer,
) -> Result<(), FlowError> {
    match registry.referrers(image).await? {
        Some(index) if index.contains(referrer.manifest.digest()) => Ok(()),
        _ => Err(not_kept(image, "the referrers API does not list it")),
    }
}

/// Adds the referrer to the index under the fallback tag. Nothing locks that tag: when two signers write at once the
/// later one wins, so each reads back and starts over until its entry is there.
async fn list_under_tag(
    registry: &impl Registry,
    image: &PinnedImage,
    referrer: &Referrer,
    mut index: ImageIndex,
) -> Result<(), FlowError> {
    let tag = Version::Tag(Tag::of_referrers(image.digest()));
    for _ in 0..TAG_ATTEMPTS {
        let list = |source| FlowError::Referrers {
            image: image.clone(),
            source,
        };
        index.insert(&referrer.descriptor).map_err(list)?;
        let manifest = index.to_manifest().map_err(list)?;
        registry
            .push_manifest(image.repository(), &tag, &manifest)
            .await?;
        index = settled(registry, image, referrer).await?;
        if index.contains(referrer.manifest.digest()) {
            return Ok(());
        }
    }
    Err(not_kept(
        image,
        "other writers keep replacing the tag that lists it",
    ))
}

/// The index under the fallback tag once two reads in a row agree, or as soon as the referrer is missing. To be there
/// once is not enough: a writer that read the tag before we wrote it replaces it a moment later.
async fn settled(
    registry: &impl Registry,
    image: &PinnedImage,
    referrer: &Referrer,
) -> Result<ImageIndex, FlowError> {
    let mut before = ImageIndex::default();
    for _ in 0..TAG_READS {
        let index = fallback_index(registry, image).await?.unwrap_or_default();
        if !index.contains(referrer.manifest.digest()) || index == before {
            return Ok(index);
        }
        before = index;
    }
    Ok(before)
}

fn not_kept(image: &PinnedImage, what: &'static str) -> FlowError {
    FlowError::NotKept {
        image: image.clone(),
        what,
    }
}

const TAG_ATTEMPTS: usize = 20;
/// Each change in between is another signer who is done; a list that changes for ever is hostile.
const TAG_READS: usize = 50;
