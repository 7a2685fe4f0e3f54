//! Every part of a bundle matters: change, drop, repeat or exchange any of it, and it is refused, or the mutant is shown
//! to be harmless by name and reason.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use signgate::evidence::{Bundle, Statement};
use signgate::image::Digest;
use signgate::sandbox::{Options, RekorVersion, Sandbox};
use signgate::trust::{Requirements, TrustedRoot};
use signgate::verify;

/// What may change without harm, by its path (`*` for an index), and why.
const HARMLESS: &[(RekorVersion, &str, &str)] = &[
    (
        RekorVersion::V1,
        "/verificationMaterial/timestampVerificationData",
        TIME_BY_PROMISE,
    ),
    (
        RekorVersion::V1,
        "/verificationMaterial/timestampVerificationData/rfc3161Timestamps",
        TIME_BY_PROMISE,
    ),
    (
        RekorVersion::V1,
        "/verificationMaterial/timestampVerificationData/rfc3161Timestamps/*",
        TIME_BY_PROMISE,
    ),
    (
        RekorVersion::V1,
        "/verificationMaterial/tlogEntries/*/inclusionPromise",
        TIME_BY_TIMESTAMP,
    ),
    (
        RekorVersion::V2,
        "/verificationMaterial/tlogEntries/*/inclusionProof/logIndex",
        COPY,
    ),
    (
        RekorVersion::V2,
        "/verificationMaterial/tlogEntries/*/inclusionProof/rootHash",
        COPY,
    ),
    (
        RekorVersion::V2,
        "/verificationMaterial/tlogEntries/*/inclusionProof/treeSize",
        COPY,
    ),
];
const TIME_BY_PROMISE: &str = "without it the log's promise, which it signed, still tells the time";
const TIME_BY_TIMESTAMP: &str =
    "without it the proof still shows the entry, and the signed timestamp the time";
const COPY: &str =
    "a copy that nobody uses: the signed checkpoint has root and size, the entry its index";

struct Bench {
    root: TrustedRoot,
    digest: Digest,
    original: Value,
    other: Value,
    rekor: RekorVersion,
}

impl Bench {
    async fn new(rekor: RekorVersion) -> Self {
        let sandbox = Sandbox::start(Options::default()).await.unwrap();
        let root = std::fs::read_to_string(sandbox.trusted_root_path()).unwrap();
        let digest = Digest::of(b"an image");
        let statements = [
            Statement::image_signature(&digest),
            Statement::image_signature(&Digest::of(b"another image")),
        ];
        let job = sandbox.oidc().job();
        let [original, other] = sandbox
            .forger()
            .pair([&statements[0], &statements[1]], &job, rekor)
            .unwrap()
            .map(|bundle| serde_json::from_str(&bundle).unwrap());
        let bench = Self {
            root: TrustedRoot::parse(&root, Requirements::Everything).unwrap(),
            digest,
            original,
            other,
            rekor,
        };
        assert!(
            bench.accepts(&bench.original),
            "the original is not accepted"
        );
        bench
    }

    fn accepts(&self, bundle: &Value) -> bool {
        let bundle = Bundle::parse(bundle.to_string().into_bytes());
        bundle.is_ok_and(|bundle| verify::image_signature(bundle, &self.digest, &self.root).is_ok())
    }

    /// Collects what is accepted although it is not known to be harmless.
    fn survivors(&self, mutants: impl IntoIterator<Item = (String, Value)>) -> Vec<String> {
        let mut count = 0;
        let survivors: Vec<String> = mutants
            .into_iter()
            .inspect(|_| count += 1)
            .filter(|(name, mutant)| {
                *mutant != self.original && !self.is_harmless(name) && self.accepts(mutant)
            })
            .map(|(name, _)| name)
            .collect();
        assert!(count > 20, "only {count} mutants");
        survivors
    }

    fn is_harmless(&self, name: &str) -> bool {
        let path = name.split(' ').next_back().unwrap();
        let general: Vec<&str> = path
            .split('/')
            .map(|part| {
                if part.parse::<usize>().is_ok() {
                    "*"
                } else {
                    part
                }
            })
            .collect();
        let general = general.join("/");
        HARMLESS.iter().any(|(rekor, harmless, why)| {
            *rekor == self.rekor && *harmless == general && !why.is_empty()
        })
    }

    /// The paths of everything in the bundle, parents before children.
    fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        collect(&self.original, String::new(), &mut paths);
        paths
    }
}

fn collect(value: &Value, path: String, paths: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(n, value)| (n.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    if !path.is_empty() {
        paths.push(path.clone());
    }
    for (name, child) in children {
        collect(child, format!("{path}/{name}"), paths);
    }
}

fn with(bundle: &Value, path: &str, value: Value) -> Value {
    let mut changed = bundle.clone();
    *changed.pointer_mut(path).unwrap() = value;
    changed
}

fn without(bundle: &Value, path: &str) -> Value {
    let (parent, name) = path.rsplit_once('/').unwrap();
    let mut changed = bundle.clone();
    match changed.pointer_mut(parent).unwrap() {
        Value::Object(fields) => drop(fields.remove(name)),
        Value::Array(items) => drop(items.remove(name.parse().unwrap())),
        _ => unreachable!("a parent has children"),
    }
    changed
}

/// One bit in the first, the middle and the last byte of what is base64; one more in a number; one letter in a text.
fn flips(value: &Value) -> Vec<Value> {
    let Value::String(text) = value else {
        return Vec::new();
    };
    if let Ok(number) = text.parse::<u64>() {
        return vec![
            (number + 1).to_string().into(),
            (number ^ 1 << 20).to_string().into(),
        ];
    }
    let Ok(bytes) = STANDARD.decode(text) else {
        return vec![
            format!("{text}x").into(),
            text.to_uppercase().into(),
            "".into(),
        ];
    };
    let positions = [0, bytes.len() / 2, bytes.len().saturating_sub(1)];
    let flipped = positions.map(|position| {
        let mut flipped = bytes.clone();
        flipped[position] ^= 1;
        Value::String(STANDARD.encode(flipped))
    });
    let shorter = STANDARD.encode(&bytes[..bytes.len() - 1]);
    flipped.into_iter().chain([shorter.into()]).collect()
}

macro_rules! for_both {
    ($($name:ident / $name_2:ident: $mutants:expr;)+) => {$(
        #[tokio::test]
        async fn $name() {
            let bench = Bench::new(RekorVersion::V1).await;
            assert_eq!(bench.survivors($mutants(&bench)), Vec::<String>::new());
        }

        #[tokio::test]
        async fn $name_2() {
            let bench = Bench::new(RekorVersion::V2).await;
            assert_eq!(bench.survivors($mutants(&bench)), Vec::<String>::new());
        }
    )+};
}

for_both! {
    no_field_can_be_changed_1 / no_field_can_be_changed_2: |bench: &Bench| -> Vec<(String, Value)> {
        let change = |path: String| {
            let flips = flips(bench.original.pointer(&path).unwrap());
            let mutant = |value| (format!("change {path}"), with(&bench.original, &path, value));
            flips.into_iter().map(mutant).collect::<Vec<_>>()
        };
        bench.paths().into_iter().flat_map(change).collect()
    };
    no_field_can_be_dropped_1 / no_field_can_be_dropped_2: |bench: &Bench| -> Vec<(String, Value)> {
        let drop = |path: String| (format!("drop {path}"), without(&bench.original, &path));
        bench.paths().into_iter().map(drop).collect()
    };
    no_field_can_be_exchanged_1 / no_field_can_be_exchanged_2: |bench: &Bench| -> Vec<(String, Value)> {
        let exchange = |path: String| {
            let theirs = bench.other.pointer(&path)?.clone();
            Some((format!("exchange {path}"), with(&bench.original, &path, theirs)))
        };
        bench.paths().into_iter().filter_map(exchange).collect()
    };
    no_field_can_be_of_another_kind_1 / no_field_can_be_of_another_kind_2: |bench: &Bench| -> Vec<(String, Value)> {
        let others = [Value::Null, 7.into(), true.into(), Value::Array(Vec::new()), serde_json::json!({})];
        let kind = |path: String| {
            let mutant = |value: &Value| (format!("kind {path}"), with(&bench.original, &path, value.clone()));
            others.iter().map(mutant).collect::<Vec<_>>()
        };
        bench.paths().into_iter().flat_map(kind).collect()
    };
}

#[tokio::test]
async fn a_second_entry_or_timestamp_of_another_signature_spoils_the_bundle() {
    for rekor in RekorVersion::ALL {
        let bench = Bench::new(rekor).await;
        for list in [
            "/verificationMaterial/tlogEntries",
            "/verificationMaterial/timestampVerificationData/rfc3161Timestamps",
        ] {
            let theirs = bench.other.pointer(list).unwrap()[0].clone();
            let mut both = bench.original.clone();
            both.pointer_mut(list)
                .unwrap()
                .as_array_mut()
                .unwrap()
                .push(theirs);
            assert!(!bench.accepts(&both), "{list} with Rekor {rekor}");
        }
    }
}
