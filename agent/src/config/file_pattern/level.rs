//! The directory part of a file pattern: the directory where the search begins, and the levels below it.
//!
//! Invariant: a directory part without glob characters has no levels, and is taken as it is written.

use std::ffi::OsStr;

use globset::GlobMatcher;

use super::{FilePatternError, compile};

/// One level of directories below the one where the search begins.
#[derive(Debug, Clone)]
pub enum Level {
    /// Directories of this one's names.
    Named(GlobMatcher),
    /// `**`: this directory and all below it, symbolic links not followed.
    Any,
}

impl Level {
    /// Whether a directory of this name belongs to the level.
    #[must_use]
    pub fn matches(&self, name: &OsStr) -> bool {
        match self {
            Self::Named(matcher) => matcher.is_match(name),
            Self::Any => true,
        }
    }
}

/// Splits a directory part where its first glob begins.
pub(super) fn split(directory: &str) -> Result<(String, Vec<Level>), FilePatternError> {
    let parts: Vec<&str> = directory.split('/').collect();
    let is_glob = |part: &&str| part.contains(['*', '?', '[', '{', '\\']);
    let Some(first) = parts.iter().position(is_glob) else { return Ok((directory.to_owned(), Vec::new())) };
    let root = match parts[..first].join("/") {
        root if !root.is_empty() => root,
        _ if directory.starts_with('/') => "/".to_owned(),
        _ => ".".to_owned(),
    };
    let level = |part: &&str| match *part {
        "**" => Ok(Level::Any),
        part => compile(part).map(Level::Named),
    };
    Ok((root, parts[first..].iter().map(level).collect::<Result<_, _>>()?))
}
