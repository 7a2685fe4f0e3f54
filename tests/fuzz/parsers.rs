//! The parsers of outside bytes. Where something is read, what was read is asked a question, so that a broken invariant
//! shows.

use signgate::ci::IdToken;
use signgate::evidence::{Bundle, Statement, bundle_layer};
use signgate::image::{Digest, ImageIndex, ImageRef};
use signgate::policy::Pattern;
use signgate::report::shown;
use signgate::trust::{PublicKey, Requirements, SigningConfig, TrustedRoot};

type Parser = fn(&[u8]);

/// Every parser by the name of its fuzz target.
pub(crate) const ALL: &[(&str, Parser)] = &[
    ("bundle", bundle),
    ("digest", digest),
    ("id_token", id_token),
    ("image_index", image_index),
    ("image_reference", image_reference),
    ("pattern", pattern),
    ("public_key", public_key),
    ("referrer", referrer),
    ("shown_text", shown_text),
    ("signing_config", signing_config),
    ("statement", statement),
    ("trusted_root", trusted_root),
];

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

fn bundle(bytes: &[u8]) {
    if let Ok(bundle) = Bundle::parse(bytes.to_vec()) {
        assert_eq!(bundle.json(), bytes);
    }
}

fn digest(bytes: &[u8]) {
    if let Ok(digest) = text(bytes).parse::<Digest>() {
        assert_eq!(digest.to_string(), text(bytes));
    }
}

fn id_token(bytes: &[u8]) {
    if let Ok(token) = IdToken::parse(text(bytes)) {
        assert!(text(bytes).contains(token.reveal()));
    }
}

fn image_index(bytes: &[u8]) {
    if let Ok(index) = ImageIndex::parse(bytes) {
        let listed = index.descriptors().count();
        let again = ImageIndex::parse(index.to_manifest().unwrap().bytes()).unwrap();
        assert_eq!(again.descriptors().count(), listed);
    }
}

fn image_reference(bytes: &[u8]) {
    if let Ok(image) = text(bytes).parse::<ImageRef>() {
        assert_eq!(image.to_string().parse::<ImageRef>().unwrap(), image);
    }
}

fn pattern(bytes: &[u8]) {
    if let Ok(pattern) = Pattern::parse(text(bytes)) {
        assert!(!pattern.matches("http://stranger.example/"));
        assert!(!pattern.matches(""));
    }
}

fn public_key(bytes: &[u8]) {
    if let Ok(key) = PublicKey::parse(text(bytes)) {
        assert_ne!(key.fingerprint(), Digest::of(b""));
    }
}

fn referrer(bytes: &[u8]) {
    let _ = bundle_layer(bytes);
}

fn shown_text(bytes: &[u8]) {
    let shown = shown(text(bytes));
    assert!(!shown.chars().any(char::is_control), "{shown:?}");
}

fn signing_config(bytes: &[u8]) {
    let _ = SigningConfig::parse(text(bytes));
}

fn statement(bytes: &[u8]) {
    if let Ok(statement) = Statement::parse(bytes) {
        assert!(!statement.is_about(&Digest::of(bytes)));
    }
}

fn trusted_root(bytes: &[u8]) {
    for requirements in [Requirements::Everything, Requirements::TimestampOnly] {
        let _ = TrustedRoot::parse(text(bytes), requirements);
    }
}

/// Runs the parser of this name.
pub(crate) fn run(name: &str, bytes: &[u8]) {
    for (_, parse) in ALL.iter().filter(|(known, _)| *known == name) {
        parse(bytes);
    }
}
