//! A log that is rotated while the agent is stopped: every line once.

use serde_json::json;

use crate::books::Books;
use crate::log_writer::{LogWriter, Rotation};
use crate::patience::PATIENCE;
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

/// Twice is another matter: the file between was never seen under the only name that is followed.
#[test]
fn rename_and_create_with_an_exact_name() {
    resume("app.log", "app.log", Rotation::Rename, 1);
}

#[test]
fn copytruncate_with_a_glob() {
    resume("app.log", "app.log*", Rotation::CopyTruncate, 1);
    resume("app.log", "app.log*", Rotation::CopyTruncate, 2);
}

#[test]
fn copytruncate_with_an_exact_name() {
    resume("app.log", "app.log", Rotation::CopyTruncate, 1);
}

#[test]
fn a_new_name_for_each_file() {
    resume("app-0.log", "app-*.log", Rotation::NewName, 1);
    resume("app-0.log", "app-*.log", Rotation::NewName, 2);
}
