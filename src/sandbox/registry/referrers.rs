//! The manifests that point at another: `/v2/NAME/referrers/DIGEST` (distribution-spec, "Listing Referrers").
//!
//! This is where signatures are found. The list is what the registry says, and nothing vouches for it.

use std::collections::HashMap;

use axum::extract::Query;
use axum::http::header::{CONTENT_TYPE, LINK};
use axum::http::{HeaderName, StatusCode, Uri};
use reqwest::Url;
use serde_json::{Value, json};

use super::digest::Digest;
use super::refusal::Refusal;
use super::{Answer, Registry};

/// Lists the referrers as an image index; an empty one if there are none, whether the subject exists or not.
pub(super) fn answer(registry: &Registry, name: &str, subject: &Digest, uri: &Uri) -> Answer {
    if !registry.options().referrers_api {
        return Err(Refusal::PageNotFound);
    }
    let query = Query::<HashMap<String, String>>::try_from_uri(uri)
        .map(|Query(query)| query)
        .unwrap_or_default();
    let artifact_type = query.get(ARTIFACT_TYPE).map(String::as_str);
    let offset = query
        .get(OFFSET)
        .and_then(|offset| offset.parse().ok())
        .unwrap_or(0_usize);

    let mut found = registry
        .store()
        .repository(name)
        .map(|r| r.referrers(subject))
        .unwrap_or_default();
    found.retain(|descriptor| {
        artifact_type.is_none_or(|wanted| descriptor["artifactType"] == wanted)
    });
    let end = offset.saturating_add(registry.options().referrers_page);
    let next = (found.len() > end).then(|| link(uri.path(), artifact_type, end));
    let page: Vec<_> = found.into_iter().take(end).skip(offset).collect();

    let mut headers = vec![(CONTENT_TYPE, INDEX)];
    headers.extend(artifact_type.map(|_| (OCI_FILTERS_APPLIED, ARTIFACT_TYPE)));
    headers.extend(next.as_deref().map(|next| (LINK, next)));
    Ok(super::answer(StatusCode::OK, &headers, index(page)))
}

fn index(manifests: Vec<Value>) -> String {
    json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests }).to_string()
}

/// The header that leads to the next page (RFC 8288). Clients take its query as it is.
fn link(path: &str, artifact_type: Option<&str>, offset: usize) -> String {
    let offset = offset.to_string();
    let filter = artifact_type.map(|wanted| (ARTIFACT_TYPE, wanted));
    let parameters = filter.into_iter().chain([(OFFSET, offset.as_str())]);
    // The host is only there to make it a URL, which takes care of the escapes.
    let query = Url::parse_with_params("http://localhost", parameters)
        .ok()
        .and_then(|url| url.query().map(str::to_owned))
        .unwrap_or_default();
    format!("<{path}?{query}>; rel=\"next\"")
}

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const ARTIFACT_TYPE: &str = "artifactType";
const OFFSET: &str = "offset";
const OCI_FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");
