//! Files named on the command line.

use crate::outcome::{Code, Coded};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// The text of a file of at most `limit` bytes.
pub fn read_text(path: &Path, limit: u64) -> Result<String, FileError> {
    let read = || {
        let mut text = String::new();
        // One byte more than allowed, so that a longer file is noticed and not cut.
        File::open(path)?
            .take(limit + 1)
            .read_to_string(&mut text)?;
        if text.len() as u64 > limit {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("it has more than {limit} bytes"),
            ));
        }
        Ok(text)
    };
    read().map_err(|source| FileError {
        path: path.to_owned(),
        source,
    })
}

/// Writes a file as a whole: whoever reads it meanwhile sees the old one or the new one. Missing folders are made.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let write = || {
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        let folder = folder.unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|source| WriteError {
        path: path.to_owned(),
        source,
    })
}

/// A file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}", path.display())]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

impl Coded for WriteError {
    fn code(&self) -> Code {
        Code::FileUnwritable
    }
}

/// A file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}", path.display())]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

impl Coded for FileError {
    fn code(&self) -> Code {
        Code::FileUnreadable
    }
}
