//! A service that fails in every way that the sandbox can: nothing missing, and nothing doubled unless an answer was
//! lost.

use serde_json::json;

use crate::books::{Books, line};
use crate::patience::{PATIENCE, comes_true};
use crate::workshop::Workshop;

const LINES: u64 = 3_000;

/// Ships through these faults; answers the books.
fn ship(rule: &str) -> Books {
    let shop = Workshop::with_faults(&[rule]);
    shop.write("app.log", (0..LINES).map(line).collect::<String>());
    // Small requests, so that the faults meet many of them.
    let more = json!({ "aggregation": false, "maxBufferSizeRecords": 50, "retryMaxBackoffMillis": 200 });
    shop.once(&shop.configure(&[shop.flow("app.log", more)]));
    assert!(shop.sandbox.counters().faults_fired > 0, "{rule} never struck");
    let mut books = Books::default();
    books.enter(shop.shipped());
    books
}

#[test]
fn throttled_entries() {
    ship("throttle:share=0.3").assert_exact(LINES);
    ship("throttle:shard=1,share=0.6").assert_exact(LINES);
}

#[test]
fn failed_entries() {
    ship("fail:share=0.3,op=PutRecords").assert_exact(LINES);
}

#[test]
fn refused_calls() {
    ship("error500:share=0.4,op=PutRecords").assert_exact(LINES);
}

#[test]
fn slow_calls() {
    ship("delay:ms=400,share=0.5,op=PutRecords").assert_exact(LINES);
}

/// The client cannot tell these from the next, so doubled lines are allowed in both.
#[test]
fn connections_closed_before_storing() {
    ship("drop-before:share=0.3,op=PutRecords").assert_nothing_missing(LINES);
}

#[test]
fn connections_closed_after_storing() {
    let books = ship("drop-after:share=0.3,op=PutRecords");
    books.assert_nothing_missing(LINES);
    assert!(books.doubled() > 0, "stored without an answer is sent again");
}

#[test]
fn calls_that_are_never_answered() {
    ship("hang:times=2,op=PutRecords").assert_exact(LINES);
}

#[test]
fn shards_that_cannot_be_listed_at_first() {
    ship("error500:times=3,op=ListShards").assert_exact(LINES);
}

/// An outage that goes on until some calls have felt it.
fn outage(rule: &str, strikes: u64) {
    let shop = Workshop::new();
    shop.write("app.log", (0..LINES).map(line).collect::<String>());
    let configuration = shop.configure(&[shop.flow("app.log*", json!({}))]);
    let (mut reader, mut books) = (shop.reader(), Books::default());
    let agent = shop.run_started(&configuration);
    books.await_lines(LINES, PATIENCE, || reader.read_all());

    shop.set_faults(&[rule]);
    shop.write("app.log.new", (LINES..2 * LINES).map(line).collect::<String>());
    let felt = comes_true(PATIENCE, || shop.sandbox.counters().faults_fired >= strikes);
    assert!(felt, "the outage was not felt:\n{}", agent.stderr());
    assert!(!books.has(LINES));
    shop.set_faults(&[]);
    books.await_lines(2 * LINES, PATIENCE, || reader.read_all());
    agent.stop();
    books.enter(reader.read_all());
    books.assert_exact(2 * LINES);
}

#[test]
fn an_outage_with_errors() {
    outage("error500:op=PutRecords", 10);
}

#[test]
fn an_outage_without_answers() {
    outage("hang:op=PutRecords", 1);
}

/// The flow of a stream that does not exist waits; the other one works; the stream's creation mends it.
#[test]
fn a_missing_stream_holds_up_its_own_flow_only() {
    let shop = Workshop::new();
    shop.write("app.log", (0..100).map(line).collect::<String>());
    let late = json!({ "kinesisStream": "late", "retryMaxBackoffMillis": 500 });
    let agent = shop.run(&shop.configure(&[shop.flow("app.log", late), shop.flow("app.log", json!({}))]));
    let (mut reader, mut books) = (shop.reader(), Books::default());
    books.await_lines(100, PATIENCE, || reader.read_all());
    books.assert_exact(100);
    let named = comes_true(PATIENCE, || agent.stderr().contains("ResourceNotFound"));
    assert!(named, "the reason is said:\n{}", agent.stderr());

    shop.create_stream("late");
    let (mut reader, mut books) = (shop.reader_of("late"), Books::default());
    books.await_lines(100, PATIENCE, || reader.read_all());
    agent.stop();
    books.enter(reader.read_all());
    books.assert_exact(100);
}
