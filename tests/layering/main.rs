//! The layering test: the walls between the floors, checked against the sources as they are.
//!
//! What it reads: every `.rs` file of `kpl/src` and `agent/src`, cut into words, without comments, strings
//! and test code. What it holds them to: the tables of `floors.rs`. Each rule has unit tests with small
//! made-up crates that break it, so a rule that can no longer fail is noticed.

mod paths;
mod resolve;
mod rules;
mod test_code;
mod tree;
mod violation;
mod words;

use std::io;

use kinesis_tests::{AGENT, KPL, Walls};
use tree::SourceTree;
use violation::Violation;

/// What is broken in a crate as it stands on the disk, one line a finding.
fn broken_walls(walls: &Walls) -> io::Result<String> {
    Ok(lines(&rules::check(walls, &SourceTree::read(walls.source)?)))
}

/// The same for sources that have no floors.
fn broken_form(source: &str) -> io::Result<String> {
    Ok(lines(&rules::check_form(&[], &SourceTree::read(source)?)))
}

fn lines(violations: &[Violation]) -> String {
    violations.iter().map(|violation| format!("{violation}\n")).collect()
}

#[test]
fn the_walls_of_kpl_stand() {
    let broken = broken_walls(&KPL).unwrap();
    assert!(broken.is_empty(), "broken walls:\n{broken}");
}

#[test]
fn the_walls_of_the_agent_stand() {
    let broken = broken_walls(&AGENT).unwrap();
    assert!(broken.is_empty(), "broken walls:\n{broken}");
}

#[test]
fn the_sandbox_and_the_tests_keep_the_form() {
    for source in ["tests/sandbox/src", "tests/slow_line/src", "tests/layering", "tests/black_box"] {
        let broken = broken_form(source).unwrap();
        assert!(broken.is_empty(), "broken form:\n{broken}");
    }
}
