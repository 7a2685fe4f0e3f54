//! Patterns for identities: anchored by us, and refused where they would let strangers in.
//!
//! Cosign searches its patterns anywhere in the identity, so `github.com/acme/app` matches
//! `https://evil.example/github.com/acme/app`. Here a pattern matches the whole identity or not at all.

use crate::outcome::{Code, Coded};
use regex_lite::Regex;
use std::borrow::Cow;

/// A pattern that matches whole identities and names at least a host.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
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
        if !has_closed_prefix(bare) {
            return Err(PatternError::OpenPrefix);
        }
        let regex = Regex::new(&format!("^(?:{bare})$")).map_err(PatternError::Syntax)?;
        Ok(Self {
            text: text.to_owned(),
            regex,
        })
    }

    /// Whether `identity` as a whole matches.
    pub fn matches(&self, identity: &str) -> bool {
        self.regex.is_match(identity)
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

/// Whether the pattern starts with plain text up to the first slash after the scheme, or up to the `@` of an address at
/// its end: what follows may vary, who vouches for it may not.
fn has_closed_prefix(pattern: &str) -> bool {
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
    let host_is_closed = plain.split_once("://").is_some_and(|(scheme, rest)| {
        !scheme.is_empty() && rest.find('/').is_some_and(|end| end > 0)
    });
    host_is_closed && !has_top_level_alternative(pattern)
}

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
        "the pattern does not start with a fixed scheme and host, so identities of strangers could match"
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
    fn nonsense_is_refused() {
        assert!(matches!(
            Pattern::parse(r"https://github\.com/("),
            Err(PatternError::Syntax(_))
        ));
    }
}
