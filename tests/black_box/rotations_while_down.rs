//! A log that is rotated while the agent is stopped: every line once.

use serde_json::json;

use crate::agent_process::AgentProcess;
use crate::books::Books;
use crate::log_writer::{LogWriter, Rotation, compress};
use crate::patience::{PATIENCE, comes_true};
use crate::workshop::Workshop;

const LINES: u64 = 500;

/// Stops the agent in a part of a file, rotates so many times, and starts it again.
fn resume(log: &str, pattern: &str, rotation: Rotation, rotations: u32) {
    let shop = Workshop::new();
    let configuration = shop.configure(&[shop.flow(pattern, json!({}))]);
    let mut writer = LogWriter::open(shop.log(log));
    let (mut reader, mut books) = (shop.reader(), Books::default());
    writer.write_lines(LINES);
    let agent = shop.run_started(&configuration);
    books.await_lines(writer.written, PATIENCE, || reader.read_all());
    agent.stop();

    writer.write_lines(LINES); // the unread rest of the file that goes
    for _ in 0..rotations {
        writer.rotate(rotation);
        writer.write_lines(LINES);
    }
    let agent = shop.run_started(&configuration);
    books.await_lines(writer.written, PATIENCE, || reader.read_all());
    agent.stop();
    books.enter(reader.read_all());
    books.assert_exact(writer.written);
}

#[test]
fn rename_and_create_with_a_glob() {
    resume("app.log", "app.log*", Rotation::Rename, 1);
    resume("app.log", "app.log*", Rotation::Rename, 2);
}

#[test]
fn rename_and_create_with_an_exact_name() {
    resume("app.log", "app.log", Rotation::Rename, 1);
    resume("app.log", "app.log", Rotation::Rename, 3);
    resume("app.log", "app.log", Rotation::DateName, 3);
}

#[test]
fn compressed() {
    for pattern in ["app.log", "app.log*"] {
        resume("app.log", pattern, Rotation::RenameAndCompress, 1);
        resume("app.log", pattern, Rotation::RenameAndCompress, 3);
        resume("app.log", pattern, Rotation::CopyTruncateAndCompress, 2);
    }
}

#[test]
fn moved_into_a_directory_below() {
    resume("app.log", "app.log", Rotation::MoveAway, 1);
}

/// What was read and is compressed later, or was there before the first start, is not read again.
#[test]
fn old_generations_are_left_alone() {
    let shop = Workshop::new();
    let configuration = shop.configure(&[shop.flow("app.log", json!({}))]);
    shop.write("app.log.2", "older than the agent\n");
    compress(&shop.log("app.log.2"));
    shop.write("app.log.1", "older than the agent, too\n");
    let mut writer = LogWriter::open(shop.log("app.log"));
    let (mut reader, mut books) = (shop.reader(), Books::default());
    for _ in 0..3 {
        let agent = shop.run_started(&configuration);
        writer.write_lines(LINES);
        books.await_lines(writer.written, PATIENCE, || reader.read_all());
        agent.stop();
        writer.rotate(Rotation::Rename);
        compress(&shop.log("app.log.2"));
    }
    let agent = shop.run_started(&configuration);
    writer.write_lines(LINES);
    books.await_lines(writer.written, PATIENCE, || reader.read_all());
    agent.stop();
    books.enter(reader.read_all());
    books.assert_exact(writer.written);
}

#[test]
fn a_damaged_file_is_said_and_holds_up_nothing() {
    let shop = Workshop::new();
    let configuration = shop.configure(&[shop.flow("app.log", json!({}))]);
    let mut writer = LogWriter::open(shop.log("app.log"));
    writer.write_lines(LINES);
    let (mut reader, mut books) = (shop.reader(), Books::default());
    let agent = shop.run_started(&configuration);
    books.await_lines(writer.written, PATIENCE, || reader.read_all());
    shop.write("app.log.3.gz", "this is no gzip file");
    shop.write("app.log.2.gz", [0x1f, 0x8b, 8, 0]);
    writer.write_lines(LINES);
    books.await_lines(writer.written, PATIENCE, || reader.read_all());
    let said = |agent: &AgentProcess| {
        let said = agent.stderr();
        said.contains("is damaged") && said.contains("ends early")
    };
    assert!(comes_true(PATIENCE, || said(&agent)), "{}", agent.stderr());
    for _ in 0..3 {
        writer.rotate(Rotation::DateName);
        writer.write_lines(LINES);
        books.await_lines(writer.written, PATIENCE, || reader.read_all());
    }
    let said = agent.stop().stderr;
    assert_eq!(said.matches("is damaged").count(), 1, "it is said once:\n{said}");
    books.assert_exact(writer.written);
}

#[test]
fn copytruncate_with_a_glob() {
    resume("app.log", "app.log*", Rotation::CopyTruncate, 1);
    resume("app.log", "app.log*", Rotation::CopyTruncate, 2);
}

#[test]
fn copytruncate_with_an_exact_name() {
    resume("app.log", "app.log", Rotation::CopyTruncate, 1);
    resume("app.log", "app.log", Rotation::CopyTruncate, 3);
}

#[test]
fn a_new_name_for_each_file() {
    resume("app-0.log", "app-*.log", Rotation::NewName, 1);
    resume("app-0.log", "app-*.log", Rotation::NewName, 2);
}
