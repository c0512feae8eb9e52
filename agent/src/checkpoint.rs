//! What is remembered of a file so that it can be found again and continued.
//!
//! Invariant: a fingerprint is about bytes that were read of one generation of a file, so it stays true while the file
//! grows.

use std::path::{Path, PathBuf};

use md5::{Digest as _, Md5};

use crate::types::{FileId, Node, Origin};

/// Bytes at the beginning of a file that its fingerprint covers.
pub const HEAD_BYTES: usize = 1024;

/// Bytes before the offset that a fingerprint covers.
pub const MARKER_BYTES: usize = 256;

/// Bytes that a read repeats at most: those before the offset, and an unfinished record if it is short.
pub const REPEATED_BYTES: usize = 4096;

/// The hash of some bytes, and how many they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Print {
    /// How many bytes.
    pub length: u32,
    /// Their MD5.
    pub digest: [u8; 16],
}

/// How the content of a file is recognised at an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fingerprint {
    /// The position that it is about.
    pub offset: u64,
    /// The first bytes, as far as they were read: at most [`HEAD_BYTES`].
    pub head: Print,
    /// The bytes before the offset: [`MARKER_BYTES`], or fewer when the offset is smaller.
    pub marker: Print,
}

/// What is saved for a file: every byte before the fingerprint's offset is acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileCheckpoint {
    /// The generation.
    pub file: FileId,
    /// Where it was last seen.
    pub path: PathBuf,
    /// Where it was seen before under names of other families, the oldest first: an archive may be named after any of
    /// them.
    pub former_paths: Vec<PathBuf>,
    /// Where the file system keeps it.
    pub node: Node,
    /// Up to where it is done, and how to recognise it. Of a gzip file that is finished: of the bytes as they are
    /// stored; else of what is in it.
    pub fingerprint: Fingerprint,
    /// It was rotated away, read to its end and acknowledged: it is remembered so that it is not read again, and one can
    /// ask for it.
    pub is_finished: bool,
    /// Its name in the ids of its records; `None` while nothing of it was sent (or that was before there were origins).
    pub origin: Option<Origin>,
}

/// What to read of a file to compare it with a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Bytes from the beginning.
    pub head_length: usize,
    /// Where the marker begins.
    pub marker_start: u64,
    /// Bytes of the marker.
    pub marker_length: usize,
}

/// What was read. Shorter than wanted when the file is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Probe {
    /// The beginning.
    pub head: Vec<u8>,
    /// The bytes before the fingerprint's offset.
    pub marker: Vec<u8>,
}

impl FileCheckpoint {
    /// All paths under which it is known, the present one first.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(&self.path).chain(&self.former_paths).map(PathBuf::as_path)
    }
}

impl Fingerprint {
    /// What to read to compare a file with this.
    #[must_use]
    pub fn wanted(&self) -> Wanted {
        Wanted {
            head_length: self.head.length as usize,
            marker_start: self.offset.saturating_sub(u64::from(self.marker.length)),
            marker_length: self.marker.length as usize,
        }
    }

    /// The fingerprint of a file at `offset`, and what to read to complete it.
    #[must_use]
    pub fn wanted_at(offset: u64) -> Wanted {
        let up_to = |most: usize| usize::try_from(offset).unwrap_or(usize::MAX).min(most);
        Wanted {
            head_length: up_to(HEAD_BYTES),
            marker_start: offset - up_to(MARKER_BYTES) as u64,
            marker_length: up_to(MARKER_BYTES),
        }
    }

    /// The fingerprint at `offset` of what was read there.
    #[must_use]
    pub fn of_probe(offset: u64, probe: &Probe) -> Self {
        Self { offset, head: Print::of(&probe.head), marker: Print::of(&probe.marker) }
    }
}

impl Print {
    /// The print of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        // Heads and markers are at most a kilobyte.
        Self { length: bytes.len() as u32, digest: Md5::digest(bytes).into() }
    }
}
