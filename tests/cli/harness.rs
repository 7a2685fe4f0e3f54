//! One world per test: a sandbox, a home directory, and the program in an environment with nothing else in it.

use assert_cmd::Command;
use serde_json::{Value, json};
use signgate::adapters::http::Http;
use signgate::adapters::registry::{Access, Registry};
use signgate::ci::Env;
use signgate::evidence::Referrer;
use signgate::flow::ports::{Registry as _, ServiceError, SubjectNoted};
use signgate::image::{Descriptor, Digest, ImageIndex, ImageRef, Manifest, Tag, Version};
use signgate::sandbox::Fault;
use signgate::sandbox::Flaw;
use signgate::sandbox::Identity;
use signgate::sandbox::Sandbox;
use signgate::sandbox::{Credentials, RegistryOptions};
use signgate::sandbox::{Options, RekorVersion};
use signgate::sandbox::{Request, ServiceName};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// A sandbox and the program.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    home: TempDir,
    server: Server,
}

impl World {
    /// Rekor 2, and a registry with the referrers API that wants no password.
    pub(crate) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Self {
        let server = Server::start();
        let sandbox = server.block_on(Sandbox::start(options)).unwrap();
        Self {
            sandbox,
            home: tempfile::tempdir().unwrap(),
            server,
        }
    }

    pub(crate) fn with_rekor(rekor: RekorVersion) -> Self {
        Self::with(Options {
            rekor: vec![rekor],
            ..Options::default()
        })
    }

    pub(crate) fn with_registry(registry: RegistryOptions) -> Self {
        Self::with(Options {
            registry,
            ..Options::default()
        })
    }

    /// A registry without the referrers API.
    pub(crate) fn with_fallback_tag() -> Self {
        Self::with_registry(RegistryOptions {
            referrers_api: false,
            ..RegistryOptions::default()
        })
    }

    /// A registry that lets everybody pull, and only [`USER`] push.
    pub(crate) fn with_password() -> Self {
        Self::with_registry(RegistryOptions {
            token_auth: Some(Credentials {
                username: USER.to_owned(),
                password: PASSWORD.to_owned(),
            }),
            ..RegistryOptions::default()
        })
    }

    /// The home directory of the program.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Writes a file into the home directory.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.home().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Logs in to the registry as docker does.
    pub(crate) fn docker_login(&self, user: &str, password: &str) {
        self.write(".docker/config.json", self.auth_file(user, password));
    }

    /// A credentials file of docker or podman.
    pub(crate) fn auth_file(&self, user: &str, password: &str) -> String {
        let auth = base64(format!("{user}:{password}"));
        json!({"auths": {self.sandbox.registry_host(): {"auth": auth}}}).to_string()
    }

    /// `signgate` with the arguments, in an empty environment but for `HOME`.
    pub(crate) fn signgate(&self, arguments: &[&str]) -> Signgate {
        let mut command = Command::new(env!("CARGO_BIN_EXE_signgate"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.home())
            .timeout(PATIENCE);
        Signgate {
            command,
            secrets: vec![
                self.sandbox.oidc().request_token().to_owned(),
                PASSWORD.to_owned(),
                base64(format!("{USER}:{PASSWORD}")),
            ],
        }
    }

    /// `signgate` as the GitHub job that the sandbox runs.
    pub(crate) fn job(&self, arguments: &[&str]) -> Signgate {
        let signgate = self.signgate(arguments);
        self.sandbox
            .environment()
            .into_iter()
            .fold(signgate, |signgate, (name, value)| {
                signgate.env(name, value)
            })
    }

    /// `signgate` with the trust of the sandbox, outside of any CI.
    pub(crate) fn outside(&self, arguments: &[&str]) -> Signgate {
        self.signgate(arguments)
            .env("SIGNGATE_TRUSTED_ROOT", self.sandbox.trusted_root_path())
            .env(
                "SIGNGATE_SIGNING_CONFIG",
                self.sandbox.signing_config_path(),
            )
    }

    /// Makes an image for two platforms and pushes it.
    pub(crate) fn push(&self, name: &str) -> Pushed {
        let tagged = format!("{}/acme/{name}", self.sandbox.registry_host());
        let run = self.job(&["sandbox", "image", &tagged]).run_raw();
        assert_eq!(run.exit, 0, "{}", run.stderr);
        Pushed {
            tagged,
            pinned: run.stdout.trim().to_owned(),
        }
    }

    /// Signs as the GitHub job, with a report in JSON.
    pub(crate) fn sign(&self, image: &str) -> Run {
        self.job(&["sign", image]).run()
    }

    /// Verifies outside of any CI, as the one who accepts the sandbox's job only.
    pub(crate) fn verify(&self, image: &str) -> Run {
        self.verify_as(image, IDENTITY, &self.issuer())
    }

    pub(crate) fn verify_as(&self, image: &str, identity: &str, issuer: &str) -> Run {
        self.verifier(image, identity, issuer).run()
    }

    pub(crate) fn verifier(&self, image: &str, identity: &str, issuer: &str) -> Signgate {
        self.outside(&[
            "verify",
            image,
            "--certificate-identity",
            identity,
            "--certificate-oidc-issuer",
            issuer,
        ])
    }

    /// The issuer of the job's tokens.
    pub(crate) fn issuer(&self) -> String {
        self.issuer_of(&self.sandbox.oidc().job())
    }

    pub(crate) fn issuer_of(&self, identity: &Identity) -> String {
        self.sandbox.oidc().url(identity.provider())
    }

    /// A bundle by the job about `image`, wrong in one way or not at all.
    pub(crate) fn forge(&self, image: &Pushed, rekor: RekorVersion, flaw: Option<Flaw>) -> String {
        self.forge_statement(&statement(image), rekor, flaw)
    }

    /// A bundle by the job over any statement.
    pub(crate) fn forge_statement(
        &self,
        statement: &Value,
        rekor: RekorVersion,
        flaw: Option<Flaw>,
    ) -> String {
        let job = self.sandbox.oidc().job();
        self.forge_by(&job, statement, rekor, flaw)
    }

    pub(crate) fn forge_by(
        &self,
        signer: &Identity,
        statement: &Value,
        rekor: RekorVersion,
        flaw: Option<Flaw>,
    ) -> String {
        let statement = serde_json::to_vec(statement).unwrap();
        let forger = self.sandbox.forger();
        forger.bundle(&statement, signer, rekor, flaw).unwrap()
    }

    /// Attaches any bytes to `image` as a bundle, as a client would; returns the digest of the referrer.
    pub(crate) fn attach(&self, image: &Pushed, bundle: impl AsRef<[u8]>) -> Digest {
        let bundle = bundle.as_ref();
        let referrer = Referrer::new(
            &self.descriptor(image),
            Digest::of(bundle),
            bundle.len() as u64,
            "2026-01-02T03:04:05Z",
        );
        self.attach_manifest(image, bundle, &referrer.manifest, &referrer.descriptor);
        *referrer.manifest.digest()
    }

    /// Pushes a blob and a manifest that refers to `image`, and lists it where the registry does not.
    pub(crate) fn attach_manifest(
        &self,
        image: &Pushed,
        blob: &[u8],
        manifest: &Manifest,
        descriptor: &Descriptor,
    ) {
        self.on_registry(async |registry| {
            let repository = image.reference().repository().clone();
            registry.push_blob(&repository, b"{}").await?;
            registry.push_blob(&repository, blob).await?;
            let version = Version::Digest(*manifest.digest());
            let noted = registry
                .push_manifest(&repository, &version, manifest)
                .await?;
            if noted == SubjectNoted::No {
                let tag = Version::Tag(Tag::of_referrers(&image.digest()));
                let mut index = match registry.manifest(&repository, &tag).await? {
                    Some(index) => ImageIndex::parse(index.bytes()).unwrap(),
                    None => ImageIndex::default(),
                };
                index.insert(descriptor).unwrap();
                let index = index.to_manifest().unwrap();
                registry.push_manifest(&repository, &tag, &index).await?;
            }
            Ok(())
        });
    }

    /// Puts layers of cosign v2 under the tag `sha256-DIGEST.SUFFIX`, with the contents that they name.
    pub(crate) fn push_legacy(
        &self,
        image: &Pushed,
        suffix: &str,
        layers: &[Value],
        contents: &[&[u8]],
    ) {
        self.on_registry(async |registry| {
            for content in [b"{}".as_slice()].iter().chain(contents) {
                let repository = image.reference().repository().clone();
                registry.push_blob(&repository, content).await?;
            }
            Ok(())
        });
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": Digest::of(b"{}"),
                "size": 2,
            },
            "layers": layers,
        });
        let manifest = Manifest::new(
            "application/vnd.oci.image.manifest.v1+json",
            manifest.to_string().into_bytes(),
        );
        let tag = format!("{}.{suffix}", image.fallback_tag());
        self.push_manifest(image, &tag, &manifest);
    }

    /// Pushes a manifest under a tag or a digest beside `image`.
    pub(crate) fn push_manifest(&self, image: &Pushed, version: &str, manifest: &Manifest) {
        let version = match version.parse() {
            Ok(digest) => Version::Digest(digest),
            Err(_) => Version::Tag(version.parse().unwrap()),
        };
        self.on_registry(async |registry| {
            let repository = image.reference().repository().clone();
            registry
                .push_manifest(&repository, &version, manifest)
                .await
        });
    }

    /// Replaces the list of referrers of a registry without the referrers API.
    pub(crate) fn put_fallback_index(&self, image: &Pushed, index: &Value) {
        let bytes = index.to_string().into_bytes();
        let index = Manifest::new("application/vnd.oci.image.index.v1+json", bytes);
        self.push_manifest(image, &image.fallback_tag(), &index);
    }

    /// The descriptor of an image, as a subject.
    pub(crate) fn descriptor(&self, image: &Pushed) -> Descriptor {
        let bytes = self.manifest(&image.digest().to_string()).unwrap();
        Manifest::new("application/vnd.oci.image.index.v1+json", bytes).descriptor()
    }

    /// The bytes that the registry has for a manifest in the repository of all images, by tag or by digest.
    pub(crate) fn manifest(&self, reference: &str) -> Option<Vec<u8>> {
        self.sandbox.registry().manifest(REPOSITORY, reference)
    }

    /// The bytes that the registry serves for a blob.
    pub(crate) fn blob(&self, image: &Pushed, digest: &str) -> Vec<u8> {
        let digest: Digest = digest.parse().unwrap();
        self.on_registry(async |registry| {
            let repository = image.reference().repository().clone();
            registry.blob(&repository, &digest, 1 << 24).await
        })
        .unwrap()
    }

    /// What the referrers API lists for `image`.
    pub(crate) fn referrers(&self, image: &Pushed) -> Vec<Descriptor> {
        let pinned = image.reference().pinned(image.digest());
        self.on_registry(async |registry| registry.referrers(&pinned).await)
            .map(|index| index.descriptors().collect())
            .unwrap_or_default()
    }

    /// Talks to the registry as somebody with the right to push.
    fn on_registry<T>(
        &self,
        talk: impl AsyncFnOnce(&Registry<'_>) -> Result<T, ServiceError>,
    ) -> T {
        let env = Env::from_iter([("HOME", self.home().display().to_string())]);
        self.server.block_on(async {
            let http = Http::new(PATIENCE, Vec::new()).unwrap();
            talk(&Registry::new(&http, &env, Access::Write))
                .await
                .unwrap()
        })
    }

    /// Breaks requests whose `METHOD path` contains `on`, from now on.
    pub(crate) fn break_on(&self, service: ServiceName, on: &str, fault: Fault) {
        let faults = &self.sandbox.service(service).faults;
        faults.add_matching(fault, on, None);
    }

    /// Breaks every request.
    pub(crate) fn break_all(&self, service: ServiceName, fault: Fault) {
        self.break_on(service, "", fault);
    }

    /// The requests that a service was asked.
    pub(crate) fn requests(&self, service: ServiceName) -> Vec<Request> {
        let all = self.sandbox.requests().all();
        all.into_iter()
            .filter(|request| request.service == service)
            .collect()
    }

    /// Everything that can be found in the repository: tags, and what refers to `image`.
    pub(crate) fn published(&self, image: &Pushed) -> (Vec<String>, Vec<Digest>) {
        let referrers = self.referrers(image).into_iter().map(|entry| entry.digest);
        (
            self.sandbox.registry().tags(REPOSITORY),
            referrers.collect(),
        )
    }
}

/// An image in the registry, as [`World::push`] left it there.
pub(crate) struct Pushed {
    /// By tag.
    pub(crate) tagged: String,
    /// By digest.
    pub(crate) pinned: String,
}

impl Pushed {
    pub(crate) fn digest(&self) -> Digest {
        self.pinned.split_once('@').unwrap().1.parse().unwrap()
    }

    pub(crate) fn reference(&self) -> ImageRef {
        self.pinned.parse().unwrap()
    }

    /// The tag of registries without the referrers API.
    pub(crate) fn fallback_tag(&self) -> String {
        format!("sha256-{}", self.digest().hex())
    }
}

/// The statement "this image is signed".
pub(crate) fn statement(image: &Pushed) -> Value {
    statement_about(&image.digest().hex())
}

pub(crate) fn statement_about(sha256: &str) -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": sha256}, "annotations": {}}],
        "predicateType": "https://sigstore.dev/cosign/sign/v1",
        "predicate": {},
    })
}

/// A manifest with one layer that refers to `image`.
pub(crate) fn referrer(world: &World, image: &Pushed, media_type: &str, layer: &[u8]) -> Manifest {
    let size = layer.len() as u64;
    referrer_with_layer(world, image, media_type, &Digest::of(layer), size)
}

/// The same, whatever the layer is said to be.
pub(crate) fn referrer_with_layer(
    world: &World,
    image: &Pushed,
    media_type: &str,
    layer: &Digest,
    size: u64,
) -> Manifest {
    let subject = world.descriptor(image);
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": media_type,
        "config": {
            "mediaType": "application/vnd.oci.empty.v1+json",
            "digest": Digest::of(b"{}"),
            "size": 2,
        },
        "layers": [{"mediaType": media_type, "digest": layer, "size": size}],
        "subject": subject,
    });
    Manifest::new(
        "application/vnd.oci.image.manifest.v1+json",
        manifest.to_string().into_bytes(),
    )
}

/// A call of the program.
pub(crate) struct Signgate {
    command: Command,
    secrets: Vec<String>,
}

impl Signgate {
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    pub(crate) fn args(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    /// Something that must not be in any output.
    pub(crate) fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secrets.push(secret.into());
        self
    }

    /// Runs with a report in JSON, which is all that standard output may hold.
    pub(crate) fn run(self) -> Run {
        let mut run = self.args(&["--format", "json"]).run_raw();
        run.report = serde_json::from_str(&run.stdout).unwrap_or_else(|error| {
            panic!(
                "no report ({error}), exit {}\n{}\n{}",
                run.exit, run.stdout, run.stderr
            )
        });
        assert_eq!(run.report["exitCode"], run.exit, "{run}");
        run
    }

    /// Runs as it is. Whatever happens, no secret is said.
    pub(crate) fn run_raw(mut self) -> Run {
        let output = self.command.output().unwrap();
        let run = Run {
            exit: output.status.code().expect("ended by a signal: too slow?"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            report: Value::Null,
        };
        // Every JSON Web Token starts with the base64 of `{"`.
        for secret in self.secrets.iter().map(String::as_str).chain(["eyJ"]) {
            assert!(
                !run.stdout.contains(secret),
                "a secret on standard output: {run}"
            );
            assert!(
                !run.stderr.contains(secret),
                "a secret on standard error: {run}"
            );
        }
        run
    }
}

/// What a call came to.
pub(crate) struct Run {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) report: Value,
}

impl Run {
    /// It ended well.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.exit, 0, "{self}");
        self
    }

    /// It ended with this code, and the exit code that goes with it.
    #[track_caller]
    pub(crate) fn ended(self, code: &str, exit: i32) -> Self {
        assert_eq!((self.code(), self.exit), (Some(code), exit), "{self}");
        self
    }

    /// The code of the run, else that of the first image that has one.
    pub(crate) fn code(&self) -> Option<&str> {
        let images = self.report["images"].as_array();
        let files = self.report["files"].as_array();
        let of_images = images
            .into_iter()
            .chain(files)
            .flatten()
            .map(|image| &image["code"]);
        std::iter::once(&self.report["problem"]["code"])
            .chain(of_images)
            .find_map(Value::as_str)
    }

    /// The report on the only image.
    pub(crate) fn image(&self) -> &Value {
        assert_eq!(
            self.report["images"].as_array().map(Vec::len),
            Some(1),
            "{self}"
        );
        &self.report["images"][0]
    }

    /// The report on the only file.
    pub(crate) fn file(&self) -> &Value {
        assert_eq!(
            self.report["files"].as_array().map(Vec::len),
            Some(1),
            "{self}"
        );
        &self.report["files"][0]
    }

    /// The only signature on the only image.
    pub(crate) fn signature(&self) -> &Value {
        let signatures = &self.image()["signatures"];
        assert_eq!(signatures.as_array().map(Vec::len), Some(1), "{self}");
        &signatures[0]
    }

    /// The codes of the refused candidates, as reported: nearest miss first.
    pub(crate) fn rejected(&self) -> Vec<&str> {
        let rejected = self.image()["rejected"].as_array();
        rejected
            .into_iter()
            .flatten()
            .map(|rejected| rejected["findings"][0]["code"].as_str().unwrap())
            .collect()
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit {}\n{}\n{}", self.exit, self.stdout, self.stderr)
    }
}

/// A thread that serves the sandbox while the test waits for the program.
struct Server {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            // An error says that the world has ended.
            let _ = runtime.block_on(stopped);
        });
        Self {
            handle,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.handle.block_on(future)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

pub(crate) fn base64(text: impl AsRef<[u8]>) -> String {
    use ::base64::Engine;
    ::base64::engine::general_purpose::STANDARD.encode(text)
}

pub(crate) fn unbase64(text: &str) -> Vec<u8> {
    use ::base64::Engine;
    ::base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap()
}

/// An answer with a status instead of the right one.
pub(crate) fn status(code: u16, retry_after: Option<&str>) -> Fault {
    Fault::Status {
        code,
        retry_after: retry_after.map(str::to_owned),
    }
}

/// What a proxy that wants a login answers to everything.
pub(crate) fn html() -> Fault {
    Fault::Content {
        content_type: "text/html".to_owned(),
        body: b"<html>Please log in</html>".to_vec(),
    }
}

/// The `--timeout` for a run that meets `fault`: short only where an answer never comes.
pub(crate) fn timeout(fault: &Fault) -> &'static str {
    match fault {
        Fault::Stall => "2s",
        _ => "100s",
    }
}

/// A port of this machine on which nobody listens.
pub(crate) fn unused_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Annotations of a manifest or a descriptor.
pub(crate) fn annotations(json: &Value) -> BTreeMap<String, String> {
    serde_json::from_value(json["annotations"].clone()).unwrap()
}

/// The repository of the images that most tests push: `app:TAG`.
pub(crate) const REPOSITORY: &str = "acme/app";
/// The identity of the sandbox's job.
pub(crate) const IDENTITY: &str =
    "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main";
/// Who may push to a registry that asks.
pub(crate) const USER: &str = "robot";
pub(crate) const PASSWORD: &str = "correct-horse-battery";
/// Far more than any run takes: whoever reaches it hangs.
const PATIENCE: Duration = Duration::from_secs(120);
