//! The signing config: which services to sign with, by protocol version and time of validity.

use super::TrustError;
use jiff::Timestamp;
use sigstore_verify::trust_root::{self, ServiceConfiguration, ServiceEndpoint, ServiceSelector};

/// A signing config (`signingconfig.v0.2+json`).
pub struct SigningConfig(trust_root::SigningConfig);

impl SigningConfig {
    /// Reads a `signing_config.json`.
    pub fn parse(json: &str) -> Result<Self, TrustError> {
        trust_root::SigningConfig::from_json(json)
            .map(Self)
            .map_err(TrustError::SigningConfig)
    }

    /// The services to use at `now`: of each kind the newest protocol version that we speak.
    pub fn services(&self, now: Timestamp) -> Result<SigningServices, TrustError> {
        let config = &self.0;
        one_is_enough(&config.rekor_tlog_config, "transparency log")?;
        one_is_enough(&config.tsa_config, "timestamp authority")?;
        let fulcio = newest(&config.ca_urls, &[1], now).ok_or(TrustError::NoService {
            what: "certificate authority",
        })?;
        let rekor = newest(&config.rekor_tlog_urls, &[1, 2], now).ok_or(TrustError::NoService {
            what: "transparency log",
        })?;
        let rekor_version = match rekor.major_api_version {
            1 => RekorVersion::V1,
            _ => RekorVersion::V2,
        };
        let tsa = newest(&config.tsa_urls, &[1], now);
        // A Rekor v2 entry carries no time, so without a timestamp the signature could never be verified.
        if tsa.is_none() && (rekor_version == RekorVersion::V2 || !config.tsa_urls.is_empty()) {
            return Err(TrustError::NoService {
                what: "timestamp authority",
            });
        }
        Ok(SigningServices {
            fulcio: base(fulcio),
            rekor: base(rekor),
            rekor_version,
            tsa: tsa.map(|endpoint| endpoint.url.clone()),
        })
    }
}

/// Where to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningServices {
    /// Base URL of the certificate authority, without a slash at the end.
    pub fulcio: String,
    /// Base URL of the transparency log, without a slash at the end.
    pub rekor: String,
    /// The protocol of the transparency log.
    pub rekor_version: RekorVersion,
    /// Complete URL of the timestamp authority's endpoint. Rekor v1 can do without.
    pub tsa: Option<String>,
}

/// The protocols of the transparency log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RekorVersion {
    /// Rekor on Trillian: entries with an inclusion promise and an integrated time.
    V1,
    /// Rekor on tiles: entries with a proof only.
    V2,
}

fn newest<'a>(
    endpoints: &'a [ServiceEndpoint],
    versions: &[u32],
    now: Timestamp,
) -> Option<&'a ServiceEndpoint> {
    endpoints
        .iter()
        .filter(|endpoint| {
            versions.contains(&endpoint.major_api_version) && endpoint.valid_for.contains(now)
        })
        // The first of the newest: the order in the file is the operator's order of preference.
        .rev()
        .max_by_key(|endpoint| endpoint.major_api_version)
}

fn one_is_enough(config: &ServiceConfiguration, what: &'static str) -> Result<(), TrustError> {
    match (config.selector, config.count) {
        (ServiceSelector::Any | ServiceSelector::Undefined, _)
        | (ServiceSelector::Exact, Some(1)) => Ok(()),
        _ => Err(TrustError::Several { what }),
    }
}

fn base(endpoint: &ServiceEndpoint) -> String {
    endpoint.url.trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::Instance;
    use serde_json::json;

    fn services(change: impl Fn(&mut serde_json::Value)) -> Result<SigningServices, TrustError> {
        let endpoint = |url: &str, version: u32, start: &str| json!({"url": url, "majorApiVersion": version, "validFor": {"start": start}, "operator": "o"});
        let mut config = json!({
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": [endpoint("https://ca/", 1, "2020-01-01T00:00:00Z")],
            "rekorTlogUrls": [
                endpoint("https://next", 2, "2027-01-01T00:00:00Z"),
                endpoint("https://v1", 1, "2020-01-01T00:00:00Z"),
                endpoint("https://v2", 2, "2025-01-01T00:00:00Z"),
                endpoint("https://other", 2, "2025-01-01T00:00:00Z"),
                endpoint("https://v9", 9, "2020-01-01T00:00:00Z"),
            ],
            "rekorTlogConfig": {"selector": "ANY"},
            "tsaUrls": [endpoint("https://tsa/x", 1, "2020-01-01T00:00:00Z")],
            "tsaConfig": {"selector": "ANY"},
        });
        change(&mut config);
        SigningConfig::parse(&config.to_string())?.services("2026-06-01T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn takes_the_first_of_the_newest_that_is_valid_now() {
        let services = services(|_| ()).unwrap();
        assert_eq!(services.fulcio, "https://ca");
        assert_eq!(
            (services.rekor.as_str(), services.rekor_version),
            ("https://v2", RekorVersion::V2)
        );
        assert_eq!(services.tsa.as_deref(), Some("https://tsa/x"));
    }

    #[test]
    fn rekor_v2_needs_a_timestamp_authority() {
        let without = services(|config| config["tsaUrls"] = json!([]));
        assert!(matches!(
            without,
            Err(TrustError::NoService {
                what: "timestamp authority"
            })
        ));
    }

    #[test]
    fn more_than_one_is_refused_not_guessed() {
        for selector in [
            json!({"selector": "ALL"}),
            json!({"selector": "EXACT", "count": 2}),
        ] {
            let several = services(|config| config["rekorTlogConfig"] = selector.clone());
            assert!(matches!(several, Err(TrustError::Several { .. })));
        }
        services(|config| config["tsaConfig"] = json!({"selector": "EXACT", "count": 1})).unwrap();
    }

    #[test]
    fn the_public_instances_can_be_signed_with() {
        let now = "2026-11-01T00:00:00Z".parse().unwrap();
        for instance in [Instance::Public, Instance::Staging] {
            instance.signing_config().unwrap().services(now).unwrap();
        }
        assert!(matches!(
            Instance::Github.signing_config(),
            Err(TrustError::CannotSign { .. })
        ));
    }
}
