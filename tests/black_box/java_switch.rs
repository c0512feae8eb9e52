//! The first start after the Java agent: nothing missing, nothing repeated.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::books::{Books, line};
use crate::patience::PATIENCE;
use crate::workshop::{STREAM, Workshop};

const LINES: u64 = 200;

fn lines(numbers: std::ops::Range<u64>) -> String {
    numbers.map(line).collect()
}

/// A database as the Java agent makes it.
fn java_database(path: &Path) -> Connection {
    let java = Connection::open(path).unwrap();
    java.execute_batch(
        "CREATE TABLE IF NOT EXISTS FILE_CHECKPOINTS( flow text,  path text,  fileId text,  lastModifiedTime bigint,
         size bigint,  offset bigint,  lastUpdated datetime,  primary key (flow, path))",
    )
    .unwrap();
    java
}

/// A row: `file` was shipped up to `offset` under this name.
fn checkpoint(java: &Connection, shop: &Workshop, pattern: &str, file: &Path, offset: usize, updated: &str) {
    let metadata = fs::metadata(file).unwrap();
    let flow = format!("kinesis:{STREAM}:{}", shop.log(pattern).display());
    let id = format!("(dev={:x},ino={})", metadata.dev(), metadata.ino());
    let modified = metadata.mtime() * 1000 + metadata.mtime_nsec() / 1_000_000;
    java.execute(
        "INSERT INTO FILE_CHECKPOINTS VALUES (?, ?, ?, ?, ?, ?, ?)",
        params![flow, file.to_str(), id, modified, metadata.size().cast_signed(), offset as i64, updated],
    )
    .unwrap();
}

fn is_older(newer: &Path, older: &Path) {
    let time = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
    let file = fs::File::options().write(true).open(older).unwrap();
    file.set_modified(time(newer) - std::time::Duration::from_secs(60)).unwrap();
}

/// The Java agent has shipped `app.log.1`, and a part of `app.log`; then it is stopped, and `app.log` is rotated once more.
fn switch(pattern: &str, position: &str, keys: fn(&Workshop) -> (PathBuf, Value)) {
    let shop = Workshop::new();
    shop.write("app.log.1", lines(1000..1100));
    let shipped = lines(0..LINES);
    shop.write("app.log", format!("{shipped}{}", lines(LINES..2 * LINES)));
    is_older(&shop.log("app.log"), &shop.log("app.log.1"));
    let (database, keys) = keys(&shop);
    let java = java_database(&database);
    checkpoint(&java, &shop, pattern, &shop.log("app.log"), shipped.len(), "2026-11-21 10:00:01.000");
    drop(java);
    fs::rename(shop.log("app.log.1"), shop.log("app.log.2")).unwrap();
    fs::rename(shop.log("app.log"), shop.log("app.log.1")).unwrap();
    is_older(&shop.root().join("logs"), &shop.log("app.log.1"));
    is_older(&shop.log("app.log.1"), &shop.log("app.log.2"));
    let mut compressed = GzEncoder::new(Vec::new(), Compression::fast());
    compressed.write_all(lines(1100..1200).as_bytes()).unwrap();
    fs::write(shop.log("app.log.3.gz"), compressed.finish().unwrap()).unwrap();
    is_older(&shop.log("app.log.2"), &shop.log("app.log.3.gz"));
    shop.write("app.log", lines(2 * LINES..3 * LINES));

    let flow = shop.flow(pattern, json!({ "initialPosition": position }));
    let configuration = shop.configure_with(&[flow], keys);
    let agent = shop.run_started(&configuration);
    let (mut reader, mut books) = (shop.reader(), Books::default());
    books.enter(
        [lines(0..LINES)]
            .iter()
            .flat_map(|text| text.split_inclusive('\n').map(|line| line.to_owned().into())),
    );
    books.await_lines(3 * LINES, PATIENCE, || reader.read_all());
    let said = agent.stop().stderr;
    books.enter(reader.read_all());
    books.assert_exact(3 * LINES);
    assert!(!books.has(1000), "the oldest file was shipped before");
    assert!(!books.has(1100), "and one that was compressed before that is none of its business");
    assert!(said.contains("taken over from the Java agent"), "{said}");
    // Once: what the database says then is of no interest.
    java_database(&database).execute_batch("UPDATE FILE_CHECKPOINTS SET offset = 0").unwrap();
    shop.once(&configuration);
    books.enter(reader.read_all());
    books.assert_exact(3 * LINES);
}

fn configured(shop: &Workshop) -> (PathBuf, Value) {
    let path = shop.root().join("java-checkpoints");
    (path.clone(), json!({ "importCheckpointFile": path }))
}

/// The Java agent's own agent.json: our tables stand beside its table.
fn the_same_file(shop: &Workshop) -> (PathBuf, Value) {
    let path = shop.root().join("checkpoints");
    (path.clone(), json!({ "checkpointFile": path }))
}

#[test]
fn nothing_is_missing_and_nothing_repeated() {
    for position in ["START_OF_FILE", "END_OF_FILE"] {
        switch("app.log*", position, configured);
        switch("app.log", position, configured);
    }
}

#[test]
fn the_java_agents_checkpoint_file_may_stay_the_checkpoint_file() {
    switch("app.log*", "END_OF_FILE", the_same_file);
}

/// The Java agent was killed in the middle of a transaction: what it had not committed does not count.
#[test]
fn a_database_in_the_middle_of_a_transaction() {
    let shop = Workshop::new();
    shop.write("app.log", lines(0..LINES));
    let (path, keys) = configured(&shop);
    let live = shop.root().join("live");
    let java = java_database(&live);
    let (half, whole) = (lines(0..LINES / 2).len(), lines(0..LINES).len());
    checkpoint(&java, &shop, "app.log", &shop.log("app.log"), half, "2026-11-21 10:00:01.000");
    java.execute_batch(
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 3000)
         INSERT INTO FILE_CHECKPOINTS SELECT 'other', '/log/' || n, '(dev=1,ino=1)', 0, 0, 0, '' FROM numbers;
         PRAGMA cache_size = 2; BEGIN IMMEDIATE;",
    )
    .unwrap();
    java.execute("UPDATE FILE_CHECKPOINTS SET offset = ?", [whole as i64]).unwrap();
    for suffix in ["", "-journal"] {
        let name = |path: &Path| format!("{}{suffix}", path.display());
        fs::copy(name(&live), name(&path)).unwrap();
    }
    let before = fs::read(&path).unwrap();
    shop.once(&shop.configure_with(&[shop.flow("app.log", json!({}))], keys));
    let mut books = Books::default();
    books.enter(shop.shipped());
    let expected: Vec<_> = (0..LINES / 2).collect();
    assert_eq!(books.missing(LINES), expected, "the half that had been shipped, and no more");
    assert_eq!(fs::read(&path).unwrap(), before, "the Java agent's database is as it was");
    let left: Vec<_> =
        fs::read_dir(shop.root().join("state")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("import")), "{left:?}");
}

#[test]
fn a_database_that_cannot_be_read_is_a_reason_not_to_start() {
    let shop = Workshop::new();
    shop.write("app.log", "one\n");
    let (path, keys) = configured(&shop);
    fs::write(&path, "no database at all, but long enough to look like one. ".repeat(100)).unwrap();
    let configuration = shop.configure_with(&[shop.flow("*.log", json!({}))], keys);
    let refused = shop.run(&configuration).finish(PATIENCE);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("importCheckpointFile"), "{}", refused.stderr);
    let without = json!({ "importCheckpointFile": "" });
    shop.once(&shop.configure_with(&[shop.flow("*.log", json!({}))], without));
    assert_eq!(shop.shipped().len(), 1);
}
