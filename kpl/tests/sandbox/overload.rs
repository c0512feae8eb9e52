//! More than the shards take, for some time, against a service that enforces their limits.

use kinesis_sandbox::{Sandbox, SandboxOptions};
use kpl::{Producer, StreamName, UserRecord};

use crate::kinesis::transport;
use crate::reader::{client, read_back};
use crate::support::{STREAM, assert_all_stored, many_calls, patient};

/// 8 MiB for two shards that take 1 MiB a second each.
const RECORDS: usize = 2_000;
const BYTES: usize = 4 * 1024;

fn data(number: usize) -> Vec<u8> {
    let mut data = format!("record {number:06} ").into_bytes();
    data.resize(BYTES, b'x');
    data
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overload_and_a_split_lose_nothing() {
    let options = SandboxOptions { enforce_limits: true, seed: 5, ..SandboxOptions::default() };
    let sandbox = Sandbox::start(options).await.expect("a sandbox");
    sandbox.create_stream(STREAM, 2).await.expect("created");
    let mut config = many_calls();
    config.aggregation_max_size = 51_200;
    // Ten times too fast, as if nine other producers wrote to the shards.
    config.rate_limit = 1_000;
    let producer = Producer::builder(transport(&sandbox, patient())).config(config).start().expect("lawful");
    let stream = StreamName::new(STREAM).expect("lawful");
    let mut deliveries = Vec::with_capacity(RECORDS);
    for number in 0..RECORDS {
        if number == RECORDS / 2 {
            let split =
                client(&sandbox).split_shard().stream_name(STREAM).shard_to_split("shardId-000000000000");
            split.new_starting_hash_key((1_u128 << 125).to_string()).send().await.expect("split");
        }
        let record = UserRecord::new(stream.clone(), format!("key-{}", number % 100), data(number));
        deliveries.push(producer.send(record).await.expect("an open producer"));
    }
    producer.close().await;
    let throttled = producer.snapshot().streams[0].kinesis_records_throttled;
    assert!(throttled > 10, "only {throttled} throttled: no overload");
    assert_all_stored(deliveries).await;
    let mut arrived: Vec<_> = read_back(&sandbox).await.into_iter().map(|arrived| arrived.data).collect();
    arrived.sort_unstable();
    let sent: Vec<_> = (0..RECORDS).map(data).collect();
    // The parts of an aggregate that the split misplaced come once, too: where they lay nobody sees them.
    assert!(
        arrived == sent,
        "{} arrived of {RECORDS}; throttled records are not stored, so none comes twice",
        arrived.len()
    );
}
