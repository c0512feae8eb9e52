//! Where symbolic links lead, and in which directories they lie: those have to be watched to see that they lead
//! elsewhere.
//!
//! Invariant: links that lead in a circle end.

use std::path::{Path, PathBuf};

use super::{Step, Walk};
use crate::config::link_policy::UserId;

/// The way from a name to what it leads to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// Its end, whether there is anything or not; no part of it was a link.
    pub end: PathBuf,
    /// The directories of the links that were followed.
    pub through: Vec<PathBuf>,
    /// The owners of those links.
    pub owners: Vec<UserId>,
}

/// Follows every symbolic link in a path, the last part's included.
#[must_use]
pub fn follow(path: &Path) -> Way {
    let Ok(mut walk) = Walk::start(path) else { return Way { end: path.to_owned(), ..Way::default() } };
    // What is not there, or cannot be looked at, is the end as it is written.
    while let Ok(Some(step)) = walk.step() {
        if let Step::Last { name, .. } = step {
            walk.left.push_front(name);
            break;
        }
    }
    let directory = |path: &PathBuf| {
        if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.clone() }
    };
    Way {
        through: walk.links.iter().map(|link| directory(&link.directory)).collect(),
        owners: walk.links.iter().map(|link| link.owner).collect(),
        end: walk.rest(),
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
            assert_eq!(way.owners.len(), through, "{path}");
        }
        assert_eq!(follow(&root.join("circle")).through.len(), 40);
        let relative = Way { end: "../none/x".into(), ..Way::default() };
        assert_eq!(follow(Path::new("../none/./y/../x")), relative);
    }
}
