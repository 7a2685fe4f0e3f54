//! What a path under `/v2/` stands for (distribution-spec, "Endpoints").
//!
//! A repository name has any number of slashes, so a path is read from its end.

use super::digest::Digest;
use super::refusal::{Code, Refusal};

/// The thing a request is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// `/v2/`, where clients find out whether this is a registry and whether it wants tokens.
    Base,
    Manifest {
        repository: String,
        reference: Reference,
    },
    Blob {
        repository: String,
        digest: Digest,
    },
    Uploads {
        repository: String,
    },
    Upload {
        repository: String,
        id: String,
    },
    Tags {
        repository: String,
    },
    Referrers {
        repository: String,
        subject: Digest,
    },
}

/// What a manifest is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reference {
    Tag(String),
    Digest(Digest),
}

impl Target {
    pub(super) fn parse(path: &str) -> Result<Self, Refusal> {
        // The only character of a digest or a name that clients are known to escape.
        let path = path.replace("%3A", ":").replace("%3a", ":");
        if matches!(path.as_str(), "/v2/" | "/v2") {
            return Ok(Self::Base);
        }
        let parts: Vec<_> = path
            .strip_prefix("/v2/")
            .ok_or(Refusal::PageNotFound)?
            .split('/')
            .collect();
        match parts.as_slice() {
            [name @ .., "blobs", "uploads"] | [name @ .., "blobs", "uploads", ""] => {
                Ok(Self::Uploads {
                    repository: repository(name)?,
                })
            }
            [name @ .., "blobs", "uploads", id] => Ok(Self::Upload {
                repository: repository(name)?,
                id: (*id).to_owned(),
            }),
            [name @ .., "blobs", digest] => Ok(Self::Blob {
                repository: repository(name)?,
                digest: Digest::parse(digest)?,
            }),
            [name @ .., "manifests", reference] => Ok(Self::Manifest {
                repository: repository(name)?,
                reference: Reference::parse(reference)?,
            }),
            [name @ .., "referrers", subject] => Ok(Self::Referrers {
                repository: repository(name)?,
                subject: Digest::parse(subject)?,
            }),
            [name @ .., "tags", "list"] => Ok(Self::Tags {
                repository: repository(name)?,
            }),
            _ => Err(Refusal::PageNotFound),
        }
    }

    pub(super) fn repository(&self) -> Option<&str> {
        match self {
            Self::Base => None,
            Self::Manifest { repository, .. }
            | Self::Blob { repository, .. }
            | Self::Uploads { repository }
            | Self::Upload { repository, .. }
            | Self::Tags { repository }
            | Self::Referrers { repository, .. } => Some(repository),
        }
    }
}

impl Reference {
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        if text.contains(':') {
            return Digest::parse(text).map(Self::Digest);
        }
        let valid = text.len() <= 128
            && text.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if valid {
            Ok(Self::Tag(text.to_owned()))
        } else {
            Err(Refusal::new(Code::ManifestInvalid, "not a tag").about(text))
        }
    }
}

/// Joins and checks a name (distribution-spec, "Pulling manifests").
fn repository(parts: &[&str]) -> Result<String, Refusal> {
    let name = parts.join("/");
    if !parts.is_empty() && name.len() <= 255 && parts.iter().all(|part| is_name_part(part)) {
        Ok(name)
    } else {
        Err(Refusal::new(Code::NameInvalid, "not a repository name").about(name))
    }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_name_part(part: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separated = part
        .split(alphanumeric)
        .filter(|between| !between.is_empty());
    part.starts_with(alphanumeric)
        && part.ends_with(alphanumeric)
        && separated.into_iter().all(|between| {
            matches!(between, "." | "_" | "__") || between.bytes().all(|byte| byte == b'-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_look_like_an_endpoint() {
        let digest = Digest::of(b"");
        let target = Target::parse(&format!("/v2/acme/blobs/manifests/blobs/{digest}")).unwrap();
        assert_eq!(
            target,
            Target::Blob {
                repository: "acme/blobs/manifests".into(),
                digest
            }
        );
    }

    #[test]
    fn uploads_are_told_from_blobs() {
        let repository = || "a".to_owned();
        for path in ["/v2/a/blobs/uploads", "/v2/a/blobs/uploads/"] {
            assert_eq!(
                Target::parse(path).unwrap(),
                Target::Uploads {
                    repository: repository()
                }
            );
        }
        let target = Target::parse("/v2/a/blobs/uploads/7").unwrap();
        assert_eq!(
            target,
            Target::Upload {
                repository: repository(),
                id: "7".into()
            }
        );
    }

    #[test]
    fn an_escaped_colon_is_a_colon() {
        let digest = Digest::of(b"x");
        let target = Target::parse(&format!(
            "/v2/a/referrers/{}",
            digest.as_str().replace(':', "%3A")
        ));
        assert_eq!(
            target.unwrap(),
            Target::Referrers {
                repository: "a".into(),
                subject: digest
            }
        );
    }

    #[test]
    fn names_are_checked() {
        for name in ["a", "a.b", "a__b", "a---b", "a/b-c/d0"] {
            assert!(
                Target::parse(&format!("/v2/{name}/tags/list")).is_ok(),
                "{name}"
            );
        }
        for name in [
            "", "A", "a..b", "a___b", "-a", "a-", "a//b", "a b", "a._b", "../a",
        ] {
            assert!(
                Target::parse(&format!("/v2/{name}/tags/list")).is_err(),
                "{name}"
            );
        }
    }

    #[test]
    fn tags_are_checked() {
        for tag in ["latest", "v1.0_x-y", "_", &"a".repeat(128)] {
            assert!(Reference::parse(tag).is_ok(), "{tag}");
        }
        for tag in ["", ".a", "-a", "a+b", "sha256:abc", &"a".repeat(129)] {
            assert!(Reference::parse(tag).is_err(), "{tag}");
        }
    }
}
