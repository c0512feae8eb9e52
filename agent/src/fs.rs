//! The file system as the agent sees it: this file touches the files that are followed, [`state`] the agent's own.
//!
//! Invariant: what is listed are regular files; everything else of the same name is left alone.

pub mod state;

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

use crate::checkpoint::{Fingerprint, Probe, Wanted};
use crate::source_file::Listed;
use crate::types::Node;

/// How far back from a file's end its last line's beginning is looked for.
const LINE_SEARCH_BYTES: usize = 1024 * 1024;

/// A file that is held open.
#[derive(Debug)]
pub struct OpenFile(File);

/// What a look at an open file shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStatus {
    /// Where the file system keeps it.
    pub node: Node,
    /// Its size in bytes.
    pub size: u64,
    /// How many names it has; 0 when it was deleted.
    pub links: u64,
}

/// The regular files of a directory whose names are `wanted`; symbolic links are followed. A directory that does not
/// exist has none.
///
/// # Errors
///
/// The directory cannot be read.
#[expect(clippy::disallowed_methods, reason = "the lawful place")]
pub fn list(directory: &Path, wanted: impl Fn(&OsStr) -> bool) -> io::Result<Vec<Listed>> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut listing = Vec::new();
    for entry in entries {
        let entry = entry?;
        if !wanted(&entry.file_name()) {
            continue;
        }
        let path = entry.path();
        // A file that went between the listing and this look is not there.
        let Ok(metadata) = std::fs::metadata(&path) else { continue };
        if metadata.is_file() {
            listing.push(Listed { path, node: node(&metadata), size: metadata.len() });
        }
    }
    listing.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(listing)
}

/// Whether there is a directory of this name.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the lawful place")]
pub fn is_directory(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// The whole text of a file.
///
/// # Errors
///
/// It cannot be read, or is not UTF-8.
#[expect(clippy::disallowed_methods, reason = "the lawful place")]
pub fn read_text(path: &Path) -> io::Result<String> {
    std::fs::read_to_string(path)
}

/// Makes the directory in which `file` is to be.
///
/// # Errors
///
/// It cannot be made.
#[expect(clippy::disallowed_methods, reason = "the lawful place")]
pub fn make_parent_directory(file: &Path) -> io::Result<()> {
    file.parent().map_or(Ok(()), std::fs::create_dir_all)
}

impl OpenFile {
    /// Opens a file to read.
    ///
    /// # Errors
    ///
    /// It cannot be opened.
    #[expect(clippy::disallowed_methods, reason = "the lawful place")]
    pub fn open(path: &Path) -> io::Result<Self> {
        File::open(path).map(Self)
    }

    /// Another descriptor of the same open file.
    ///
    /// # Errors
    ///
    /// The process has no more descriptors.
    pub fn duplicate(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// Looks at it.
    ///
    /// # Errors
    ///
    /// The file system fails.
    pub fn status(&self) -> io::Result<FileStatus> {
        let metadata = self.0.metadata()?;
        Ok(FileStatus { node: node(&metadata), size: metadata.len(), links: metadata.nlink() })
    }

    /// Reads up to `length` bytes at `offset` into `buffer`, which is emptied first; fewer at the end of the file.
    ///
    /// # Errors
    ///
    /// The file system fails.
    pub fn read_at(&self, offset: u64, length: usize, buffer: &mut Vec<u8>) -> io::Result<()> {
        buffer.resize(length, 0);
        let mut read = 0;
        while read < length {
            match self.0.read_at(&mut buffer[read..], offset + read as u64) {
                Ok(0) => break,
                Ok(bytes) => read += bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        buffer.truncate(read);
        Ok(())
    }

    /// Reads what a fingerprint is compared with.
    ///
    /// # Errors
    ///
    /// The file system fails.
    pub fn probe(&self, wanted: Wanted) -> io::Result<Probe> {
        let mut probe = Probe::default();
        self.read_at(0, wanted.head_length, &mut probe.head)?;
        self.read_at(wanted.marker_start, wanted.marker_length, &mut probe.marker)?;
        Ok(probe)
    }

    /// The end of the last complete line within the last mebibyte of the first `size` bytes; where that mebibyte
    /// begins if there is none.
    ///
    /// # Errors
    ///
    /// The file system fails.
    pub fn last_line_end(&self, size: u64) -> io::Result<(Fingerprint, Probe)> {
        let length = usize::try_from(size).unwrap_or(usize::MAX).min(LINE_SEARCH_BYTES);
        let start = size - length as u64;
        let mut tail = Vec::new();
        self.read_at(start, length, &mut tail)?;
        let line_end = memchr::memrchr(b'\n', &tail).map_or(0, |place| place + 1);
        let offset = start + line_end as u64;
        self.fingerprint_at(offset)
    }

    /// The fingerprint at `offset`, and what was read for it.
    ///
    /// # Errors
    ///
    /// The file system fails.
    pub fn fingerprint_at(&self, offset: u64) -> io::Result<(Fingerprint, Probe)> {
        let probe = self.probe(Fingerprint::wanted_at(offset))?;
        Ok((Fingerprint::of_probe(offset, &probe), probe))
    }
}

fn node(metadata: &Metadata) -> Node {
    Node { device: metadata.dev(), inode: metadata.ino() }
}
