//! What is kept between runs: one file for each repository, holding all its metadata and files.
//!
//! One file, because it is replaced as a whole: however many processes write at once, and wherever one of them is
//! killed, a reader sees what one of them wrote. It is as untrusted as the network, since others may be able to write
//! there; a file that is damaged, forged or unreadable only costs a refresh.

use crate::ci::Env;
use crate::image::Digest;
use crate::limits;
use sigstore_tuf::{Error, MetadataStore};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The folder for caches: `SIGNGATE_CACHE_DIR`, else `signgate` in the user's (XDG Base Directory Specification, whose
/// relative paths are to be ignored). Nothing if there is no home.
pub fn directory(env: &Env) -> Option<PathBuf> {
    let own = env.var("SIGNGATE_CACHE_DIR").map(PathBuf::from);
    let absolute = |name| {
        env.var(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    own.or_else(|| Some(absolute("XDG_CACHE_HOME")?.join("signgate")))
        .or_else(|| Some(absolute("HOME")?.join(".cache/signgate")))
}

/// The cache of one repository.
pub(super) struct Cache {
    path: PathBuf,
}

/// Names and contents.
pub(super) type Texts = BTreeMap<String, String>;

impl Cache {
    pub(super) fn of(directory: &Path, url: &str) -> Self {
        // A URL is no file name; its digest is.
        let name = format!("tuf-{}.json", Digest::of(url.as_bytes()).hex());
        Self {
            path: directory.join(name),
        }
    }

    /// What an earlier run left; nothing if there was none.
    pub(super) fn load(&self) -> Result<Texts, CacheError> {
        let read = || {
            // Opening a pipe would wait for a writer that never comes, and a device may never end.
            if !fs::metadata(&self.path)?.is_file() {
                return Err(io::Error::other("it is not a file"));
            }
            let mut bytes = Vec::new();
            let limit = limits::TRUST_CACHE_BYTES;
            File::open(&self.path)?
                .take(limit)
                .read_to_end(&mut bytes)?;
            serde_json::from_slice(&bytes).map_err(io::Error::other)
        };
        match read() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Texts::new()),
            read => read.map_err(|source| self.error("read", source)),
        }
    }

    /// Replaces the file. A symbolic link in its place is replaced too, not followed.
    pub(super) fn save(&self, texts: &Texts) -> Result<(), CacheError> {
        let write = || {
            let folder = self.path.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(&serde_json::to_vec(texts)?)?;
            file.persist(&self.path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|source| self.error("written", source))
    }

    fn error(&self, what: &'static str, source: io::Error) -> CacheError {
        CacheError {
            what,
            path: self.path.clone(),
            source,
        }
    }
}

/// The cache is of no use. That is never a reason to fail.
#[derive(Debug, thiserror::Error)]
#[error("the cache of trust material cannot be {what}: {source} ({})", path.display())]
pub struct CacheError {
    what: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// The contents of a cache, as the TUF client wants them.
#[derive(Clone)]
pub(super) struct Files(Arc<Mutex<Texts>>);

impl Files {
    pub(super) fn new(texts: Texts) -> Self {
        Self(Arc::new(Mutex::new(texts)))
    }

    pub(super) fn texts(&self) -> Texts {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Texts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MetadataStore for Files {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.lock().get(name).map(|text| text.clone().into_bytes()))
    }

    fn store(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        // The client also stores each snapshot under its version, and the root as such; it reads neither again.
        let is_copy = name.ends_with(".snapshot.json") || name == "root.json";
        if !is_copy && let Ok(text) = std::str::from_utf8(bytes) {
            self.lock().insert(name.to_owned(), text.to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(variables: &[(&str, &str)]) -> Option<String> {
        let env = Env::from_iter(variables.iter().copied());
        directory(&env).map(|path| path.display().to_string())
    }

    #[test]
    fn the_folder_is_found_as_the_specification_says() {
        let home = ("HOME", "/home/u");
        assert_eq!(folder(&[home]).as_deref(), Some("/home/u/.cache/signgate"));
        let xdg = [home, ("XDG_CACHE_HOME", "/x")];
        assert_eq!(folder(&xdg).as_deref(), Some("/x/signgate"));
        let relative = [home, ("XDG_CACHE_HOME", "x")];
        assert_eq!(
            folder(&relative).as_deref(),
            Some("/home/u/.cache/signgate")
        );
        let own = [home, ("SIGNGATE_CACHE_DIR", "here")];
        assert_eq!(folder(&own).as_deref(), Some("here"));
        assert_eq!(folder(&[]), None);
    }

    #[test]
    fn a_symbolic_link_is_replaced_and_its_target_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (cache, victim) = (Cache::of(folder.path(), "u"), folder.path().join("victim"));
        fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, &cache.path).unwrap();
        assert!(cache.load().is_err());
        cache
            .save(&Texts::from([("a".to_owned(), "b".to_owned())]))
            .unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
        assert_eq!(cache.load().unwrap()["a"], "b");
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::of(folder.path(), "u");
        assert!(cache.load().unwrap().is_empty());
        std::os::unix::fs::symlink("/dev/zero", &cache.path).unwrap();
        let error = cache.load().unwrap_err();
        assert!(error.to_string().contains("not a file"), "{error}");
    }
}
