//! `CONFORMANCE.md` names tests; this one holds it to them.

#[path = "../../tests/conformance_table.rs"]
mod table;

use table::{Row, assert_complete, assert_each_once, assert_tests_are_there};

/// The sections, and how many rows each has: the Java agent's test classes by theme, and what they leave out.
const SECTIONS: [(&str, usize); 11] = [
    ("Configuration", 53),
    ("Byte helpers", 17),
    ("File matching and identity", 18),
    ("Rotation analysis and tracking", 31),
    ("Parsing", 43),
    ("Converters", 12),
    ("Buffers, queue, publisher and senders", 46),
    ("Checkpoints", 13),
    ("Whole tailer", 13),
    ("Metrics", 16),
    ("Decisions", 30),
];

fn rows(heading: &str) -> Vec<Row<'static>> {
    table::rows(include_str!("../CONFORMANCE.md"), heading)
}

fn all() -> Vec<Row<'static>> {
    SECTIONS.iter().flat_map(|(heading, _)| rows(heading)).collect()
}

#[test]
fn every_case_of_the_java_agent_has_a_row() {
    assert_eq!(SECTIONS.map(|(heading, _)| (heading, rows(heading).len())), SECTIONS);
    assert_each_once(&all());
}

#[test]
fn every_row_says_what_and_names_a_test_or_a_reason() {
    assert_complete(&all());
}

#[test]
fn every_named_test_is_there() {
    assert_tests_are_there(&all());
}

/// Where the Java agent loses or repeats records there is always something to check.
#[test]
fn no_decision_has_a_reason_in_place_of_a_test() {
    assert!(rows("Decisions").iter().all(|row| row.here.starts_with('`')));
}
