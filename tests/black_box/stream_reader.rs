//! A consumer of a stream: reads every shard from its beginning and takes aggregated records apart.
//!
//! Invariant: each user record is handed out once for each time that a KCL consumer would see it; children are read after
//! their parents.

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::types::ShardIteratorType;
use bytes::Bytes;
use kpl::HashKeyRange;
use kpl::aggregation_format::{Decoded, decode_in_shard};
use tokio::runtime::Handle;

/// Reads one stream.
#[derive(Debug)]
pub(crate) struct StreamReader<'a> {
    client: Client,
    stream: String,
    runtime: &'a Handle,
    shards: Vec<Shard>,
    /// Kinesis records seen, aggregated or not.
    pub(crate) kinesis_records: usize,
    /// The partition key of every user record seen.
    pub(crate) partition_keys: Vec<String>,
}

#[derive(Debug)]
struct Shard {
    id: String,
    range: HashKeyRange,
    /// `None` when the shard is closed and read to its end.
    iterator: Option<String>,
}

impl<'a> StreamReader<'a> {
    pub(crate) fn new(client: Client, stream: &str, runtime: &'a Handle) -> Self {
        let stream = stream.to_owned();
        Self { client, stream, runtime, shards: Vec::new(), kinesis_records: 0, partition_keys: Vec::new() }
    }

    /// The user records that came in since the last call.
    pub(crate) fn read_all(&mut self) -> Vec<Bytes> {
        let runtime = self.runtime;
        runtime.block_on(self.read_shards())
    }

    async fn read_shards(&mut self) -> Vec<Bytes> {
        self.find_shards().await;
        let mut user_records = Vec::new();
        for place in 0..self.shards.len() {
            while self.read_page(place, &mut user_records).await {}
        }
        user_records
    }

    /// ListShards names parents before their children.
    async fn find_shards(&mut self) {
        let listed = self.client.list_shards().stream_name(&self.stream).send().await.unwrap();
        for shard in listed.shards() {
            if self.shards.iter().any(|known| known.id == shard.shard_id) {
                continue;
            }
            let iterator =
                self.client.get_shard_iterator().stream_name(&self.stream).shard_id(&shard.shard_id);
            let iterator = iterator.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await.unwrap();
            let range = shard.hash_key_range().unwrap();
            let range = HashKeyRange::parse(range.starting_hash_key(), range.ending_hash_key()).unwrap();
            let iterator = iterator.shard_iterator;
            self.shards.push(Shard { id: shard.shard_id.clone(), range, iterator });
        }
    }

    /// Answers whether there may be more.
    async fn read_page(&mut self, place: usize, user_records: &mut Vec<Bytes>) -> bool {
        let Some(iterator) = self.shards[place].iterator.take() else { return false };
        let page = self.client.get_records().shard_iterator(iterator).send().await.unwrap();
        self.shards[place].iterator = page.next_shard_iterator;
        self.kinesis_records += page.records.len();
        let is_empty = page.records.is_empty();
        for record in page.records {
            let data = Bytes::from(record.data.into_inner());
            match decode_in_shard(&data, &self.shards[place].range) {
                Decoded::Decompressed(_) => panic!("the agent compresses nothing"),
                Decoded::Plain => {
                    self.partition_keys.push(record.partition_key.unwrap());
                    user_records.push(data);
                }
                Decoded::Aggregated(members) => {
                    for member in members {
                        self.partition_keys.push(member.partition_key.to_string());
                        user_records.push(member.data);
                    }
                }
            }
        }
        !is_empty
    }
}
