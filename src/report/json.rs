//! JSON: the view itself. Fields are added, never renamed or removed, as long as `version` is the same.

use super::escape;
use super::view::Report;

pub(super) fn render(report: &Report) -> String {
    let mut text = escape::json(&serde_json::to_string_pretty(report).unwrap_or_default());
    text.push('\n');
    text
}
