//! The OCI manifest that attaches a bundle to an image, byte for byte as cosign v3 writes it.

use super::COSIGN_SIGN;
use super::bundle::MEDIA_TYPE_PREFIX;
use crate::image::{Descriptor, Digest, Manifest, media_type};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A bundle with the manifest that attaches it.
pub struct Referrer {
    /// The manifest to push by digest, with the image as its subject.
    pub manifest: Manifest,
    /// The entry for it in a list of referrers.
    pub descriptor: Descriptor,
}

impl Referrer {
    /// Attaches the bundle of `bundle_size` bytes at `bundle_digest` to `subject`. `created` is RFC 3339 in UTC.
    pub fn new(
        subject: &Descriptor,
        bundle_digest: Digest,
        bundle_size: u64,
        created: &str,
    ) -> Self {
        let annotations: BTreeMap<String, String> = [
            ("dev.sigstore.bundle.content", "dsse-envelope"),
            ("dev.sigstore.bundle.predicateType", COSIGN_SIGN),
            ("org.opencontainers.image.created", created),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let wire = Wire {
            schema_version: 2,
            media_type: media_type::IMAGE_MANIFEST,
            config: WireConfig {
                media_type: "application/vnd.oci.empty.v1+json",
                size: EMPTY_CONFIG.len() as u64,
                digest: Digest::of(EMPTY_CONFIG),
                artifact_type: BUNDLE_V03,
            },
            layers: [WireLayer {
                media_type: BUNDLE_V03,
                size: bundle_size,
                digest: bundle_digest,
            }],
            annotations: annotations.clone(),
            subject: WireLayer {
                media_type: &subject.media_type,
                size: subject.size,
                digest: subject.digest,
            },
            artifact_type: BUNDLE_V03,
        };
        let bytes = serde_json::to_vec(&wire).unwrap_or_default();
        let manifest = Manifest::new(media_type::IMAGE_MANIFEST, bytes);
        let descriptor = Descriptor {
            artifact_type: Some(BUNDLE_V03.to_owned()),
            annotations,
            ..manifest.descriptor()
        };
        Self {
            manifest,
            descriptor,
        }
    }
}

/// The layer of a referrer's manifest that holds a bundle: exactly one layer, whose media type says so.
///
/// Descriptor and manifest annotations and artifact types are not looked at: cosign up to 3.0.6 wrote wrong ones, and
/// nobody authenticates them.
pub fn bundle_layer(manifest: &[u8]) -> Option<Descriptor> {
    #[derive(Deserialize)]
    struct Layers {
        #[serde(default)]
        layers: Vec<serde_json::Value>,
    }
    let manifest: Layers = serde_json::from_slice(manifest).ok()?;
    let [layer] = manifest.layers.as_slice() else {
        return None;
    };
    let layer = Descriptor::deserialize(layer).ok()?;
    layer
        .media_type
        .starts_with(MEDIA_TYPE_PREFIX)
        .then_some(layer)
}

/// The content of the config blob: OCI's empty descriptor.
pub(crate) const EMPTY_CONFIG: &[u8] = b"{}";
const BUNDLE_V03: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// Field order as cosign writes it; `config.artifactType` is what `cosign clean` looks for.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    schema_version: u8,
    media_type: &'a str,
    config: WireConfig<'a>,
    layers: [WireLayer<'a>; 1],
    annotations: BTreeMap<String, String>,
    subject: WireLayer<'a>,
    artifact_type: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireConfig<'a> {
    media_type: &'a str,
    size: u64,
    digest: Digest,
    artifact_type: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireLayer<'a> {
    media_type: &'a str,
    size: u64,
    digest: Digest,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_what_cosign_writes() {
        let subject = Manifest::new(media_type::IMAGE_INDEX, b"{}".to_vec()).descriptor();
        let referrer = Referrer::new(&subject, Digest::of(b"bundle"), 6, "2026-01-02T03:04:05Z");
        let bundle = Digest::of(b"bundle");
        let empty = Digest::of(b"{}");
        assert_eq!(
            String::from_utf8(referrer.manifest.bytes().to_vec()).unwrap(),
            format!(
                concat!(
                    r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","#,
                    r#""config":{{"mediaType":"application/vnd.oci.empty.v1+json","size":2,"digest":"{empty}","#,
                    r#""artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json"}},"#,
                    r#""layers":[{{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","size":6,"digest":"{bundle}"}}],"#,
                    r#""annotations":{{"dev.sigstore.bundle.content":"dsse-envelope","#,
                    r#""dev.sigstore.bundle.predicateType":"https://sigstore.dev/cosign/sign/v1","#,
                    r#""org.opencontainers.image.created":"2026-01-02T03:04:05Z"}},"#,
                    r#""subject":{{"mediaType":"application/vnd.oci.image.index.v1+json","size":2,"digest":"{empty}"}},"#,
                    r#""artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json"}}"#,
                ),
                empty = empty,
                bundle = bundle
            )
        );
        assert_eq!(
            bundle_layer(referrer.manifest.bytes()).unwrap().digest,
            bundle
        );
    }

    #[test]
    fn foreign_referrers_hold_no_bundle() {
        let digest = Digest::of(b"x");
        let layer =
            |kind: &str| format!(r#"{{"mediaType":"{kind}","digest":"{digest}","size":1}}"#);
        let bundle = layer("application/vnd.dev.sigstore.bundle.v0.3+json");
        for manifest in [
            "nonsense".to_owned(),
            "{}".to_owned(),
            format!(r#"{{"layers":[{}]}}"#, layer("application/spdx+json")),
            format!(r#"{{"layers":[{bundle},{bundle}]}}"#),
            format!(r#"{{"layers":[{}]}}"#, bundle.replace("sha256", "sha512")),
        ] {
            assert!(bundle_layer(manifest.as_bytes()).is_none(), "{manifest}");
        }
    }
}
