//! A backlog for two shards with enforced limits whose listing is late, refused or failing: no record expires that the
//! shards could have taken, and few entries are throttled.
//!
//! `KPL_BACKLOG=250000 cargo test --release -p kpl --all-features --test sandbox late_listings` sends so many records
//! in each case; `core/simulation/late_map` does so in virtual time with every test.

use kinesis_sandbox::{Sandbox, SandboxOptions};
use kpl::{Config, Delivery, Producer, StreamName, StreamSnapshot, UserRecord};

use crate::kinesis::transport;
use crate::reader::read_back;
use crate::support::{STREAM, assert_all_stored, patient, soon};

const RECORD_BYTES: usize = 100;

fn records() -> usize {
    std::env::var("KPL_BACKLOG").ok().and_then(|records| records.parse().ok()).unwrap_or(100_000)
}

async fn two_shards(listing_fault: &str) -> Sandbox {
    let faults = vec![listing_fault.parse().expect("a rule")];
    let options = SandboxOptions { enforce_limits: true, faults, seed: 5, ..SandboxOptions::default() };
    let sandbox = Sandbox::start(options).await.expect("a free port");
    sandbox.create_stream(STREAM, 2).await.expect("created");
    sandbox
}

async fn send(producer: &Producer, records: usize) -> Vec<Delivery> {
    let stream = StreamName::new(STREAM).expect("lawful");
    let mut deliveries = Vec::with_capacity(records);
    for number in 0..records {
        let data = format!("{number:0RECORD_BYTES$}");
        let record = UserRecord::new(stream.clone(), format!("key-{number}"), data);
        deliveries.push(producer.send(record).await.expect("an open producer"));
    }
    deliveries
}

/// Sends a backlog at once with the default time to live of 30 s; answers the stream's counts.
async fn ship(listing_fault: &str, change: impl FnOnce(&mut Config)) -> StreamSnapshot {
    let (sandbox, records) = (two_shards(listing_fault).await, records());
    let mut config = Config::default();
    change(&mut config);
    let producer = Producer::builder(transport(&sandbox, patient())).config(config).start().expect("lawful");
    let deliveries = soon(send(&producer, records)).await;
    soon(producer.close()).await;
    soon(assert_all_stored(deliveries)).await;
    sandbox.set_faults(Vec::new());
    assert_eq!(read_back(&sandbox).await.len(), records, "each once");
    producer.snapshot().streams.remove(0)
}

async fn few_are_throttled(listing_fault: &str) {
    let counts = ship(listing_fault, |_| {}).await;
    let (sent, throttled) = (counts.kinesis_records_sent, counts.kinesis_records_throttled);
    println!("{listing_fault}: {sent} entries, {throttled} throttled, {} listings", counts.listings);
    assert!(throttled * 20 <= sent, "{listing_fault}: {throttled} of {sent} entries throttled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_of_a_quarter_of_a_second() {
    few_are_throttled("delay:op=ListShards,ms=250").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_of_two_seconds() {
    few_are_throttled("delay:op=ListShards,ms=2000").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_that_is_refused() {
    few_are_throttled("fail:op=ListShards,code=AccessDeniedException").await;
}

/// Attempts are 1, 1.5 and 2.25 s apart, give or take the jitter.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_that_fails_for_some_seconds() {
    few_are_throttled("fail:op=ListShards,code=InternalFailure,times=3").await;
}

/// Shards are listed at once; the question for the record distribution strategy is never answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strategy_that_is_not_answered_does_not_hold_up_the_shards() {
    let counts = ship("hang:op=DescribeStreamSummary", |_| {}).await;
    assert!(counts.kinesis_records_sent < counts.user_records_stored / 100, "{counts:?}: not aggregated");
}
