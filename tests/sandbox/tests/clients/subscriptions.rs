//! Subscriptions to shards that are closed, so that each of them ends by itself.

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::primitives::DateTime;
use aws_sdk_kinesis::types::{
    ConsumerStatus, ScalingType, ShardIteratorType, StartingPosition, SubscribeToShardEvent,
};

use crate::support::{ARN, STREAM, entries, kinesis, sandbox};

async fn double(client: &Client) {
    let update = client.update_shard_count().stream_name(STREAM).target_shard_count(4);
    update.scaling_type(ScalingType::UniformScaling).send().await.unwrap();
}

async fn consumer(client: &Client) -> String {
    let registered = client.register_stream_consumer().stream_arn(ARN).consumer_name("app").send();
    let consumer = registered.await.unwrap().consumer().unwrap().consumer_arn().to_owned();
    loop {
        let described = client.describe_stream_consumer().consumer_arn(&consumer).send().await.unwrap();
        if *described.consumer_description().unwrap().consumer_status() == ConsumerStatus::Active {
            return consumer;
        }
    }
}

/// What a subscription to a closed shard is sent.
async fn subscribe(client: &Client, consumer: &str, shard: &str) -> Vec<SubscribeToShardEvent> {
    let from = StartingPosition::builder().r#type(ShardIteratorType::TrimHorizon);
    subscribe_from(client, consumer, shard, from.build().unwrap()).await
}

async fn subscribe_from(
    client: &Client,
    consumer: &str,
    shard: &str,
    from: StartingPosition,
) -> Vec<SubscribeToShardEvent> {
    let subscription = client.subscribe_to_shard().consumer_arn(consumer).shard_id(shard);
    let mut events = subscription.starting_position(from).send().await.unwrap().event_stream;
    let mut received = Vec::new();
    while let Some(event) = events.recv().await.unwrap() {
        received.push(event.as_subscribe_to_shard_event().unwrap().clone());
    }
    received
}

#[tokio::test]
async fn a_subscription_ends_with_the_children_and_nothing_to_continue_from() {
    let sandbox = sandbox(&[]).await;
    let client = kinesis(&sandbox);
    let put = client.put_records().stream_name(STREAM).set_records(Some(entries(20))).send().await.unwrap();
    let parent = put.records()[0].shard_id().unwrap().to_owned();
    let stored = put.records().iter().filter(|record| record.shard_id() == Some(&parent)).count();
    double(&client).await;
    let consumer = consumer(&client).await;
    let events = subscribe(&client, &consumer, &parent).await;
    let records: usize = events.iter().map(|event| event.records().len()).sum();
    assert_eq!(records, stored);
    let (last, others) = events.split_last().unwrap();
    assert_eq!(last.child_shards().len(), 2);
    // The Rust SDK makes an empty text of what is missing.
    assert_eq!(last.continuation_sequence_number(), "");
    for event in others {
        assert_eq!(event.child_shards().len(), 0, "children come with the end alone");
        assert_ne!(event.continuation_sequence_number(), "");
    }
}

#[tokio::test]
async fn a_subscription_to_a_merged_shard_names_both_parents() {
    let sandbox = sandbox(&[]).await;
    let client = kinesis(&sandbox);
    let merge = client.merge_shards().stream_name(STREAM).shard_to_merge("shardId-000000000000");
    merge.adjacent_shard_to_merge("shardId-000000000001").send().await.unwrap();
    let consumer = consumer(&client).await;
    for parent in ["shardId-000000000000", "shardId-000000000001"] {
        let events = subscribe(&client, &consumer, parent).await;
        let child = &events.last().unwrap().child_shards()[0];
        assert_eq!(child.shard_id(), "shardId-000000000002");
        assert_eq!(child.parent_shards(), ["shardId-000000000000", "shardId-000000000001"]);
    }
}

#[tokio::test]
async fn a_subscription_begins_where_it_is_asked_to() {
    let sandbox = sandbox(&[]).await;
    let client = kinesis(&sandbox);
    let put = client.put_records().stream_name(STREAM).set_records(Some(entries(20))).send().await.unwrap();
    let shard = put.records()[0].shard_id().unwrap().to_owned();
    let stored = put.records().iter().filter(|record| record.shard_id() == Some(&shard));
    let stored: Vec<_> = stored.map(|record| record.sequence_number().unwrap().to_owned()).collect();
    double(&client).await;
    let consumer = consumer(&client).await;
    let from = |kind| StartingPosition::builder().r#type(kind);
    let long_ago = DateTime::from_secs(1_700_000_000);
    for (from, first) in [
        (from(ShardIteratorType::AtSequenceNumber).sequence_number(&stored[2]), 2),
        (from(ShardIteratorType::AfterSequenceNumber).sequence_number(&stored[2]), 3),
        (from(ShardIteratorType::AtTimestamp).timestamp(long_ago), 0),
        (from(ShardIteratorType::Latest), stored.len()),
    ] {
        let from = from.build().unwrap();
        let events = subscribe_from(&client, &consumer, &shard, from.clone()).await;
        let records = events.iter().flat_map(SubscribeToShardEvent::records);
        let received: Vec<_> = records.map(|record| record.sequence_number().to_owned()).collect();
        assert_eq!(received, stored[first..], "{from:?}");
        // As a consumer goes on whose connection was cut.
        if let Some(event) = events.iter().find(|event| !event.records().is_empty()) {
            let after = StartingPosition::builder().r#type(ShardIteratorType::AfterSequenceNumber);
            let after = after.sequence_number(event.continuation_sequence_number()).build().unwrap();
            let rest = subscribe_from(&client, &consumer, &shard, after).await;
            assert_eq!(rest.iter().map(|event| event.records().len()).sum::<usize>(), 0);
        }
    }
    let nowhere = from(ShardIteratorType::AtSequenceNumber).build().unwrap();
    let refused =
        client.subscribe_to_shard().consumer_arn(&consumer).shard_id(&shard).starting_position(nowhere);
    assert!(refused.send().await.unwrap_err().into_service_error().is_invalid_argument_exception());
}
