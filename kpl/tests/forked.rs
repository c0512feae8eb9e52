//! A process that forks while it has a producer: the child has none of the runtime's threads, and its ends come to an
//! end all the same. A program of its own, because a child of the other tests would have their locks.

#![expect(clippy::expect_used, reason = "a test program of its own, whose helpers are no tests")]

use std::time::Duration;

use fork::{Fork, fork, waitpid};
use kpl::{
    Answer, EntryPlaced, Producer, PutRecordsRequest, PutRecordsResponse, SendError, ShardListing,
    StreamName, Transport, UserRecord,
};

/// A stream that cannot be listed yet and stores everything.
struct Stores;

impl Transport for Stores {
    fn put_records(&self, request: PutRecordsRequest) -> Answer<PutRecordsResponse> {
        let placed = EntryPlaced { shard_id: "shardId-000000000000".into(), sequence_number: "1".into() };
        let entries = request.entries.iter().map(|_| Ok(placed.clone())).collect();
        Box::pin(async move { Ok(PutRecordsResponse { entries }) })
    }

    fn list_shards(&self, _stream: StreamName) -> Answer<ShardListing> {
        Box::pin(std::future::ready(Ok(ShardListing::default())))
    }
}

fn record() -> UserRecord {
    UserRecord::new(StreamName::new("orders").expect("a name"), "key", "data")
}

/// The exit status of a child that got through all of it.
const DONE: i32 = 42;

/// What the child does; a child that hangs ends itself with another status.
fn child(runtime: &tokio::runtime::Runtime, producer: &Producer) -> i32 {
    let alarm = std::thread::Builder::new().spawn(|| {
        std::thread::sleep(Duration::from_secs(60));
        std::process::exit(3);
    });
    runtime.block_on(producer.flush());
    runtime.block_on(producer.close_within(Duration::from_secs(3600)));
    runtime.block_on(producer.close());
    let refused = matches!(producer.try_send(record()), Err(SendError::Closed(_)));
    if refused && alarm.is_ok() { DONE } else { 1 }
}

#[test]
fn close_within_returns_in_a_forked_child() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("a runtime");
    let mut config = kpl::Config::default();
    config.record_max_buffered_time = Duration::from_secs(3600);
    config.record_ttl = None;
    let started = runtime.block_on(async { Producer::builder(Stores).config(config).start() });
    let producer = started.expect("started");
    let delivery = producer.try_send(record()).expect("room");
    match fork().expect("a child") {
        Fork::Child => std::process::exit(child(&runtime, &producer)),
        Fork::Parent(pid) => {
            assert_eq!(waitpid(pid).expect("a child of ours"), DONE << 8, "the child hangs or sends");
        }
    }
    assert!(producer.outstanding_records() == 1, "the child's end is not the parent's");
    runtime.block_on(producer.close());
    runtime.block_on(delivery).expect("the parent sends what it accepted");
}
