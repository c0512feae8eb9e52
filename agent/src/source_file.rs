//! A file as its directory shows it.

use std::path::PathBuf;

use crate::types::Node;

/// A regular file with a name that a flow follows, or is looking for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its path.
    pub path: PathBuf,
    /// Where the file system keeps it.
    pub node: Node,
    /// Its size in bytes.
    pub size: u64,
}
