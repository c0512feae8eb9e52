//! Streams, shards and records through the Rust SDK, by name and by ARN.

use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::{
    ConsumerStatus, ShardFilter, ShardFilterType, ShardIteratorType, StartingPosition, StreamMode,
    StreamModeDetails, StreamStatus,
};
use kinesis_sandbox::SandboxError;

use crate::support::{ARN, STREAM, entries, entry, kinesis, read_shard, read_stream, sandbox};

const MIDDLE: &str = "170141183460469231731687303715884105728";

#[tokio::test]
async fn records_go_in_and_come_out_by_name_and_by_arn() {
    let sandbox = sandbox(&[]).await;
    let client = kinesis(&sandbox);
    let by_name =
        client.put_records().stream_name(STREAM).set_records(Some(entries(100))).send().await.unwrap();
    assert_eq!((by_name.failed_record_count(), by_name.records().len()), (Some(0), 100));
    let by_arn = client.put_record().stream_arn(ARN).partition_key("k").data(Blob::new("by arn"));
    let by_arn = by_arn.explicit_hash_key(MIDDLE).send().await.unwrap();
    assert_eq!(by_arn.shard_id(), "shardId-000000000001");

    let iterator = client.get_shard_iterator().stream_arn(ARN).shard_id("shardId-000000000001");
    let iterator = iterator.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await.unwrap();
    let records = client
        .get_records()
        .stream_arn(ARN)
        .set_shard_iterator(iterator.shard_iterator)
        .send()
        .await
        .unwrap();
    assert_eq!(records.records().last().unwrap().data().as_ref(), b"by arn");
    assert!(records.next_shard_iterator().is_some());
    assert_eq!(read_stream(&client).await.len(), 101);

    let counters = sandbox.counters();
    assert_eq!(counters.calls["kinesis:PutRecords"], 1);
    assert_eq!(counters.calls["kinesis:PutRecord"], 1);
    let put = counters.put_records;
    assert_eq!((put.calls, put.entries, put.stored_entries, put.failed_entries), (1, 100, 100, 0));
    assert_eq!(put.bytes, 2 * (10 + 90 * 2));
}

#[tokio::test]
async fn streams_are_described_by_arn() {
    let sandbox = sandbox(&[]).await;
    let client = kinesis(&sandbox);
    let summary = client.describe_stream_summary().stream_arn(ARN).send().await.unwrap();
    let summary = summary.stream_description_summary().unwrap();
    assert_eq!((summary.stream_name(), summary.open_shard_count()), (STREAM, 2));
    assert_eq!(*summary.stream_status(), StreamStatus::Active);
    let stream = client.describe_stream().stream_arn(ARN).send().await.unwrap();
    assert_eq!(stream.stream_description().unwrap().stream_arn(), ARN);
    let unknown = client.list_shards().stream_arn(ARN.replace(STREAM, "other")).send().await.unwrap_err();
    assert!(unknown.into_service_error().is_resource_not_found_exception());
    let nonsense = client.list_shards().stream_arn("arn:aws:s3:::bucket").send().await.unwrap_err();
    assert!(nonsense.into_service_error().is_invalid_argument_exception());
}

#[tokio::test]
async fn a_stream_without_a_count_is_on_demand_with_the_default_shards() {
    let sandbox = sandbox(&[]).await;
    let client = kinesis(&sandbox);
    let mode = StreamModeDetails::builder().stream_mode(StreamMode::OnDemand).build().unwrap();
    client.create_stream().stream_name("auto").stream_mode_details(mode).send().await.unwrap();
    let stream = client.describe_stream_summary().stream_name("auto").send().await.unwrap();
    let stream = stream.stream_description_summary().unwrap();
    assert_eq!((stream.open_shard_count(), stream.stream_status()), (4, &StreamStatus::Active));
    assert_eq!(*stream.stream_mode_details().unwrap().stream_mode(), StreamMode::OnDemand);

    client.delete_stream().stream_arn(ARN.replace(STREAM, "auto")).send().await.unwrap();
    let gone = client.describe_stream_summary().stream_name("auto").send().await.unwrap_err();
    assert!(gone.into_service_error().is_resource_not_found_exception());
}

#[tokio::test]
async fn shards_are_listed_in_pages_and_by_filter() {
    let sandbox = sandbox(&[]).await;
    let client = kinesis(&sandbox);
    sandbox.create_stream("wide", 5).await.unwrap();
    let arn = ARN.replace(STREAM, "wide");
    let mut page = client.list_shards().stream_arn(&arn).max_results(2).send().await.unwrap();
    let mut ids: Vec<String> = page.shards().iter().map(|shard| shard.shard_id().to_owned()).collect();
    while let Some(token) = page.next_token() {
        page = client.list_shards().next_token(token).max_results(2).send().await.unwrap();
        ids.extend(page.shards().iter().map(|shard| shard.shard_id().to_owned()));
    }
    assert_eq!(ids, (0..5).map(|number| format!("shardId-{number:012}")).collect::<Vec<_>>());

    client
        .merge_shards()
        .stream_arn(&arn)
        .shard_to_merge(&ids[0])
        .adjacent_shard_to_merge(&ids[1])
        .send()
        .await
        .unwrap();
    let latest = ShardFilter::builder().r#type(ShardFilterType::AtLatest).build().unwrap();
    let open = client.list_shards().stream_name("wide").shard_filter(latest).send().await.unwrap();
    assert_eq!(open.shards().len(), 4);
    assert_eq!(client.list_shards().stream_name("wide").send().await.unwrap().shards().len(), 6);
    let both = client.list_shards().stream_name("wide").next_token("x").send().await.unwrap_err();
    assert!(both.into_service_error().is_invalid_argument_exception());
}

#[tokio::test]
async fn a_split_moves_new_records_and_ends_the_parent_with_its_children() {
    let sandbox = sandbox(&[]).await;
    let client = kinesis(&sandbox);
    client.put_records().stream_arn(ARN).records(entry("before", "before")).send().await.unwrap();
    let parent = "shardId-000000000000";
    let quarter = "85070591730234615865843651857942052864";
    client
        .split_shard()
        .stream_arn(ARN)
        .shard_to_split(parent)
        .new_starting_hash_key(quarter)
        .send()
        .await
        .unwrap();

    let put = client.put_record().stream_name(STREAM).partition_key("k").data(Blob::new("after"));
    let put = put.explicit_hash_key("0").send().await.unwrap();
    assert_eq!(put.shard_id(), "shardId-000000000002");
    assert_eq!(read_shard(&client, "shardId-000000000002").await.len(), 1);

    let iterator = client.get_shard_iterator().stream_name(STREAM).shard_id(parent);
    let mut iterator =
        iterator.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await.unwrap().shard_iterator;
    let mut children = Vec::new();
    // The emulator ends a closed shard with the second empty read at the latest.
    for _ in 0..5 {
        let Some(next) = iterator else { break };
        let read = client.get_records().shard_iterator(next).send().await.unwrap();
        children = read.child_shards().iter().map(|child| child.shard_id().to_owned()).collect();
        iterator = read.next_shard_iterator;
    }
    assert_eq!(
        (iterator, children.join(" ")),
        (None, "shardId-000000000002 shardId-000000000003".to_owned())
    );
}

#[tokio::test]
async fn a_consumer_subscribes_to_a_shard() {
    let sandbox = sandbox(&[]).await;
    let client = kinesis(&sandbox);
    let put = client.put_record().stream_name(STREAM).partition_key("k").data(Blob::new("pushed"));
    let put = put.explicit_hash_key("0").send().await.unwrap();
    let consumer =
        client.register_stream_consumer().stream_arn(ARN).consumer_name("app").send().await.unwrap();
    let consumer = consumer.consumer().unwrap().consumer_arn().to_owned();
    loop {
        let described = client.describe_stream_consumer().consumer_arn(&consumer).send().await.unwrap();
        if *described.consumer_description().unwrap().consumer_status() == ConsumerStatus::Active {
            break;
        }
    }
    let from = StartingPosition::builder().r#type(ShardIteratorType::TrimHorizon).build().unwrap();
    let subscription = client.subscribe_to_shard().consumer_arn(consumer).shard_id(put.shard_id());
    let mut events = subscription.starting_position(from).send().await.unwrap().event_stream;
    let event = events.recv().await.unwrap().unwrap();
    let event = event.as_subscribe_to_shard_event().unwrap();
    assert_eq!(event.records()[0].data().as_ref(), b"pushed");
}

#[tokio::test]
async fn a_stream_is_created_once_in_process() {
    let sandbox = sandbox(&[]).await;
    let again = sandbox.create_stream(STREAM, 1).await.unwrap_err();
    assert!(
        matches!(&again, SandboxError::Refused { code, .. } if code == "ResourceInUseException"),
        "{again}"
    );
    assert!(sandbox.create_stream("no shards", 1).await.is_err());
    assert!(sandbox.create_stream("none", 0).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reader_loses_nothing_that_is_written_at_the_same_time() {
    const WRITERS: usize = 8;
    const CALLS: usize = 20;
    let sandbox = sandbox(&[]).await;
    let client = kinesis(&sandbox);
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..WRITERS {
        let client = client.clone();
        writers.spawn(async move {
            for _ in 0..CALLS {
                let put = client.put_records().stream_name(STREAM);
                let same_shard = (0..20).map(|_| entry("same key", "x")).collect();
                put.set_records(Some(same_shard)).send().await.unwrap();
            }
        });
    }
    let shard = client
        .put_record()
        .stream_name(STREAM)
        .partition_key("same key")
        .data(Blob::new("x"))
        .send()
        .await
        .unwrap();
    let iterator = client.get_shard_iterator().stream_name(STREAM).shard_id(shard.shard_id());
    let mut iterator =
        iterator.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await.unwrap().shard_iterator;
    let mut seen = 0;
    loop {
        let finished = writers.is_empty();
        let read = client.get_records().set_shard_iterator(iterator).send().await.unwrap();
        seen += read.records().len();
        iterator = read.next_shard_iterator;
        if finished && read.records.is_empty() {
            break;
        }
        while let Some(writer) = writers.try_join_next() {
            writer.unwrap();
        }
    }
    assert_eq!(seen, WRITERS * CALLS * 20 + 1);
}
