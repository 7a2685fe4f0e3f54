//! The registry over HTTP, as a client sees it.

mod auth;
mod pull_and_push;
mod referrers;
mod uploads;

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use super::digest::Digest;
use super::{Credentials, Registry, RegistryOptions};
use crate::sandbox::image::{Blob, Image};
use crate::sandbox::serve::Faults;
use crate::sandbox::serve::{RequestLog, ServiceName};
use crate::sandbox::serve::{Service, bind};

/// A registry, and a client that looks at everything itself.
struct Lab {
    registry: Registry,
    service: Service,
    client: reqwest::Client,
}

impl Lab {
    async fn start(options: RegistryOptions) -> Self {
        let bound = bind().await.unwrap();
        let registry = Registry::new(options);
        let router = registry.clone().router(bound.url());
        let service = Service::start(
            ServiceName::Registry,
            bound,
            router,
            Faults::new(),
            RequestLog::new(),
        );
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            registry,
            service,
            client,
        }
    }

    async fn open() -> Self {
        Self::start(RegistryOptions::default()).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.service.url))
    }

    async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    async fn push_blob(&self, repository: &str, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
        let response = self
            .request(Method::POST, &path)
            .body(bytes.to_vec())
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 201);
        digest
    }

    async fn put(
        &self,
        repository: &str,
        reference: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Response {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let request = self
            .request(Method::PUT, &path)
            .header("content-type", media_type);
        request.body(bytes.to_vec()).send().await.unwrap()
    }

    /// Pushes an image in the order that a registry wants.
    async fn push_image(&self, repository: &str, tag: &str, image: &Image) {
        for blob in &image.blobs {
            self.push_blob(repository, &blob.bytes).await;
        }
        let manifests = image
            .manifests
            .iter()
            .map(|manifest| (manifest.digest.as_str(), manifest));
        for (
            reference,
            Blob {
                media_type, bytes, ..
            },
        ) in manifests.chain([(tag, &image.index)])
        {
            assert_eq!(
                self.put(repository, reference, media_type, bytes)
                    .await
                    .status(),
                201
            );
        }
    }

    /// Pushes a manifest with a subject, and returns the answer.
    async fn push_referrer(&self, subject: &Digest, artifact_type: &str) -> Response {
        let config = self.push_blob("acme/app", b"{}").await;
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": artifact_type,
            "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": config.as_str(), "size": 2 },
            "layers": [],
            "subject": { "mediaType": INDEX, "digest": subject.as_str(), "size": 1 },
            "annotations": { "type": artifact_type },
        });
        let bytes = manifest.to_string().into_bytes();
        self.put("acme/app", Digest::of(&bytes).as_str(), MANIFEST, &bytes)
            .await
    }
}

/// The status and the error code of a refusal.
async fn refusal(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body = json_of(response).await;
    assert!(body["errors"][0]["message"].is_string(), "{body}");
    (
        status,
        body["errors"][0]["code"].as_str().unwrap().to_owned(),
    )
}

async fn json_of(response: Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers[name].to_str().unwrap()
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
