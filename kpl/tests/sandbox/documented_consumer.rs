//! The consumer of `examples/dedup_consumer` on a stream whose shards split, merge and change their number.

#[path = "../../examples/dedup_consumer/consumer.rs"]
mod consumer;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::types::{ScalingType, Shard};
use kinesis_sandbox::Sandbox;
use kpl::{Config, Delivery, Producer, ServiceText, StreamName, UserRecord};

use self::consumer::{Consumer, ListedShard};
use crate::kinesis::transport;
use crate::reader::{client, range, read_shard};
use crate::support::{STREAM, data, many_calls, patient, sandbox, soon};

const RECORDS: usize = 5_000;

/// How often each record was seen, and how many repeats the consumer dropped.
async fn consume(sandbox: &Sandbox) -> (BTreeMap<Vec<u8>, usize>, usize) {
    let client = client(sandbox);
    let (mut consumer, mut seen, mut repeats) = (Consumer::default(), BTreeMap::new(), 0);
    let shards = client.list_shards().stream_name(STREAM).send().await.expect("listed");
    consumer.list(shards.shards().iter().map(listed));
    while let Some(mut reader) = consumer.next_shard() {
        for record in read_shard(&client, &reader.shard_id).await {
            let data = record.data.into_inner().into();
            reader.take(&data, |data, _| *seen.entry(data.to_vec()).or_default() += 1);
        }
        repeats += reader.repeats;
        consumer.finish(reader);
    }
    (seen, repeats)
}

fn listed(shard: &Shard) -> ListedShard {
    let parents = [shard.parent_shard_id(), shard.adjacent_parent_shard_id()];
    let parents = parents.into_iter().flatten().map(str::to_owned).collect();
    ListedShard { id: shard.shard_id().to_owned(), parents, range: range(shard) }
}

/// Sends all records, counting them.
async fn send(producer: &Producer, sent: &AtomicUsize) -> Vec<Delivery> {
    let stream = StreamName::new(STREAM).expect("valid");
    let mut deliveries = Vec::with_capacity(RECORDS);
    for number in 0..RECORDS {
        let record = UserRecord::new(stream.clone(), format!("key-{}", number % 500), data(number));
        deliveries.push(producer.send(record).await.expect("an open producer"));
        sent.store(number + 1, Ordering::Relaxed);
    }
    deliveries
}

async fn open_shards(client: &Client) -> Vec<Shard> {
    let listed = client.list_shards().stream_name(STREAM).send().await.expect("listed");
    let is_open = |shard: &Shard| {
        shard.sequence_number_range().is_some_and(|range| range.ending_sequence_number().is_none())
    };
    let mut open: Vec<_> = listed.shards.unwrap_or_default().into_iter().filter(is_open).collect();
    open.sort_by_key(|shard| range(shard).starting());
    open
}

async fn split(client: &Client) {
    let open = open_shards(client).await;
    let shard = &open[open.len() / 2];
    let range = range(shard);
    let middle = range.starting().0 + (range.ending().0 - range.starting().0) / 2;
    let split = client.split_shard().stream_name(STREAM).shard_to_split(shard.shard_id());
    split.new_starting_hash_key(middle.to_string()).send().await.expect("split");
}

async fn merge(client: &Client) {
    let open = open_shards(client).await;
    let merge = client.merge_shards().stream_name(STREAM).shard_to_merge(open[0].shard_id());
    merge.adjacent_shard_to_merge(open[1].shard_id()).send().await.expect("merged");
}

async fn update_shard_count(client: &Client, shards: i32) {
    let update = client.update_shard_count().stream_name(STREAM).target_shard_count(shards);
    update.scaling_type(ScalingType::UniformScaling).send().await.expect("updated");
}

/// What happens to the shards.
#[derive(Debug, Clone, Copy)]
enum Change {
    Split,
    Merge,
    UpdateShardCount(i32),
}

/// Each change comes when its part of the records was handed over.
async fn reshard(client: &Client, sent: &AtomicUsize, changes: &[Change]) {
    for (place, change) in changes.iter().enumerate() {
        while sent.load(Ordering::Relaxed) < RECORDS * (place + 1) / (changes.len() + 2) {
            tokio::task::yield_now().await;
        }
        match *change {
            Change::Split => split(client).await,
            Change::Merge => merge(client).await,
            Change::UpdateShardCount(shards) => update_shard_count(client, shards).await,
        }
    }
}

/// Sends through all changes; answers the sandbox, without its faults, and how many records were misplaced.
async fn send_through(faults: &[&str], change: impl FnOnce(&mut Config)) -> (Sandbox, usize) {
    let sandbox = sandbox(faults).await;
    sandbox.create_stream(STREAM, 4).await.expect("created");
    let mut config = many_calls();
    config.max_outstanding_records = 400;
    change(&mut config);
    let producer = Producer::builder(transport(&sandbox, patient())).config(config).start().expect("valid");
    let (client, sent) = (client(&sandbox), AtomicUsize::new(0));
    let (deliveries, ()) =
        soon(async { tokio::join!(send(&producer, &sent), reshard(&client, &sent, &CHANGES)) }).await;
    soon(producer.close()).await;
    let mut misplaced = 0;
    for delivery in deliveries {
        let stored = soon(delivery).await.expect("stored");
        let is_misplaced = |(code, _): &(ServiceText, ServiceText)| code == "Wrong Shard";
        misplaced += usize::from(
            stored.attempts().iter().any(|attempt| attempt.error.as_ref().is_some_and(is_misplaced)),
        );
    }
    sandbox.set_faults(Vec::new());
    (sandbox, misplaced)
}

/// Some aggregate has to be in flight when a shard closes.
fn assert_tested(misplaced: usize) {
    assert!(misplaced > 0, "no aggregate was in flight during a change: nothing was tested");
}

fn assert_each_once(seen: &BTreeMap<Vec<u8>, usize>) {
    let unlike_one: Vec<_> = seen.values().filter(|times| **times != 1).collect();
    assert_eq!(seen.len(), RECORDS, "missing");
    assert_eq!(unlike_one.len(), 0, "records seen more than once");
}

/// Both directions of each kind of change.
const CHANGES: [Change; 7] = {
    use Change::{Merge, Split, UpdateShardCount};
    [Split, Merge, UpdateShardCount(8), Split, Merge, UpdateShardCount(4), Split]
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_lost_answers_each_id_is_seen_once_over_all_changes_of_shards() {
    let faults = ["delay:op=ListShards,ms=100", "drop-after:share=0.1,op=PutRecords"];
    let (sandbox, misplaced) = send_through(&faults, |config| config.dedup_ids = true).await;
    assert_tested(misplaced);
    let (seen, repeats) = consume(&sandbox).await;
    assert!(repeats > 0, "no answer was lost: nothing was tested");
    assert_each_once(&seen);
}

/// There are no ids by which the consumer could drop repeats.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_lost_answers_nothing_comes_twice_over_all_changes_of_shards() {
    let mut all_misplaced = 0;
    for faults in [
        ["delay:op=ListShards,ms=1", "throttle:share=0.05"],
        ["delay:op=ListShards,ms=100", "fail:share=0.05,op=PutRecords"],
        ["delay:op=ListShards,ms=700", "error500:share=0.05,op=PutRecords"],
    ] {
        let (sandbox, misplaced) = send_through(&faults, |_| {}).await;
        all_misplaced += misplaced;
        assert_each_once(&consume(&sandbox).await.0);
    }
    assert_tested(all_misplaced);
}
