//! The list of tags: `/v2/NAME/tags/list` (distribution-spec, "Listing tags").

use std::collections::HashMap;

use axum::Json;
use axum::extract::Query;
use axum::http::header::LINK;
use axum::http::{HeaderValue, Uri};
use axum::response::IntoResponse;
use serde_json::json;

use super::{Answer, Registry};

/// Lists the tags in alphabetical order, with `n` at most `n` of them, with `last` only those after it.
pub(super) fn answer(registry: &Registry, name: &str, uri: &Uri) -> Answer {
    let query = Query::<HashMap<String, String>>::try_from_uri(uri)
        .map(|Query(query)| query)
        .unwrap_or_default();
    let limit = query
        .get("n")
        .and_then(|n| n.parse().ok())
        .unwrap_or(usize::MAX);
    let store = registry.store();
    let mut tags: Vec<_> = store
        .repository(name)?
        .tags
        .keys()
        .filter(|tag| query.get("last").is_none_or(|last| *tag > last))
        .collect();
    let more = tags.len() > limit;
    tags.truncate(limit);
    let next = tags
        .last()
        .filter(|_| more)
        .map(|last| format!("</v2/{name}/tags/list?n={limit}&last={last}>; rel=\"next\""));
    let mut response = Json(json!({ "name": name, "tags": tags })).into_response();
    if let Some(next) = next.and_then(|next| HeaderValue::try_from(next).ok()) {
        response.headers_mut().insert(LINK, next);
    }
    Ok(response)
}
