use super::*;
use sigstore_verify::crypto::sha512;

impl Lab {
    /// Begins an upload and returns where to go on.
    async fn begin(&self) -> String {
        let response = self
            .request(Method::POST, "/v2/a/blobs/uploads/")
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 202);
        header(response.headers(), "location").to_owned()
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        range: Option<&str>,
        body: &'static str,
    ) -> Response {
        let request = self.request(method, path).body(body);
        let request = range.iter().fold(request, |request, range| {
            request.header("content-range", *range)
        });
        request.send().await.unwrap()
    }
}

#[tokio::test]
async fn a_blob_may_come_in_pieces() {
    let lab = Lab::open().await;
    let place = lab.begin().await;
    let first = lab.send(Method::PATCH, &place, Some("0-4"), "hello").await;
    assert_eq!(
        (first.status().as_u16(), header(first.headers(), "range")),
        (202, "0-4")
    );
    let place = header(first.headers(), "location").to_owned();
    let gap = lab.send(Method::PATCH, &place, Some("6-10"), "world").await;
    assert_eq!(header(gap.headers(), "range"), "0-4");
    assert_eq!(refusal(gap).await, (416, "BLOB_UPLOAD_INVALID".into()));
    let told = lab.get(&place).await;
    assert_eq!(
        (told.status().as_u16(), header(told.headers(), "range")),
        (204, "0-4")
    );
    let digest = Digest::of(b"hello world");
    let last = lab
        .send(
            Method::PUT,
            &format!("{place}&digest={digest}"),
            None,
            " world",
        )
        .await;
    assert_eq!(
        (
            last.status().as_u16(),
            header(last.headers(), "docker-content-digest")
        ),
        (201, digest.as_str())
    );
    let blob = lab.get(header(last.headers(), "location")).await;
    assert_eq!(blob.text().await.unwrap(), "hello world");
}

#[tokio::test]
async fn a_wrong_digest_is_refused_and_ends_the_upload() {
    let lab = Lab::open().await;
    let wrong = Digest::of(b"other");
    let path = format!("{}&digest={wrong}", lab.begin().await);
    assert_eq!(
        refusal(lab.send(Method::PUT, &path, None, "x").await).await,
        (400, "DIGEST_INVALID".into())
    );
    assert_eq!(
        refusal(lab.send(Method::PUT, &path, None, "x").await).await,
        (404, "BLOB_UPLOAD_UNKNOWN".into())
    );
    let path = format!("/v2/a/blobs/uploads/?digest={wrong}");
    assert_eq!(
        refusal(lab.send(Method::POST, &path, None, "x").await).await,
        (400, "DIGEST_INVALID".into())
    );
}

#[tokio::test]
async fn sha512_is_checked_too() {
    let lab = Lab::open().await;
    let digest = format!("sha512:{}", hex::encode(sha512(b"x").as_bytes()));
    let path = format!("/v2/a/blobs/uploads/?digest={digest}");
    assert_eq!(lab.send(Method::POST, &path, None, "x").await.status(), 201);
    assert_eq!(
        lab.get(&format!("/v2/a/blobs/{digest}"))
            .await
            .text()
            .await
            .unwrap(),
        "x"
    );
    assert_eq!(lab.send(Method::POST, &path, None, "y").await.status(), 400);
}

#[tokio::test]
async fn an_upload_can_be_given_up() {
    let lab = Lab::open().await;
    let place = lab.begin().await;
    assert_eq!(
        lab.send(Method::DELETE, &place, None, "").await.status(),
        204
    );
    assert_eq!(lab.get(&place).await.status(), 404);
}

#[tokio::test]
async fn a_blob_is_mounted_or_else_an_upload_begins() {
    let lab = Lab::open().await;
    let digest = lab.push_blob("from", b"x").await;
    for (from, status) in [("from", 201), ("nowhere", 202)] {
        let path = format!("/v2/to/blobs/uploads/?mount={digest}&from={from}");
        assert_eq!(
            lab.send(Method::POST, &path, None, "").await.status(),
            status
        );
    }
    assert_eq!(
        lab.get(&format!("/v2/to/blobs/{digest}"))
            .await
            .text()
            .await
            .unwrap(),
        "x"
    );
}
