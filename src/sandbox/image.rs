//! A small container image for two platforms, made in memory: an index, two manifests, two configurations, two layers.
//!
//! It is a real image (image-spec 1.1): container tools copy and unpack it. It runs nothing. The same seed always gives
//! the same bytes. Sending it to a registry is the work of whoever has a client.

use serde_json::{Value, json};
use sigstore_verify::crypto::sha256;

/// The parts of the image. Push the blobs, then the manifests, then the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The image index, whose digest is the digest of the image.
    pub index: Blob,
    /// The image manifests: linux/amd64, then linux/arm64.
    pub manifests: Vec<Blob>,
    /// Configurations and layers.
    pub blobs: Vec<Blob>,
}

/// Some bytes, what they are, and what they are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// The media type.
    pub media_type: String,
    /// `sha256:` and lower-case hex.
    pub digest: String,
    /// The content.
    pub bytes: Vec<u8>,
}

impl Image {
    /// Builds the image that belongs to a seed: a line of text, found in a file of its layers.
    pub fn build(seed: &str) -> Self {
        let mut manifests = Vec::new();
        let mut blobs = Vec::new();
        let mut entries = Vec::new();
        for architecture in ["amd64", "arm64"] {
            let archive = tar(
                "seed.txt",
                format!("{seed} for linux/{architecture}\n").as_bytes(),
            );
            let config = Blob::json(CONFIG, &config(architecture, &digest(&archive)));
            let layer = Blob::new(LAYER, gzip(&archive));
            let manifest = Blob::json(MANIFEST, &manifest(&config, &layer));
            let mut entry = manifest.descriptor();
            entry["platform"] = json!({ "architecture": architecture, "os": "linux" });
            entries.push(entry);
            manifests.push(manifest);
            blobs.extend([config, layer]);
        }
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries });
        Self {
            index: Blob::json(INDEX, &index),
            manifests,
            blobs,
        }
    }
}

impl Blob {
    fn new(media_type: &str, bytes: Vec<u8>) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: digest(&bytes),
            bytes,
        }
    }

    fn json(media_type: &str, value: &Value) -> Self {
        Self::new(media_type, value.to_string().into_bytes())
    }

    /// How another document refers to this one (image-spec, "descriptor").
    fn descriptor(&self) -> Value {
        json!({ "mediaType": self.media_type, "digest": self.digest, "size": self.bytes.len() })
    }
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(sha256(bytes).as_bytes()))
}

/// The configuration. It names the layer by the digest of its archive, before compression.
fn config(architecture: &str, diff_id: &str) -> Value {
    json!({
        "created": "1970-01-01T00:00:00Z",
        "architecture": architecture,
        "os": "linux",
        "config": { "WorkingDir": "/" },
        "rootfs": { "type": "layers", "diff_ids": [diff_id] },
        "history": [{ "created": "1970-01-01T00:00:00Z", "created_by": "signgate sandbox" }],
    })
}

fn manifest(config: &Blob, layer: &Blob) -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.descriptor(),
        "layers": [layer.descriptor()],
    })
}

/// An archive of one file, owned by root, readable by all, of the year 1970 (POSIX.1-1988 ustar).
fn tar(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; BLOCK];
    let mut field =
        |offset: usize, value: &[u8]| header[offset..offset + value.len()].copy_from_slice(value);
    field(0, name.as_bytes());
    field(100, b"0000644\0"); // mode
    field(108, b"0000000\0"); // user
    field(116, b"0000000\0"); // group
    field(124, format!("{:011o}\0", content.len()).as_bytes());
    field(136, b"00000000000\0"); // modification time
    field(148, b"        "); // checksum, summed up as spaces
    field(156, b"0"); // a regular file
    field(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());

    let mut archive = header.to_vec();
    archive.extend_from_slice(content);
    // The last block is filled up, and two empty ones end the archive.
    archive.resize(archive.len().next_multiple_of(BLOCK) + 2 * BLOCK, 0);
    archive
}

/// The content in a gzip file, stored rather than compressed (RFC 1952 §2.3, RFC 1951 §3.2.4).
///
/// Container tools compress plain layers on their way, and with that change the digest of the image; a layer in this
/// form they leave alone. A stored block holds up to 65535 bytes, many more than a layer here has.
fn gzip(content: &[u8]) -> Vec<u8> {
    let length = content.len() as u32;
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]; // deflate, no time, unknown system
    file.push(1); // the last block, stored
    file.extend((length as u16).to_le_bytes());
    file.extend((!length as u16).to_le_bytes());
    file.extend(content);
    file.extend(crc32(content).to_le_bytes());
    file.extend(length.to_le_bytes());
    file
}

/// The checksum of gzip (RFC 1952 §8), bit by bit.
fn crc32(content: &[u8]) -> u32 {
    let step = |crc: u32, _| {
        if crc & 1 == 1 {
            (crc >> 1) ^ 0xedb8_8320
        } else {
            crc >> 1
        }
    };
    !content
        .iter()
        .fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// The unit of a tar archive, in bytes.
const BLOCK: usize = 512;

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_seed_always_gives_the_same_image() {
        assert_eq!(Image::build("a"), Image::build("a"));
        assert_ne!(
            Image::build("a").index.digest,
            Image::build("b").index.digest
        );
    }

    #[test]
    fn every_reference_leads_to_a_part() {
        let image = Image::build("a");
        let json = |blob: &Blob| serde_json::from_slice::<Value>(&blob.bytes).unwrap();
        let entries = json(&image.index)["manifests"].as_array().unwrap().clone();
        assert_eq!(entries[1]["platform"]["architecture"], "arm64");
        for (entry, manifest) in entries.iter().zip(&image.manifests) {
            assert_eq!(
                (entry["digest"].as_str(), entry["size"].as_u64()),
                part(manifest)
            );
        }
        for (manifest, blobs) in image.manifests.iter().zip(image.blobs.chunks(2)) {
            let manifest = json(manifest);
            for (reference, blob) in [
                (&manifest["config"], &blobs[0]),
                (&manifest["layers"][0], &blobs[1]),
            ] {
                assert_eq!(
                    (reference["digest"].as_str(), reference["size"].as_u64()),
                    part(blob)
                );
            }
            let archive = &blobs[1].bytes[15..blobs[1].bytes.len() - 8];
            assert_eq!(json(&blobs[0])["rootfs"]["diff_ids"][0], digest(archive));
        }
    }

    fn part(blob: &Blob) -> (Option<&str>, Option<u64>) {
        (Some(&blob.digest), Some(blob.bytes.len() as u64))
    }

    #[test]
    fn a_layer_is_what_tar_unpacks() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("layer.tar.gz");
        std::fs::write(&path, &Image::build("a seed").blobs[1].bytes).unwrap();
        let output = Command::new("tar")
            .arg("-xzOf")
            .arg(path)
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success());
        assert_eq!(output.stdout, b"a seed for linux/amd64\n");
    }
}
