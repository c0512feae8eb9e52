//! ListShards with a filter, as a consumer asks that starts before or after a change of shards.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::primitives::DateTime;
use aws_sdk_kinesis::types::{ScalingType, ShardFilter, ShardFilterType};

use crate::support::{STREAM, kinesis, sandbox};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The numbers of the shards that pass.
async fn passing(client: &Client, filter: ShardFilter) -> Vec<u32> {
    let listed = client.list_shards().stream_name(STREAM).shard_filter(filter).send().await.unwrap();
    listed.shards().iter().map(|shard| number(shard.shard_id())).collect()
}

fn number(id: &str) -> u32 {
    id.strip_prefix("shardId-").unwrap().parse().unwrap()
}

fn filter(filter: ShardFilterType) -> ShardFilter {
    ShardFilter::builder().r#type(filter).build().unwrap()
}

fn at(filter: ShardFilterType, moment: SystemTime) -> ShardFilter {
    ShardFilter::builder().r#type(filter).timestamp(DateTime::from(moment)).build().unwrap()
}

async fn double(client: &Client) {
    let update = client.update_shard_count().stream_name(STREAM).target_shard_count(4);
    update.scaling_type(ScalingType::UniformScaling).send().await.unwrap();
}

async fn merge_first(client: &Client, first: u32, second: u32) {
    let merge = client.merge_shards().stream_name(STREAM).shard_to_merge(format!("shardId-{first:012}"));
    merge.adjacent_shard_to_merge(format!("shardId-{second:012}")).send().await.unwrap();
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(ferrokinesis::util::current_time_ms())
}

/// A moment at which nothing changes: the clock has moved on before and after it.
fn moment() -> SystemTime {
    let next = |after: SystemTime| {
        let mut moment = now();
        while moment < after + Duration::from_millis(2) {
            std::thread::yield_now();
            moment = now();
        }
        moment
    };
    let moment = next(now());
    next(moment);
    moment
}

#[tokio::test]
async fn a_filter_names_the_shards_that_were_open_at_a_moment() {
    let sandbox = sandbox(&[]).await;
    let client = kinesis(&sandbox);
    let with_two = moment();
    double(&client).await;
    let with_four = moment();
    merge_first(&client, 2, 3).await;
    let with_three = moment();

    let passing = async |filter| passing(&client, filter).await;
    use ShardFilterType::{AtLatest, AtTimestamp, AtTrimHorizon, FromTimestamp, FromTrimHorizon};
    assert_eq!(passing(filter(AtTrimHorizon)).await, [0, 1]);
    assert_eq!(passing(filter(FromTrimHorizon)).await, [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(passing(filter(AtLatest)).await, [4, 5, 6]);
    assert_eq!(passing(at(AtTimestamp, with_two)).await, [0, 1]);
    assert_eq!(passing(at(AtTimestamp, with_four)).await, [2, 3, 4, 5]);
    assert_eq!(passing(at(AtTimestamp, with_three)).await, [4, 5, 6]);
    assert_eq!(passing(at(AtTimestamp, with_two - DAY)).await, [0, 1], "as at the trim horizon");
    assert_eq!(passing(at(FromTimestamp, with_two)).await, [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(passing(at(FromTimestamp, with_four)).await, [2, 3, 4, 5, 6]);
    assert_eq!(passing(at(FromTimestamp, with_three)).await, [4, 5, 6]);
    let after = ShardFilter::builder().r#type(ShardFilterType::AfterShardId).shard_id("shardId-000000000003");
    assert_eq!(passing(after.build().unwrap()).await, [4, 5, 6]);
}

#[tokio::test]
async fn the_pages_of_a_filtered_listing_are_filtered() {
    let sandbox = sandbox(&[]).await;
    let client = kinesis(&sandbox);
    double(&client).await;
    let first = client.list_shards().stream_name(STREAM).shard_filter(filter(ShardFilterType::AtTrimHorizon));
    let first = first.max_results(1).send().await.unwrap();
    assert_eq!(number(first.shards()[0].shard_id()), 0);
    let second = client.list_shards().next_token(first.next_token().unwrap()).send().await.unwrap();
    let ids: Vec<_> = second.shards().iter().map(|shard| number(shard.shard_id())).collect();
    assert_eq!((ids, second.next_token()), (vec![1], None));
}

#[tokio::test]
async fn a_filter_without_what_it_needs_is_refused() {
    let sandbox = sandbox(&[]).await;
    let client = kinesis(&sandbox);
    for wanted in
        [ShardFilterType::AtTimestamp, ShardFilterType::FromTimestamp, ShardFilterType::AfterShardId]
    {
        let refused =
            client.list_shards().stream_name(STREAM).shard_filter(filter(wanted.clone())).send().await;
        let code = refused.unwrap_err().into_service_error();
        assert!(code.is_invalid_argument_exception(), "{wanted:?}: {code:?}");
    }
    let unknown = filter(ShardFilterType::from("AT_RANDOM"));
    let refused = client.list_shards().stream_name(STREAM).shard_filter(unknown).send().await.unwrap_err();
    assert_eq!(refused.into_service_error().meta().code(), Some("ValidationException"));
}
