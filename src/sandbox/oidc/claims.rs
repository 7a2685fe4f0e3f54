//! What each platform says about a job in its ID token: every claim that real tokens carry, consistent with the others.
//!
//! Shapes: "OpenID Connect reference" of GitHub Actions, "OpenID Connect (OIDC) authentication using ID tokens" of
//! GitLab CI/CD, `buildkite-agent oidc` of Buildkite, and the OpenID Connect Core standard claims for e-mail.

use serde_json::{Value, json};
use sigstore_verify::crypto::sha256;

/// A GitHub Actions job.
pub(super) fn github(repository: &str, workflow_path: &str, git_ref: &str) -> Value {
    let owner = first_segment(repository);
    let workflow_ref = format!("{repository}/{workflow_path}@{git_ref}");
    let commit = stable_commit(repository, git_ref);
    json!({
        "sub": format!("repo:{repository}:ref:{git_ref}"),
        "aud": AUDIENCE,
        "ref": git_ref,
        "ref_type": ref_type(git_ref),
        "ref_protected": "true",
        "sha": commit,
        "repository": repository,
        "repository_id": stable_id(repository),
        "repository_owner": owner,
        "repository_owner_id": stable_id(owner),
        "repository_visibility": "public",
        "actor": "octocat",
        "actor_id": "583231",
        "base_ref": "",
        "head_ref": "",
        "event_name": "push",
        "workflow": workflow_name(workflow_path),
        "workflow_ref": workflow_ref,
        "workflow_sha": commit,
        "job_workflow_ref": workflow_ref,
        "job_workflow_sha": commit,
        "run_id": "9000000001",
        "run_number": "1",
        "run_attempt": "1",
        "check_run_id": "9000000002",
        "runner_environment": "github-hosted",
    })
}

/// A GitLab CI/CD job.
pub(super) fn gitlab(project_path: &str, config_path: &str, git_ref: &str) -> Value {
    let namespace = project_path
        .rsplit_once('/')
        .map_or(project_path, |(namespace, _)| namespace);
    let name = short_ref(git_ref);
    let kind = ref_type(git_ref);
    let commit = stable_commit(project_path, git_ref);
    json!({
        "sub": format!("project_path:{project_path}:ref_type:{kind}:ref:{name}"),
        "aud": AUDIENCE,
        "namespace_id": stable_id(namespace),
        "namespace_path": namespace,
        "project_id": stable_id(project_path),
        "project_path": project_path,
        "project_visibility": "public",
        "user_id": "42",
        "user_login": "tanuki",
        "user_email": "tanuki@example.com",
        "user_access_level": "developer",
        "pipeline_id": "1001",
        "pipeline_source": "push",
        "job_id": "2001",
        "ref": name,
        "ref_type": kind,
        "ref_path": git_ref,
        "ref_protected": "true",
        "runner_id": 1,
        "runner_environment": "gitlab-hosted",
        "sha": commit,
        // The second slash separates the project from the file; it is part of the identity.
        "ci_config_ref_uri": format!("gitlab.com/{project_path}//{config_path}@{git_ref}"),
        "ci_config_sha": commit,
    })
}

/// A Buildkite job.
pub(super) fn buildkite(organization: &str, pipeline: &str, branch: &str) -> Value {
    let commit = stable_commit(pipeline, branch);
    json!({
        "sub": format!(
            "organization:{organization}:pipeline:{pipeline}:ref:refs/heads/{branch}:commit:{commit}:step:build"
        ),
        "aud": AUDIENCE,
        "organization_slug": organization,
        "organization_id": stable_id(organization),
        "pipeline_slug": pipeline,
        "pipeline_id": stable_id(pipeline),
        "build_number": 7,
        "build_branch": branch,
        "build_commit": commit,
        "build_source": "webhook",
        "step_key": "build",
        "job_id": "0184990a-477b-4fa8-9968-496074483cee",
        "agent_id": "0184990a-4782-42b5-afc1-16715b10b8ff",
        "runner_environment": "buildkite-hosted",
    })
}

/// A person.
pub(super) fn email(address: &str) -> Value {
    json!({
        "sub": stable_id(address),
        "aud": AUDIENCE,
        "email": address,
        "email_verified": true,
    })
}

fn first_segment(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

fn short_ref(git_ref: &str) -> &str {
    git_ref
        .strip_prefix("refs/heads/")
        .or_else(|| git_ref.strip_prefix("refs/tags/"))
        .unwrap_or(git_ref)
}

fn ref_type(git_ref: &str) -> &'static str {
    if git_ref.starts_with("refs/tags/") {
        "tag"
    } else {
        "branch"
    }
}

/// The name of a workflow file without its extension, which many workflows have as their title.
fn workflow_name(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.split('.').next().unwrap_or(file)
}

/// A number that stands for a name for ever, as platforms' immutable ids do.
fn stable_id(name: &str) -> String {
    let hash = sha256(name.as_bytes());
    let [a, b, c, d, ..] = *hash.as_bytes();
    u32::from_be_bytes([a, b, c, d]).to_string()
}

/// A plausible commit at the tip of a ref.
fn stable_commit(repository: &str, git_ref: &str) -> String {
    sha256(format!("{repository}@{git_ref}").as_bytes()).to_hex()[..40].to_owned()
}

const AUDIENCE: &str = "sigstore";
