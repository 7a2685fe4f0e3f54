use super::*;

#[tokio::test]
async fn a_referrer_is_listed_with_its_type_and_annotations() {
    let lab = Lab::open().await;
    let subject = Digest::of(b"pushed later");
    let pushed = lab.push_referrer(&subject, "application/x").await;
    assert_eq!(
        (
            pushed.status().as_u16(),
            header(pushed.headers(), "oci-subject")
        ),
        (201, subject.as_str())
    );
    let digest = header(pushed.headers(), "docker-content-digest").to_owned();
    let size = lab.registry.manifest("acme/app", &digest).unwrap().len();
    let response = lab.get(&format!("/v2/acme/app/referrers/{subject}")).await;
    assert_eq!(header(response.headers(), "content-type"), INDEX);
    let descriptor = json!({
        "mediaType": MANIFEST, "digest": digest, "size": size,
        "artifactType": "application/x", "annotations": { "type": "application/x" },
    });
    assert_eq!(json_of(response).await["manifests"], json!([descriptor]));
}

#[tokio::test]
async fn without_an_artifact_type_the_type_of_the_configuration_counts() {
    let lab = Lab::open().await;
    let subject = Digest::of(b"s");
    lab.push_referrer(&subject, "").await;
    let list = json_of(lab.get(&format!("/v2/acme/app/referrers/{subject}")).await).await;
    assert_eq!(
        list["manifests"][0]["artifactType"],
        "application/vnd.oci.empty.v1+json"
    );
}

#[tokio::test]
async fn an_unknown_subject_has_no_referrers() {
    let lab = Lab::open().await;
    let response = lab
        .get(&format!("/v2/nobody/referrers/{}", Digest::of(b"")))
        .await;
    assert_eq!(response.status(), 200);
    assert_eq!(json_of(response).await["manifests"], json!([]));
}

#[tokio::test]
async fn pages_keep_the_filter() {
    let lab = Lab::start(RegistryOptions {
        referrers_page: 2,
        ..RegistryOptions::default()
    })
    .await;
    let subject = Digest::of(b"s");
    for artifact_type in ["text/a+b", "text/other"] {
        lab.push_referrer(&subject, artifact_type).await;
    }
    for number in 0..4 {
        let descriptor = json!({ "artifactType": "text/a+b", "digest": number });
        lab.registry
            .add_referrer("acme/app", subject.as_str(), descriptor);
    }
    let mut path = format!("/v2/acme/app/referrers/{subject}?artifactType=text/a%2Bb");
    let mut pages = Vec::new();
    loop {
        let response = lab.get(&path).await;
        let next = response
            .headers()
            .get("link")
            .map(|link| link.to_str().unwrap().to_owned());
        assert_eq!(
            header(response.headers(), "oci-filters-applied"),
            "artifactType"
        );
        let list = json_of(response).await;
        let page = list["manifests"].as_array().unwrap().clone();
        assert!(
            page.iter()
                .all(|descriptor| descriptor["artifactType"] == "text/a+b")
        );
        pages.push(page.len());
        let Some(next) = next else { break };
        path = next
            .strip_prefix('<')
            .unwrap()
            .strip_suffix(">; rel=\"next\"")
            .unwrap()
            .to_owned();
    }
    assert_eq!(pages, [2, 2, 1]);
}

#[tokio::test]
async fn a_registry_without_the_api_knows_neither_the_page_nor_the_header() {
    let lab = Lab::start(RegistryOptions {
        referrers_api: false,
        ..RegistryOptions::default()
    })
    .await;
    let subject = Digest::of(b"s");
    let pushed = lab.push_referrer(&subject, "text/a").await;
    assert_eq!(pushed.status(), 201);
    assert!(!pushed.headers().contains_key("oci-subject"));
    let response = lab.get(&format!("/v2/acme/app/referrers/{subject}")).await;
    assert_eq!(response.status(), 404);
    assert!(header(response.headers(), "content-type").starts_with("text/plain"));
    assert_eq!(response.text().await.unwrap(), "404 page not found\n");
}
