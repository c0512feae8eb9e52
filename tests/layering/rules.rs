//! All rules, applied to one crate.
//!
//! Invariant: test code is held to the rules of form only. It may use clocks, files and any floor.

mod direction;
mod form;
mod purity;
mod reserved;
mod table;

use kinesis_tests::{LongFile, Walls};

use crate::paths::{NamedPath, named_paths};
use crate::resolve::Resolver;
use crate::tree::{SourceFile, SourceTree};
use crate::violation::Violation;

/// Everything that is wrong with the crate that `tree` holds.
pub(crate) fn check(walls: &Walls, tree: &SourceTree) -> Vec<Violation> {
    let tests = tree.test_files();
    let mut found = table::check(walls, tree, &tests);
    found.extend(check_form(walls.long_files, tree));
    for (key, file) in tree.files() {
        if !is_test(key, &tests) {
            found.extend(check_file(walls, tree, key, file));
        }
    }
    found
}

/// The rules that hold for any source file: it opens with its purpose, and it is short.
pub(crate) fn check_form(long_files: &[LongFile], tree: &SourceTree) -> Vec<Violation> {
    form::check(long_files, tree)
}

fn check_file(walls: &Walls, tree: &SourceTree, key: &str, file: &SourceFile) -> Vec<Violation> {
    let words = file.words();
    let paths = named_paths(&words);
    let mut found = reserved::check(walls, key, file, &paths);
    if let Some(floor) = table::floor_of(walls, key) {
        found.extend(direction::check(walls, tree, key, file, &paths));
        if floor.is_pure() {
            let resolver = Resolver::new(tree, walls.library, key);
            let outside: Vec<NamedPath> =
                paths.into_iter().filter(|path| resolver.target(path).is_none()).collect();
            found.extend(purity::check(floor, file, &words, &outside));
        }
    }
    found
}

/// Whether the file, or a file it belongs to, is compiled for tests only.
fn is_test(key: &str, tests: &[String]) -> bool {
    tests.iter().any(|test| key == test || is_below(key, test))
}

/// Whether `key` stands in the folder of `parent`, at any depth.
fn is_below(key: &str, parent: &str) -> bool {
    key.strip_prefix(parent).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use kinesis_tests::{Floor, Row};

    use super::*;

    const WALLS: Walls = Walls {
        source: "src",
        library: "mine",
        rows: &[Row("lib", Floor::Face), Row("types", Floor::Words)],
        reserved: &[],
        long_files: &[],
    };

    #[test]
    fn a_crate_that_keeps_every_rule_passes() {
        let tree = SourceTree::of(&[("lib.rs", "//! A.\nmod types;"), ("types.rs", "//! B.\nuse std::fmt;")]);
        assert_eq!(check(&WALLS, &tree), []);
    }

    #[test]
    fn every_rule_is_applied() {
        let tree = SourceTree::of(&[
            ("lib.rs", "mod types;"),
            ("types.rs", "//! B.\nuse crate::Thing;\nuse std::fs;"),
            ("stray.rs", "//! C."),
        ]);
        let found: Vec<String> = check(&WALLS, &tree).iter().map(ToString::to_string).collect();
        for part in ["src/lib.rs:1", "src/types.rs:2", "src/types.rs:3", "src/stray.rs:1"] {
            assert!(found.iter().any(|line| line.starts_with(part)), "{part} not in {found:?}");
        }
        assert_eq!(found.len(), 4, "{found:?}");
    }

    #[test]
    fn an_own_module_with_the_name_of_a_forbidden_crate_is_no_reach() {
        let walls = Walls { rows: &[Row("lib", Floor::Words), Row("backoff", Floor::Words)], ..WALLS };
        let tree =
            SourceTree::of(&[("lib.rs", "//! A.\nmod backoff;\nuse backoff::X;"), ("backoff.rs", "//! B.")]);
        assert_eq!(check(&walls, &tree), []);
    }

    #[test]
    fn files_of_tests_need_no_row_and_may_touch_anything() {
        let tree = SourceTree::of(&[
            ("lib.rs", "//! A.\n#[cfg(test)]\nmod simulation;"),
            ("types.rs", "//! B."),
            ("simulation.rs", "//! C.\nuse std::fs;"),
            ("simulation/faults.rs", "//! D.\nuse tokio::time;"),
        ]);
        assert_eq!(check(&WALLS, &tree), []);
    }
}
