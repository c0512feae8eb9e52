//! A log that is rotated while the service is away and the agent, full, has stopped reading: every line once.

use std::fs;

use serde_json::{Value, json};

use crate::books::Books;
use crate::log_writer::{LogWriter, Rotation};
use crate::patience::{PATIENCE, comes_true};
use crate::workshop::Workshop;

/// More than a flow may hold when it has so many neighbours.
const BACKLOG: u64 = 40_000;
const NEIGHBOURS: usize = 15;

const LINES: u64 = 500;

/// Fills the agent, lets `rotate` have its way with the log, and ends the outage.
fn endure(pattern: &str, rotate: impl FnOnce(&mut LogWriter)) {
    let shop = Workshop::with_faults(&["error500:op=PutRecords"]);
    let neighbour = |number| shop.flow(&format!("no-such-file-{number}"), json!({}));
    let quick = json!({ "retryMaxBackoffMillis": 200 });
    let flows: Vec<Value> = (0..NEIGHBOURS).map(neighbour).chain([shop.flow(pattern, quick)]).collect();
    let configuration = shop.configure(&flows);
    let mut writer = LogWriter::open(shop.log("app.log"));
    writer.write_lines(BACKLOG);
    let agent = shop.run_started(&configuration);
    let felt = comes_true(PATIENCE, || shop.sandbox.counters().faults_fired > 3);
    assert!(felt, "{}", agent.stderr());
    rotate(&mut writer);
    shop.set_faults(&[]);

    let (mut reader, mut books) = (shop.reader(), Books::default());
    books.await_lines(writer.written, PATIENCE, || reader.read_all());
    let said = agent.stop().stderr;
    books.enter(reader.read_all());
    if !books.missing(writer.written).is_empty() || books.doubled() > 0 {
        eprintln!("{said}");
    }
    books.assert_exact(writer.written);
}

/// So many rotations, and lines after each.
fn rotate(rotation: Rotation, times: u32) -> impl FnOnce(&mut LogWriter) {
    move |writer| {
        for _ in 0..times {
            writer.rotate(rotation);
            writer.write_lines(LINES);
        }
    }
}

#[test]
fn rename_and_create() {
    endure("app.log*", rotate(Rotation::Rename, 2));
    endure("app.log", rotate(Rotation::Rename, 3));
    endure("app.log", rotate(Rotation::RenameAndCompress, 3));
}

#[test]
fn copytruncate() {
    endure("app.log*", rotate(Rotation::CopyTruncate, 2));
    endure("app.log", rotate(Rotation::CopyTruncate, 2));
}

/// What a truncation without any copy takes away cannot be saved. It is counted, and told.
#[test]
fn truncated_without_a_copy() {
    let shop = Workshop::with_faults(&["error500:op=PutRecords"]);
    let configuration = shop.configure(&[shop.flow("app.log", json!({ "retryMaxBackoffMillis": 200 }))]);
    let long_line = "x".repeat(200_000) + "\n";
    shop.write("app.log", long_line.repeat(200));
    let agent = shop.run_started(&configuration);
    let felt = comes_true(PATIENCE, || shop.sandbox.counters().faults_fired > 3);
    assert!(felt, "{}", agent.stderr());
    fs::write(shop.log("app.log"), "after\n").unwrap();
    shop.set_faults(&[]);
    let lost = || {
        let arguments = ["status", "--json", "-c", configuration.to_str().unwrap()];
        let tree: Value = serde_json::from_str(&shop.start(&arguments).finish(PATIENCE).stdout).unwrap();
        tree["flows"][0]["counts"]["bytes_lost_by_truncation"].as_u64().unwrap()
    };
    assert!(comes_true(PATIENCE, || lost() > 0), "{}", agent.stderr());
    let (lost, said) = (lost() as usize, agent.stop().stderr);
    assert!(said.contains(&format!("bytes={lost} ")) || said.contains(&format!("bytes={lost}\n")), "{said}");
    let arrived: Vec<_> = shop.reader().read_all();
    let long = arrived.iter().filter(|record| record.len() == long_line.len()).count();
    assert!(arrived.iter().any(|record| record.as_ref() == b"after\n"));
    assert!(
        long < 200 && (200 - long) * long_line.len() <= lost + long_line.len(),
        "{long} arrived, {lost} lost"
    );
}

#[test]
fn the_file_is_deleted() {
    endure("app.log", |writer| fs::remove_file(&writer.path).unwrap());
}
