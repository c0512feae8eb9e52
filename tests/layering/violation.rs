//! A broken rule, as a person needs to read it: where, what, and what to do.

use std::fmt;

/// One finding of the layering test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// The file from the workspace's root, or the table's file for a finding about the table.
    pub(crate) file: String,
    /// The line, counted from one.
    pub(crate) line: usize,
    /// What happened, why it is wrong, what to do.
    pub(crate) message: String,
}

impl Violation {
    pub(crate) fn new(file: &str, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.file, self.line, self.message)
    }
}
