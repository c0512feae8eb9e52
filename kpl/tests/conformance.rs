//! `CONFORMANCE.md` names tests; this one holds it to them.

#[path = "../../tests/conformance_table.rs"]
mod table;

use table::{Row, assert_complete, assert_each_once, assert_tests_are_there};

fn rows(heading: &str) -> Vec<Row<'static>> {
    table::rows(include_str!("../CONFORMANCE.md"), heading)
}

fn all() -> Vec<Row<'static>> {
    rows("Native").into_iter().chain(rows("Since 1.1")).chain(rows("Java")).collect()
}

#[test]
fn every_case_of_the_kpl_has_a_row() {
    let (native, java) = (rows("Native"), rows("Java"));
    assert_eq!((native.len(), java.len()), (84 + 1, 42), "84 native cases, a disabled one, and 42 of Java");
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
