//! Trust material: the files that say whom to believe, where they come from, and how long they are good for.
//!
//! The rule, in order; everything on this list was verified from a root of trust that this program or the user brings:
//!
//! 1. what the cache holds, until its TUF metadata expires;
//! 2. what the TUF repository says now;
//! 3. if it cannot be asked, or says something that TUF refuses: what the cache holds, up to
//!    [`limits::TRUST_GRACE_DAYS`] after its expiry, with a warning;
//! 4. for a named instance: what this version was built with, with a warning that tells its age;
//! 5. nothing, and no decision.
//!
//! A failed refresh therefore never lets in more than a successful one could have let in before: it only leaves what
//! was already believed. Step 4 has no end on purpose: the authorities in a trusted root carry their own, and an
//! attacker cannot choose how old this program is. He can choose how old a restored cache is, so step 3 has one.

use super::{Instance, TrustError};
use crate::limits;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::fmt;

/// The files that say whom to believe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Material {
    /// The trusted root, as JSON.
    pub trusted_root: String,
    /// The signing config, as JSON. An instance that cannot be signed with has none.
    pub signing_config: Option<String>,
    /// Where they come from.
    pub source: Source,
    /// The TUF metadata that vouches for them.
    pub metadata: Option<Metadata>,
}

/// Versions of TUF metadata, and when the first part of it expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// The root of trust.
    pub root: u64,
    /// The promise of freshness.
    pub timestamp: u64,
    /// Which versions belong together.
    pub snapshot: u64,
    /// The digests of the files.
    pub targets: u64,
    /// When to ask again.
    pub expires: Timestamp,
}

/// Where trust material comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A file on the command line.
    File,
    /// The TUF repository, asked in this run.
    Tuf,
    /// What an earlier run got from there.
    Cache,
    /// This program.
    Embedded,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "file",
            Self::Tuf => "TUF repository",
            Self::Cache => "cache",
            Self::Embedded => "built into this version",
        })
    }
}

impl Material {
    /// What this version was built with for `instance`.
    pub fn embedded(instance: Instance) -> Self {
        let known = instance.known();
        Self {
            trusted_root: known.embedded_trusted_root_json().to_owned(),
            signing_config: known.embedded_signing_config_json().map(str::to_owned),
            source: Source::Embedded,
            metadata: None,
        }
    }

    /// Whether it may be used at `now` without asking.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        self.metadata.is_some_and(|metadata| now < metadata.expires)
    }

    /// Until when it was certainly current.
    fn current_until(&self) -> Timestamp {
        match self.metadata {
            Some(metadata) => metadata.expires,
            None => embedded_as_of(),
        }
    }
}

/// What to use without an answer of the TUF repository: steps 1 and 3 to 5. `cached` is verified but for its expiry;
/// `failure` says why there is no answer, unless nobody asked.
pub fn without_answer(
    cached: Option<Material>,
    embedded: Option<Material>,
    failure: Option<TrustError>,
    now: Timestamp,
) -> Result<(Material, Option<Stale>), TrustError> {
    let grace = SignedDuration::from_hours(24 * limits::TRUST_GRACE_DAYS);
    let is_usable = |cached: &Material| now.duration_since(cached.current_until()) < grace;
    let newest = match (cached.filter(is_usable), embedded) {
        (Some(cached), Some(embedded)) if cached.current_until() < embedded.current_until() => {
            embedded
        }
        (Some(material), _) | (None, Some(material)) => material,
        (None, None) => return Err(failure.unwrap_or(TrustError::Nothing)),
    };
    let age = now.duration_since(newest.current_until());
    // Not having asked is worth a word only when asking would probably have changed something.
    let is_old = age > SignedDuration::from_hours(24 * limits::TRUST_WARN_DAYS);
    let is_stale = !newest.is_fresh(now) && (failure.is_some() || is_old);
    let stale = is_stale.then(|| Stale {
        source: newest.source,
        days: age.as_hours().max(0) / 24,
        failure,
    });
    Ok((newest, stale))
}

/// Why trust material is used that may be out of date.
#[derive(Debug)]
pub struct Stale {
    source: Source,
    days: i64,
    /// Why there is nothing newer, unless nobody asked.
    pub failure: Option<TrustError>,
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, days, .. } = self;
        write!(
            f,
            "the trust material in use ({source}) is {days} days out of date"
        )
    }
}

/// When the embedded material was current: the day of the release of the Sigstore crates that carry it.
pub fn embedded_as_of() -> Timestamp {
    EMBEDDED_AS_OF.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

const EMBEDDED_AS_OF: &str = "2026-10-23T00:00:00Z";

#[cfg(test)]
mod tests {
    use super::*;

    fn cached(expires: &str) -> Material {
        Material {
            trusted_root: "cached".to_owned(),
            source: Source::Cache,
            metadata: Some(Metadata {
                root: 1,
                timestamp: 1,
                snapshot: 1,
                targets: 1,
                expires: at(expires),
            }),
            ..Material::embedded(Instance::Public)
        }
    }

    fn at(day: &str) -> Timestamp {
        format!("{day}T00:00:00Z").parse().unwrap()
    }

    fn used(cached: Option<Material>, embedded: bool, failed: bool, now: &str) -> String {
        let embedded = embedded.then(|| Material::embedded(Instance::Public));
        let failure = failed.then(|| TrustError::Unavailable {
            why: "down".to_owned(),
        });
        match without_answer(cached, embedded, failure, at(now)) {
            Ok((material, stale)) => match stale {
                Some(stale) => format!("{:?} {}", material.source, stale.days),
                None => format!("{:?}", material.source),
            },
            Err(error) => format!("{error:?}"),
        }
    }

    #[test]
    fn the_date_of_what_is_embedded_goes_with_the_crates() {
        let manifest = include_str!("../../Cargo.toml");
        assert!(
            manifest.contains("sigstore-verify = { version = \"=0.15.1\""),
            "set EMBEDDED_AS_OF to the day of the new release of the crates"
        );
        assert_ne!(embedded_as_of(), Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn a_fresh_cache_is_used_without_a_word() {
        assert_eq!(
            used(Some(cached("2027-01-08")), true, false, "2027-01-07"),
            "Cache"
        );
        assert_eq!(
            used(Some(cached("2027-01-08")), true, true, "2027-01-07"),
            "Cache"
        );
    }

    #[test]
    fn an_expired_cache_is_used_for_a_while() {
        let old = || Some(cached("2027-01-01"));
        assert_eq!(used(old(), true, true, "2027-01-11"), "Cache 10");
        assert_eq!(used(old(), false, true, "2027-01-11"), "Cache 10");
        // One day past the grace: only a named instance has something left.
        assert_eq!(used(old(), true, true, "2027-02-01"), "Embedded 101");
        assert!(used(old(), false, true, "2027-02-01").starts_with("Unavailable"));
        assert_eq!(used(old(), false, false, "2027-02-01"), "Nothing");
    }

    #[test]
    fn a_cache_older_than_the_program_is_not_used() {
        assert_eq!(
            used(Some(cached("2026-10-01")), true, true, "2026-10-24"),
            "Embedded 1"
        );
    }

    #[test]
    fn not_having_asked_is_worth_a_word_when_much_time_has_passed() {
        assert_eq!(used(None, true, false, "2026-11-01"), "Embedded");
        assert_eq!(used(None, true, true, "2026-11-01"), "Embedded 9");
        assert_eq!(used(None, true, false, "2027-10-23"), "Embedded 365");
    }
}
