//! Streams whose records the service distributes itself.

use std::collections::BTreeSet;

use aws_sdk_kinesis::types::{RecordDistributionStrategy, StreamMode, StreamModeDetails};
use kinesis_sandbox::Sandbox;
use kpl::{Producer, StreamName};

use crate::kinesis::transport;
use crate::reader::{client, read_back};
use crate::support::{
    STREAM, assert_all_stored, assert_all_there, many_calls, patient, sandbox, send, send_range, soon,
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

/// The permission to ask is missing: aggregates land anywhere, and every record reaches its readers all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_permission_to_ask_nothing_is_lost() {
    let sandbox = sandbox(&["fail:code=AccessDeniedException,op=DescribeStreamSummary"]).await;
    create(&sandbox, RecordDistributionStrategy::Auto).await;
    let producer = producer(&sandbox);
    let deliveries = soon(send(&producer, 1_000)).await;
    soon(producer.close()).await;
    soon(assert_all_stored(deliveries)).await;
    let arrived = read_back(&sandbox).await;
    assert_all_there(arrived.into_iter().map(|arrived| arrived.data), 1_000);
}
