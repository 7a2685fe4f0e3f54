//! GitHub Actions. A job with `permissions: id-token: write` finds the URL and the bearer of its token endpoint in the
//! environment.

use super::{AUDIENCE, Claims, Env, Provider, Secret, TokenMissing, TokenSource, Why};

pub(super) const PROVIDER: Provider = Provider {
    name: NAME,
    detect: |env| env.is_true("GITHUB_ACTIONS"),
    token_source,
    issued: |claims| claims.text("job_workflow_ref").is_some(),
    identity,
};

fn token_source(env: &Env) -> Result<TokenSource, TokenMissing> {
    let (Some(url), Some(bearer)) = (
        env.var("ACTIONS_ID_TOKEN_REQUEST_URL"),
        env.var("ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
    ) else {
        return Err(TokenMissing {
            provider: Some(NAME),
            why: Why("ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN are not set"),
            fix: FIX,
        });
    };
    let separator = if url.contains('?') { '&' } else { '?' };
    Ok(TokenSource::Request {
        url: format!("{url}{separator}audience={AUDIENCE}"),
        bearer: Secret::new(bearer),
    })
}

/// Fulcio's template for this issuer: the called workflow, which with a reusable workflow is not the caller.
fn identity(claims: &Claims) -> Option<String> {
    claims
        .text("job_workflow_ref")
        .map(|workflow| format!("https://github.com/{workflow}"))
}

const NAME: &str = "GitHub Actions";

const FIX: &str = "add this to the job, and to every job that calls it as a reusable workflow:

    permissions:
      id-token: write

A pull request from a fork never gets an ID token: sign after the merge, or in the merge queue.";

#[cfg(test)]
mod tests {
    use super::*;

    fn job(variables: &[(&str, &str)]) -> Env {
        [("GITHUB_ACTIONS", "true")]
            .iter()
            .chain(variables)
            .copied()
            .collect()
    }

    #[test]
    fn the_audience_is_added_to_the_query_that_is_there() {
        let env = job(&[
            (
                "ACTIONS_ID_TOKEN_REQUEST_URL",
                "https://runner.example/token?api-version=2.0",
            ),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "bearer"),
        ]);
        let Ok(TokenSource::Request { url, bearer }) = token_source(&env) else {
            panic!("no request")
        };
        assert_eq!(
            url,
            "https://runner.example/token?api-version=2.0&audience=sigstore"
        );
        assert_eq!(bearer.reveal(), "bearer");
    }

    #[test]
    fn without_the_permission_the_fix_is_the_yaml() {
        for env in [
            job(&[]),
            job(&[("ACTIONS_ID_TOKEN_REQUEST_URL", "https://runner.example/")]),
        ] {
            let Err(missing) = token_source(&env) else {
                panic!("a token without permission")
            };
            assert!(missing.fix.contains("id-token: write"));
        }
    }
}
