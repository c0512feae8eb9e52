//! The checkpoint file breaks: the agent starts, says what it does, and nothing is lost.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use crate::books::{Books, line};
use crate::patience::{PATIENCE, comes_true};
use crate::workshop::Workshop;

const LINES: u64 = 300;

fn database(shop: &Workshop) -> PathBuf {
    shop.root().join("state/checkpoints.db")
}

/// Also where files would be read from their end: those that were not shipped to their end would be skipped.
#[test]
fn a_broken_checkpoint_file_is_set_aside_and_nothing_is_skipped() {
    for content in [&b"this is no database, whatever its name says. ".repeat(300)[..], b""] {
        let shop = Workshop::new();
        let configuration =
            shop.configure(&[shop.flow("*.log", json!({ "initialPosition": "END_OF_FILE" }))]);
        let agent = shop.run_started(&configuration);
        shop.write("app.log", (0..LINES).map(line).collect::<String>());
        let (mut reader, mut books) = (shop.reader(), Books::default());
        books.await_lines(LINES, PATIENCE, || reader.read_all());
        agent.stop();
        fs::write(database(&shop), content).unwrap();
        let more = (0..2 * LINES).map(line).collect::<String>();
        fs::write(shop.log("app.log"), more).unwrap();
        let agent = shop.run_started(&configuration);
        books.await_lines(2 * LINES, PATIENCE, || reader.read_all());
        let said = agent.stop().stderr;
        books.enter(reader.read_all());
        books.assert_nothing_missing(2 * LINES);
        assert!(said.contains("checkpoints were lost") && said.contains("app.log"), "{said}");
        // Once.
        let agent = shop.run_started(&configuration);
        let said = agent.stop().stderr;
        assert!(!said.contains("lost"), "{said}");
        books.enter(reader.read_all());
        assert_eq!(books.doubled(), LINES);
    }
}

#[test]
fn a_checkpoint_file_deleted_under_the_agent_is_made_again() {
    let shop = Workshop::new();
    shop.write("app.log", (0..LINES).map(line).collect::<String>());
    let configuration = shop.configure(&[shop.flow("*.log", json!({}))]);
    let agent = shop.run_started(&configuration);
    assert!(comes_true(PATIENCE, || shop.shipped().len() as u64 == LINES), "{}", agent.stderr());
    fs::remove_file(database(&shop)).unwrap();
    let said = agent.stop().stderr;
    // At the stop at the latest.
    assert!(database(&shop).exists(), "{said}");
    shop.once(&configuration);
    let mut books = Books::default();
    books.enter(shop.shipped());
    books.assert_exact(LINES);
}

#[test]
fn a_second_agent_is_refused() {
    let shop = Workshop::new();
    let configuration = shop.configure(&[shop.flow("*.log", json!({}))]);
    let first = shop.run_started(&configuration);
    for _ in 0..2 {
        let second = shop.run(&configuration).finish(PATIENCE);
        assert_eq!(second.code, Some(1));
        assert!(second.stderr.contains("in use by another agent"), "{}", second.stderr);
        let _ = fs::remove_file(database(&shop));
    }
    first.stop();
}
