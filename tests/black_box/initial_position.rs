//! `initialPosition`: where the first start begins, and that later starts do not begin anew.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use bytes::Bytes;
use serde_json::json;

use crate::patience::{PATIENCE, comes_true};
use crate::stream_reader::StreamReader;
use crate::workshop::{Workshop, sorted};

fn append(path: &Path, text: &str) {
    OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

fn await_records(reader: &mut StreamReader<'_>, count: usize) -> Vec<Bytes> {
    let mut records = Vec::new();
    comes_true(PATIENCE, || {
        records.extend(reader.read_all());
        records.len() >= count
    });
    records.sort();
    records
}

#[test]
fn the_end_of_existing_files_and_the_beginning_of_new_ones() {
    let shop = Workshop::new();
    shop.write("old.log", "old line\nhalf a ");
    let configuration = shop.configure(&[shop.flow("*.log", json!({ "initialPosition": "END_OF_FILE" }))]);
    let agent = shop.run_started(&configuration);
    // A new file tells that the first listing is over.
    append(&shop.log("new.log"), "new 1\n");
    let mut reader = shop.reader();
    assert_eq!(await_records(&mut reader, 1), sorted(&["new 1\n"]));
    append(&shop.log("old.log"), "line\nanother\n");
    assert_eq!(await_records(&mut reader, 2), sorted(&["half a line\n", "another\n"]));
    agent.stop();
    assert_eq!(reader.read_all(), sorted(&[]), "nothing else");
}

#[test]
fn a_kill_after_the_first_start_does_not_move_the_beginning() {
    let shop = Workshop::new();
    shop.write("old.log", "old line\n");
    let configuration = shop.configure(&[shop.flow("*.log", json!({ "initialPosition": "END_OF_FILE" }))]);
    let agent = shop.run_started(&configuration);
    append(&shop.log("new.log"), "new 1\n");
    let mut reader = shop.reader();
    assert_eq!(await_records(&mut reader, 1), sorted(&["new 1\n"]));
    agent.kill();

    append(&shop.log("old.log"), "written while it was down\n");
    append(&shop.log("new.log"), "new 2\n");
    append(&shop.log("third.log"), "third\n");
    let agent = shop.run_started(&configuration);
    let expected = ["written while it was down\n", "new 2\n", "third\n"];
    let mut arrived = Vec::new();
    comes_true(PATIENCE, || {
        arrived.extend(reader.read_all());
        sorted(&expected).iter().all(|line| arrived.contains(line))
    });
    agent.stop();
    arrived.extend(reader.read_all());
    // The kill may have come before the acknowledgement was saved.
    arrived.retain(|line| line[..] != b"new 1\n"[..]);
    arrived.sort();
    assert_eq!(arrived, sorted(&expected));
}
