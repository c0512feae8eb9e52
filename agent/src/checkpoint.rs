//! What is remembered of a file so that it can be found again and continued.
//!
//! Invariant: a fingerprint is about bytes before its offset only, so it stays true while the file grows.

use std::path::PathBuf;

use md5::{Digest as _, Md5};

use crate::types::{FileId, Node};

/// Bytes at the beginning of a file that its fingerprint covers.
pub const HEAD_BYTES: usize = 1024;

/// Bytes before the offset that a fingerprint covers.
pub const MARKER_BYTES: usize = 256;

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
    /// The first bytes: [`HEAD_BYTES`], or fewer when the offset is smaller.
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
    /// Where the file system keeps it.
    pub node: Node,
    /// Up to where it is done, and how to recognise it.
    pub fingerprint: Fingerprint,
}

impl Print {
    /// The print of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        // Heads and markers are at most a kilobyte.
        Self { length: bytes.len() as u32, digest: Md5::digest(bytes).into() }
    }
}
