//! GitLab CI. The job declares its ID token under `id_tokens`; the runner puts it into a variable at job start.

use super::{Claims, Env, IdToken, Provider, TokenMissing, TokenSource, Why};

pub(super) const PROVIDER: Provider = Provider {
    name: NAME,
    detect: |env| env.is_true("GITLAB_CI"),
    token_source,
    issued: |claims| claims.text("ci_config_ref_uri").is_some(),
    identity,
};

fn token_source(env: &Env) -> Result<TokenSource, TokenMissing> {
    let missing = |why| TokenMissing {
        provider: Some(NAME),
        why: Why(why),
        fix: FIX,
    };
    let text = env
        .var("SIGSTORE_ID_TOKEN")
        .ok_or_else(|| missing("SIGSTORE_ID_TOKEN is not set"))?;
    let token =
        IdToken::parse(text).map_err(|_| missing("SIGSTORE_ID_TOKEN does not hold an ID token"))?;
    Ok(TokenSource::Ready(token))
}

/// Fulcio's template for this issuer. The double slash before the path of the configuration file is part of it.
fn identity(claims: &Claims) -> Option<String> {
    claims
        .text("ci_config_ref_uri")
        .map(|config| format!("https://{config}"))
}

const NAME: &str = "GitLab CI";

const FIX: &str = "add this to the job:

    id_tokens:
      SIGSTORE_ID_TOKEN:
        aud: sigstore";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_declaration_the_fix_is_the_yaml() {
        for value in ["", "not a token"] {
            let env: Env = [("GITLAB_CI", "true"), ("SIGSTORE_ID_TOKEN", value)]
                .into_iter()
                .collect();
            let Err(missing) = token_source(&env) else {
                panic!("a token from {value:?}")
            };
            assert!(missing.fix.contains("aud: sigstore"));
        }
    }
}
