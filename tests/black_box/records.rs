//! What becomes of records that are no plain lines: of several lines, too long, refused.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::patience::{PATIENCE, comes_true};
use crate::workshop::{Workshop, sorted};

fn append(shop: &Workshop, text: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(shop.log("app.log")).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// The dead letters beside the checkpoints, as far as they are there.
fn dead_letters(shop: &Workshop) -> Vec<Value> {
    let Ok(entries) = fs::read_dir(shop.root().join("state/dead-letters")) else { return Vec::new() };
    let paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    let texts = paths.iter().map(|path| fs::read_to_string(path).unwrap());
    texts
        .flat_map(|text| text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<_>>())
        .collect()
}

fn await_records(shop: &Workshop, count: usize) -> Vec<Bytes> {
    let mut records = Vec::new();
    comes_true(PATIENCE, || {
        records = shop.shipped();
        records.len() >= count
    });
    records
}

#[test]
fn stack_traces_that_are_written_slowly_arrive_whole() {
    let shop = Workshop::new();
    append(&shop, "");
    let more = json!({ "multiLineStartPattern": "\\d{4}-", "multiLineTimeoutMillis": 600_000 });
    let configuration = shop.configure(&[shop.flow("app.log", more)]);
    let agent = shop.run_started(&configuration);
    let trace = |number| format!("2026-01-0{number} ERROR\n\tat a.B.c\n\tat d.E.f\n\n\t... 7 more\n");
    let mut traces: Vec<String> = (0..4).map(trace).collect();
    for piece in traces.iter().flat_map(|trace| trace.split_inclusive(['E', '\t'])) {
        append(&shop, piece);
        std::thread::sleep(Duration::from_millis(120)); // the agent reads in between
    }
    // The last one waits for more lines.
    assert_eq!(await_records(&shop, 3), traces[..3]);
    agent.stop();
    append(&shop, "\tmore of it\n2026-01-09 an unfinished li");
    traces[3].push_str("\tmore of it\n");
    traces.push("2026-01-09 an unfinished li".to_owned());
    shop.once(&configuration);
    assert_eq!(shop.shipped(), traces);
}

#[test]
fn the_last_stack_trace_waits_for_a_time_only() {
    let shop = Workshop::new();
    shop.write("app.log", "E1\n at x\nE2\n at y\n");
    let more = json!({ "multiLineStartPattern": "E", "multiLineTimeoutMillis": 100 });
    let agent = shop.run_started(&shop.configure(&[shop.flow("app.log", more)]));
    assert_eq!(await_records(&shop, 2), ["E1\n at x\n", "E2\n at y\n"], "{}", agent.stderr());
    agent.stop();
}

/// The pattern says that the beginning of a line is a record's first line, and of the whole line that it is not.
#[test]
fn an_unfinished_line_ends_no_record() {
    let shop = Workshop::new();
    append(&shop, "a one\n of a\nb two\n of b\nc three");
    let more = json!({ "multiLineStartPattern": "\\w \\w+$", "multiLineTimeoutMillis": 100 });
    let agent = shop.run_started(&shop.configure(&[shop.flow("app.log", more)]));
    assert_eq!(await_records(&shop, 1), ["a one\n of a\n"], "{}", agent.stderr());
    std::thread::sleep(Duration::from_millis(1000)); // many times as long as completes a record
    append(&shop, " more\nd four\n");
    let expected = ["a one\n of a\n", "b two\n of b\nc three more\n", "d four\n"];
    assert_eq!(await_records(&shop, 3), expected, "{}", agent.stderr());
    agent.stop();
}

/// A line of almost three records, in characters of two bytes.
fn long_line() -> String {
    "é".repeat(1_400_000) + "\n"
}

fn ship_long_line(more: &Value) -> (Workshop, Vec<Bytes>) {
    let shop = Workshop::new();
    shop.write("app.log", format!("before\n{}after\n", long_line()));
    let mut flow = shop.flow("app.log", json!({ "aggregation": false }));
    flow.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    shop.once(&shop.configure(&[flow]));
    let records = shop.reader().read_all();
    (shop, records)
}

#[test]
fn over_long_lines_are_split() {
    let (shop, mut records) = ship_long_line(&json!({ "recordOverLimitPolicy": "SPLIT" }));
    records.sort_by_key(|record| (record.len() < 100, std::cmp::Reverse(record.len())));
    assert_eq!(records.len(), 5);
    assert_eq!(records[3..].iter().map(Bytes::len).sum::<usize>(), "before\nafter\n".len());
    let mut joined = Vec::new();
    for part in &records[..3] {
        let part = std::str::from_utf8(part).expect("characters are not cut");
        joined.extend_from_slice(part.strip_suffix("\\\n").unwrap_or(part).as_bytes());
    }
    assert!(joined == long_line().as_bytes(), "{} bytes came", joined.len());
    assert_eq!(dead_letters(&shop), Vec::<Value>::new());
}

#[test]
fn over_long_lines_are_dead_lettered() {
    let (shop, mut records) = ship_long_line(&json!({ "recordOverLimitPolicy": "DEAD_LETTER" }));
    records.sort();
    assert_eq!(records, sorted(&["before\n", "after\n"]));
    let letters = dead_letters(&shop);
    assert_eq!(letters.len(), 1);
    assert_eq!((&letters[0]["offset"], &letters[0]["length"]), (&json!(7), &json!(2_800_001)));
    assert_eq!(letters[0]["code"], "RecordOverLimit");
    assert!(letters[0]["data"] == long_line());
    shop.once(&shop.root().join("agent.json"));
    assert_eq!(dead_letters(&shop).len(), 1, "a restart does not repeat it");
}

#[test]
fn a_refused_record_is_dead_lettered_and_the_flow_goes_on() {
    let shop = Workshop::with_faults(&["fail:code=InvalidArgumentException,times=1"]);
    shop.write("app.log", "one\n\u{1F600}\ntwo\n");
    let more = json!({ "aggregation": false, "maxBufferSizeRecords": 1 });
    let configuration = shop.configure(&[shop.flow("app.log", more)]);
    let agent = shop.run_started(&configuration);
    let (mut reader, mut records) = (shop.reader(), Vec::new());
    let is_done = comes_true(PATIENCE, || {
        records.extend(reader.read_all());
        records.len() == 2 && dead_letters(&shop).len() == 1
    });
    assert!(is_done, "{}", agent.stderr());
    append(&shop, "three\n");
    comes_true(PATIENCE, || {
        records.extend(reader.read_all());
        records.len() > 2
    });
    let finished = agent.stop();
    assert!(finished.stderr.contains("dead-letter file"), "{}", finished.stderr);
    assert!(finished.stderr.contains("records_dead_lettered=1"), "{}", finished.stderr);

    shop.once(&configuration);
    records.extend(reader.read_all());
    let letters = dead_letters(&shop);
    assert_eq!((letters.len(), records.len()), (1, 3), "nothing is repeated");
    let letter = &letters[0];
    assert_eq!(letter["code"], "InvalidArgumentException");
    assert_eq!((&letter["attempts"], &letter["destination"]), (&json!(1), &json!("KinesisStream:lines")));
    assert_eq!(letter["file"], shop.log("app.log").to_str().unwrap());
    let data = letter["data"].as_str().unwrap();
    let place = letter["offset"].as_u64().unwrap() as usize;
    assert_eq!(&"one\n\u{1F600}\ntwo\n"[place..place + data.len()], data);
    records.push(Bytes::copy_from_slice(data.as_bytes()));
    records.sort();
    assert_eq!(records, sorted(&["one\n", "\u{1F600}\n", "two\n", "three\n"]));
}

#[test]
fn a_refused_record_stops_its_file_if_it_is_to() {
    let shop = Workshop::with_faults(&["fail:code=ValidationException,times=1"]);
    shop.write("app.log", "one\n");
    let more = json!({ "aggregation": false, "refusedRecordPolicy": "STOP_FILE" });
    let configuration = shop.configure(&[shop.flow("*.log", more)]);
    let agent = shop.run_started(&configuration);
    assert!(comes_true(PATIENCE, || agent.stderr().contains("stopped at it")), "{}", agent.stderr());
    append(&shop, "two\n");
    shop.write("other.log", "other\n");
    let mut records = Vec::new();
    comes_true(PATIENCE, || {
        records = shop.shipped();
        !records.is_empty()
    });
    assert_eq!(records, ["other\n"], "the other files go on");
    agent.stop();
    assert_eq!(dead_letters(&shop), Vec::<Value>::new());

    shop.once(&configuration);
    assert_eq!(shop.shipped(), sorted(&["one\n", "two\n", "other\n"]));
}

#[test]
fn a_stopped_file_does_not_keep_once_waiting() {
    let shop = Workshop::with_faults(&["fail:code=ValidationException"]);
    shop.write("app.log", "one\n");
    let more = json!({ "aggregation": false, "refusedRecordPolicy": "STOP_FILE" });
    let configuration = shop.configure(&[shop.flow("app.log", more)]);
    let finished = shop.start(&["run", "--once", "-c", configuration.to_str().unwrap()]).finish(PATIENCE);
    assert_eq!(finished.code, Some(3), "{}", finished.stderr);
}

#[test]
fn trouble_with_the_stream_is_no_reason_for_dead_letters() {
    let shop = Workshop::with_faults(&["fail:code=AccessDeniedException,times=3"]);
    shop.write("app.log", "one\ntwo\n");
    let more = json!({ "aggregation": false, "retryMaxBackoffMillis": 200 });
    shop.once(&shop.configure(&[shop.flow("app.log", more)]));
    assert_eq!(shop.shipped(), sorted(&["one\n", "two\n"]));
    assert_eq!(dead_letters(&shop), Vec::<Value>::new());
}

#[test]
fn bytes_that_are_no_text_pass_through() {
    let shop = Workshop::new();
    shop.write("app.log", b"\xff\xfe\x00\r\n\x80\n");
    let more = json!({ "multiLineStartPattern": "\\w|.", "fileFooterPattern": "x" });
    shop.once(&shop.configure(&[shop.flow("app.log", more)]));
    assert_eq!(shop.shipped(), [&b"\x80\n"[..], b"\xff\xfe\x00\r\n"]);
}
