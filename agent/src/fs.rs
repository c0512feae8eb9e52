//! The file system as the agent sees it: this file and those below it are the only ones that touch files; [`state`] touches
//! the agent's own.
//!
//! Invariant: what is listed are regular files; everything else of the same name is left alone.

pub mod directories;
pub mod gzip;
pub mod host;
mod open;
pub mod shared;
pub mod state;
pub mod trusted;
mod walk;

use std::cell::RefCell;
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

use crate::checkpoint::{Fingerprint, Probe, Wanted};
use crate::config::link_policy::{LinkPolicy, Untrusted, UserId};
use crate::source_file::{DirectoryMark, Kind, Listed, Search};
use crate::types::Node;

use gzip::{GzipReader, Scanned};
use open::{NEVER_WAIT, check_regular, open_own, open_regular};
use walk::{Step, Walk};

/// How far back from a file's end its last line's beginning is looked for.
const LINE_SEARCH_BYTES: usize = 1024 * 1024;

/// Bytes through which NULs are searched at once, and those of one read.
const SEARCH_BYTES: u64 = 64 * 1024 * 1024;
const SEARCH_CHUNK_BYTES: usize = 256 * 1024;

/// A file that is held open. Of a gzip file the content is what is in it.
#[derive(Debug)]
pub struct OpenFile {
    file: File,
    /// Boxed, because it is large and few files have one.
    content: Option<Box<Content>>,
}

/// What is in a gzip file.
#[derive(Debug)]
struct Content {
    /// Up to the NULs with which it ends.
    size: u64,
    /// Reading goes forward; here is where it stands.
    reader: RefCell<GzipReader>,
}

/// What a look at an open file shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStatus {
    /// Where the file system keeps it.
    pub node: Node,
    /// Its size in bytes; of a gzip file that was scanned, what is in it.
    pub size: u64,
    /// Its size as it is stored.
    pub stored_size: u64,
    /// When it was last written to, in nanoseconds since 1970.
    pub modified: u64,
    /// How many names it has; 0 when it was deleted.
    pub links: u64,
}

/// What a directory shows.
#[derive(Debug, Default)]
pub struct Listing {
    /// Regular files.
    pub files: Vec<Listed>,
    /// Directories, sockets and the like under names that are wanted.
    pub skipped: Vec<PathBuf>,
    /// Links that are not followed, or may not be, and why.
    pub refused: Vec<(PathBuf, io::Error)>,
    /// The symbolic links under names that are followed, if they lead to files, or to nothing.
    pub links: Vec<PathBuf>,
}

/// The regular files of a directory whose names are `wanted`; symbolic links are followed as the policy says. A directory
/// that does not exist has none.
///
/// # Errors
///
/// The directory cannot be read, or is left alone for the links that lead to it.
#[expect(clippy::disallowed_methods, reason = "the lawful place")]
pub fn list(
    directory: &Path,
    policy: LinkPolicy,
    wanted: impl Fn(&OsStr) -> Option<Kind>,
) -> io::Result<Listing> {
    match trusted::check(directory, policy) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Listing::default()),
        checked => checked?,
    }
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Listing::default()),
        Err(error) => return Err(error),
    };
    let mut listing = Listing::default();
    for entry in entries {
        let entry = entry?;
        let Some(kind) = wanted(&entry.file_name()) else { continue };
        let path = entry.path();
        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        let metadata = std::fs::metadata(&path);
        let has_names = metadata.as_ref().is_ok_and(|metadata| metadata.is_file() && metadata.nlink() > 1);
        if (is_link || has_names)
            && let Err(error) = trusted::check(&path, policy)
        {
            match error.kind() {
                io::ErrorKind::PermissionDenied => listing.refused.push((path, error)),
                // A link that leads to nothing yet: where it leads is watched.
                io::ErrorKind::NotFound if is_link && kind == Kind::Followed => listing.links.push(path),
                // What went is no trouble.
                _ => {}
            }
            continue;
        }
        if is_link && kind == Kind::Followed && metadata.as_ref().map_or(true, Metadata::is_file) {
            listing.links.push(path.clone());
        }
        // A file that went between the listing and this look is not there.
        let Ok(metadata) = metadata else { continue };
        if metadata.is_file() {
            let (size, modified) = (metadata.len(), modified(&metadata));
            let node = node(&metadata);
            listing.files.push(Listed { path, node, size, stored_size: size, modified, kind });
        } else if kind == Kind::Followed {
            listing.skipped.push(path);
        }
    }
    listing.files.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(listing)
}

/// Looks at what a name leads to; `None`: nothing, or no regular file.
///
/// # Errors
///
/// The file system fails.
#[expect(clippy::disallowed_methods, reason = "the lawful place")]
pub fn status(path: &Path) -> io::Result<Option<FileStatus>> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(Some(file_status(&metadata))),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// What shows whether anything was made, removed or renamed in a directory; `None`: it is not there.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the lawful place")]
pub fn directory_mark(path: &Path) -> Option<DirectoryMark> {
    let metadata = std::fs::metadata(path).ok()?;
    Some(DirectoryMark { node: node(&metadata), modified: modified(&metadata) })
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
    /// Opens a file to read. Never waits.
    ///
    /// # Errors
    ///
    /// It cannot be opened, or is no regular file.
    pub fn open(path: &Path) -> io::Result<Self> {
        open_regular(path).map(|file| Self { file, content: None })
    }

    /// The same, if the policy lets the links be followed that lead there.
    ///
    /// # Errors
    ///
    /// It cannot be opened, is no regular file, or is left alone
    /// ([`Untrusted`]).
    pub fn open_trusted(path: &Path, policy: LinkPolicy) -> io::Result<Self> {
        trusted::open(path, policy).map(|file| Self { file, content: None })
    }

    /// That it is of this user; if not, the error says whose it should be.
    ///
    /// # Errors
    ///
    /// The file system fails, or it is another user's.
    pub fn check_owner(&self, link_owner: UserId) -> io::Result<()> {
        let owner = self.file.metadata()?.uid();
        if owner == link_owner {
            return Ok(());
        }
        Err(trusted::refused(Untrusted::Generation { owner, link_owner }))
    }

    /// Another descriptor of the same open file.
    ///
    /// # Errors
    ///
    /// The process has no more descriptors.
    pub fn duplicate(&self) -> io::Result<Self> {
        self.file.try_clone().map(|file| Self { file, content: None })
    }

    /// Takes the first `stored_size` bytes of a gzip file apart, and answers what the fingerprints are compared with. From
    /// then on its content is what is in it, if it is complete.
    ///
    /// # Errors
    ///
    /// The file system fails.
    pub fn decompress(&mut self, stored_size: u64, wanted: &[Wanted]) -> io::Result<Scanned> {
        let scanned = gzip::scan(&self.file, stored_size, wanted)?;
        if let Scanned::Complete { size, .. } = scanned {
            let reader = RefCell::new(GzipReader::new(self.file.try_clone()?));
            self.content = Some(Box::new(Content { size, reader }));
        }
        Ok(scanned)
    }

    /// Whether its content is that of a gzip file.
    #[must_use]
    pub fn is_decompressed(&self) -> bool {
        self.content.is_some()
    }

    /// Looks at it.
    ///
    /// # Errors
    ///
    /// The file system fails.
    pub fn status(&self) -> io::Result<FileStatus> {
        let mut status = file_status(&self.file.metadata()?);
        if let Some(content) = &self.content {
            status.size = content.size;
        }
        Ok(status)
    }

    /// Reads up to `length` bytes at `offset` into `buffer`, which is emptied first; fewer at the end of the file.
    ///
    /// # Errors
    ///
    /// The file system fails, or the gzip file is not what it was when it was scanned.
    pub fn read_at(&self, offset: u64, length: usize, buffer: &mut Vec<u8>) -> io::Result<()> {
        match &self.content {
            Some(content) => content.reader.borrow_mut().read_at(offset, length, buffer),
            None => read_at(&self.file, offset, length, buffer),
        }
    }

    /// Searches from an offset on, and up to `end`, for a byte that is no NUL; not farther than 64 MiB at once.
    ///
    /// # Errors
    ///
    /// The file system fails.
    pub fn search_text(&self, from: u64, end: u64) -> io::Result<Search> {
        let mut place = if self.content.is_some() { from } else { self.data_after(from).min(end) };
        let most = end.min(place.saturating_add(SEARCH_BYTES));
        let mut chunk = Vec::new();
        while place < most {
            self.read_at(place, SEARCH_CHUNK_BYTES, &mut chunk)?;
            if let Some(text) = chunk.iter().position(|byte| *byte != 0) {
                return Ok(Search::Text(place + text as u64));
            }
            if chunk.is_empty() {
                break;
            }
            place += chunk.len() as u64;
        }
        Ok(Search::Nuls(place.min(end)))
    }

    /// Where something is stored from this offset on, as far as the file system tells; in between are NULs.
    fn data_after(&self, from: u64) -> u64 {
        match seek(&self.file, SeekFrom::Data(from)) {
            Ok(place) => place,
            Err(Errno::NXIO) => u64::MAX,
            Err(_) => from,
        }
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
        let size = self.text_end(size, 0)?;
        let length = usize::try_from(size).unwrap_or(usize::MAX).min(LINE_SEARCH_BYTES);
        let start = size - length as u64;
        let mut tail = Vec::new();
        self.read_at(start, length, &mut tail)?;
        let line_end = memchr::memrchr(b'\n', &tail).map_or(0, |place| place + 1);
        let offset = start + line_end as u64;
        self.fingerprint_at(offset)
    }

    /// Where the NULs begin with which the first `size` bytes end; not before `from`.
    ///
    /// # Errors
    ///
    /// The file system fails.
    pub fn text_end(&self, size: u64, from: u64) -> io::Result<u64> {
        let (mut end, mut chunk) = (size, Vec::new());
        while end > from {
            // Nearly always the last byte is none.
            let most = if end == size { 64 } else { SEARCH_CHUNK_BYTES };
            let length = usize::try_from(end - from).unwrap_or(usize::MAX).min(most);
            let start = end - length as u64;
            self.read_at(start, length, &mut chunk)?;
            if let Some(last) = chunk.iter().rposition(|byte| *byte != 0) {
                return Ok(start + last as u64 + 1);
            }
            end = start;
        }
        Ok(end)
    }

    /// The fingerprint at the end of the stored bytes, as they are.
    ///
    /// # Errors
    ///
    /// The file system fails.
    pub fn stored_fingerprint(&self) -> io::Result<Fingerprint> {
        let raw = Self { file: self.file.try_clone()?, content: None };
        Ok(raw.fingerprint_at(raw.status()?.size)?.0)
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

fn read_at(file: &File, offset: u64, length: usize, buffer: &mut Vec<u8>) -> io::Result<()> {
    buffer.resize(length, 0);
    let mut read = 0;
    while read < length {
        match file.read_at(&mut buffer[read..], offset + read as u64) {
            Ok(0) => break,
            Ok(bytes) => read += bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(read);
    Ok(())
}

fn file_status(metadata: &Metadata) -> FileStatus {
    FileStatus {
        node: node(metadata),
        size: metadata.len(),
        stored_size: metadata.len(),
        modified: modified(metadata),
        links: metadata.nlink(),
    }
}

fn node(metadata: &Metadata) -> Node {
    // Not every file system keeps births, and not every kernel tells.
    let birth = metadata.created().ok().and_then(|born| born.duration_since(UNIX_EPOCH).ok());
    let birth = birth.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX));
    Node { device: metadata.dev(), inode: metadata.ino(), birth }
}

fn modified(metadata: &Metadata) -> u64 {
    // Times before 1970 are as old as can be.
    let nanoseconds = metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec());
    u64::try_from(nanoseconds).unwrap_or(0)
}
