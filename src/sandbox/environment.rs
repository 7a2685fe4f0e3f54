//! The environment of a GitHub Actions job ("Store information in variables", default environment variables), as far
//! as tools that sign in CI read it, made to agree with the claims of the job's token.

use crate::sandbox::{Sandbox, ServiceName};

/// Names and values to export; a variable whose claim the job lacks is left out.
pub(super) fn environment(sandbox: &Sandbox) -> Vec<(&'static str, String)> {
    let issuer = sandbox.oidc();
    let trusted_root = sandbox.trusted_root_path().display().to_string();
    let signing_config = sandbox.signing_config_path().display().to_string();
    let mut variables = vec![
        ("SIGNGATE_TRUSTED_ROOT", trusted_root.clone()),
        ("SIGNGATE_SIGNING_CONFIG", signing_config.clone()),
        (
            "SIGNGATE_SANDBOX_REGISTRY",
            sandbox.registry_host().to_owned(),
        ),
        (
            "SIGNGATE_SANDBOX_ISSUER",
            issuer.url(issuer.job().provider()),
        ),
        (
            "SIGNGATE_SANDBOX_TUF",
            sandbox.url(ServiceName::Tuf).to_owned(),
        ),
        (
            "SIGNGATE_SANDBOX_TUF_ROOT",
            sandbox.tuf_root_path().display().to_string(),
        ),
        // cosign reads every flag from a variable of its name.
        ("COSIGN_TRUSTED_ROOT", trusted_root),
        ("COSIGN_SIGNING_CONFIG", signing_config),
        ("CI", "true".to_owned()),
        ("GITHUB_ACTIONS", "true".to_owned()),
        ("GITHUB_SERVER_URL", "https://github.com".to_owned()),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", issuer.request_url()),
        (
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
            issuer.request_token().to_owned(),
        ),
    ];
    let job = issuer.job();
    variables.extend(
        CLAIMS
            .iter()
            .filter_map(|(variable, claim)| Some((*variable, job.claim(claim)?))),
    );
    if let Some(git_ref) = job.claim("ref") {
        let name = git_ref.splitn(3, '/').nth(2).unwrap_or(&git_ref);
        variables.push(("GITHUB_REF_NAME", name.to_owned()));
    }
    variables
}

/// Variables that repeat a claim.
const CLAIMS: &[(&str, &str)] = &[
    ("GITHUB_REPOSITORY", "repository"),
    ("GITHUB_REPOSITORY_ID", "repository_id"),
    ("GITHUB_REPOSITORY_OWNER", "repository_owner"),
    ("GITHUB_REPOSITORY_OWNER_ID", "repository_owner_id"),
    ("GITHUB_ACTOR", "actor"),
    ("GITHUB_ACTOR_ID", "actor_id"),
    ("GITHUB_BASE_REF", "base_ref"),
    ("GITHUB_HEAD_REF", "head_ref"),
    ("GITHUB_EVENT_NAME", "event_name"),
    ("GITHUB_REF", "ref"),
    ("GITHUB_REF_TYPE", "ref_type"),
    ("GITHUB_REF_PROTECTED", "ref_protected"),
    ("GITHUB_SHA", "sha"),
    ("GITHUB_WORKFLOW", "workflow"),
    ("GITHUB_WORKFLOW_REF", "workflow_ref"),
    ("GITHUB_WORKFLOW_SHA", "workflow_sha"),
    ("GITHUB_RUN_ID", "run_id"),
    ("GITHUB_RUN_NUMBER", "run_number"),
    ("GITHUB_RUN_ATTEMPT", "run_attempt"),
    ("RUNNER_ENVIRONMENT", "runner_environment"),
];
