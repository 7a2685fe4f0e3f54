//! The README says what is true: its generated parts are what the program prints, its commands run, its links lead
//! somewhere.
//!
//! `UPDATE_README=1 cargo test --features sandbox --test readme` writes the generated parts.
#![cfg(feature = "sandbox")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use signgate::outcome::Code;
use signgate::sandbox::{Options, Sandbox};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

#[test]
fn the_generated_parts_are_what_the_program_prints() {
    let written = readme();
    let mut generated = written.clone();
    for (begin, end, content) in [
        ("<!-- codes -->\n", "<!-- /codes -->", codes()),
        ("<!-- help sign -->\n", "<!-- /help -->", usage("sign")),
        ("<!-- help verify -->\n", "<!-- /help -->", usage("verify")),
        (
            "<!-- help sign-blob -->\n",
            "<!-- /help -->",
            usage("sign-blob"),
        ),
        (
            "<!-- help verify-blob -->\n",
            "<!-- /help -->",
            usage("verify-blob"),
        ),
    ] {
        generated = replace_between(&generated, begin, end, &content);
    }
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(root().join("README.md"), &generated).unwrap();
    } else {
        assert_eq!(
            written, generated,
            "the README is behind: UPDATE_README=1 cargo test --features sandbox --test readme"
        );
    }
}

#[test]
fn its_two_commands_are_the_ones_that_ci_runs() {
    let ci = std::fs::read_to_string(root().join(".ci/run")).unwrap();
    let blocks = blocks("commands");
    assert_eq!(blocks.len(), 1);
    assert_eq!(blocks[0].text.lines().count(), 2);
    for command in blocks[0].text.lines() {
        let step = format!("\" {command}");
        assert!(
            ci.lines()
                .any(|line| line.starts_with("step ") && line.ends_with(&step)),
            "no step of .ci/run is `{command}`"
        );
    }
}

#[test]
fn the_demo_shows_what_the_readme_shows() {
    let output = signgate(&["demo"]);
    assert!(output.status.success(), "{output:?}");
    let shown = String::from_utf8(output.stdout).unwrap();
    let mut rest = shown.lines();
    let blocks = blocks("demo");
    assert_eq!(blocks.len(), 1);
    for wanted in blocks[0].text.lines().filter(|line| *line != "…") {
        assert!(
            rest.any(|line| matches(wanted, line)),
            "the demo does not show, at its place:\n{wanted}\n---\n{shown}"
        );
    }
}

#[test]
fn its_runnable_blocks_run() {
    let blocks = blocks("run: exit ");
    assert!(!blocks.is_empty());
    for block in blocks {
        let output = signgate(&["sandbox", "up", "--", "sh", "-euc", &block.text]);
        assert_eq!(
            output.status.code(),
            block.marker["run: exit ".len()..].parse().ok(),
            "{}\n{}{}",
            block.text,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn every_option_and_variable_that_it_names_exists() {
    let mut known: BTreeSet<String> = OPTIONS_OF_OTHERS.iter().map(ToString::to_string).collect();
    for command in [
        &["sign", "--help"][..],
        &["verify", "--help"],
        &["sign-blob", "--help"],
        &["verify-blob", "--help"],
        &["trust", "--help"],
        &["trust", "export", "--help"],
        &["sandbox", "up", "--help"],
    ] {
        known.extend(names(&help(command)));
    }
    known.extend(sandbox_variables());
    let named = names(&readme());
    assert!(named.contains("--certificate-identity"));
    for name in named {
        assert!(known.contains(&name), "{name} does not exist");
    }
}

#[test]
fn every_link_and_path_leads_somewhere() {
    let readme = readme();
    let links = readme
        .split("](")
        .skip(1)
        .filter_map(|after| after.split(')').next())
        .filter(|target| !target.starts_with("https://"));
    let paths = readme.split('`').filter(|code| {
        ["src/", "tests/", "scripts/", ".ci/", ".github/"]
            .iter()
            .any(|folder| code.starts_with(folder))
    });
    let headings: Vec<String> = readme
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| line.trim_start_matches(['#', ' ']).to_lowercase())
        .map(|heading| format!("#{}", heading.replace(' ', "-")))
        .collect();
    for target in links.chain(paths) {
        let leads = if target.starts_with('#') {
            headings.iter().any(|heading| heading == target)
        } else {
            root().join(target).exists()
        };
        assert!(leads, "{target} leads nowhere");
    }
}

/// Options of cargo and docker in the README.
const OPTIONS_OF_OTHERS: &[&str] = &[
    "--features",
    "--locked",
    "--password-stdin",
    "--path",
    "--tag",
    "--test",
];

fn codes() -> String {
    let mut table = String::from("| code | exit | means | what to do |\n|---|---|---|---|\n");
    for code in Code::ALL {
        let (id, exit, meaning, fix) = (code.id(), code.exit(), code.meaning(), code.fix());
        writeln!(table, "| `{id}` | {exit} | {meaning} | {fix} |").unwrap();
    }
    table
}

fn usage(command: &str) -> String {
    format!("```text\n{}```\n", help(&[command, "-h"]))
}

fn help(arguments: &[&str]) -> String {
    let output = signgate(arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs the program in a bare environment, in which it is found by its name.
fn signgate(arguments: &[&str]) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_signgate"));
    let home = tempfile::tempdir().unwrap();
    let mut path = vec![program.parent().unwrap().to_path_buf()];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    Command::new(program)
        .args(arguments)
        .current_dir(home.path())
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", std::env::join_paths(path).unwrap())
        .output()
        .unwrap()
}

fn sandbox_variables() -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let sandbox = runtime
        .block_on(Sandbox::start(Options::default()))
        .unwrap();
    let variables = sandbox.environment().into_iter();
    variables.map(|(name, _)| name.to_owned()).collect()
}

/// A fenced block and the comment in the line above it.
struct Block {
    marker: String,
    text: String,
}

/// The blocks whose comment begins with `marker`.
fn blocks(marker: &str) -> Vec<Block> {
    let readme = readme();
    let (mut blocks, mut before, mut lines) = (Vec::new(), "", readme.lines());
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            let inside = lines.by_ref().take_while(|line| !line.starts_with("```"));
            let text = inside.map(|line| format!("{line}\n")).collect();
            let comment = before.strip_prefix("<!-- ").unwrap_or_default();
            blocks.push(Block {
                marker: comment.trim_end_matches(" -->").to_owned(),
                text,
            });
        }
        before = line;
    }
    blocks.retain(|block| block.marker.starts_with(marker));
    blocks
}

/// Whether `line` is `pattern`, in which `…` stands for anything.
fn matches(pattern: &str, line: &str) -> bool {
    let Some((start, pattern)) = pattern.split_once('…') else {
        return pattern == line;
    };
    let Some(mut rest) = line.strip_prefix(start) else {
        return false;
    };
    let mut parts: Vec<&str> = pattern.split('…').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(end)
}

fn replace_between(text: &str, begin: &str, end: &str, content: &str) -> String {
    let (before, rest) = text.split_once(begin).expect(begin);
    let (_, after) = rest.split_once(end).expect(end);
    format!("{before}{begin}{content}{end}{after}")
}

/// The names of options and of our own variables in a text.
fn names(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
        .filter(|word| word.starts_with("SIGNGATE_") || word.len() > 2 && word.starts_with("--"))
        // Table rules and the ends of comments.
        .filter(|word| word.contains(char::is_alphabetic))
        .map(str::to_owned)
        .collect()
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
