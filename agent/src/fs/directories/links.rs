//! Where symbolic links lead, and in which directories they lie: those have to be watched to see that they lead
//! elsewhere.
//!
//! Invariant: links that lead in a circle end.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// Links on one way at most, as in the kernel.
const MOST: usize = 40;

/// The way from a name to what it leads to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// Its end, whether there is anything or not; no part of it was a link.
    pub end: PathBuf,
    /// The directories of the links that were followed.
    pub through: Vec<PathBuf>,
}

/// Follows every symbolic link in a path, the last part's included.
#[must_use]
pub fn follow(path: &Path) -> Way {
    let mut way = Way::default();
    let mut ahead = parts(path);
    while let Some(part) = ahead.pop() {
        if part == ".." {
            way.go_up();
            continue;
        }
        let next = way.end.join(&part);
        match next.read_link() {
            Ok(to) if way.through.len() < MOST => {
                way.through.push(way.directory());
                ahead.extend(parts(&to));
                if to.is_absolute() {
                    way.end = PathBuf::new();
                }
            }
            _ => way.end = next,
        }
    }
    way
}

/// The parts of a path, the last one first.
fn parts(path: &Path) -> Vec<OsString> {
    let is_needed = |part: &Component<'_>| !matches!(part, Component::CurDir);
    path.components().rev().filter(is_needed).map(|part| part.as_os_str().to_owned()).collect()
}

impl Way {
    fn go_up(&mut self) {
        let is_above = self.end.as_os_str().is_empty() || self.end.ends_with("..");
        if is_above {
            self.end.push("..");
        } else {
            self.end.pop();
        }
    }

    fn directory(&self) -> PathBuf {
        if self.end.as_os_str().is_empty() { PathBuf::from(".") } else { self.end.clone() }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "makes links to follow")]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn ways_through_links() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let root = scratch.path().canonicalize().expect("it is there");
        std::fs::create_dir_all(root.join("pods/web")).expect("makes");
        std::fs::write(root.join("pods/web/0.log"), "").expect("writes");
        for (link, to) in [
            ("direct.log", "pods/web/0.log"),
            ("chain.log", "direct.log"),
            ("up.log", "pods/../direct.log"),
            ("absolute.log", root.join("chain.log").to_str().expect("text")),
            ("dangling.log", "pods/db/0.log"),
            ("circle", "circle"),
            ("web", "pods/web"),
        ] {
            symlink(to, root.join(link)).expect("links");
        }
        for (path, end, through) in [
            ("pods/web/0.log", "pods/web/0.log", 0),
            ("./pods/./web/../web/0.log", "pods/web/0.log", 0),
            ("direct.log", "pods/web/0.log", 1),
            ("chain.log", "pods/web/0.log", 2),
            ("up.log", "pods/web/0.log", 2),
            ("absolute.log", "pods/web/0.log", 3),
            ("dangling.log", "pods/db/0.log", 1),
            ("web/0.log", "pods/web/0.log", 1),
            ("web/none", "pods/web/none", 1),
        ] {
            let way = follow(&root.join(path));
            assert_eq!((way.end, way.through), (root.join(end), vec![root.clone(); through]), "{path}");
        }
        assert_eq!(follow(&root.join("circle")).through.len(), MOST);
        let relative = Way { end: "../none/x".into(), through: Vec::new() };
        assert_eq!(follow(Path::new("../none/./y/../x")), relative);
    }
}
