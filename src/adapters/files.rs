//! Files named on the command line.

use crate::image::{Digest, Hashing};
use crate::outcome::{Code, Coded};
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

/// The text of a file of at most `limit` bytes.
pub fn read_text(path: &Path, limit: u64) -> Result<String, FileError> {
    let bytes = read_beyond(path, limit)?;
    let text = if bytes.len() as u64 > limit {
        Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it has more than {limit} bytes"),
        ))
    } else {
        String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    };
    text.map_err(|source| failed(path, source))
}

/// Writes a file as a whole: whoever reads it meanwhile sees the old one or the new one. Missing folders are made.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let write = || {
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        let folder = folder.unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|source| FileError::Write {
        path: path.to_owned(),
        source,
    })
}

/// The first `limit` bytes of a file and one more, if there are, so that a longer file is noticed and not cut.
pub fn read_beyond(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    let read = open(path)?.take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|source| failed(path, source))?;
    Ok(bytes)
}

/// A file to be read, of any size.
pub fn open(path: &Path) -> Result<File, FileError> {
    let file = File::open(path).map_err(|source| failed(path, source))?;
    // A folder can be opened, but not read.
    match file.metadata() {
        Ok(metadata) if metadata.is_dir() => Err(failed(path, io::ErrorKind::IsADirectory.into())),
        Ok(_) => Ok(file),
        Err(source) => Err(failed(path, source)),
    }
}

/// The digest of a file of any size.
pub fn digest(path: &Path) -> Result<Digest, FileError> {
    let mut file = Hashing::new(BufReader::with_capacity(BUFFER_BYTES, open(path)?));
    io::copy(&mut file, &mut io::sink()).map_err(|source| failed(path, source))?;
    Ok(file.digest())
}

/// A file that is going to be written: it appears whole, or what was there stays as it is.
pub struct NewFile {
    path: PathBuf,
    part: PathBuf,
}

impl NewFile {
    /// Makes sure that `path` can be written, before anything is done that cannot be undone.
    pub fn prepare(path: &Path) -> Result<Self, FileError> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".part-{}", std::process::id()));
        let part = path.with_file_name(name);
        let created = match path.is_dir() {
            true => Err(io::ErrorKind::IsADirectory.into()),
            false => File::create(&part).map(drop),
        };
        created.map_err(|source| FileError::Write {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            part,
        })
    }

    /// Writes it.
    pub fn write(self, bytes: &[u8]) -> Result<(), FileError> {
        std::fs::write(&self.part, bytes)
            .and_then(|()| std::fs::rename(&self.part, &self.path))
            .map_err(|source| FileError::Write {
                path: self.path.clone(),
                source,
            })
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // It is there only if the run failed. A part that stays is a nuisance, not an error.
        let _ = std::fs::remove_file(&self.part);
    }
}

fn failed(path: &Path, source: io::Error) -> FileError {
    FileError::Read {
        path: path.to_owned(),
        source,
    }
}

/// A file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Coded for FileError {
    fn code(&self) -> Code {
        match self {
            Self::Read { .. } => Code::FileUnreadable,
            Self::Write { .. } => Code::FileUnwritable,
        }
    }
}

const BUFFER_BYTES: usize = 256 * 1024;
