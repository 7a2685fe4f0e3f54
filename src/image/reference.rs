//! Image references: `ImageRef` as typed, `PinnedImage` once a digest is known.

use super::digest::{Digest, DigestError};
use crate::outcome::{Code, Coded};
use std::fmt;
use std::str::FromStr;

/// An image as a user typed it: repository, and a tag, a digest or both.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageRef {
    repository: Repository,
    tag: Option<Tag>,
    digest: Option<Digest>,
}

impl ImageRef {
    /// The repository.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// What to ask the registry for. A digest wins over a tag beside it: the tag may have moved since.
    pub fn version(&self) -> Version {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => Version::Digest(*digest),
            (None, Some(tag)) => Version::Tag(tag.clone()),
            (None, None) => Version::Tag(Tag("latest".to_owned())),
        }
    }

    /// This image at `digest`, the answer of the registry to [`Self::version`].
    pub fn pinned(&self, digest: Digest) -> PinnedImage {
        PinnedImage {
            repository: self.repository.clone(),
            digest,
        }
    }
}

impl FromStr for ImageRef {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let invalid = |why| ReferenceError {
            reference: text.to_owned(),
            why,
        };
        if text.is_empty() {
            return Err(invalid(Malformed::Empty));
        }
        if text.parse::<Digest>().is_ok() {
            return Err(invalid(Malformed::OnlyDigest));
        }
        let (rest, digest) = match text.split_once('@') {
            Some((_, "")) => return Err(invalid(Malformed::NoDigest)),
            Some((rest, digest)) => (
                rest,
                Some(digest.parse().map_err(|e| invalid(Malformed::Digest(e)))?),
            ),
            None => (text, None),
        };
        // A colon after the last slash starts the tag; one before it belongs to the registry's port.
        let name_start = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match rest[name_start..].split_once(':') {
            Some((name, tag)) => (
                &rest[..name_start + name.len()],
                Some(tag.parse().map_err(invalid)?),
            ),
            None => (rest, None),
        };
        Ok(Self {
            repository: name.parse().map_err(invalid)?,
            tag,
            digest,
        })
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// A repository and a digest: the only thing that can be signed, verified or deployed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PinnedImage {
    repository: Repository,
    digest: Digest,
}

impl PinnedImage {
    /// The repository.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The digest of the image's manifest or index.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

impl fmt::Display for PinnedImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.repository, self.digest)
    }
}

/// A registry and a path in it, normalised as Docker does: `nginx` is `docker.io/library/nginx`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Repository {
    registry: String,
    path: String,
}

impl Repository {
    /// The registry as written: a host name, with its port if it has one.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path of the repository within the registry.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl FromStr for Repository {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if text.len() > MAX_NAME_BYTES {
            return Err(Malformed::TooLong);
        }
        if text.contains("://") {
            return Err(Malformed::Scheme);
        }
        let (registry, path) = match text.split_once('/') {
            Some((first, rest)) if is_registry(first) => (first, rest),
            _ => (DOCKER_HUB, text),
        };
        let registry = match registry.to_ascii_lowercase() {
            alias if alias == "index.docker.io" => DOCKER_HUB.to_owned(),
            registry => registry,
        };
        check_registry(&registry)?;
        let path = match path.contains('/') || registry != DOCKER_HUB {
            true => path.to_owned(),
            false => format!("library/{path}"),
        };
        if !path.split('/').all(is_path_component) {
            return Err(Malformed::Path);
        }
        Ok(Self { registry, path })
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.path)
    }
}

/// Docker's rule: the first component is a registry if it cannot be a user name.
fn is_registry(first: &str) -> bool {
    first.contains(['.', ':'])
        || first == "localhost"
        || first.bytes().any(|b| b.is_ascii_uppercase())
}

/// Host name or IP address, and an optional port; no user info, no international names (homographs).
fn check_registry(registry: &str) -> Result<(), Malformed> {
    let (host, port) = match registry.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (registry, None),
    };
    let bracketed = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let host_is_valid = match bracketed {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host.split('.').all(|label| {
                    !label.is_empty()
                        && !label.starts_with('-')
                        && !label.ends_with('-')
                        && label
                            .bytes()
                            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
                })
        }
    };
    let port_is_valid = port.is_none_or(|port| {
        port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port != 0)
    });
    if host_is_valid && port_is_valid {
        Ok(())
    } else {
        Err(Malformed::Registry)
    }
}

/// distribution-spec: `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`.
fn is_path_component(component: &str) -> bool {
    let mut separator = String::new();
    let mut last_was_separator = true;
    for character in component.chars() {
        if character.is_ascii_lowercase() || character.is_ascii_digit() {
            let known = matches!(separator.as_str(), "" | "." | "_" | "__")
                || separator.bytes().all(|b| b == b'-');
            if !known {
                return false;
            }
            separator.clear();
            last_was_separator = false;
        } else if matches!(character, '.' | '_' | '-')
            && !(last_was_separator && separator.is_empty())
        {
            separator.push(character);
            last_was_separator = true;
        } else {
            return false;
        }
    }
    !last_was_separator
}

/// A tag: up to 128 characters of `[A-Za-z0-9_.-]`, not starting with a dot or dash.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tag(String);

impl Tag {
    /// The tag under which a registry without the referrers API lists what refers to `digest`
    /// (distribution-spec, "Referrers Tag Schema").
    pub fn of_referrers(digest: &Digest) -> Self {
        Self(format!("sha256-{}", digest.hex()))
    }

    /// The tag under which cosign v2 keeps the signatures of `digest`.
    pub fn of_signatures(digest: &Digest) -> Self {
        Self(format!("sha256-{}.sig", digest.hex()))
    }

    /// The tag under which cosign v2 keeps the attestations about `digest`.
    pub fn of_attestations(digest: &Digest) -> Self {
        Self(format!("sha256-{}.att", digest.hex()))
    }
}

impl FromStr for Tag {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let valid = (1..=128).contains(&text.len())
            && !text.starts_with(['.', '-'])
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::Tag)
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What names one version of a repository: a tag, which may move, or a digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Version {
    /// A name that may move.
    Tag(Tag),
    /// The content itself.
    Digest(Digest),
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

/// A text that is not an image reference, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{reference}` is not an image reference", reference = .reference.escape_debug())]
pub struct ReferenceError {
    /// The text.
    pub reference: String,
    /// What is wrong with it.
    #[source]
    pub why: Malformed,
}

impl Coded for ReferenceError {
    fn code(&self) -> Code {
        Code::ReferenceInvalid
    }
}

/// What is wrong with a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Nothing at all.
    #[error("it is empty: is the variable set in this job?")]
    Empty,
    /// Nothing after the `@`.
    #[error("there is no digest after the @: did the build step set its output?")]
    NoDigest,
    /// A digest without a repository.
    #[error("a digest needs its repository: registry/repository@sha256:...")]
    OnlyDigest,
    /// A URL instead of a reference.
    #[error("a reference has no scheme: leave out everything up to `://`")]
    Scheme,
    /// The host or port.
    #[error("the registry is not a host name with an optional port")]
    Registry,
    /// The repository path.
    #[error("a repository is lower-case letters, digits and single separators, divided by slashes")]
    Path,
    /// The whole name.
    #[error("a repository has at most 255 characters")]
    TooLong,
    /// The tag.
    #[error(
        "a tag has 1 to 128 characters of A-Z a-z 0-9 _ . - and starts with none of the last two"
    )]
    Tag,
    /// The digest.
    #[error(transparent)]
    Digest(DigestError),
}

const DOCKER_HUB: &str = "docker.io";
/// distribution-spec: many clients limit host and repository to 255 characters.
const MAX_NAME_BYTES: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DIGEST: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    #[test]
    fn normalises_as_docker_does() {
        for (typed, normal) in [
            ("nginx", "docker.io/library/nginx"),
            ("acme/app:1.0", "docker.io/acme/app:1.0"),
            ("index.docker.io/acme/app", "docker.io/acme/app"),
            ("ghcr.io/acme/app:v1", "ghcr.io/acme/app:v1"),
            ("GHCR.io/acme/app", "ghcr.io/acme/app"),
            ("localhost/app", "localhost/app"),
            ("127.0.0.1:5000/a/b/c:x", "127.0.0.1:5000/a/b/c:x"),
            ("[::1]:5000/app", "[::1]:5000/app"),
        ] {
            assert_eq!(typed.parse::<ImageRef>().unwrap().to_string(), normal);
        }
    }

    #[test]
    fn a_digest_wins_over_a_tag_beside_it() {
        let image: ImageRef = format!("ghcr.io/acme/app:v1@{DIGEST}").parse().unwrap();
        assert_eq!(image.version(), Version::Digest(DIGEST.parse().unwrap()));
    }

    #[test]
    fn tricks_with_names_are_refused() {
        for typed in [
            "",
            "/",
            "https://ghcr.io/acme/app",
            "ghcr.io/Acme/app",
            "ghcr.io/acme//app",
            "ghcr.io/acme/app/",
            "user:secret@ghcr.io/acme/app",
            "ghcr.io@evil.example/app",
            "ghcr.io:99999/app",
            "ghcr.io:/app",
            "ghcr.io:0/app",
            "gһcr.io/acme/app",
            "ghcr.io/acme/app:",
            "ghcr.io/acme/app:-x",
            "ghcr.io/acme/app@sha256:12",
            "ghcr.io/acme/app:a:b",
            "ghcr.io/../app",
            "ghcr.io/a..b/app",
            "ghcr.io/a___b/app",
            "-ghcr.io/app",
            "ghcr.io/acme/app@sha256:x@sha256:y",
            "ghcr.io/acme/app\n",
            "[::1/app",
            "ghcr.io/acme/-app",
        ] {
            assert!(typed.parse::<ImageRef>().is_err(), "{typed:?} was accepted");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in ".{0,80}") {
            let _ = text.parse::<ImageRef>();
        }

        #[test]
        fn what_is_accepted_reads_back_the_same(
            text in r"([a-z0-9.]{1,10}(:[0-9]{1,5})?/)?[a-z0-9._/-]{1,20}(:[\w.-]{1,10})?"
        ) {
            if let Ok(image) = text.parse::<ImageRef>() {
                prop_assert_eq!(image.to_string().parse::<ImageRef>().unwrap(), image);
            }
        }
    }
}
