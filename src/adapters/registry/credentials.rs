//! Registry credentials as docker and podman keep them: files and credential helpers.

use crate::ci::{Env, Secret};
use crate::flow::ports::{Fault, Service, ServiceError};
use docker_credential::{CredentialRetrievalError, DockerCredential};
use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};

/// What to log in with.
pub(super) enum Credentials {
    /// User and password, or user and access token.
    Password { user: String, password: Secret },
    /// A token for the token server only (docker's `identitytoken`).
    RefreshToken(Secret),
}

/// The credentials for a registry, docker's first; nothing if none are configured for it.
pub(super) fn of(registry: &str, env: &Env) -> Result<Option<Credentials>, ServiceError> {
    // The key under which docker keeps its own hub.
    let key = if registry == "docker.io" {
        "https://index.docker.io/v1/"
    } else {
        registry
    };
    for path in files(env) {
        match read(&path, key) {
            Ok(Some(credentials)) => return Ok(Some(credentials)),
            Ok(None) => {}
            // Going on anonymously would end as "denied", which sends the user the wrong way.
            Err(why) => {
                let (service, url) = (Service::Registry, registry.to_owned());
                let fault = Fault::Credentials(Box::new(CredentialsError { path, why }));
                return Err(ServiceError {
                    service,
                    url,
                    fault,
                });
            }
        }
    }
    Ok(None)
}

/// Where docker and podman keep credentials (docker's and containers-auth.json(5)'s rules).
fn files(env: &Env) -> Vec<PathBuf> {
    let home = |path: &str| env.var("HOME").map(|home| Path::new(home).join(path));
    let docker = match env.var("DOCKER_CONFIG") {
        Some(folder) => Some(Path::new(folder).join("config.json")),
        None => home(".docker/config.json"),
    };
    let podman = match (env.var("REGISTRY_AUTH_FILE"), env.var("XDG_RUNTIME_DIR")) {
        (Some(file), _) => vec![PathBuf::from(file)],
        (None, Some(folder)) => vec![Path::new(folder).join("containers/auth.json")],
        (None, None) => Vec::new(),
    };
    docker
        .into_iter()
        .chain(podman)
        .chain(home(".config/containers/auth.json"))
        .collect()
}

fn read(path: &Path, key: &str) -> Result<Option<Credentials>, Unusable> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Unusable(error.to_string())),
    };
    match docker_credential::get_credential_from_reader(BufReader::new(file), key) {
        Ok(DockerCredential::UsernamePassword(user, password)) => Ok(Some(Credentials::Password {
            user,
            password: Secret::new(password),
        })),
        Ok(DockerCredential::IdentityToken(token)) => {
            Ok(Some(Credentials::RefreshToken(Secret::new(token))))
        }
        Err(CredentialRetrievalError::NoCredentialConfigured) => Ok(None),
        // docker-credential-helpers' own sentence for "none stored for this registry", on standard output.
        Err(CredentialRetrievalError::HelperFailure { stdout, .. })
            if stdout.contains("credentials not found") =>
        {
            Ok(None)
        }
        // What it printed may be the password.
        Err(CredentialRetrievalError::HelperFailure { helper, .. }) => {
            Err(Unusable(format!("the credential helper `{helper}` failed")))
        }
        Err(error) => Err(Unusable(error.to_string())),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{}", path.display())]
struct CredentialsError {
    path: PathBuf,
    #[source]
    why: Unusable,
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unusable(String);
