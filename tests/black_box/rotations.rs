//! A log that is rotated while the agent follows it: every line once.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::ops::Range;
use std::time::Duration;

use serde_json::json;

use crate::books::{Books, line};
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
fn renamed_and_compressed_at_once() {
    follow("app.log", "app.log*", Rotation::RenameAndCompress);
    follow("app.log", "app.log", Rotation::RenameAndCompress);
}

#[test]
fn copied_truncated_and_compressed_at_once() {
    follow("app.log", "app.log*", Rotation::CopyTruncateAndCompress);
    follow("app.log", "app.log", Rotation::CopyTruncateAndCompress);
}

#[test]
fn a_date_in_the_name() {
    follow("app.log", "app.log*", Rotation::DateName);
    follow("app.log", "app.log", Rotation::DateName);
}

#[test]
fn a_temporary_name_before_the_archive() {
    for pattern in ["app.log*", "app*", "*", "app.log"] {
        follow("app.log", pattern, Rotation::TemporaryName);
    }
}

#[test]
fn an_old_name_before_the_archive() {
    for pattern in ["app.log*", "app*", "app.log"] {
        follow("app.log", pattern, Rotation::OldName);
    }
}

#[test]
fn two_names_before_the_archive() {
    follow("app.log", "app.log*", Rotation::ThreeNames);
}

#[test]
fn moved_into_another_directory() {
    follow("app.log", "app.log", Rotation::MoveAway);
}

#[test]
fn a_symbolic_link_that_leads_elsewhere() {
    follow("app.log", "app.log", Rotation::PointElsewhere);
}

/// Once, because the second time the first replacement is not read to its end yet.
#[test]
fn replaced_by_an_editor() {
    let shop = Workshop::new();
    let configuration = shop.configure(&[shop.flow("app.log", json!({}))]);
    let mut writer = LogWriter::open(shop.log("app.log"));
    writer.write_lines(100);
    let agent = shop.run_started(&configuration);
    let (mut reader, mut books) = (shop.reader(), Books::default());
    books.await_lines(writer.written, PATIENCE, || reader.read_all());
    writer.rotate(Rotation::Replace);
    writer.write_lines(100);
    books.await_lines(writer.written, PATIENCE, || reader.read_all());
    agent.stop();
    books.enter(reader.read_all());
    books.assert_exact(writer.written);
}

/// A program without `O_APPEND` goes on where it was: the truncated file begins with a hole.
#[test]
fn a_hole_after_a_truncation() {
    let shop = Workshop::new();
    let configuration = shop.configure(&[shop.flow("app.log", json!({}))]);
    let mut log = File::create(shop.log("app.log")).unwrap();
    let mut write =
        |lines: Range<u64>| lines.for_each(|number| log.write_all(line(number).as_bytes()).unwrap());
    write(0..30_000);
    let agent = shop.run_started(&configuration);
    let (mut reader, mut books) = (shop.reader(), Books::default());
    books.await_lines(30_000, PATIENCE, || reader.read_all());
    fs::copy(shop.log("app.log"), shop.log("app.log.1")).unwrap();
    OpenOptions::new().write(true).truncate(true).open(shop.log("app.log")).unwrap();
    write(30_000..30_100);
    books.await_lines(30_100, PATIENCE, || reader.read_all());
    agent.stop();
    books.enter(reader.read_all());
    books.assert_exact(30_100);
}

/// Truncated, and longer than it was before the agent looks again.
#[test]
fn truncated_and_grown_past_the_offset() {
    let shop = Workshop::new();
    let configuration =
        shop.configure(&[shop.flow("app.log", json!({ "minTimeBetweenFilePollsMillis": 900 }))]);
    let mut writer = LogWriter::open(shop.log("app.log"));
    writer.write_lines(100);
    let agent = shop.run_started(&configuration);
    let (mut reader, mut books) = (shop.reader(), Books::default());
    books.await_lines(writer.written, PATIENCE, || reader.read_all());
    writer.rotate(Rotation::CopyTruncate);
    writer.write_lines(1000);
    books.await_lines(writer.written, PATIENCE, || reader.read_all());
    agent.stop();
    books.enter(reader.read_all());
    books.assert_exact(writer.written);
}

#[test]
fn a_new_name_for_each_file() {
    follow("app-0.log", "app-*.log", Rotation::NewName);
}
