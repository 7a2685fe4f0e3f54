//! Every parser of outside bytes, on anything: each either reads it or says why not, and never panics. Coverage-guided
//! fuzzing of the same functions is in `tests/fuzz`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "fuzz/parsers.rs"]
#[allow(dead_code, reason = "fuzz targets run one by name")]
mod parsers;

use proptest::collection::vec;
use proptest::prelude::*;

/// Text that gets further than noise: the characters and words that the formats are made of.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(
        &[
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "\"",
            "\\",
            "null",
            "true",
            "0",
            "-1",
            "1e999",
            "9007199254740993",
            "\"mediaType\"",
            "\"application/vnd.dev.sigstore.bundle.v0.3+json\"",
            "\"verificationMaterial\"",
            "\"dsseEnvelope\"",
            "\"payload\"",
            "\"layers\"",
            "\"manifests\"",
            "\"digest\"",
            "sha256:",
            "sha512:",
            "\"_type\"",
            "\"subject\"",
            "https://",
            "github\\.com/",
            "@",
            "/",
            ".",
            "(",
            "|",
            "^",
            "$",
            "é",
            "\u{202e}",
            "eyJ",
            "==",
            "Bearer realm=\"",
            "tlogs",
            "[[[[[[[[[[[[[[[[",
        ][..],
    );
    vec(words, 0..60).prop_map(|words| words.concat().into_bytes())
}

proptest! {
    #[test]
    fn no_parser_panics_on_noise(bytes in vec(any::<u8>(), 0..400)) {
        for (_, parse) in parsers::ALL {
            parse(&bytes);
        }
    }

    #[test]
    fn no_parser_panics_on_what_looks_like_its_format(bytes in nearly()) {
        for (_, parse) in parsers::ALL {
            parse(&bytes);
        }
    }
}

#[test]
fn endless_nesting_is_refused() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(200_000), close.repeat(200_000));
        for (_, parse) in parsers::ALL {
            parse(deep.as_bytes());
        }
    }
}

#[test]
fn every_parser_has_a_fuzz_target() {
    let targets = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/fuzz_targets");
    let mut found: Vec<String> = std::fs::read_dir(targets)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    let mut wanted: Vec<String> = parsers::ALL
        .iter()
        .map(|(name, _)| format!("{name}.rs"))
        .collect();
    wanted.sort();
    assert_eq!(found, wanted);
}
