//! What `signgate trust` has to say: whom this machine believes, since when, and how old that is.

use super::escape::shown;
use super::view::Command;
use super::{Format, json};
use crate::trust::material::{Metadata, embedded_as_of};
use crate::trust::{Authority, Material, Source, TrustError, authorities};
use jiff::Timestamp;
use serde::Serialize;
use std::fmt::Write;

/// The report of a `signgate trust` command that succeeded.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrustReport {
    /// The version of this format.
    pub version: u32,
    /// What was done.
    pub command: Command,
    /// Always 0.
    pub exit_code: u8,
    /// The instance: its name, its TUF repository, or the file.
    pub instance: String,
    /// Where the TUF repository is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tuf_url: Option<String>,
    /// Where the material comes from.
    pub source: Source,
    /// The TUF metadata that vouches for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    /// Days since it was certainly current; zero as long as its metadata has not expired. Nothing is known of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_old: Option<i64>,
    /// Whether it can be signed with.
    pub signing_config: bool,
    /// Whom it trusts.
    pub authorities: Vec<Authority>,
    /// The files that were written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
}

impl TrustReport {
    /// What there is to say about `material` at `now`.
    pub fn new(
        instance: &str,
        tuf_url: Option<&str>,
        material: &Material,
        now: Timestamp,
    ) -> Result<Self, TrustError> {
        let current_until = match (material.metadata, material.source) {
            (Some(metadata), _) => Some(metadata.expires),
            (None, Source::Embedded) => Some(embedded_as_of()),
            (None, _) => None,
        };
        Ok(Self {
            version: 1,
            command: Command::Trust,
            exit_code: 0,
            instance: instance.to_owned(),
            tuf_url: tuf_url.map(str::to_owned),
            source: material.source,
            metadata: material.metadata,
            days_old: current_until.map(|day| (now.duration_since(day).as_hours() / 24).max(0)),
            signing_config: material.signing_config.is_some(),
            authorities: authorities(&material.trusted_root)?,
            files: Vec::new(),
        })
    }

    /// Renders the report, with a line break at the end. Formats that are about images fall back to text.
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Json => json::pretty(self),
            _ => self.text(),
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "trust    {}", shown(&self.instance))?;
        if let Some(url) = &self.tuf_url {
            writeln!(text, "  TUF       {}", shown(url))?;
        }
        write!(text, "  source    {}", self.source)?;
        match self.days_old {
            Some(0) | None => writeln!(text)?,
            Some(days) => writeln!(text, ", {days} days out of date")?,
        }
        if let Some(metadata) = &self.metadata {
            let Metadata {
                root,
                timestamp,
                snapshot,
                targets,
                expires,
            } = metadata;
            writeln!(
                text,
                "  versions  root {root}, timestamp {timestamp}, snapshot {snapshot}, targets {targets}"
            )?;
            writeln!(text, "  expires   {expires}")?;
        }
        for authority in &self.authorities {
            let name = shown(&authority.name);
            write!(text, "  {:<21} {name}", authority.kind)?;
            if let Some(since) = authority.since {
                write!(text, ", from {since}")?;
            }
            match authority.until {
                Some(until) => writeln!(text, " to {until}")?,
                None => writeln!(text)?,
            }
        }
        for file in &self.files {
            writeln!(text, "  wrote     {}", shown(file))?;
        }
        Ok(())
    }
}
