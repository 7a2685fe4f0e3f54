use super::*;

#[tokio::test]
async fn an_image_comes_back_as_it_was_pushed() {
    let lab = Lab::open().await;
    let image = Image::build("a");
    lab.push_image("acme/app", "v1", &image).await;
    for reference in ["v1", &image.index.digest] {
        let response = lab
            .get(&format!("/v2/acme/app/manifests/{reference}"))
            .await;
        assert_eq!(
            header(response.headers(), "docker-content-digest"),
            image.index.digest
        );
        assert_eq!(header(response.headers(), "content-type"), INDEX);
        assert_eq!(response.bytes().await.unwrap(), image.index.bytes);
    }
    let blob = lab
        .get(&format!("/v2/acme/app/blobs/{}", image.blobs[1].digest))
        .await;
    assert_eq!(blob.bytes().await.unwrap(), image.blobs[1].bytes);
}

#[tokio::test]
async fn head_tells_length_and_digest_without_the_body() {
    let lab = Lab::open().await;
    let image = Image::build("a");
    lab.push_image("acme/app", "v1", &image).await;
    let blob = &image.blobs[1];
    for (path, part) in [
        ("/v2/acme/app/manifests/v1".to_owned(), &image.index),
        (format!("/v2/acme/app/blobs/{}", blob.digest), blob),
    ] {
        let response = lab.request(Method::HEAD, &path).send().await.unwrap();
        assert_eq!(
            header(response.headers(), "content-length"),
            part.bytes.len().to_string()
        );
        assert_eq!(
            header(response.headers(), "docker-content-digest"),
            part.digest
        );
        assert!(response.bytes().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn what_is_not_there_has_its_own_error() {
    let lab = Lab::open().await;
    let digest = lab.push_blob("a", b"x").await;
    let other = Digest::of(b"y");
    for (path, status, code) in [
        ("/v2/a/manifests/v1".to_owned(), 404, "MANIFEST_UNKNOWN"),
        (format!("/v2/a/blobs/{other}"), 404, "BLOB_UNKNOWN"),
        (format!("/v2/b/blobs/{digest}"), 404, "NAME_UNKNOWN"),
        ("/v2/a/blobs/sha256:abc".to_owned(), 400, "DIGEST_INVALID"),
        ("/v2/A/tags/list".to_owned(), 400, "NAME_INVALID"),
    ] {
        assert_eq!(
            refusal(lab.get(&path).await).await,
            (status, code.to_owned()),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_manifest_needs_all_its_parts_and_its_digest() {
    let lab = Lab::open().await;
    let image = Image::build("a");
    let manifest = &image.manifests[0];
    let missing = lab.put("a", "v1", MANIFEST, &manifest.bytes).await;
    assert_eq!(
        refusal(missing).await,
        (404, "MANIFEST_BLOB_UNKNOWN".into())
    );
    let missing = lab.put("a", "v1", INDEX, &image.index.bytes).await;
    assert_eq!(
        refusal(missing).await,
        (404, "MANIFEST_BLOB_UNKNOWN".into())
    );
    let wrong = lab
        .put("a", &image.index.digest, MANIFEST, &manifest.bytes)
        .await;
    assert_eq!(refusal(wrong).await, (400, "DIGEST_INVALID".into()));
}

#[tokio::test]
async fn a_manifest_says_the_same_inside_and_outside() {
    let lab = Lab::open().await;
    let body = json!({ "mediaType": MANIFEST }).to_string();
    for (media_type, bytes) in [(INDEX, body.as_bytes()), (MANIFEST, b"not json")] {
        let response = lab.put("a", "v1", media_type, bytes).await;
        assert_eq!(refusal(response).await, (400, "MANIFEST_INVALID".into()));
    }
}

#[tokio::test]
async fn a_manifest_has_a_largest_size() {
    let lab = Lab::open().await;
    let response = lab
        .put("a", "v1", MANIFEST, &vec![b' '; (4 << 20) + 1])
        .await;
    assert_eq!(refusal(response).await, (413, "SIZE_INVALID".into()));
}

#[tokio::test]
async fn an_immutable_tag_stays_where_it_is() {
    let lab = Lab::start(RegistryOptions {
        immutable_tags: true,
        ..RegistryOptions::default()
    })
    .await;
    let (one, two) = (Image::build("1"), Image::build("2"));
    lab.push_image("acme/app", "v1", &one).await;
    lab.push_image("acme/app", "v1", &one).await;
    lab.push_image("acme/app", "v2", &two).await;
    let response = lab.put("acme/app", "v1", INDEX, &two.index.bytes).await;
    assert_eq!(response.status(), 409);
    let error = json_of(response).await["errors"][0].clone();
    assert_eq!(error["code"], "TAG_INVALID");
    assert!(error["message"].as_str().unwrap().contains("v1"));
    assert_eq!(
        lab.registry.manifest("acme/app", "v1"),
        Some(one.index.bytes)
    );
}

#[tokio::test]
async fn deleting_by_digest_takes_the_tags_along() {
    let lab = Lab::open().await;
    let image = Image::build("a");
    lab.push_image("a", "v1", &image).await;
    lab.push_image("a", "v2", &image).await;
    let delete = async |reference: &str| {
        let path = format!("/v2/a/manifests/{reference}");
        lab.request(Method::DELETE, &path)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(delete("v1").await, 202);
    assert_eq!(lab.registry.tags("a"), ["v2"]);
    assert_eq!(delete(&image.index.digest).await, 202);
    assert_eq!(delete(&image.index.digest).await, 404);
    assert!(lab.registry.tags("a").is_empty());
}

#[tokio::test]
async fn tags_come_in_pages() {
    let lab = Lab::open().await;
    for tag in ["c", "a", "b"] {
        lab.push_image("acme/app", tag, &Image::build("x")).await;
    }
    let first = lab.get("/v2/acme/app/tags/list?n=2").await;
    let link = header(first.headers(), "link").to_owned();
    assert_eq!(
        json_of(first).await,
        json!({ "name": "acme/app", "tags": ["a", "b"] })
    );
    let next = link.strip_prefix('<').unwrap().split_once('>').unwrap().0;
    let last = lab.get(next).await;
    assert!(!last.headers().contains_key("link"));
    assert_eq!(json_of(last).await["tags"], json!(["c"]));
}

#[tokio::test]
async fn bytes_put_in_by_a_test_are_served_under_any_digest() {
    let lab = Lab::open().await;
    let image = Image::build("a");
    lab.push_image("a", "v1", &image).await;
    assert!(lab.registry.put_raw("a", &image.index.digest, b"evil"));
    let response = lab.get("/v2/a/manifests/v1").await;
    assert_eq!(
        header(response.headers(), "docker-content-digest"),
        image.index.digest
    );
    assert_eq!(header(response.headers(), "content-type"), INDEX);
    assert_eq!(response.text().await.unwrap(), "evil");
    let blob = &image.blobs[0].digest;
    assert!(lab.registry.put_raw("a", blob, b"evil"));
    assert_eq!(
        lab.get(&format!("/v2/a/blobs/{blob}"))
            .await
            .text()
            .await
            .unwrap(),
        "evil"
    );
    assert!(!lab.registry.put_raw("a", "evil", b"evil"));
}
