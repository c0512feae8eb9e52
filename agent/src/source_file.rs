//! A file as its directory shows it, and the directory.

use std::path::PathBuf;

use crate::types::Node;

/// A regular file with a name that a flow follows, or is looking for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its path.
    pub path: PathBuf,
    /// Where the file system keeps it.
    pub node: Node,
    /// The bytes of its content; of a compressed file, once it was opened, those of what is in it.
    pub size: u64,
    /// The bytes that the directory shows; others than `size` only if it is compressed.
    pub stored_size: u64,
    /// When it was last written to, in nanoseconds since 1970.
    pub modified: u64,
    /// Why it is listed.
    pub kind: Kind,
}

/// Why a file is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The flow's pattern matches its name.
    Followed,
    /// Rotation made its name of one that the pattern matches.
    Rotated,
    /// The same, and it is a gzip file.
    Compressed,
}

/// What a search among NULs came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// There is a byte here that is none.
    Text(u64),
    /// There are NULs up to here at least.
    Nuls(u64),
}

/// What shows that nothing was made, removed or renamed in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirectoryMark {
    /// Where the file system keeps it.
    pub node: Node,
    /// When it was last changed, in nanoseconds since 1970.
    pub modified: u64,
}
