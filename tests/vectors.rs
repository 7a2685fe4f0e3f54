//! The public test vectors (`../shared/vectors/bundle-verify`, its README says how a case is run), through the real
//! program: what must verify does, and what must not is refused with a code, never by a crash, a usage error or a file
//! that cannot be read.
//!
//! `SIGNGATE_VERDICTS=FILE` writes the verdicts, to compare other builds with: `{case: {form: {exit, code}}}`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use assert_cmd::Command;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

type Verdicts = BTreeMap<String, BTreeMap<String, Value>>;

#[test]
fn every_public_vector_has_its_verdict() {
    let Some(vectors) = vectors() else { return };
    let verdicts: Verdicts = cases(&vectors)
        .into_iter()
        .map(|case| (name(&case), verdicts_on(&case, &vectors)))
        .collect();
    if let Some(file) = std::env::var_os("SIGNGATE_VERDICTS") {
        fs::write(file, serde_json::to_vec_pretty(&verdicts).unwrap()).unwrap();
    }

    let known = codes();
    let mut wrong = Vec::new();
    for (case, forms) in &verdicts {
        for (form, verdict) in forms {
            let is_right = match (case.ends_with("_fail"), known.get(case)) {
                (false, _) => *verdict == json!({"exit": 0, "code": null}),
                (true, Some(code)) => is_refusal(verdict) && verdict["code"] == **code,
                // More cases exist than these; each must at least be refused for a reason.
                (true, None) => is_refusal(verdict),
            };
            if !is_right {
                wrong.push(format!("{case} by {form}: {verdict}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_known_code_belongs_to_a_vector() {
    let Some(vectors) = vectors() else { return };
    for case in codes().keys() {
        assert!(vectors.join(case).is_dir(), "{case} is gone");
    }
}

fn is_refusal(verdict: &Value) -> bool {
    verdict["exit"]
        .as_i64()
        .is_some_and(|exit| (10..=14).contains(&exit))
        && verdict["code"].is_string()
}

/// The verdict on the artifact by its path, and by its digest.
fn verdicts_on(case: &Path, vectors: &Path) -> BTreeMap<String, Value> {
    let own = case.join("artifact");
    let artifact = if own.exists() {
        own
    } else {
        vectors.join("a.txt")
    };
    let digest = signgate::image::Digest::of(&fs::read(&artifact).unwrap()).to_string();
    [("path", artifact.to_str().unwrap()), ("digest", &digest)]
        .into_iter()
        .map(|(form, artifact)| (form.to_owned(), verdict(case, artifact)))
        .collect()
}

fn verdict(case: &Path, artifact: &str) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signgate"));
    command
        .env_clear()
        .args(["verify-blob", "--format", "json", "--bundle"])
        .arg(case.join("bundle.sigstore.json"));
    if case.join("key.pub").exists() {
        command.arg("--key").arg(case.join("key.pub"));
    } else {
        let said = |file: &str, default: &str| {
            let text = fs::read_to_string(case.join(file));
            text.map_or(default.to_owned(), |text| text.trim().to_owned())
        };
        command
            .args(["--certificate-identity", &said("identity", IDENTITY)])
            .args(["--certificate-oidc-issuer", &said("issuer", ISSUER)]);
    }
    if case.join("trusted_root.json").exists() {
        command
            .arg("--trusted-root")
            .arg(case.join("trusted_root.json"));
    }
    let output = command.arg(artifact).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let code = [&report["files"][0]["code"], &report["problem"]["code"]]
        .into_iter()
        .find(|code| code.is_string());
    json!({"exit": output.status.code(), "code": code})
}

fn name(case: &Path) -> String {
    case.file_name().unwrap().to_str().unwrap().to_owned()
}

fn cases(vectors: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(vectors).unwrap();
    let cases: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    assert!(cases.len() > 20, "the vectors are incomplete");
    cases
}

/// The codes of the refusals that are known, each looked at once.
fn codes() -> BTreeMap<String, String> {
    serde_json::from_str(include_str!("data/vectors.json")).unwrap()
}

/// The folder with the vectors; nothing, with a visible line, where it is not there.
fn vectors() -> Option<PathBuf> {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors/bundle-verify");
    // The checkout may lie elsewhere than beside the folder.
    let vectors = std::env::var_os("SIGNGATE_VECTORS").map_or(vectors, PathBuf::from);
    if vectors.is_dir() {
        return Some(vectors);
    }
    assert!(
        std::env::var_os("CI").is_none_or(|ci| ci != "true"),
        "{} is not there",
        vectors.display()
    );
    #[expect(clippy::print_stderr, reason = "a test that does not run says so")]
    {
        eprintln!("SKIPPED: {} is not there", vectors.display());
    }
    None
}

const IDENTITY: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
const ISSUER: &str = "https://token.actions.githubusercontent.com";
