//! Patterns for identities: anchored by us, and refused where they would let strangers in.
//!
//! Cosign searches its patterns anywhere in the identity, so `github.com/acme/app` matches
//! `https://evil.example/github.com/acme/app`. Here a pattern matches the whole identity or not at all.

use crate::outcome::{Code, Coded};
use regex_lite::Regex;
use std::borrow::Cow;

/// A pattern that matches whole identities and names at least a host, and the owner on one that everybody shares.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    /// What every match starts with, so that no trick of syntax opens the front.
    prefix: String,
    regex: Regex,
}

impl Pattern {
    /// Reads a regular expression (RE2's syntax without look-around; `\d` and `\w` are ASCII, as in Go).
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let bare = text.strip_prefix('^').unwrap_or(text);
        let bare = match bare.strip_suffix('$') {
            Some(inner) if !inner.ends_with('\\') => inner,
            _ => bare,
        };
        let corrected = escape_host_dots(bare);
        if corrected != bare {
            return Err(PatternError::UnescapedDot { corrected });
        }
        let prefix = closed_prefix(bare).ok_or(PatternError::OpenPrefix)?;
        // Alone first: `a)|(.*` would become an expression only by the parentheses around it.
        Regex::new(bare).map_err(PatternError::Syntax)?;
        let regex = Regex::new(&format!("^(?:{bare})$")).map_err(PatternError::Syntax)?;
        Ok(Self {
            text: text.to_owned(),
            prefix,
            regex,
        })
    }

    /// Whether `identity` as a whole matches.
    pub fn matches(&self, identity: &str) -> bool {
        identity.starts_with(&self.prefix) && self.regex.is_match(identity)
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

/// Escapes the dots that stand between two letters or digits, as in `github.com` and `release.yml`: nobody who writes
/// them means "any character". A dot that is quantified, as in `.*`, is meant.
fn escape_host_dots(pattern: &str) -> String {
    let characters: Vec<char> = pattern.chars().collect();
    let mut corrected = String::new();
    let mut in_class = false;
    for (position, &character) in characters.iter().enumerate() {
        let before = position.checked_sub(1).map(|before| characters[before]);
        let after = characters.get(position + 1);
        let escaped = before == Some('\\') && !is_escaped_backslash(&characters, position - 1);
        match character {
            '[' if !escaped => in_class = true,
            ']' if !escaped => in_class = false,
            _ => {}
        }
        let is_quantified = matches!(after, Some('*' | '+' | '?' | '{'));
        if character == '.' && !escaped && !in_class && !is_quantified {
            corrected.push('\\');
        }
        corrected.push(character);
    }
    corrected
}

fn is_escaped_backslash(characters: &[char], position: usize) -> bool {
    let run = characters[..position]
        .iter()
        .rev()
        .take_while(|c| **c == '\\')
        .count();
    run % 2 == 1
}

/// The plain text that the pattern starts with, if it goes at least to the slash after the host, and on a host that
/// everybody shares to the slash after the owner: what follows may vary, who vouches for it may not.
fn closed_prefix(pattern: &str) -> Option<String> {
    let mut plain = String::new();
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(escaped) if !escaped.is_ascii_alphanumeric() => plain.push(escaped),
                _ => break,
            },
            '.' | '*' | '+' | '?' | '(' | '[' | '{' | '|' | '^' | '$' => break,
            character => plain.push(character),
        }
        // A quantifier makes the character before it vary.
        if matches!(characters.peek(), Some('*' | '+' | '?' | '{')) {
            plain.pop();
            break;
        }
    }
    let (scheme, rest) = plain.split_once("://")?;
    let (host, path) = rest.split_once('/')?;
    let owner_is_closed = path
        .split_once('/')
        .is_some_and(|(owner, _)| !owner.is_empty());
    let is_closed = !scheme.is_empty()
        && !host.is_empty()
        && (owner_is_closed || !SHARED_HOSTS.contains(&host));
    (is_closed && !has_top_level_alternative(pattern)).then_some(plain)
}

/// Where the host alone is nobody's name.
const SHARED_HOSTS: [&str; 4] = ["github.com", "gitlab.com", "buildkite.com", "bitbucket.org"];

/// `a|b`: each side would need a prefix of its own.
fn has_top_level_alternative(pattern: &str) -> bool {
    let (mut depth, mut escaped, mut in_class) = (0_i32, false, false);
    for character in pattern.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            _ if in_class => {}
            '(' => depth += 1,
            ')' => depth -= 1,
            '|' if depth == 0 => return true,
            _ => {}
        }
    }
    false
}

/// Why a pattern is refused.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    /// Not a regular expression.
    #[error("the pattern is not a regular expression")]
    Syntax(#[source] regex_lite::Error),
    /// A dot that matches any character.
    #[error("the pattern has a dot that would match any character")]
    UnescapedDot {
        /// The pattern with these dots escaped.
        corrected: String,
    },
    /// Anybody's host would match.
    #[error(
        "the pattern does not start with a fixed scheme, host and owner, so identities of strangers could match"
    )]
    OpenPrefix,
}

impl Coded for PatternError {
    fn code(&self) -> Code {
        Code::PatternUnsafe
    }

    fn fix(&self) -> Cow<'static, str> {
        match self {
            Self::UnescapedDot { corrected } => Cow::Owned(format!("write it as {corrected}")),
            Self::OpenPrefix => Cow::Borrowed(
                "start it with the host, for example https://github\\.com/acme/app/\\.github/workflows/[a-z]+\\.yml@refs/heads/main",
            ),
            Self::Syntax(_) => Cow::Borrowed(Code::PatternUnsafe.fix()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        r"https://github\.com/acme/app/\.github/workflows/[a-z]+\.yml@refs/(heads/main|tags/v.*)";

    #[test]
    fn matches_the_whole_identity_or_nothing() {
        for pattern in [GOOD.to_owned(), format!("^{GOOD}$")] {
            let pattern = Pattern::parse(&pattern).unwrap();
            assert!(pattern.matches(
                "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"
            ));
            assert!(
                pattern.matches(
                    "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1"
                )
            );
            for stranger in [
                "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main-evil",
                "https://evil.example/https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main",
                "https://github.com/acme/app-evil/.github/workflows/release.yml@refs/heads/main",
                "https://githubXcom/acme/app/.github/workflows/release.yml@refs/heads/main",
                "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main\n",
            ] {
                assert!(!pattern.matches(stranger), "{stranger:?}");
            }
        }
    }

    #[test]
    fn an_unescaped_dot_is_refused_with_the_corrected_pattern() {
        for (written, right) in [
            ("https://github.com/acme/.*", r"https://github\.com/acme/.*"),
            (
                r"^https://github\.com/acme/app/release.yml@.+$",
                r"https://github\.com/acme/app/release\.yml@.+",
            ),
            (
                r"https://github\\.com/acme/x",
                r"https://github\\\.com/acme/x",
            ),
        ] {
            let Err(PatternError::UnescapedDot { corrected }) = Pattern::parse(written) else {
                panic!("{written} was accepted")
            };
            assert_eq!(corrected, right);
        }
        Pattern::parse(r"https://github\.com/acme/[a.b]+").unwrap();
    }

    #[test]
    fn an_open_prefix_is_refused() {
        for pattern in [
            "",
            ".*",
            ".+",
            r"https://.*\.com/acme",
            r"https?://github\.com/acme/x",
            r"https://github\.com",
            r"[a-z]+://github\.com/acme",
            r"(https://github\.com/acme|.*)",
            r"https://github\.com/acme|.*",
            r"\w+://github\.com/acme/",
            r"https://github\.com/a|https://gitlab\.com/a",
            "acme",
        ] {
            assert!(
                matches!(Pattern::parse(pattern), Err(PatternError::OpenPrefix)),
                "{pattern}"
            );
        }
    }

    #[test]
    fn no_trick_of_syntax_opens_the_front() {
        for pattern in [
            r"https://gitlab\.com/zzz/x)|(.*",
            "https://gitlab\\.com/a/(?x)#[\n|.*",
            r"https://github\.com/.*",
            r"https://github\.com/.+",
            r"https://github\.com/[^/]+/[^/]+/.*",
            r"https://github\.com/acme.*",
        ] {
            let Ok(pattern) = Pattern::parse(pattern) else {
                continue;
            };
            for stranger in [
                "https://github.com/evil/app",
                "https://github.com/acme-evil/app",
                "x",
            ] {
                assert!(!pattern.matches(stranger), "{pattern:?} matches {stranger}");
            }
        }
        // A host of one's own may be open behind it.
        assert!(
            Pattern::parse(r"https://gitlab\.corp\.example/.*")
                .unwrap()
                .matches("https://gitlab.corp.example/a//b")
        );
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(matches!(
            Pattern::parse(r"https://github\.com/acme/("),
            Err(PatternError::Syntax(_))
        ));
    }
}
