//! Streams whose records the service distributes itself.

use std::collections::BTreeSet;

use aws_sdk_kinesis::types::{RecordDistributionStrategy, StreamMode, StreamModeDetails};
use kinesis_sandbox::Sandbox;
use kpl::{Config, Producer, RecordDistributionStrategyDefault, StreamName, UserRecord};

use crate::kinesis::transport;
use crate::reader::{client, read_back};
use crate::support::{
    STREAM, assert_all_stored, assert_all_there, data, many_calls, patient, sandbox, send, send_range, soon,
};

const ARN: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/orders";

pub(crate) async fn create(sandbox: &Sandbox, strategy: RecordDistributionStrategy) {
    let mode = StreamModeDetails::builder().stream_mode(StreamMode::OnDemand).build().expect("a mode");
    let create = client(sandbox).create_stream().stream_name(STREAM).stream_mode_details(mode);
    create.record_distribution_strategy(strategy).send().await.expect("created");
}

pub(crate) async fn change(sandbox: &Sandbox, strategy: RecordDistributionStrategy) {
    let update = client(sandbox).update_stream_record_distribution_strategy().stream_arn(ARN);
    update.record_distribution_strategy(strategy).send().await.expect("changed");
}

fn producer(sandbox: &Sandbox) -> Producer {
    let transport = transport(sandbox, patient());
    Producer::builder(transport).config(many_calls()).start().expect("a lawful configuration")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_go_alone_once_and_anywhere() {
    let sandbox = sandbox(&[]).await;
    create(&sandbox, RecordDistributionStrategy::Auto).await;
    let producer = producer(&sandbox);
    let deliveries = soon(send(&producer, 2_000)).await;
    soon(producer.close()).await;
    let mut shards = BTreeSet::new();
    for delivery in deliveries {
        let stored = soon(delivery).await.expect("stored");
        assert_eq!(stored.attempts().len(), 1);
        shards.insert(stored.shard_id().clone());
    }
    assert_eq!(shards.len(), 4);
    assert_eq!(sandbox.counters().calls["kinesis:ListShards"], 1);
    let arrived = read_back(&sandbox).await;
    assert!(arrived.iter().all(|arrived| !arrived.is_aggregated));
    assert_eq!(
        assert_all_there(arrived.into_iter().map(|arrived| arrived.data), 2_000),
        0,
        "nothing came twice"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_on_demand_that_follows_its_keys_is_like_any_other() {
    let sandbox = sandbox(&[]).await;
    create(&sandbox, RecordDistributionStrategy::UserPartitionKey).await;
    let producer = producer(&sandbox);
    let deliveries = soon(send(&producer, 2_000)).await;
    soon(producer.close()).await;
    soon(assert_all_stored(deliveries)).await;
    let arrived = read_back(&sandbox).await;
    assert!(arrived.iter().filter(|arrived| arrived.is_aggregated).count() > 1_900);
    assert_eq!(assert_all_there(arrived.into_iter().map(|arrived| arrived.data), 2_000), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_to_auto_under_load_loses_nothing() {
    let sandbox = sandbox(&["throttle:share=0.1,op=PutRecords"]).await;
    create(&sandbox, RecordDistributionStrategy::UserPartitionKey).await;
    let (producer, stream) = (producer(&sandbox), StreamName::new(STREAM).expect("lawful"));
    let mut deliveries = soon(send_range(&producer, &stream, 0..4_000)).await;
    change(&sandbox, RecordDistributionStrategy::Auto).await;
    deliveries.extend(soon(send_range(&producer, &stream, 4_000..8_000)).await);
    soon(producer.close()).await;
    soon(assert_all_stored(deliveries)).await;
    sandbox.set_faults(Vec::new());
    let arrived = read_back(&sandbox).await;
    let alone = arrived.iter().filter(|arrived| !arrived.is_aggregated).count();
    assert!(alone > 1_000, "only {alone} records went alone");
    assert_all_there(arrived.into_iter().map(|arrived| arrived.data), 8_000);
}

/// Rounds of records, every third without a key if that is allowed, to a stream under AUTO whose strategy may not be asked
/// for. Answers how many Kinesis records were misplaced after each round.
async fn misplaced_without_permission(assumed: RecordDistributionStrategyDefault, rounds: usize) -> Vec<u64> {
    let sandbox = sandbox(&["fail:code=AccessDeniedException,op=DescribeStreamSummary"]).await;
    create(&sandbox, RecordDistributionStrategy::Auto).await;
    let (mut config, stream) = (many_calls(), StreamName::new(STREAM).expect("lawful"));
    config.record_distribution_strategy_default = assumed;
    config.record_ttl = Config::default().record_ttl;
    let producer = Producer::builder(transport(&sandbox, patient())).config(config).start().expect("lawful");
    let takes_keyless = assumed != RecordDistributionStrategyDefault::UserPartitionKey;
    let mut misplaced = Vec::new();
    for round in 0..rounds {
        let mut deliveries = Vec::new();
        for number in round * ROUND..(round + 1) * ROUND {
            let record = match number % 3 {
                0 if takes_keyless => UserRecord::without_partition_key(stream.clone(), data(number)),
                _ => UserRecord::new(stream.clone(), format!("key-{}", number % 1000), data(number)),
            };
            deliveries.push(producer.send(record).await.expect("an open producer"));
        }
        soon(producer.flush()).await;
        soon(assert_all_stored(deliveries)).await;
        misplaced.push(producer.snapshot().streams[0].kinesis_records_misplaced);
    }
    let arrived = read_back(&sandbox).await.into_iter().map(|arrived| arrived.data);
    assert_eq!(assert_all_there(arrived, rounds * ROUND), 0, "nothing came twice");
    misplaced
}

const ROUND: usize = 1_500;

/// Where records land says that the service does not follow their keys.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_permission_to_ask_misplacements_end() {
    for assumed in
        [RecordDistributionStrategyDefault::Unset, RecordDistributionStrategyDefault::UserPartitionKey]
    {
        let misplaced = misplaced_without_permission(assumed, 4).await;
        assert!(misplaced[0] > 0, "aggregates went to the shards that their keys name");
        assert_eq!(misplaced[1..], [misplaced[1]; 3], "{misplaced:?}: none any more");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_auto_is_assumed_nothing_is_misplaced() {
    assert_eq!(misplaced_without_permission(RecordDistributionStrategyDefault::Auto, 2).await, [0, 0]);
}
