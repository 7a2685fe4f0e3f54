//! Who is in a trusted root, and for which time: for people who want to see whom they believe.

use super::TrustError;
use jiff::Timestamp;
use serde::Serialize;
use sigstore_verify::trust_root::{self, TimeRange};

/// Somebody whose word counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Authority {
    /// What it vouches for.
    pub kind: &'static str,
    /// Its address, or its name where it has none.
    pub name: String,
    /// From when on its word counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Until when its word counts; without end if it is in service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Authority {
    fn new(kind: &'static str, name: impl Into<String>, valid_for: Option<&TimeRange>) -> Self {
        Self {
            kind,
            name: name.into(),
            since: valid_for.map(|range| range.start),
            until: valid_for.and_then(|range| range.end),
        }
    }
}

/// Everybody in a `trusted_root.json`, by kind and in the order of the file.
pub fn authorities(json: &str) -> Result<Vec<Authority>, TrustError> {
    let root = trust_root::TrustedRoot::from_json(json).map_err(TrustError::Root)?;
    let mut all = Vec::new();
    for ca in &root.certificate_authorities {
        let valid_for = ca.valid_for.as_ref();
        all.push(Authority::new("certificate authority", &ca.uri, valid_for));
    }
    for log in &root.tlogs {
        let valid_for = log.public_key.valid_for.as_ref();
        all.push(Authority::new("transparency log", &log.base_url, valid_for));
    }
    for log in &root.ctlogs {
        let valid_for = log.public_key.valid_for.as_ref();
        all.push(Authority::new("CT log", &log.base_url, valid_for));
    }
    for tsa in &root.timestamp_authorities {
        let name = tsa.uri.clone().or_else(|| tsa.subject.common_name.clone());
        all.push(Authority::new(
            "timestamp authority",
            name.unwrap_or_default(),
            tsa.valid_for.as_ref(),
        ));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::{Instance, Material};

    #[test]
    fn everybody_is_listed_with_a_time() {
        let all = authorities(&Material::embedded(Instance::Public).trusted_root).unwrap();
        for kind in [
            "certificate authority",
            "transparency log",
            "CT log",
            "timestamp authority",
        ] {
            assert!(all.iter().any(|authority| authority.kind == kind), "{kind}");
        }
        assert!(all.iter().all(|authority| authority.since.is_some()));
        assert!(all.iter().any(|authority| authority.until.is_some()));
    }
}
