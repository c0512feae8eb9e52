//! What the Java agent remembers of a file.
//!
//! Invariant: as its database has it; nothing is concluded here.

use std::path::PathBuf;

use crate::types::Node;

/// A row of the Java agent's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JavaCheckpoint {
    /// The flow's id, which is ours too.
    pub flow: String,
    /// The file's path when it was saved.
    pub path: PathBuf,
    /// Where the file system kept it; `None` if its text was not understood.
    pub node: Option<Node>,
    /// The file's time of change, in milliseconds since 1970, at the last look before.
    pub modified_ms: i64,
    /// Its size at that look.
    pub size: u64,
    /// The end of the last record that was sent.
    pub offset: u64,
    /// When the row was written, as text that sorts by time.
    pub updated: String,
}
