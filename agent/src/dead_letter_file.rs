//! One flow's dead letters on disk: `NAME.ndjson`, and full ones beside it, `NAME.1.ndjson` and so on.
//!
//! Invariants: when an append was a success its lines are on the disk, whole; when it was not, none of them is, as far as
//! the disk can still be told. Nothing is ever deleted: when all files together would be larger than the limit, an append
//! fails until somebody takes some away, which they may do at any time.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use md5::{Digest as _, Md5};

/// Size at which a file is full.
const FULL_BYTES: u64 = 64 << 20;

/// Letters of a flow's id that its file's name shows.
const NAME_LETTERS: usize = 100;

/// Where one flow's dead letters are.
#[derive(Debug, Clone)]
pub struct DeadLetterFile {
    directory: PathBuf,
    name: String,
    max_bytes: u64,
    full_bytes: u64,
}

/// Why dead letters could not be written.
#[derive(Debug, thiserror::Error)]
pub enum DeadLetterError {
    /// There is no more room for them.
    #[error(
        "the dead letters in {directory} would be more than {max_bytes} bytes; move some away, or raise deadLetterMaxBytes"
    )]
    Full {
        /// Where they are.
        directory: PathBuf,
        /// The limit.
        max_bytes: u64,
    },
    /// The file system.
    #[error("dead letters cannot be written to {path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl DeadLetterFile {
    /// The dead letters of the flow with this id, of at most `max_bytes`. Nothing is made before the first one.
    #[must_use]
    pub fn new(directory: PathBuf, flow: &str, max_bytes: u64) -> Self {
        Self { directory, name: file_name(flow), max_bytes, full_bytes: FULL_BYTES }
    }

    /// Where the next one goes.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.directory.join(format!("{}.ndjson", self.name))
    }

    /// Appends lines, and answers when they are on the disk.
    ///
    /// # Errors
    ///
    /// [`DeadLetterError`]; the lines may be appended again later.
    pub fn append(&self, lines: &[u8]) -> Result<(), DeadLetterError> {
        let path = self.path();
        let failed = |source| DeadLetterError::Write { path: path.clone(), source };
        let files = self.prepare().map_err(failed)?;
        let more = lines.len() as u64;
        if files.iter().map(|(_, size)| size).sum::<u64>() + more > self.max_bytes {
            return Err(DeadLetterError::Full {
                directory: self.directory.clone(),
                max_bytes: self.max_bytes,
            });
        }
        let size = files.iter().find(|(number, _)| *number == 0).map_or(0, |(_, size)| *size);
        if size > 0 && size + more > self.full_bytes {
            let last = files.iter().map(|(number, _)| *number).max().unwrap_or(0);
            self.put_aside(&path, last + 1).map_err(failed)?;
        }
        append_durably(&path, lines).and_then(|()| sync_directory(&self.directory)).map_err(failed)
    }

    /// Makes the directory, and lists the files: their numbers, 0 for the one that is written to, and sizes.
    #[expect(clippy::disallowed_methods, reason = "the lawful place for dead letters")]
    fn prepare(&self) -> io::Result<Vec<(u64, u64)>> {
        std::fs::create_dir_all(&self.directory)?;
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(number) = name.to_str().and_then(|name| self.number(name)) else { continue };
            // A file that was taken away meanwhile takes no room.
            let Ok(metadata) = entry.metadata() else { continue };
            files.push((number, metadata.len()));
        }
        Ok(files)
    }

    fn number(&self, name: &str) -> Option<u64> {
        match name.strip_prefix(&self.name)?.strip_suffix("ndjson")? {
            "." => Some(0),
            middle => middle.strip_prefix('.')?.strip_suffix('.')?.parse().ok(),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the lawful place for dead letters")]
    fn put_aside(&self, path: &Path, number: u64) -> io::Result<()> {
        std::fs::rename(path, self.directory.join(format!("{}.{number}.ndjson", self.name)))
    }
}

/// Appends whole lines, or nothing.
fn append_durably(path: &Path, lines: &[u8]) -> io::Result<()> {
    // Records may be confidential: not for everybody.
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o640).open(path)?;
    let size = file.seek(SeekFrom::End(0))?;
    let written =
        end_line(&mut file, size).and_then(|()| file.write_all(lines)).and_then(|()| file.sync_all());
    if written.is_err() {
        // The first error is the one to tell.
        let _ = file.set_len(size);
    }
    written
}

/// A crash may have left half a line at the end.
fn end_line(file: &mut File, size: u64) -> io::Result<()> {
    let mut last = [b'\n'];
    if size > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    if last == [b'\n'] { Ok(()) } else { file.write_all(b"\n") }
}

#[expect(clippy::disallowed_methods, reason = "the lawful place for dead letters")]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// A name for the file that shows the flow's id and is its alone.
fn file_name(flow: &str) -> String {
    let shown =
        |letter: char| if letter.is_ascii_alphanumeric() || "_-".contains(letter) { letter } else { '_' };
    let shown: String = flow.chars().map(shown).take(NAME_LETTERS).collect();
    let digest = Md5::digest(flow);
    format!("{shown}-{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3])
}

#[cfg(test)]
mod tests;
