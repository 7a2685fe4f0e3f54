//! What is signed: an image, named by a reference, pinned by a digest, described by a manifest.
//!
//! Nothing here talks to a registry. [`PinnedImage`] is the only thing that can be signed or verified: after it
//! no tag exists any more.

mod digest;
mod manifest;
mod reference;

pub use digest::{Digest, DigestError, Hashing};
pub use manifest::{Descriptor, ImageIndex, Manifest, ManifestError, media_type};
pub use reference::{ImageRef, Malformed, PinnedImage, ReferenceError, Repository, Tag, Version};
