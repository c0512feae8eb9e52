//! What a stream looks like after its shards changed: every new shard knows what it came from, and whoever reads an old
//! one to its end is given the new ones.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::types::{ScalingType, Shard, ShardIteratorType, StreamMode, StreamModeDetails};

use crate::support::{ARN, STREAM, entries, kinesis, sandbox};

/// Enough reads for the emulator to notice that a closed shard is at its end.
const READS: usize = 10;

async fn shards(client: &Client) -> BTreeMap<String, Shard> {
    let listed = client.list_shards().stream_name(STREAM).send().await.unwrap();
    listed.shards().iter().map(|shard| (shard.shard_id().to_owned(), shard.clone())).collect()
}

fn is_open(shard: &Shard) -> bool {
    shard.sequence_number_range().unwrap().ending_sequence_number().is_none()
}

fn range(shard: &Shard) -> (u128, u128) {
    let range = shard.hash_key_range().unwrap();
    (range.starting_hash_key().parse().unwrap(), range.ending_hash_key().parse().unwrap())
}

fn parents(shard: &Shard) -> BTreeSet<String> {
    let parents = [shard.parent_shard_id(), shard.adjacent_parent_shard_id()];
    parents.into_iter().flatten().map(str::to_owned).collect()
}

async fn update(client: &Client, count: i32) -> Result<(), String> {
    let update = client.update_shard_count().stream_arn(ARN).target_shard_count(count);
    let updated = update.scaling_type(ScalingType::UniformScaling).send().await;
    updated.map(drop).map_err(|error| error.into_service_error().meta().code().unwrap_or_default().to_owned())
}

/// What a consumer is given at the end of a shard.
async fn children(client: &Client, shard: &str) -> BTreeSet<String> {
    let iterator = client.get_shard_iterator().stream_name(STREAM).shard_id(shard);
    let iterator = iterator.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await.unwrap();
    let mut iterator = iterator.shard_iterator;
    for _ in 0..READS {
        let Some(next) = iterator else { break };
        let read = client.get_records().shard_iterator(next).send().await.unwrap();
        if read.next_shard_iterator().is_none() {
            return read.child_shards().iter().map(|child| child.shard_id().to_owned()).collect();
        }
        iterator = read.next_shard_iterator;
    }
    panic!("{shard} has no end");
}

/// Every shard that has a parent covers a part of it; every closed shard is the parent of what covers it.
async fn check_lineage(client: &Client, before: &BTreeMap<String, Shard>) {
    let shards = shards(client).await;
    let mut open: Vec<_> = shards.values().filter(|shard| is_open(shard)).map(range).collect();
    open.sort_unstable();
    assert_eq!((open[0].0, open.last().unwrap().1), (0, u128::MAX));
    assert!(open.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0), "{open:?}");
    for (id, shard) in &shards {
        let parents = parents(shard);
        assert!(before.contains_key(id) || !parents.is_empty(), "{id} came from nowhere");
        for parent in parents {
            assert!(!is_open(&shards[&parent]), "{parent} is open and the parent of {id}");
            let (shard, parent) = (range(shard), range(&shards[&parent]));
            assert!(shard.0 <= parent.1 && parent.0 <= shard.1, "{id} shares nothing with its parent");
        }
        if !is_open(shard) {
            let wanted: BTreeSet<_> = shards.iter().filter(|(_, child)| parents_of(child, id)).collect_ids();
            assert_eq!(children(client, id).await, wanted, "children of {id}");
            assert!(!wanted.is_empty(), "{id} ended without children");
        }
    }
}

fn parents_of(child: &Shard, id: &str) -> bool {
    parents(child).contains(id)
}

trait CollectIds {
    fn collect_ids(self) -> BTreeSet<String>;
}

impl<'a, I: Iterator<Item = (&'a String, &'a Shard)>> CollectIds for I {
    fn collect_ids(self) -> BTreeSet<String> {
        self.map(|(id, _)| id.clone()).collect()
    }
}

#[tokio::test]
async fn shards_of_an_updated_count_descend_from_those_before() {
    for counts in [&[4][..], &[4, 8, 4, 2, 1], &[3, 5, 4, 7], &[1, 2, 3]] {
        let sandbox = sandbox(&[]).await;
        let client = kinesis(&sandbox);
        client.put_records().stream_name(STREAM).set_records(Some(entries(20))).send().await.unwrap();
        for count in counts {
            let before = shards(&client).await;
            update(&client, *count).await.unwrap();
            check_lineage(&client, &before).await;
            let open = shards(&client).await.values().filter(|shard| is_open(shard)).count();
            assert_eq!(open, usize::try_from(*count).unwrap(), "{counts:?}");
        }
    }
}

#[tokio::test]
async fn the_ranges_of_an_updated_count_are_of_one_size() {
    let sandbox = sandbox(&[]).await;
    let client = kinesis(&sandbox);
    update(&client, 3).await.unwrap();
    let third = u128::MAX / 3;
    for shard in shards(&client).await.values().filter(|shard| is_open(shard)) {
        let (start, end) = range(shard);
        assert!((end - start).abs_diff(third) <= 3, "{start} to {end}");
    }
}

#[tokio::test]
async fn a_count_beyond_twice_or_below_half_is_refused() {
    let sandbox = sandbox(&[]).await;
    let client = kinesis(&sandbox);
    assert_eq!(update(&client, 5).await, Err("LimitExceededException".to_owned()));
    update(&client, 4).await.unwrap();
    assert_eq!(update(&client, 1).await, Err("LimitExceededException".to_owned()));
    assert_eq!(update(&client, 4).await, Err("InvalidArgumentException".to_owned()), "the same count");
    update(&client, 2).await.unwrap();
    update(&client, 1).await.unwrap();
}

#[tokio::test]
async fn shards_of_an_on_demand_stream_are_changed_by_the_service_alone() {
    let sandbox = sandbox(&[]).await;
    let client = kinesis(&sandbox);
    let mode = StreamModeDetails::builder().stream_mode(StreamMode::OnDemand).build().unwrap();
    client.create_stream().stream_name("demand").stream_mode_details(mode).send().await.unwrap();
    let update = client.update_shard_count().stream_name("demand").target_shard_count(8);
    let update = update.scaling_type(ScalingType::UniformScaling).send().await.unwrap_err();
    assert_eq!(update.into_service_error().meta().code(), Some("ValidationException"));
    let split = client.split_shard().stream_name("demand").shard_to_split("shardId-000000000000");
    let split = split.new_starting_hash_key("1000").send().await.unwrap_err();
    assert_eq!(split.into_service_error().meta().code(), Some("ValidationException"));
}
