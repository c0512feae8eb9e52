//! A reader with the KCL's rules.
//!
//! Invariant: it hands on what a KCL application would see, and nothing else.

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::types::ShardIteratorType;
use kinesis_sandbox::Sandbox;
use kpl::HashKeyRange;
use kpl::aggregation_format::{Decoded, decode_in_shard};

use crate::support::{STREAM, builder};

/// A user record as a consumer gets it.
pub(crate) struct Arrived {
    pub(crate) data: Vec<u8>,
    pub(crate) is_aggregated: bool,
}

/// Everything in the stream, as a consumer with the KCL's rules gets it: an aggregate in a shard that does not hold
/// all its members is dropped.
pub(crate) async fn read_back(sandbox: &Sandbox) -> Vec<Arrived> {
    let client = client(sandbox);
    let shards =
        client.list_shards().stream_name(STREAM).send().await.expect("listed").shards.unwrap_or_default();
    let mut arrived = Vec::new();
    for shard in shards {
        let range = range(&shard);
        for record in read_shard(&client, shard.shard_id()).await {
            let data = record.data.into_inner().into();
            match decode_in_shard(&data, &range) {
                Decoded::Aggregated(records) => {
                    let members = records.into_iter().map(|record| record.data.to_vec());
                    arrived.extend(members.map(|data| Arrived { data, is_aggregated: true }));
                }
                Decoded::Decompressed(_) | Decoded::Plain => {
                    arrived.push(Arrived { data: data.to_vec(), is_aggregated: false });
                }
            }
        }
    }
    arrived
}

/// The hash keys of a shard.
pub(crate) fn range(shard: &aws_sdk_kinesis::types::Shard) -> HashKeyRange {
    let range = shard.hash_key_range().expect("a range");
    HashKeyRange::parse(range.starting_hash_key(), range.ending_hash_key()).expect("two numbers in order")
}

pub(crate) async fn read_shard(client: &Client, shard: &str) -> Vec<aws_sdk_kinesis::types::Record> {
    let start = client.get_shard_iterator().stream_name(STREAM).shard_id(shard);
    let start = start.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await.expect("an iterator");
    let (mut iterator, mut read) = (start.shard_iterator, Vec::new());
    loop {
        let page =
            client.get_records().set_shard_iterator(iterator).limit(1000).send().await.expect("a page");
        let is_end = page.records.is_empty() && page.millis_behind_latest == Some(0);
        read.extend(page.records);
        iterator = page.next_shard_iterator;
        if is_end || iterator.is_none() {
            return read;
        }
    }
}

/// A client for everything that the producer does not do.
pub(crate) fn client(sandbox: &Sandbox) -> Client {
    Client::from_conf(builder!(aws_sdk_kinesis, sandbox).build())
}
