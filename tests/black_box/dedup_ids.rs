//! Ids by which a reader drops what was sent again: `kill -9` under a log that is written and rotated, and what
//! `consume --dedup` shows of the stream.
//!
//! The environment: `KINESIS_AGENT_KILLS` is how often at least (default 6), `KINESIS_AGENT_SEED` repeats a run; the seed is
//! printed.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::books::Books;
use crate::kills::{ROTATIONS, from_environment};
use crate::log_writer::LogWriter;
use crate::patience::{PATIENCE, comes_true};
use crate::workshop::{STREAM, Workshop};

/// The stream holds repeats long before so many kills.
const MOST_KILLS: u64 = 60;

/// Writes, rotates and kills until the stream holds repeats; answers how many lines were written and how often one came
/// again.
fn kill_and_rotate(shop: &Workshop, configuration: &Path, line: fn(&Bytes) -> Bytes) -> (u64, u64) {
    let kills = from_environment("KINESIS_AGENT_KILLS").unwrap_or(6);
    let seed = from_environment("KINESIS_AGENT_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("KINESIS_AGENT_SEED={seed} KINESIS_AGENT_KILLS={kills}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut writer = LogWriter::open(shop.log("app.log"));
    let (mut books, mut reader) = (Books::default(), shop.reader());
    let mut read = move || reader.read_all().iter().map(line).collect::<Vec<_>>();
    // What is rotated before the first start is left alone, so that has to come first.
    shop.run_started(configuration).kill();
    for number in 1.. {
        let agent = shop.run(configuration);
        for _ in 0..random.u32(5..25) {
            writer.write_for(Duration::from_millis(40));
            if random.u32(..5) == 0 {
                writer.rotate(ROTATIONS[random.usize(..ROTATIONS.len())]);
            }
        }
        // Killed when something has just been sent, and is hardly saved.
        let arrivals = books.arrivals();
        comes_true(PATIENCE, || {
            books.enter(read());
            books.arrivals() > arrivals
        });
        agent.kill();
        if number >= kills && books.doubled() > 0 || number >= MOST_KILLS {
            break;
        }
    }
    let agent = shop.run(configuration);
    books.await_lines(writer.written, PATIENCE, &mut read);
    agent.stop();
    books.enter(read());
    books.assert_nothing_missing(writer.written);
    (writer.written, books.doubled())
}

/// What `consume` prints with these arguments, and says.
fn consumed(shop: &Workshop, more: &[&str]) -> (Vec<Bytes>, String) {
    let endpoint = shop.sandbox.endpoint();
    let arguments = [&["consume", "--stream", STREAM, "--endpoint", &endpoint], more].concat();
    let finished = shop.start(&arguments).finish(PATIENCE);
    assert_eq!(finished.code, Some(0), "consume:\n{}", finished.stderr);
    let lines = finished.stdout.lines().map(|line| Bytes::from(format!("{line}\n")));
    (lines.collect(), finished.stderr)
}

fn assert_once(shop: &Workshop, (written, repeats): (u64, u64), dedup: &[&str], line: fn(&Bytes) -> Bytes) {
    println!("{written} lines, {repeats} repeats");
    assert!(repeats > 0, "the agent was not killed at the right moments");
    let (all, _) = consumed(shop, &[]);
    assert_eq!(all.len() as u64, written + repeats, "without the option everything is shown");
    let (once, said) = consumed(shop, dedup);
    let mut books = Books::default();
    books.enter(once.iter().map(line));
    books.assert_exact(written);
    assert!(said.contains(&format!("repeats left out: {repeats}; printed without an id: 0")), "{said}");
}

/// The line that became this JSON object.
fn line_of_json(record: &Bytes) -> Bytes {
    let object: Value = serde_json::from_slice(record).unwrap();
    Bytes::from(format!("{} {}\n", object["number"].as_str().unwrap(), object["text"].as_str().unwrap()))
}

#[test]
fn tags_make_once_of_at_least_once() {
    let shop = Workshop::new();
    let configuration = shop.configure(&[shop.flow("app.log*", json!({ "dedupIds": "TAG" }))]);
    let as_it_is = Bytes::clone;
    let books = kill_and_rotate(&shop, &configuration, as_it_is);
    assert_once(&shop, books, &["--dedup"], as_it_is);
}

#[test]
fn fields_make_once_of_at_least_once() {
    let shop = Workshop::new();
    let to_json =
        json!({ "optionName": "CSVTOJSON", "customFieldNames": ["number", "text"], "delimiter": " " });
    let more = json!({
        "dedupIds": "FIELD", "dedupIdField": "_id", "aggregation": false, "maxBufferSizeRecords": 50,
        "dataProcessingOptions": [to_json],
    });
    let configuration = shop.configure(&[shop.flow("app.log", more)]);
    let books = kill_and_rotate(&shop, &configuration, line_of_json);
    assert_once(&shop, books, &["--dedup-field", "_id"], line_of_json);
}

#[test]
fn tags_travel_without_aggregation_too() {
    let shop = Workshop::new();
    shop.write("app.log", "one\ntwo\n");
    shop.once(&shop.configure(&[shop.flow("app.log", json!({ "dedupIds": "TAG", "aggregation": false }))]));
    let (records, _) = consumed(&shop, &["--json"]);
    let records: Vec<Value> = records.iter().map(|record| serde_json::from_slice(record).unwrap()).collect();
    let mut ids: Vec<_> = records.iter().map(|record| record["dedupId"].as_str().unwrap()).collect();
    ids.sort_unstable();
    let (origin, _) = ids[0].split_once('-').unwrap();
    assert_eq!(ids, [format!("{origin}-0-4"), format!("{origin}-4-4")]);
}

#[test]
fn a_delivery_stream_gets_ids_in_fields() {
    let shop = Workshop::new();
    shop.write("app.log", "{\"a\":1}\nplain\n");
    let more = json!({ "deliveryStream": STREAM, "dedupIds": "FIELD" });
    let finished = shop.once(&shop.configure(&[shop.flow("app.log", more)]));
    let mut delivered = shop.sandbox.delivered(STREAM).unwrap();
    delivered.sort();
    assert_eq!(delivered[0], "plain\n", "what is no object stays as it is");
    let object: Value = serde_json::from_slice(&delivered[1]).unwrap();
    assert!(object["dedupId"].as_str().unwrap().ends_with("-0-8") && object["a"] == 1, "{object}");
    assert_eq!(finished.stderr.matches("was sent without an id").count(), 1, "{}", finished.stderr);
}
