//! The agent's own files: the lock of its state, databases that are set aside, the way of its socket.
//!
//! Invariant: nothing is overwritten or deleted but what is known to be the agent's own.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Permissions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::{check_regular, node, open_own, open_regular};
use crate::types::Node;

/// What the files beside a SQLite database are called.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Between the name of a database and the time at which it was set aside.
const ASIDE: &str = ".damaged-";

/// What stands in a lock's file once the state has existed.
const MARK: &[u8] = b"this agent has saved checkpoints\n";

/// A file that one process holds at a time. It is left behind when it is let go, so that nobody can lock a file that
/// somebody else is just deleting.
#[derive(Debug)]
pub struct Lock {
    file: File,
    is_marked: bool,
}

impl Lock {
    /// Takes the lock. `None` if another process has it.
    ///
    /// # Errors
    ///
    /// The file cannot be made.
    pub fn take(path: &Path) -> io::Result<Option<Self>> {
        let mut file = open_own(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Ok(None),
            Err(std::fs::TryLockError::Error(error)) => return Err(error),
        }
        let mut content = Vec::new();
        Read::by_ref(&mut file).take(MARK.len() as u64).read_to_end(&mut content)?;
        Ok(Some(Self { file, is_marked: content == MARK }))
    }

    /// Whether [`Lock::mark`] was ever called.
    #[must_use]
    pub fn is_marked(&self) -> bool {
        self.is_marked
    }

    /// Notes for good that the state exists.
    ///
    /// # Errors
    ///
    /// It cannot be written; then it is not noted.
    pub fn mark(&mut self) -> io::Result<()> {
        if !self.is_marked {
            self.file.set_len(0)?;
            self.file.write_all(MARK)?;
            self.file.sync_all()?;
            self.is_marked = true;
        }
        Ok(())
    }
}

/// A path with something added to its last name.
#[must_use]
pub fn with_suffix(path: &Path, suffix: impl AsRef<OsStr>) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Renames a database and what belongs to it, so that a new one can take its place. Answers its new name.
///
/// # Errors
///
/// It cannot be renamed. What was renamed already does no harm there.
#[expect(clippy::disallowed_methods, reason = "the lawful place")]
pub fn set_aside(database: &Path, wall_time_ms: u64) -> io::Result<PathBuf> {
    let is_free = |path: &PathBuf| std::fs::symlink_metadata(path).is_err();
    let mut aside = with_suffix(database, format!("{ASIDE}{wall_time_ms}"));
    while !is_free(&aside) {
        aside = with_suffix(&aside, "x");
    }
    // The database goes last: as long as it is there the next start begins this again.
    for suffix in COMPANIONS.into_iter().chain([""]) {
        match std::fs::rename(with_suffix(database, suffix), with_suffix(&aside, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(aside)
}

/// The databases that were set aside, the last one first.
///
/// # Errors
///
/// The directory cannot be read.
#[expect(clippy::disallowed_methods, reason = "the lawful place")]
pub fn set_asides(database: &Path) -> io::Result<Vec<PathBuf>> {
    let (Some(directory), Some(name)) = (database.parent(), database.file_name()) else {
        return Ok(Vec::new());
    };
    let mut prefix: OsString = name.to_owned();
    prefix.push(ASIDE);
    let is_aside = |name: &OsStr| {
        let bytes = name.as_encoded_bytes();
        bytes.starts_with(prefix.as_encoded_bytes())
            && !COMPANIONS.iter().any(|suffix| bytes.ends_with(suffix.as_bytes()))
    };
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let name = entry?.file_name();
        if is_aside(&name) {
            found.push(directory.join(name));
        }
    }
    found.sort_by(|left, right| right.cmp(left));
    Ok(found)
}

/// A copy of a database that is in the middle of a transaction, which can be ended in the copy only. Removed with this.
#[derive(Debug)]
pub struct DatabaseCopy(PathBuf);

impl DatabaseCopy {
    /// Copies `database` to `place`.
    ///
    /// # Errors
    ///
    /// It cannot be read, or `place` cannot be written to.
    pub fn make(database: &Path, place: PathBuf) -> io::Result<Self> {
        let copy = Self(place);
        for suffix in COMPANIONS.into_iter().chain([""]) {
            let mut from = match open_regular(&with_suffix(database, suffix)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && !suffix.is_empty() => continue,
                opened => opened?,
            };
            let mut to = open_own(&with_suffix(&copy.0, suffix))?;
            to.set_len(0)?;
            io::copy(&mut from, &mut to)?;
        }
        Ok(copy)
    }

    /// The copy.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for DatabaseCopy {
    #[expect(clippy::disallowed_methods, reason = "the lawful place")]
    fn drop(&mut self) {
        for suffix in COMPANIONS.into_iter().chain([""]) {
            // What is left behind is overwritten the next time.
            let _ = std::fs::remove_file(with_suffix(&self.0, suffix));
        }
    }
}

/// Where a file is kept, and its size. `None` if there is none.
///
/// # Errors
///
/// The file system fails, or it is no regular file.
#[expect(clippy::disallowed_methods, reason = "the lawful place")]
pub fn node_and_size(path: &Path) -> io::Result<Option<(Node, u64)>> {
    match std::fs::metadata(path) {
        Ok(metadata) => check_regular(&metadata).map(|()| Some((node(&metadata), metadata.len()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// When a file was last changed, in milliseconds since 1970.
///
/// # Errors
///
/// The file system fails.
#[expect(clippy::disallowed_methods, reason = "the lawful place")]
pub fn modified_ms(path: &Path) -> io::Result<i64> {
    let metadata = std::fs::metadata(path)?;
    Ok(metadata.mtime().saturating_mul(1000).saturating_add(metadata.mtime_nsec() / 1_000_000))
}

/// Takes away a socket that nobody listens to any more.
///
/// # Errors
///
/// Something else is there, which is left alone, or it cannot be deleted.
#[expect(clippy::disallowed_methods, reason = "the lawful place")]
pub fn remove_socket(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.file_type().is_socket() => std::fs::remove_file(path),
        Ok(_) => Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file that is no socket")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Lets the owner and the group of a socket talk to it, and nobody else.
///
/// # Errors
///
/// The file system fails.
pub fn open_to_group(path: &Path) -> io::Result<()> {
    std::fs::set_permissions(path, Permissions::from_mode(0o660))
}
