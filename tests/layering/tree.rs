//! The source files of one crate, from the disk or made up by a test.
//!
//! Invariant: a file's key is its path below the source folder without `.rs`, so it reads like a row of the
//! floors table, and the files come in the order of their keys.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::test_code;
use crate::words::{self, Word};

/// One source file.
#[derive(Debug)]
pub(crate) struct SourceFile {
    /// The path from the workspace's root, for messages.
    pub(crate) path: String,
    /// The whole text.
    pub(crate) text: String,
}

impl SourceFile {
    /// The words of the file that are neither comment nor test code.
    pub(crate) fn words(&self) -> Vec<Word<'_>> {
        test_code::without_tests(&words::words(&self.text)).words
    }
}

/// All source files of a crate.
#[derive(Debug, Default)]
pub(crate) struct SourceTree {
    files: BTreeMap<String, SourceFile>,
}

impl SourceTree {
    /// Reads every `.rs` file below `source`, a folder named from the workspace's root.
    pub(crate) fn read(source: &str) -> io::Result<Self> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let folder = workspace.join(source);
        let mut tree = Self::default();
        for path in rust_files(&folder)? {
            let below = path.strip_prefix(&folder).map_err(io::Error::other)?;
            tree.insert(source, &below.to_string_lossy(), text_of(&path)?);
        }
        Ok(tree)
    }

    /// A made-up crate: pairs of a path below its source folder and a text.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (below, text) in files {
            tree.insert("src", below, (*text).to_owned());
        }
        tree
    }

    fn insert(&mut self, source: &str, below: &str, text: String) {
        let key = below.strip_suffix(".rs").unwrap_or(below).to_owned();
        self.files.insert(key, SourceFile { path: format!("{source}/{below}"), text });
    }

    /// Every file with its key.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &SourceFile)> {
        self.files.iter().map(|(key, file)| (key.as_str(), file))
    }

    /// Whether a file with this key exists.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.files.contains_key(key)
    }

    /// The keys of files that are compiled for tests only, because their parent declares them so.
    pub(crate) fn test_files(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (key, file) in &self.files {
            for module in test_code::without_tests(&words::words(&file.text)).test_modules {
                found.push(match key.as_str() {
                    "lib" | "main" => module,
                    parent => format!("{parent}/{module}"),
                });
            }
        }
        found
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the layering test judges source files, so it has to read them"
)]
fn text_of(path: &Path) -> io::Result<String> {
    std::fs::read_to_string(path)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the layering test judges source files, so it has to find them"
)]
fn rust_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_this_very_file() {
        let tree = SourceTree::read("tests/layering").unwrap();
        assert!(tree.has("tree"));
        assert!(tree.has("rules/direction"));
    }

    #[test]
    fn test_files_are_those_their_parent_declares_so() {
        let tree = SourceTree::of(&[
            ("lib.rs", "#[cfg(test)] mod simulation;\nmod core;"),
            ("core.rs", "#[cfg(test)]\nmod tests;\nmod flow;"),
        ]);
        assert_eq!(tree.test_files(), ["core/tests", "simulation"]);
    }
}
