use super::*;

impl Lab {
    async fn closed() -> Self {
        let credentials = Credentials {
            username: "user".into(),
            password: "pass".into(),
        };
        Self::start(RegistryOptions {
            token_auth: Some(credentials),
            ..RegistryOptions::default()
        })
        .await
    }

    async fn token(&self, scope: &str, password: Option<&str>) -> Result<String, u16> {
        let path = format!("/token?service=sandbox&scope={scope}");
        let mut request = self.request(Method::GET, &path);
        if let Some(password) = password {
            request = request.basic_auth("user", Some(password));
        }
        let response = request.send().await.unwrap();
        match response.status().as_u16() {
            200 => Ok(json_of(response).await["token"]
                .as_str()
                .unwrap()
                .to_owned()),
            status => Err(status),
        }
    }

    async fn with_token(&self, method: Method, path: &str, token: &str) -> Response {
        self.request(method, path)
            .bearer_auth(token)
            .send()
            .await
            .unwrap()
    }
}

const UPLOADS: &str = "/v2/acme/app/blobs/uploads/";

#[tokio::test]
async fn a_challenge_names_the_realm_and_the_scope() {
    let lab = Lab::closed().await;
    let realm = format!(
        "Bearer realm=\"{}/token\",service=\"sandbox\"",
        lab.service.url
    );
    for (method, path, scope) in [
        (Method::GET, "/v2/", ""),
        (
            Method::GET,
            "/v2/acme/app/manifests/v1",
            ",scope=\"repository:acme/app:pull\"",
        ),
        (
            Method::POST,
            UPLOADS,
            ",scope=\"repository:acme/app:pull,push\"",
        ),
    ] {
        let response = lab.request(method, path).send().await.unwrap();
        assert_eq!(
            header(response.headers(), "www-authenticate"),
            format!("{realm}{scope}")
        );
        assert_eq!(refusal(response).await, (401, "UNAUTHORIZED".into()));
    }
}

#[tokio::test]
async fn the_user_may_push_where_the_scope_says() {
    let lab = Lab::closed().await;
    let token = lab
        .token("repository:acme/app:pull,push", Some("pass"))
        .await
        .unwrap();
    assert_eq!(
        lab.with_token(Method::GET, "/v2/", &token).await.status(),
        200
    );
    assert_eq!(
        lab.with_token(Method::POST, UPLOADS, &token).await.status(),
        202
    );
    let elsewhere = lab
        .with_token(Method::POST, "/v2/acme/other/blobs/uploads/", &token)
        .await;
    assert_eq!(refusal(elsewhere).await, (403, "DENIED".into()));
}

#[tokio::test]
async fn nobody_in_particular_may_only_pull() {
    let lab = Lab::closed().await;
    let token = lab
        .token("repository:acme/app:pull,push", None)
        .await
        .unwrap();
    assert_eq!(
        lab.with_token(Method::GET, "/v2/acme/app/tags/list", &token)
            .await
            .status(),
        404
    );
    assert_eq!(
        refusal(lab.with_token(Method::POST, UPLOADS, &token).await).await,
        (403, "DENIED".into())
    );
}

#[tokio::test]
async fn a_wrong_password_gets_no_token() {
    assert_eq!(
        Lab::closed()
            .await
            .token("repository:a:pull", Some("wrong"))
            .await,
        Err(401)
    );
}

#[tokio::test]
async fn one_token_may_have_several_scopes() {
    let lab = Lab::closed().await;
    for scopes in [
        "repository:a:pull%20repository:b:pull",
        "repository:a:pull&scope=repository:b:pull",
    ] {
        let token = lab.token(scopes, None).await.unwrap();
        for path in ["/v2/a/tags/list", "/v2/b/tags/list"] {
            let answer = refusal(lab.with_token(Method::GET, path, &token).await).await;
            assert_eq!(answer.1, "NAME_UNKNOWN");
        }
    }
}

#[tokio::test]
async fn a_token_that_is_no_longer_valid_is_challenged_again() {
    let lab = Lab::closed().await;
    let token = lab
        .token("repository:acme/app:pull,push", Some("pass"))
        .await
        .unwrap();
    lab.registry.revoke_tokens();
    let response = lab.with_token(Method::POST, UPLOADS, &token).await;
    assert!(header(response.headers(), "www-authenticate").ends_with("error=\"invalid_token\""));
    assert_eq!(response.status(), 401);
}

#[tokio::test]
async fn mounting_needs_the_right_to_pull_from_the_other_repository() {
    let lab = Lab::closed().await;
    let from = "repository:from:pull,push";
    let to = "repository:to:pull,push";
    let digest = Digest::of(b"x");
    let token = lab.token(from, Some("pass")).await.unwrap();
    let path = format!("/v2/from/blobs/uploads/?digest={digest}");
    let pushed = lab
        .request(Method::POST, &path)
        .bearer_auth(token)
        .body("x")
        .send()
        .await
        .unwrap();
    assert_eq!(pushed.status(), 201);
    for (scope, status) in [(to.to_owned(), 202), (format!("{from}%20{to}"), 201)] {
        let token = lab.token(&scope, Some("pass")).await.unwrap();
        let path = format!("/v2/to/blobs/uploads/?mount={digest}&from=from");
        assert_eq!(
            lab.with_token(Method::POST, &path, &token).await.status(),
            status
        );
    }
}
