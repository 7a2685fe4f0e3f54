//! Signing over HTTP alone, as any client would.

use sigstore_verify::types::DerPublicKey;

use super::*;

/// A client of one sandbox, with the credentials of its job.
struct Client<'a> {
    sandbox: &'a Sandbox,
    http: reqwest::Client,
}

impl<'a> Client<'a> {
    fn new(sandbox: &'a Sandbox) -> Self {
        let http = reqwest::Client::new();
        Self { sandbox, http }
    }

    async fn post(&self, service: ServiceName, path: &str, body: &Value) -> reqwest::Response {
        let url = format!("{}{path}", self.sandbox.url(service));
        self.http
            .post(url)
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .unwrap()
    }

    async fn token(&self) -> String {
        let environment: std::collections::HashMap<_, _> =
            self.sandbox.environment().into_iter().collect();
        let url = format!(
            "{}&audience=sigstore",
            environment["ACTIONS_ID_TOKEN_REQUEST_URL"]
        );
        let bearer = &environment["ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
        let answer = json(self.http.get(url).bearer_auth(bearer).send().await.unwrap()).await;
        answer["value"].as_str().unwrap().to_owned()
    }

    /// A certificate for `key`, proving possession over the subject of the job's token.
    async fn certificate(&self, key: &KeyPair) -> DerCertificate {
        let subject = self.sandbox.oidc().job().claim("sub").unwrap();
        let request = json!({
            "credentials": {"oidcIdentityToken": self.token().await},
            "publicKeyRequest": {
                "publicKey": {"algorithm": "ECDSA", "content": key.public_key_der().unwrap().to_pem()},
                "proofOfPossession": key.sign(subject.as_bytes()).unwrap(),
            },
        });
        let answer = json(
            self.post(ServiceName::Fulcio, "/api/v2/signingCert", &request)
                .await,
        )
        .await;
        let chain = &answer["signedCertificateEmbeddedSct"]["chain"]["certificates"];
        assert_eq!(chain.as_array().unwrap().len(), 3);
        DerCertificate::from_pem(chain[0].as_str().unwrap()).unwrap()
    }

    async fn timestamp(&self, signature: &SignatureBytes) -> Vec<u8> {
        let digest = sha256(signature.as_bytes());
        let mut request = TIMESTAMP_REQUEST_PREFIX.to_vec();
        request.extend(digest.as_bytes());
        let url = format!("{}/api/v1/timestamp", self.sandbox.url(ServiceName::Tsa));
        let response = self
            .http
            .post(url)
            .header("content-type", "application/timestamp-query")
            .body(request)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 201);
        response.bytes().await.unwrap().to_vec()
    }
}

async fn json(response: reqwest::Response) -> Value {
    assert!(response.status().is_success(), "{}", response.status());
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

fn envelope(key: &KeyPair) -> DsseEnvelope {
    let payload = statement();
    let signature = key
        .sign(&pae("application/vnd.in-toto+json", &payload))
        .unwrap();
    DsseEnvelope::new(
        "application/vnd.in-toto+json",
        PayloadBytes::from_bytes(&payload),
        DsseSignature::new(signature, KeyId::default()),
    )
}

fn bundle(
    certificate: &DerCertificate,
    envelope: &DsseEnvelope,
    entry: &Value,
    timestamp: &[u8],
) -> String {
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {
            "certificate": {"rawBytes": certificate},
            "tlogEntries": [entry],
            "timestampVerificationData": {
                "rfc3161Timestamps": [{"signedTimestamp": STANDARD.encode(timestamp)}],
            },
        },
        "dsseEnvelope": envelope,
    })
    .to_string()
}

#[tokio::test]
async fn signing_with_rekor_1_gives_a_bundle_that_verifies() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let client = Client::new(&sandbox);
    let key = KeyPair::generate_ecdsa_p256().unwrap();
    let certificate = client.certificate(&key).await;
    let envelope = envelope(&key);
    let timestamp = client.timestamp(&envelope.signature.sig).await;
    let proposal = serde_json::to_value(DsseEntry::new(&envelope, &certificate).unwrap()).unwrap();

    let path = "/api/v1/log/entries";
    let response = client.post(ServiceName::RekorV1, path, &proposal).await;
    let tag = response.headers()["etag"].clone();
    let answer = json(response).await;
    let (uuid, entry) = answer.as_object().unwrap().iter().next().unwrap();
    assert_eq!(tag, uuid.as_str());
    let entry: LogEntry = serde_json::from_value(entry.clone()).unwrap();
    let entry: TransparencyLogEntry = entry.to_bundle_entry(KindVersion::DsseV001).unwrap();
    let entry = serde_json::to_value(entry).unwrap();
    let verified = verify(
        &sandbox,
        &bundle(&certificate, &envelope, &entry, &timestamp),
    )
    .unwrap();
    assert!(verified.integrated_time().is_some());

    let again = client.post(ServiceName::RekorV1, path, &proposal).await;
    assert_eq!(again.status(), 409);
    assert_eq!(
        again.headers()["location"],
        format!("/api/v1/log/entries/{uuid}")
    );
    let url = format!("{}{path}/{uuid}", sandbox.url(ServiceName::RekorV1));
    let found = json(client.http.get(url).send().await.unwrap()).await;
    assert_eq!(found[uuid]["body"], answer[uuid]["body"]);
}

#[tokio::test]
async fn signing_with_rekor_2_gives_a_bundle_that_verifies() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let client = Client::new(&sandbox);
    let key = KeyPair::generate_ecdsa_p256().unwrap();
    let certificate = client.certificate(&key).await;
    let envelope = envelope(&key);
    let timestamp = client.timestamp(&envelope.signature.sig).await;
    let proposal = serde_json::to_value(HashedRekordV2::new_with_certificate(
        &sha256(&envelope.pae()),
        &envelope.signature.sig,
        &certificate,
        RekorV2KeyDetails::PkixEcdsaP256Sha256,
    ))
    .unwrap();

    let path = "/api/v2/log/entries";
    let entry = json(client.post(ServiceName::RekorV2, path, &proposal).await).await;
    let verified = verify(
        &sandbox,
        &bundle(&certificate, &envelope, &entry, &timestamp),
    )
    .unwrap();
    assert_eq!(verified.verified_timestamps().len(), 1);

    let again = client.post(ServiceName::RekorV2, path, &proposal).await;
    assert_eq!(again.status(), 409);
    assert_eq!(again.headers()["x-log-index"], "0");
}

#[tokio::test]
async fn the_runner_endpoint_answers_its_own_bearer_with_the_running_job() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let client = Client::new(&sandbox);
    let url = sandbox.oidc().request_url();
    for request in [
        client.http.get(&url),
        client.http.get(&url).bearer_auth("guessed"),
    ] {
        assert_eq!(request.send().await.unwrap().status(), 401);
    }

    sandbox.oidc().set_job(Identity::github(
        "acme/other",
        ".github/workflows/x.yml",
        "refs/tags/v1",
    ));
    let key = KeyPair::generate_ecdsa_p256().unwrap();
    let certificate = client.certificate(&key).await;
    let info = sigstore_verify::crypto::parse_certificate_info(&certificate).unwrap();
    assert_eq!(
        info.identity.unwrap().as_str(),
        "https://github.com/acme/other/.github/workflows/x.yml@refs/tags/v1"
    );
}

#[tokio::test]
async fn a_refusal_of_fulcio_says_as_little_as_the_real_one() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let client = Client::new(&sandbox);
    let key = KeyPair::generate_ecdsa_p256().unwrap();
    let request = json!({
        "credentials": {"oidcIdentityToken": sandbox.oidc().mint_forged(&sandbox.oidc().job()).unwrap()},
        "publicKeyRequest": {
            "publicKey": {"content": key.public_key_der().unwrap().to_pem()},
            "proofOfPossession": key.sign(b"anything").unwrap(),
        },
    });
    let response = client
        .post(ServiceName::Fulcio, "/api/v2/signingCert", &request)
        .await;
    assert_eq!(response.status(), 400);
    let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(
        body,
        json!({
            "code": 3,
            "message": "There was an error processing the identity token",
            "details": [],
        })
    );
}

#[tokio::test]
async fn discovery_leads_to_the_key_that_signs() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let client = Client::new(&sandbox);
    for provider in crate::sandbox::oidc::Provider::ALL {
        let issuer = sandbox.oidc().url(provider);
        let url = format!("{issuer}/.well-known/openid-configuration");
        let document = json(client.http.get(url).send().await.unwrap()).await;
        assert_eq!(document["issuer"], issuer.as_str());
        let url = document["jwks_uri"].as_str().unwrap();
        let keys = json(client.http.get(url).send().await.unwrap()).await;
        assert_eq!(keys["keys"][0]["alg"], "RS256");
    }
}

#[tokio::test]
async fn the_signing_config_offers_the_logs_that_were_chosen() {
    let sandbox = Sandbox::start(Options {
        rekor: vec![RekorVersion::V1, RekorVersion::V2],
        ..Options::default()
    })
    .await
    .unwrap();
    let config = SigningConfig::from_file(sandbox.signing_config_path()).unwrap();
    assert_eq!(
        config.rekor_url(Some(1)).unwrap().url,
        sandbox.url(ServiceName::RekorV1)
    );
    assert_eq!(
        config.rekor_url(None).unwrap().url,
        sandbox.url(ServiceName::RekorV2)
    );
    assert!(config.tsa_url().unwrap().url.ends_with("/api/v1/timestamp"));
}

#[tokio::test]
async fn a_service_with_a_slow_clock_is_the_only_one_that_is_late() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    sandbox
        .service(ServiceName::Tsa)
        .faults
        .set_clock_offset(jiff::SignedDuration::from_hours(-1));
    let client = Client::new(&sandbox);
    let key = KeyPair::generate_ecdsa_p256().unwrap();
    let certificate = client.certificate(&key).await;
    let envelope = envelope(&key);
    let timestamp = client.timestamp(&envelope.signature.sig).await;
    let proposal = serde_json::to_value(DsseEntry::new(&envelope, &certificate).unwrap()).unwrap();
    let answer = json(
        client
            .post(ServiceName::RekorV1, "/api/v1/log/entries", &proposal)
            .await,
    )
    .await;
    let entry = answer.as_object().unwrap().values().next().unwrap();
    let entry: LogEntry = serde_json::from_value(entry.clone()).unwrap();
    let entry =
        serde_json::to_value(entry.to_bundle_entry(KindVersion::DsseV001).unwrap()).unwrap();
    let bundle = bundle(&certificate, &envelope, &entry, &timestamp);
    assert!(matches!(
        verify(&sandbox, &bundle),
        Err(sigstore_verify::Error::Certificate(_))
    ));
}

#[tokio::test]
async fn the_public_key_of_rekor_1_is_the_one_in_the_trusted_root() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let url = format!("{}/api/v1/log/publicKey", sandbox.url(ServiceName::RekorV1));
    let pem = reqwest::get(url).await.unwrap().text().await.unwrap();
    let root = TrustedRoot::from_file(sandbox.trusted_root_path()).unwrap();
    assert_eq!(
        root.tlogs[0].public_key.raw_bytes,
        DerPublicKey::from_pem(&pem).unwrap()
    );
}

/// `TimeStampReq` up to the digest: version 1 and a SHA-256 imprint, nothing else.
const TIMESTAMP_REQUEST_PREFIX: &[u8] = &[
    0x30, 0x36, 0x02, 0x01, 0x01, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65,
    0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
];
