//! The directories that a pattern's directory part stands for.
//!
//! Invariants: a loop of symbolic links ends; a directory below that cannot be read is left out and told, never fatal.

pub mod links;

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use super::{Step, Walk};
use crate::config::Level;
use crate::types::Node;
use links::follow;

/// Levels below the first directory that `**` goes down to.
const DEEPEST: usize = 32;

/// What was found.
#[derive(Debug, Default)]
pub struct Directories {
    /// Those in which files are looked for, sorted.
    pub matching: Vec<PathBuf>,
    /// Those in which a matching one may appear.
    pub passed: Vec<PathBuf>,
    /// Those with the symbolic links that lead to them.
    pub through: Vec<PathBuf>,
    /// Those that could not be read.
    pub unreadable: Vec<(PathBuf, io::Error)>,
    seen: HashSet<(Node, usize)>,
}

/// Goes down from `root`. Without levels it is `root`, whether it exists or not.
#[must_use]
pub fn find(root: &Path, levels: &[Level]) -> Directories {
    let mut found = Directories { through: follow(root).through, ..Directories::default() };
    if levels.is_empty() {
        found.matching.push(root.to_owned());
    } else {
        found.descend(root, levels, 0);
        found.matching.sort();
        found.matching.dedup();
    }
    found
}

/// The directories in this one, symbolic links not followed.
///
/// # Errors
///
/// It cannot be read.
pub fn below(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let children = children(directory, &Level::Any)?;
    Ok(children.into_iter().map(|child| child.path).collect())
}

impl Directories {
    fn descend(&mut self, directory: &Path, levels: &[Level], depth: usize) {
        let Some((level, below)) = levels.split_first() else {
            return self.matching.push(directory.to_owned());
        };
        if matches!(level, Level::Any) {
            self.descend(directory, below, depth);
        }
        if depth > DEEPEST || !self.is_first_visit(directory, levels.len()) {
            return;
        }
        if !self.passed.iter().any(|passed| passed == directory) {
            self.passed.push(directory.to_owned());
        }
        match children(directory, level) {
            Ok(children) => {
                let levels = if matches!(level, Level::Any) { levels } else { below };
                for Child { path, is_link } in children {
                    if is_link {
                        self.through.extend(follow(&path).through);
                    }
                    self.descend(&path, levels, depth + 1);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.unreadable.push((directory.to_owned(), error)),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the lawful place")]
    fn is_first_visit(&mut self, directory: &Path, levels_left: usize) -> bool {
        let Ok(metadata) = std::fs::metadata(directory) else { return false };
        self.seen.insert((super::node(&metadata), levels_left))
    }
}

/// A directory in another one.
struct Child {
    path: PathBuf,
    is_link: bool,
}

#[expect(clippy::disallowed_methods, reason = "the lawful place")]
fn children(directory: &Path, level: &Level) -> io::Result<Vec<Child>> {
    let mut children = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if !level.matches(&entry.file_name()) {
            continue;
        }
        let (is_directory, is_link) = match entry.file_type() {
            // Who names a level means what the link leads to; who says "everything below" does not.
            Ok(kind) if kind.is_symlink() => {
                (matches!(level, Level::Named(_)) && entry.path().is_dir(), true)
            }
            Ok(kind) => (kind.is_dir(), false),
            Err(_) => (false, false), // gone meanwhile
        };
        if is_directory {
            children.push(Child { path: entry.path(), is_link });
        }
    }
    Ok(children)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "makes directories to find")]
mod tests {
    use super::*;
    use crate::config::FilePattern;

    fn found(root: &Path, directory: &str) -> Vec<String> {
        let pattern = FilePattern::parse(&format!("{}/{directory}/x", root.display())).expect("a pattern");
        let found = find(pattern.root(), pattern.levels());
        let shown = |path: &PathBuf| path.strip_prefix(root).expect("below").display().to_string();
        found.matching.iter().map(shown).collect()
    }

    #[test]
    fn globs_of_directories() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let root = scratch.path();
        for directory in ["2026/11/20", "2026/11/21", "2026/12", "old/11", ".hidden"] {
            std::fs::create_dir_all(root.join(directory)).expect("makes");
        }
        std::fs::write(root.join("2026/file"), "").expect("writes");
        std::os::unix::fs::symlink(root, root.join("old/loop")).expect("links");
        assert_eq!(found(root, "2026/*/2?"), ["2026/11/20", "2026/11/21"]);
        assert_eq!(found(root, "*/11"), ["2026/11", "old/11"]);
        assert_eq!(found(root, "*"), [".hidden", "2026", "old"]);
        assert_eq!(found(root, "old/*/old"), ["old/loop/old"]);
        assert_eq!(found(root, "**/11"), ["2026/11", "old/11"]);
        assert_eq!(found(root, "2026/**"), ["2026", "2026/11", "2026/11/20", "2026/11/21", "2026/12"]);
        assert_eq!(found(root, "2026/**/**").len(), 5);
        assert_eq!(found(root, "none/*"), Vec::<String>::new());
        assert_eq!(found(root, "none"), ["none"], "a plain directory may come later");
    }
}
