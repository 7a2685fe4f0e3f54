//! Files named on the command line.

use crate::outcome::{Code, Coded};
use std::fs::File;
use std::io::{self, Read};
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
