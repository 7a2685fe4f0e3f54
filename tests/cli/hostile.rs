//! Hosts that want our secrets, proofs that prove nothing, and answers made to exhaust us or to speak in our name.

use crate::harness::*;
use serde_json::{Value, json};
use signgate::adapters::http::Http;
use signgate::adapters::registry::{Access, Registry};
use signgate::ci::Env;
use signgate::flow::ports::Registry as _;
use signgate::image::{Digest, ImageIndex, ImageRef, PinnedImage};
use signgate::limits;
use signgate::sandbox::RekorVersion::{self, V1, V2};
use signgate::sandbox::{Fault, ServiceName};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A host that answers as the test says and remembers all that it was told.
struct Peer {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Peer {
    /// `answer` gets the head of a request and returns the head of the answer, without `Content-Length`, and the body.
    fn new(answer: impl Fn(&str) -> (String, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let memory = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = request(&mut stream);
                memory.lock().unwrap().push(request.clone());
                let (head, body) = answer(&request);
                // Whoever asked may be gone.
                let _ = write!(
                    stream,
                    "HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
            }
        });
        Self { address, heard }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn heard(&self) -> String {
        self.heard.lock().unwrap().join("\n")
    }
}

/// One request with its body.
fn request(stream: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).unwrap_or(0);
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            if count == 0 {
                return text;
            }
            continue;
        };
        let length = head
            .to_ascii_lowercase()
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if count == 0 || body.len() >= length.unwrap_or(0) {
            return text;
        }
    }
}

fn nothing(_: &str) -> (String, String) {
    ("404 Not Found".to_owned(), String::new())
}

/// Talks to a registry at `peer` with the adapter, logged in.
fn with_registry<T>(peer: &Peer, talk: impl AsyncFnOnce(&Registry<'_>, PinnedImage) -> T) -> T {
    let home = tempfile::tempdir().unwrap();
    let config = json!({"auths": {peer.address.to_string(): {"auth": base64(format!("{USER}:{PASSWORD}"))}}});
    std::fs::write(home.path().join("config.json"), config.to_string()).unwrap();
    let env = Env::from_iter([("DOCKER_CONFIG", home.path().display().to_string())]);
    let image: ImageRef = format!("{}/acme/app", peer.address).parse().unwrap();
    let image = image.pinned(Digest::of(b"image"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let http = Http::new(Duration::from_secs(60), Vec::new()).unwrap();
        talk(&Registry::new(&http, &env, Access::Write), image).await
    })
}

#[test]
fn the_id_token_does_not_follow_a_redirect_to_another_host() {
    let world = World::new();
    let image = world.push("app:v1");
    let thief = Peer::new(nothing);
    let location = thief.url("/");
    world.break_all(ServiceName::Fulcio, Fault::Redirect { location });
    world.sign(&image.pinned).ended("fulcio-unavailable", 31);
    assert_eq!(thief.heard(), "");
}

#[test]
fn a_host_that_the_registry_redirects_to_cannot_ask_for_its_password() {
    let world = World::with_password();
    world.docker_login(USER, PASSWORD);
    let image = world.push("app:v1");
    for scheme in ["Basic", "Bearer"] {
        let thief = Peer::new(move |request| {
            let host = request.split("host: ").nth(1).unwrap_or_default();
            let host = host.lines().next().unwrap_or_default();
            let head = format!(
                "401 Unauthorized\r\nWWW-Authenticate: {scheme} realm=\"http://{host}/token\""
            );
            (head, String::new())
        });
        let faults = &world.sandbox.service(ServiceName::Registry).faults;
        faults.clear();
        world.break_on(
            ServiceName::Registry,
            "GET /v2/acme/app/manifests",
            Fault::Redirect {
                location: thief.url("/x"),
            },
        );
        // By tag: nothing else is asked meanwhile that would log in.
        world.verify(&image.tagged).ended("registry-denied", 35);
        let heard = thief.heard();
        assert!(heard.contains("GET /x"), "{heard}");
        assert!(!heard.contains("authorization"), "{heard}");
        assert!(!heard.contains("/token"), "{heard}");
    }
}

#[test]
fn an_upload_to_another_host_carries_no_password() {
    let storage = Peer::new(|_| ("201 Created".to_owned(), String::new()));
    let place = storage.url("/upload?session=1");
    let registry = Peer::new(move |request| {
        let head = match request.contains("authorization: Basic") {
            true => format!("202 Accepted\r\nLocation: {place}"),
            false => "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"".to_owned(),
        };
        (head, String::new())
    });
    with_registry(&registry, async |registry, image| {
        registry.push_blob(image.repository(), b"blob").await
    })
    .unwrap();
    let heard = storage.heard();
    assert!(heard.contains("PUT /upload?session=1&digest="), "{heard}");
    assert!(!heard.contains("authorization"), "{heard}");
}

#[test]
fn a_proxy_hears_nothing_of_what_stays_on_this_machine() {
    let world = World::new();
    let image = world.push("app:v1");
    let proxy = Peer::new(nothing);
    let run = world
        .job(&["sign", &image.pinned])
        .env("HTTP_PROXY", proxy.url(""))
        .env("http_proxy", proxy.url(""))
        .run();
    assert_eq!(proxy.heard(), "");
    run.ok();
}

/// Lists what refers to an image of a registry that answers page by page.
fn list(
    answer: impl Fn(&str) -> (String, String) + Send + 'static,
) -> Result<Option<ImageIndex>, String> {
    let peer = Peer::new(answer);
    with_registry(&peer, async |registry, image| {
        registry.referrers(&image).await
    })
    .map_err(|error| error.to_string())
}

const INDEX: &str = "200 OK\r\nContent-Type: application/vnd.oci.image.index.v1+json";

fn page(name: &str) -> String {
    let digest = Digest::of(name.as_bytes());
    json!({"schemaVersion": 2, "manifests": [{"mediaType": "x", "digest": digest, "size": 1}]})
        .to_string()
}

#[test]
fn a_list_whose_second_page_is_missing_is_not_a_registry_without_lists() {
    for second in ["404 Not Found", "400 Bad Request", "200 OK"] {
        let listed = list(move |request| match request.contains("page=2") {
            true => (second.to_owned(), String::new()),
            false => {
                let link = "Link: <?page=2>; rel=\"next\"";
                (format!("{INDEX}\r\n{link}"), page("first"))
            }
        });
        assert!(listed.is_err(), "{second}");
    }
}

#[test]
fn the_next_page_is_found_however_it_is_announced() {
    for link in [
        "Link: <?page=2>; rel=\"next\"",
        "Link: <?page=2>; rel=next",
        "Link: <?page=2>; title=\"x\"; Rel=\"last next\"",
        "Link: <?page=1>; rel=\"first\", <?page=2>; rel=\"next\"",
        "Link: <?page=1>; rel=\"first\"\r\nLink: <?page=2>; rel=\"next\"",
    ] {
        let listed = list(move |request| match request.contains("page=2") {
            true => (INDEX.to_owned(), page("second")),
            false => (format!("{INDEX}\r\n{link}"), page("first")),
        });
        let listed = listed.unwrap().unwrap();
        assert!(listed.contains(&Digest::of(b"second")), "{link}");
    }
}

#[test]
fn a_list_is_bounded_over_all_its_pages() {
    let registry = Peer::new(|_| {
        let body = json!({"manifests": [], "padding": "x".repeat(limits::MANIFEST_BYTES / 3)});
        let link = "Link: <?page=2>; rel=\"next\"";
        (format!("{INDEX}\r\n{link}"), body.to_string())
    });
    let listed = with_registry(&registry, async |registry, image| {
        registry.referrers(&image).await
    });
    assert!(listed.is_err());
    assert_eq!(registry.heard.lock().unwrap().len(), 3);
}

#[test]
fn json_that_is_no_index_is_not_an_empty_list() {
    let world = World::with_fallback_tag();
    let image = world.push("app:v1");
    world.put_fallback_index(&image, &json!({"errors": []}));
    world
        .verify(&image.pinned)
        .ended("registry-unavailable", 30);
}

/// Verifies a good bundle after a change to what surrounds the signature.
fn verify_changed(rekor: RekorVersion, change: impl FnOnce(&mut Value)) -> Run {
    let world = World::with_rekor(rekor);
    let image = world.push("app:v1");
    let mut bundle: Value = serde_json::from_str(&world.forge(&image, rekor, None)).unwrap();
    change(&mut bundle);
    world.attach(&image, bundle.to_string());
    world.verify(&image.pinned)
}

#[test]
fn a_log_entry_without_a_proof_beside_one_that_has_one() {
    for rekor in [V1, V2] {
        let run = verify_changed(rekor, |bundle| {
            let entries = bundle["verificationMaterial"]["tlogEntries"]
                .as_array_mut()
                .unwrap();
            let mut unproven = entries[0].clone();
            unproven["logIndex"] = json!("424242");
            let fields = unproven.as_object_mut().unwrap();
            fields.remove("inclusionProof");
            fields.remove("inclusionPromise");
            entries.insert(0, unproven);
        });
        run.ended("log-proof-invalid", 13);
    }
}

#[test]
fn an_old_bundle_with_a_promise_and_no_proof_is_called_that() {
    let run = verify_changed(V1, |bundle| {
        bundle["mediaType"] = json!("application/vnd.dev.sigstore.bundle+json;version=0.1");
        let entry = &mut bundle["verificationMaterial"]["tlogEntries"][0];
        entry.as_object_mut().unwrap().remove("inclusionProof");
    });
    // That was the rule of version 0.1. It is said, and holds for no later version (`formats`).
    assert_eq!(run.ok().signature()["logProof"], "promise");
}

#[test]
fn a_log_index_that_nobody_signed_is_not_reported() {
    let run = verify_changed(V1, |bundle| {
        let entry = &mut bundle["verificationMaterial"]["tlogEntries"][0];
        entry["logIndex"] = json!("424242");
        entry.as_object_mut().unwrap().remove("inclusionPromise");
    })
    .ok();
    assert_eq!(run.signature()["logIndex"], Value::Null);
}

#[test]
fn evidence_is_bounded_over_all_bundles() {
    let world = World::new();
    let image = world.push("app:v1");
    let size = limits::BUNDLE_BYTES as u64;
    for number in 0..=(limits::EVIDENCE_BYTES / limits::BUNDLE_BYTES) {
        let blob = format!("bundle {number}").into_bytes();
        let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
        let manifest = referrer_with_layer(&world, &image, kind, &Digest::of(&blob), size);
        world.attach_manifest(&image, &blob, &manifest, &manifest.descriptor());
    }
    world.sandbox.requests().clear();
    world.verify(&image.pinned).ended("evidence-too-large", 13);
    let asked = world.requests(ServiceName::Registry);
    assert!(
        !asked
            .iter()
            .any(|asked| format!("{asked:?}").contains("/blobs/"))
    );
}

#[test]
fn a_bundle_larger_than_announced_does_not_hide_a_good_one() {
    let world = World::new();
    let image = world.push("app:v1");
    world.sign(&image.pinned).ok();
    let blob = vec![b' '; 4096];
    let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
    let manifest = referrer_with_layer(&world, &image, kind, &Digest::of(&blob), 5);
    world.attach_manifest(&image, &blob, &manifest, &manifest.descriptor());
    let run = world.verify(&image.pinned).ok();
    assert_eq!(run.rejected(), ["evidence-too-large"]);
}

#[test]
fn a_report_repeats_no_book_that_a_signer_wrote() {
    let world = World::new();
    let image = world.push("app:v1");
    let mut statement = statement(&image);
    statement["predicateType"] = json!("x".repeat(1 << 20));
    world.attach(&image, world.forge_statement(&statement, V2, None));
    let run = world
        .verify(&image.pinned)
        .ended("predicate-type-mismatch", 12);
    assert!(run.stdout.len() < 64 * 1024, "{} bytes", run.stdout.len());
}

#[test]
fn a_log_is_no_command_channel() {
    let world = World::new();
    let image = world.push("app:v1");
    let mut statement = statement(&image);
    statement["predicateType"] = json!("##[add-mask]denied ##vso[task] \u{9b}31m \u{202e}x");
    world.attach(&image, world.forge_statement(&statement, V2, None));
    let verifier = || world.verifier(&image.pinned, IDENTITY, &world.issuer());
    let json = verifier().run().ended("predicate-type-mismatch", 12);
    assert_eq!(
        json.image()["rejected"][0]["findings"][0]["found"],
        statement["predicateType"]
    );
    for run in [json, verifier().run_raw()] {
        for bad in ["##[", "##vso", "\u{9b}", "\u{202e}"] {
            assert!(!run.stdout.contains(bad), "{bad:?} in {run}");
        }
    }
}

#[test]
fn arguments_do_not_write_lines_into_the_log() {
    let world = World::new();
    for arguments in [
        &["verify", "--x\n::error::arg"][..],
        &["verify", "a", "--format", "\n::error::value"],
        &["\n::error::command"],
        &["verify", "a", "--timeout=\u{1b}[2J"],
    ] {
        let run = world.signgate(arguments).run_raw();
        assert_eq!(run.exit, 2, "{run}");
        assert!(!run.stderr.contains("\n::"), "{run}");
        assert!(!run.stderr.contains('\u{1b}'), "{run}");
    }
}

#[test]
fn an_endless_timeout_is_refused() {
    let world = World::new();
    let image = world.push("app:v1");
    let run = world
        .verifier(&image.pinned, IDENTITY, &world.issuer())
        .args(&["--timeout", "9223372036854775807s"])
        .run_raw();
    assert_eq!(run.exit, 2, "{run}");
}

#[cfg(unix)]
#[test]
fn what_a_failing_credential_helper_prints_is_not_repeated() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::with_password();
    world.docker_login(USER, PASSWORD);
    let image = world.push("app:v1");
    world.write(".docker/config.json", r#"{"credsStore": "leaky"}"#);
    let script = format!("#!/bin/sh\necho '{{\"Secret\":\"{PASSWORD}\"}}'\nexit 1\n");
    let helper = world.write("bin/docker-credential-leaky", script);
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", world.home().join("bin").display());
    world
        .job(&["sign", &image.pinned])
        .env("PATH", path)
        .run()
        .ended("credentials-invalid", 2);
}
