//! The floors table and the files agree: every file has a row, every row a file, no row stands twice.

use kinesis_tests::{Floor, Row, Walls};

use super::{is_below, is_test};
use crate::tree::SourceTree;
use crate::violation::Violation;

const TABLE: &str = "tests/layering/floors.rs";

/// The floor of a file: the row that names it, or else the deepest folder row above it.
pub(super) fn floor_of(walls: &Walls, key: &str) -> Option<Floor> {
    let best = walls.rows.iter().filter(|row| covers(row, key)).max_by_key(|row| (row.0 == key, row.0.len()));
    best.map(|row| row.1)
}

/// Every disagreement between the table and the files.
pub(super) fn check(walls: &Walls, tree: &SourceTree, tests: &[String]) -> Vec<Violation> {
    let mut found = files_without_row(walls, tree, tests);
    for (index, row) in walls.rows.iter().enumerate() {
        if !tree.files().any(|(key, _)| covers(row, key)) {
            let message = format!("row \"{}\" names no file below {}; take it out", row.0, walls.source);
            found.push(Violation::new(TABLE, 1, message));
        }
        if walls.rows[..index].iter().any(|earlier| earlier.0 == row.0) {
            let message = format!("row \"{}\" stands twice for {}; keep one", row.0, walls.source);
            found.push(Violation::new(TABLE, 1, message));
        }
    }
    found
}

fn files_without_row(walls: &Walls, tree: &SourceTree, tests: &[String]) -> Vec<Violation> {
    let message = format!("has no floor; give it a row in {TABLE}");
    tree.files()
        .filter(|(key, _)| !is_test(key, tests) && floor_of(walls, key).is_none())
        .map(|(_, file)| Violation::new(&file.path, 1, message.clone()))
        .collect()
}

fn covers(row: &Row, key: &str) -> bool {
    match row.0.strip_suffix("/*") {
        Some(folder) => is_below(key, folder),
        None => row.0 == key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALLS: Walls = Walls {
        source: "src",
        library: "mine",
        rows: &[
            Row("core/*", Floor::Stages),
            Row("core/processor/*", Floor::Parts),
            Row("core/flow", Floor::Core),
        ],
        reserved: &[],
        long_files: &[],
    };

    #[test]
    fn the_most_exact_row_wins() {
        let cases = [
            ("core/flow", Some(Floor::Core)),
            ("core/splitter", Some(Floor::Stages)),
            ("core/processor", Some(Floor::Stages)),
            ("core/processor/csv", Some(Floor::Parts)),
            ("core", None),
            ("corelike/flow", None),
        ];
        for (key, expected) in cases {
            assert_eq!(floor_of(&WALLS, key), expected, "{key}");
        }
    }

    #[test]
    fn files_and_rows_must_match() {
        let tree = SourceTree::of(&[("core/splitter.rs", ""), ("core/flow.rs", ""), ("stray.rs", "")]);
        let found: Vec<String> = check(&WALLS, &tree, &[]).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "src/stray.rs:1: has no floor; give it a row in tests/layering/floors.rs",
                "tests/layering/floors.rs:1: row \"core/processor/*\" names no file below src; take it out",
            ]
        );
    }

    #[test]
    fn a_row_stands_once() {
        let twice = Walls { rows: &[Row("a", Floor::Words), Row("a", Floor::Nouns)], ..WALLS };
        let found = check(&twice, &SourceTree::of(&[("a.rs", "")]), &[]);
        assert!(found[0].message.contains("stands twice"), "{found:?}");
    }
}
