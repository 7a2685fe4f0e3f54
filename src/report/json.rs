//! JSON: the view itself. Fields are added, never renamed or removed, as long as `version` is the same.

use super::escape;
use super::view::Report;
use serde::Serialize;

pub(super) fn render(report: &Report) -> String {
    pretty(report)
}

pub(super) fn pretty(view: &impl Serialize) -> String {
    let mut text = escape::json(&serde_json::to_string_pretty(view).unwrap_or_default());
    text.push('\n');
    text
}
