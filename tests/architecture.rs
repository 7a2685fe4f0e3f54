//! The rules of the house, read from the source: who may import whom, where a heavy dependency may be named, how long a
//! file may be, and who may make a `Verified`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Values in, values out. No files, network, environment, clock, randomness or threads.
const PURE: &[&str] = &[
    "ci", "evidence", "image", "limits", "outcome", "policy", "report", "trust", "verify",
];

/// Crates that may be named in these places only, so that each can be replaced there.
const HEAVY: &[(&str, &[&str])] = &[
    (
        "sigstore_verify",
        &[
            "evidence/bundle.rs",
            "trust/",
            "verify/",
            "adapters/key.rs",
            "adapters/fulcio.rs",
            "adapters/rekor.rs",
            // The roots of trust that the crates carry.
            "adapters/tuf/mod.rs",
            "sandbox/",
        ],
    ),
    ("sigstore_tuf", &["adapters/tuf/", "sandbox/tuf/"]),
    ("reqwest", &["adapters/http.rs", "sandbox/"]),
    ("docker_credential", &["adapters/registry/credentials.rs"]),
    (
        "tokio",
        &[
            "adapters/http.rs",
            "adapters/registry/auth.rs",
            "cli/",
            "sandbox/",
        ],
    ),
    ("clap", &["cli/", "main.rs"]),
    ("anyhow", &["cli/sandbox.rs", "cli/demo.rs"]),
    ("axum", &["sandbox/"]),
    (
        "x509_cert",
        &["trust/validity.rs", "verify/certificate.rs", "sandbox/"],
    ),
    ("cms", &["sandbox/"]),
    ("aws_lc_rs", &["sandbox/"]),
    ("sha2", &["image/digest.rs"]),
    ("regex_lite", &["policy/pattern.rs"]),
];

/// Lines of code, without comments, blank lines and tests.
const LONGEST_FILE: usize = 300;

#[test]
fn arrows_point_one_way() {
    let mut wrong = Vec::new();
    for file in sources() {
        let module = file.module();
        for (import, below) in file.imports() {
            let allowed = match module {
                pure if PURE.contains(&pure) => PURE.contains(&import.as_str()),
                "flow" => import == "flow" || PURE.contains(&import.as_str()),
                "adapters" => {
                    PURE.contains(&import.as_str())
                        || (import == "flow" && below == "ports")
                        || (import == "adapters" && below == "http")
                }
                "sandbox" => import != "cli",
                "cli" | "lib.rs" | "main.rs" => true,
                other => panic!("{other} is not in the map of the house (src/lib.rs)"),
            };
            if !allowed {
                wrong.push(format!("{} imports {import}::{below}", file.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn adapters_do_not_reach_each_other_through_super() {
    for file in sources().iter().filter(|file| file.module() == "adapters") {
        let depth = file.name.matches('/').count();
        for line in file.code() {
            let Some((_, path)) = line.split_once(&"super::".repeat(depth)) else {
                continue;
            };
            assert!(path.starts_with("http"), "{}: {line}", file.name);
        }
    }
}

#[test]
fn a_heavy_dependency_is_named_where_it_can_be_replaced() {
    let mut wrong = Vec::new();
    for file in sources() {
        for (name, places) in HEAVY {
            let is_here = file.code().any(|line| names_crate(line, name));
            let may_be_here = places.iter().any(|place| file.name.starts_with(place));
            if is_here && !may_be_here {
                wrong.push(format!("{} names {name}", file.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn pure_modules_and_flows_take_time_and_environment_as_arguments() {
    let ambient = [
        "std::env",
        "std::fs",
        "std::net::Tcp",
        "std::process",
        "std::thread",
        "SystemTime",
        "Instant::now",
        "Timestamp::now",
    ];
    for file in sources() {
        if !PURE.contains(&file.module()) && file.module() != "flow" {
            continue;
        }
        for line in file.code() {
            assert!(
                !ambient.iter().any(|name| line.contains(name)),
                "{}: {line}",
                file.name
            );
        }
    }
}

#[test]
fn only_the_verifier_makes_verified_evidence() {
    let makers: BTreeSet<String> = sources()
        .into_iter()
        .filter(|file| {
            file.code().any(|line| {
                line.contains("Verified {") && !line.contains("struct") && !line.contains("impl")
            })
        })
        .map(|file| file.name)
        .collect();
    assert_eq!(makers, BTreeSet::from(["verify/bundle.rs".to_owned()]));
}

#[test]
fn files_stay_readable() {
    for file in sources() {
        let length = file.code().count();
        assert!(
            length <= LONGEST_FILE,
            "{} has {length} lines of code",
            file.name
        );
    }
}

#[test]
fn the_rules_see_what_they_forbid() {
    let file = Source {
        name: "policy/mod.rs".to_owned(),
        text: "use crate::adapters::http::Http;\nuse crate::{cli, report::text};\n// crate::flow\nlet x = crate::image::Digest;".to_owned(),
    };
    let imports: Vec<_> = file
        .imports()
        .into_iter()
        .map(|(module, _)| module)
        .collect();
    assert_eq!(imports, ["adapters", "cli", "report", "image"]);
    assert!(names_crate("use reqwest::Client;", "reqwest"));
    assert!(!names_crate("use crate::reqwest_like::x;", "reqwest"));
}

struct Source {
    name: String,
    text: String,
}

impl Source {
    /// The first part of the path: the room that the file is in.
    fn module(&self) -> &str {
        let room = self.name.split('/').next().unwrap();
        match room {
            "lib.rs" | "main.rs" => room,
            room => room.trim_end_matches(".rs"),
        }
    }

    /// Lines of code up to the tests.
    fn code(&self) -> impl Iterator<Item = &str> {
        self.text
            .lines()
            .take_while(|line| line.trim() != "#[cfg(test)]")
            .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with("//"))
    }

    /// Every `crate::module::name` in the code, with `crate::{…}` taken apart.
    fn imports(&self) -> Vec<(String, String)> {
        let code: String = self.code().flat_map(|line| [line, "\n"]).collect();
        let mut imports = Vec::new();
        for (start, _) in code.match_indices("crate::") {
            let before = code[..start].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '$')) {
                continue;
            }
            let rest = &code[start + "crate::".len()..];
            match rest.strip_prefix('{') {
                Some(group) => {
                    let group = group.split("};").next().unwrap();
                    imports.extend(group.split(',').map(|path| first_two(path.trim())));
                }
                None => imports.push(first_two(rest)),
            }
        }
        imports
    }
}

fn first_two(path: &str) -> (String, String) {
    let word = |text: &str| -> String {
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let module = word(path);
    let below = path[module.len()..]
        .strip_prefix("::")
        .map(word)
        .unwrap_or_default();
    (module, below)
}

/// Whether `line` names the crate, as a path or in a `use`.
fn names_crate(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + name.len()..].chars().next();
        let is_word = before.is_none_or(|c| {
            !c.is_alphanumeric() && !matches!(c, '_' | ':' | '"' | '/' | '.' | '`')
        });
        is_word && line[start + name.len()..].starts_with("::")
            || (line.trim() == format!("use {name};") && after == Some(';'))
    })
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    assert!(files.len() > 30, "the source was not found");
    files
        .into_iter()
        .map(|path| Source {
            name: path
                .strip_prefix(&root)
                .unwrap()
                .to_str()
                .unwrap()
                .replace('\\', "/"),
            text: fs::read_to_string(&path).unwrap(),
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
