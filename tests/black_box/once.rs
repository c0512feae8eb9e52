//! `run --once`: everything that is there, once, and nothing else.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use bytes::Bytes;
use serde_json::json;

use crate::books::{Books, line};
use crate::patience::PATIENCE;
use crate::workshop::{UNREADABLE, Workshop, sorted};

#[test]
fn it_ships_every_line_of_every_file_once() {
    let shop = Workshop::new();
    shop.write("a.log", "a1\na2\r\n\n");
    shop.write("b.log", b"b\xff\x00\x80\nb2 is not terminated");
    shop.write("empty.log", "");
    shop.write("other.txt", "not matched\n");
    shop.write("old.log.gz", "an archive\n");
    fs::create_dir(shop.log("directory.log")).unwrap();
    symlink(shop.log("a.log"), shop.log("link.log")).unwrap();
    symlink(shop.log("nowhere"), shop.log("dangling.log")).unwrap();
    let configuration = shop.configure(&[shop.flow("*.log", json!({ "aggregation": false }))]);

    shop.once(&configuration);
    let mut expected = sorted(&["a1\n", "a2\r\n", "\n", "b2 is not terminated"]);
    expected.push(Bytes::from_static(b"b\xff\x00\x80\n"));
    expected.sort();
    assert_eq!(shop.shipped(), expected);

    shop.once(&configuration);
    assert_eq!(shop.shipped(), expected, "a second run ships nothing");

    let mut grown = OpenOptions::new().append(true).open(shop.log("a.log")).unwrap();
    grown.write_all(b"a3\nend").unwrap();
    shop.write("new.log", "new\n");
    shop.once(&configuration);
    expected.extend(sorted(&["a3\n", "end", "new\n"]));
    expected.sort();
    assert_eq!(shop.shipped(), expected, "only what came since is shipped");
}

#[test]
fn nothing_to_do_is_done_at_once() {
    let shop = Workshop::new();
    let configuration = shop.configure(&[shop.flow("*.log", json!({}))]);
    shop.once(&configuration);
    let elsewhere = json!({ "filePattern": shop.root().join("no/such/directory/*") });
    shop.once(&shop.configure(&[shop.flow("", elsewhere)]));
    assert_eq!(shop.shipped(), sorted(&[]));
}

/// Even root cannot read these; see the module on new files.
#[test]
fn a_file_that_cannot_be_read_is_not_passed_over_in_silence() {
    for (name, target) in UNREADABLE {
        if !Path::new(target).exists() {
            continue; // another kernel
        }
        let shop = Workshop::new();
        symlink(target, shop.log(name)).unwrap();
        shop.write("good.log", "good\n");
        let configuration = shop.configure(&[shop.flow("*.log", json!({}))]);
        let finished = shop.start(&["run", "--once", "-c", configuration.to_str().unwrap()]).finish(PATIENCE);
        assert_eq!(finished.code, Some(3), "{}", finished.stderr);
        assert!(finished.stderr.contains(name), "{}", finished.stderr);
        assert_eq!(shop.shipped(), sorted(&["good\n"]), "the others are shipped");
        fs::remove_file(shop.log(name)).unwrap();
        shop.once(&configuration);
    }
}

#[test]
fn a_directory_that_cannot_be_listed_is_not_passed_over_in_silence() {
    let shop = Workshop::new();
    shop.write("file", "");
    let configuration = shop.configure(&[shop.flow("file/*.log", json!({}))]);
    let finished = shop.start(&["run", "--once", "-c", configuration.to_str().unwrap()]).finish(PATIENCE);
    assert_eq!(finished.code, Some(3), "{}", finished.stderr);
    assert!(finished.stderr.contains("file/*.log"), "{}", finished.stderr);
}

#[test]
fn a_large_backlog_arrives_exactly_aggregated_or_not() {
    for aggregation in [true, false] {
        let shop = Workshop::new();
        let lines = if aggregation { 40_000 } else { 8_000 };
        let text: String = (0..lines).map(line).collect();
        let (first, second) = text.split_at(text[..text.len() / 3].rfind('\n').unwrap() + 1);
        shop.write("app.log.1", first);
        shop.write("app.log", second);
        let flow = shop.flow("app.log*", json!({ "aggregation": aggregation }));
        shop.once(&shop.configure(&[flow]));

        let mut reader = shop.reader();
        let mut books = Books::default();
        books.enter(reader.read_all());
        books.assert_exact(lines);
        let packed = (reader.kinesis_records as u64) < lines / 20;
        assert_eq!(packed, aggregation, "{} Kinesis records for {lines} lines", reader.kinesis_records);
    }
}

#[test]
fn a_service_that_does_not_answer_ends_it_with_a_reason_and_loses_nothing() {
    let shop = Workshop::with_faults(&["hang"]);
    shop.write("app.log", (0..100).map(line).collect::<String>());
    let quick = json!({ "shutdownTimeoutMillis": 1000 });
    let configuration = shop.configure_with(&[shop.flow("app.log", json!({}))], quick);
    let arguments = ["run", "--once", "--timeout", "1", "-c", configuration.to_str().unwrap()];
    let finished = shop.start(&arguments).finish(PATIENCE);
    assert_eq!(finished.code, Some(3), "{}", finished.stderr);
    assert!(finished.stderr.contains("not everything was shipped: 100 records"), "{}", finished.stderr);
    assert!(finished.stderr.contains("kinesis:lines:"), "the flow is named: {}", finished.stderr);

    shop.set_faults(&[]);
    shop.once(&configuration);
    let mut books = Books::default();
    books.enter(shop.shipped());
    books.assert_exact(100);
}
