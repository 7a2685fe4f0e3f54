//! What Fulcio copies from a token into a certificate: the subject alternative name and the extensions below
//! 1.3.6.1.4.1.57264.1 (Fulcio's "Sigstore OID information").
//!
//! Each platform is a table of templates in which `{claim}` stands for a claim of the token. An extension whose
//! claims are missing is left out, as for an optional claim; a subject whose claims are missing is refused.

use der::Encode;
use der::asn1::{Ia5String, ObjectIdentifier, Utf8StringRef};
use serde_json::{Value, json};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use crate::sandbox::certificate::{extension, raw_extension};
use crate::sandbox::error::{Error, Result};
use crate::sandbox::oidc::Provider;
use crate::sandbox::oidc::identity::text;
use crate::sandbox::oidc::token::Claims;

/// The extensions that say who the subject of a certificate is: the (critical) alternative name first, then the
/// issuer and the claims by number.
pub(crate) fn identity_extensions(provider: Provider, claims: &Claims) -> Result<Vec<Extension>> {
    let claims = with_derived_claims(claims);
    let mut extensions = vec![subject(provider, &claims)?];
    let issuer = expand("{iss}", &claims)?;
    extensions.push(fulcio_extension(ISSUER_V1, &issuer)?);
    let rows = match provider {
        Provider::GitHub => GITHUB,
        Provider::GitLab => GITLAB,
        Provider::Buildkite => BUILDKITE,
        Provider::Email => &[],
    };
    let issuer_row = (ISSUER_V2, "{iss}");
    let (before, after) = rows.split_at(rows.partition_point(|(number, _)| *number < ISSUER_V2));
    for (number, template) in before.iter().chain([&issuer_row]).chain(after) {
        // An empty claim says as much as a missing one.
        match expand(template, &claims) {
            Ok(value) if !value.is_empty() => extensions.push(fulcio_extension(*number, &value)?),
            Ok(_) | Err(Error::MissingClaim(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(extensions)
}

fn subject(provider: Provider, claims: &Claims) -> Result<Extension> {
    let name = match provider {
        Provider::GitHub => uri("https://github.com/{job_workflow_ref}", claims)?,
        Provider::GitLab => uri("https://{ci_config_ref_uri}", claims)?,
        Provider::Buildkite => uri(
            "https://buildkite.com/{organization_slug}/{pipeline_slug}",
            claims,
        )?,
        Provider::Email => GeneralName::Rfc822Name(Ia5String::new(&expand("{email}", claims)?)?),
    };
    // Critical, because the certificate has no other subject (RFC 5280 §4.2.1.6).
    extension(&SubjectAltName(vec![name]), true)
}

fn uri(template: &str, claims: &Claims) -> Result<GeneralName> {
    Ok(GeneralName::UniformResourceIdentifier(Ia5String::new(
        &expand(template, claims)?,
    )?))
}

/// Extensions up to .6 hold the bare bytes of the text; from .8 on they hold a DER UTF8String.
fn fulcio_extension(number: u32, value: &str) -> Result<Extension> {
    let oid = FULCIO_ARC.push_arc(number).map_err(der::Error::from)?;
    let bytes = if number < ISSUER_V2 {
        value.as_bytes().to_vec()
    } else {
        Utf8StringRef::new(value)?.to_der()?
    };
    raw_extension(oid, false, bytes)
}

fn expand(template: &str, claims: &Claims) -> Result<String> {
    let mut expanded = String::new();
    let mut rest = template;
    while let Some((literal, tail)) = rest.split_once('{') {
        let (claim, tail) = tail.split_once('}').unwrap_or((tail, ""));
        let value = claims
            .get(claim)
            .ok_or_else(|| Error::MissingClaim(claim.to_owned()))?;
        expanded.push_str(literal);
        expanded.push_str(&text(value));
        rest = tail;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// GitLab names a branch or a tag without `refs/heads/` or `refs/tags/`; Fulcio puts the prefix back.
fn with_derived_claims(claims: &Claims) -> Claims {
    let mut claims = claims.clone();
    if let Some(kind) = claims.get("ref_type").and_then(Value::as_str) {
        let prefix = if kind == "branch" { "heads" } else { "tags" };
        claims.insert(REF_PREFIX.to_owned(), json!(prefix));
    }
    claims
}

const FULCIO_ARC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1");
const ISSUER_V1: u32 = 1;
const ISSUER_V2: u32 = 8;
const REF_PREFIX: &str = "ref_prefix";

type Row = (u32, &'static str);

const GITHUB: &[Row] = &[
    (2, "{event_name}"),
    (3, "{sha}"),
    (4, "{workflow}"),
    (5, "{repository}"),
    (6, "{ref}"),
    (9, "https://github.com/{job_workflow_ref}"),
    (10, "{job_workflow_sha}"),
    (11, "{runner_environment}"),
    (12, "https://github.com/{repository}"),
    (13, "{sha}"),
    (14, "{ref}"),
    (15, "{repository_id}"),
    (16, "https://github.com/{repository_owner}"),
    (17, "{repository_owner_id}"),
    (18, "https://github.com/{workflow_ref}"),
    (19, "{workflow_sha}"),
    (20, "{event_name}"),
    (
        21,
        "https://github.com/{repository}/actions/runs/{run_id}/attempts/{run_attempt}",
    ),
    (22, "{repository_visibility}"),
    (23, "{environment}"),
    (24, "{sub}"),
];

const GITLAB: &[Row] = &[
    (9, "https://{ci_config_ref_uri}"),
    (10, "{ci_config_sha}"),
    (11, "{runner_environment}"),
    (12, "https://gitlab.com/{project_path}"),
    (13, "{sha}"),
    (14, "refs/{ref_prefix}/{ref}"),
    (15, "{project_id}"),
    (16, "https://gitlab.com/{namespace_path}"),
    (17, "{namespace_id}"),
    (18, "https://{ci_config_ref_uri}"),
    (19, "{ci_config_sha}"),
    (20, "{pipeline_source}"),
    (21, "https://gitlab.com/{project_path}/-/jobs/{job_id}"),
    (22, "{project_visibility}"),
    (23, "{environment}"),
    (24, "{sub}"),
];

const BUILDKITE: &[Row] = &[
    (11, "{runner_environment}"),
    (13, "{build_commit}"),
    (20, "{build_source}"),
    (
        21,
        "https://buildkite.com/{organization_slug}/{pipeline_slug}/builds/{build_number}#{job_id}",
    ),
    (24, "{sub}"),
];
