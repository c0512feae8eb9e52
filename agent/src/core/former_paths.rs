//! The names that a generation had before its present one.
//!
//! An archive may be named after any of them: `app.log` becomes `app.log.old`, and that `app.log-20261120.gz`. Names of one
//! family say the same, so one of each is kept.

use std::path::{Path, PathBuf};

use crate::core::rotated_name::family;

/// How many are kept. Of more the first is kept, which is the log's own, and the last ones.
const MOST: usize = 8;

/// Notes that a file that is `present` now was `former` before.
pub fn remember(former_paths: &mut Vec<PathBuf>, former: PathBuf, present: &Path) {
    let kin = family(&former);
    if kin == family(present) || former_paths.iter().any(|path| family(path) == kin) {
        return;
    }
    if former_paths.len() == MOST {
        former_paths.remove(1);
    }
    former_paths.push(former);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remembered(names: &[&str]) -> Vec<String> {
        let mut former = Vec::new();
        for step in names.windows(2) {
            remember(&mut former, Path::new("/log").join(step[0]), &Path::new("/log").join(step[1]));
        }
        former.iter().filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect()
    }

    #[test]
    fn one_name_of_each_family_is_kept() {
        let table: [(&[&str], &[&str]); 6] = [
            (&["app.log"], &[]),
            (&["app.log", "app.log.1", "app.log.2"], &[]),
            (&["app.log", "app.log.2026-11-20.0123.tmp"], &[]),
            (&["app.log", "app.log.old"], &["app.log"]),
            (&["app.log", "app.log.old", "app.log.1", "app.log.old"], &["app.log", "app.log.old"]),
            (&["app.log.1", "app.log.old", "b", "app.log.2"], &["app.log.1", "app.log.old", "b"]),
        ];
        for (names, expected) in table {
            assert_eq!(remembered(names), expected, "{names:?}");
        }
    }

    #[test]
    fn there_are_not_many_and_the_first_is_among_them() {
        let names: Vec<String> = ('a'..='z').map(String::from).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(remembered(&names), ["a", "s", "t", "u", "v", "w", "x", "y"]);
    }
}
