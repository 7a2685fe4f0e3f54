//! A result, as its readers need it: for people, for scripts.
//!
//! The view is made once ([`view`]) and is what the JSON format prints; every other format is made from it, so that no
//! two formats can tell different stories. Text from outside is escaped here and nowhere else.

mod escape;
mod file;
mod json;
mod signature;
mod text;
pub mod trust;
pub mod view;

pub use escape::shown;

use std::fmt;
use std::str::FromStr;
use view::Report;

/// The formats. A new one is a file, a variant and a line in each of the three tables below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For scripts, versioned.
    Json,
}

impl Format {
    const ALL: [(Self, &'static str); 2] = [(Self::Text, "text"), (Self::Json, "json")];

    /// Renders a report, with a line break at the end.
    pub fn render(self, report: &Report) -> String {
        match self {
            Self::Text => text::render(report),
            Self::Json => json::render(report),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL
            .into_iter()
            .find(|(format, _)| format == self)
            .map(|(_, name)| name);
        f.write_str(name.unwrap_or_default())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|(_, name)| *name == text)
            .map(|(format, _)| format)
            .ok_or_else(|| {
                format!(
                    "known formats are {}",
                    Self::ALL.map(|(_, name)| name).join(" and ")
                )
            })
    }
}
