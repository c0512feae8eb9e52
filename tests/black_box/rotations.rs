//! A log that is rotated while the agent follows it: every line once.

use std::time::Duration;

use serde_json::json;

use crate::books::Books;
use crate::log_writer::{LogWriter, Rotation};
use crate::patience::PATIENCE;
use crate::workshop::Workshop;

/// Rotations in one test, and how long is written between two.
const ROTATIONS: u32 = 8;
const BETWEEN: Duration = Duration::from_millis(300);

fn follow(log: &str, pattern: &str, rotation: Rotation) {
    let shop = Workshop::new();
    let configuration = shop.configure(&[shop.flow(pattern, json!({}))]);
    let mut writer = LogWriter::open(shop.log(log));
    let agent = shop.run_started(&configuration);
    for _ in 0..ROTATIONS {
        writer.write_for(BETWEEN);
        writer.rotate(rotation);
    }
    writer.write_for(BETWEEN);

    let (mut reader, mut books) = (shop.reader(), Books::default());
    books.await_lines(writer.written, PATIENCE, || reader.read_all());
    let said = agent.stop().stderr;
    books.enter(reader.read_all());
    if !books.missing(writer.written).is_empty() || books.doubled() > 0 {
        eprintln!("{said}");
    }
    books.assert_exact(writer.written);
}

#[test]
fn rename_and_create_with_a_glob() {
    follow("app.log", "app.log*", Rotation::Rename);
}

#[test]
fn rename_and_create_with_an_exact_name() {
    follow("app.log", "app.log", Rotation::Rename);
}

#[test]
fn copytruncate_with_a_glob() {
    follow("app.log", "app.log*", Rotation::CopyTruncate);
}

#[test]
fn copytruncate_with_an_exact_name() {
    follow("app.log", "app.log", Rotation::CopyTruncate);
}

#[test]
fn a_new_name_for_each_file() {
    follow("app-0.log", "app-*.log", Rotation::NewName);
}
