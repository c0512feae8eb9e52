//! SIGTERM: a quick, clean end in full flow, and nothing lost or doubled by it.

use std::time::Duration;

use serde_json::json;

use crate::books::{Books, line};
use crate::patience::{PATIENCE, comes_true};
use crate::workshop::Workshop;

/// The default `shutdownTimeoutMillis` and some room for a busy machine.
const STOP_PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn stopped_in_full_flow_and_started_again() {
    let shop = Workshop::new();
    let lines = 100_000;
    shop.write("app.log", (0..lines).map(line).collect::<String>());
    let configuration = shop.configure(&[shop.flow("app.log", json!({}))]);
    let (mut reader, mut books) = (shop.reader(), Books::default());

    let agent = shop.run_started(&configuration);
    let flows = comes_true(PATIENCE, || shop.sandbox.counters().put_records.stored_entries > 20);
    assert!(flows, "{}", agent.stderr());
    agent.terminate();
    let finished = agent.finish(STOP_PATIENCE);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    books.enter(reader.read_all());
    assert!(!books.missing(lines).is_empty(), "it was stopped too late to tell anything");

    let agent = shop.run_started(&configuration);
    books.await_lines(lines, PATIENCE, || reader.read_all());
    agent.stop();
    books.enter(reader.read_all());
    books.assert_exact(lines);
}

#[test]
fn stopped_while_the_service_is_away_it_ends_in_its_time_and_loses_nothing() {
    let shop = Workshop::with_faults(&["error500:op=PutRecords"]);
    shop.write("app.log", (0..1000).map(line).collect::<String>());
    let quick = json!({ "shutdownTimeoutMillis": 1000 });
    let configuration = shop.configure_with(&[shop.flow("app.log", json!({}))], quick);
    let agent = shop.run_started(&configuration);
    assert!(comes_true(PATIENCE, || shop.sandbox.counters().faults_fired > 0));
    agent.terminate();
    let finished = agent.finish(STOP_PATIENCE);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);

    shop.set_faults(&[]);
    shop.once(&configuration);
    let mut books = Books::default();
    books.enter(shop.shipped());
    books.assert_exact(1000);
}
