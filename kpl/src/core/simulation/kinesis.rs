//! The stream of the simulation: shards, and what readers with the KCL's rules see in them.
//!
//! Invariant: an aggregate is seen only in a shard that holds all its members.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;

use crate::aggregation_format::{Decoded, decode_in_shard};
use crate::dedup_id::DedupId;
use crate::put_records::{EntryPlaced, PutRecordsEntry, RecordDistributionStrategy, ShardDescription};
use crate::types::{HashKey, ShardId};

/// A stream as the service sees it: open shards, and everything ever stored.
pub(super) struct Kinesis {
    pub(super) open: Vec<ShardDescription>,
    pub(super) strategy: RecordDistributionStrategy,
    /// Places records under AUTO.
    random: fastrand::Rng,
    /// Every shard that there ever was, in the order in which they were made.
    pub(super) shards: Vec<KeptShard>,
    pub(super) stored: HashMap<u64, u32>,
    pub(super) seen: HashSet<u64>,
    pub(super) expects_ids: bool,
    pub(super) ids: HashMap<DedupId, u64>,
    /// The youngest record seen of each hash key, where order is promised.
    youngest: Option<HashMap<HashKey, u64>>,
}

/// A shard, open or closed, and what it holds.
pub(super) struct KeptShard {
    pub(super) description: ShardDescription,
    pub(super) parents: Vec<ShardId>,
    /// The data of its Kinesis records, oldest first.
    pub(super) records: Vec<Bytes>,
}

impl Kinesis {
    pub(super) fn new(shards: u32, expects_ids: bool, expects_order: bool) -> Self {
        let width = u128::MAX / u128::from(shards);
        let mut kinesis = Self {
            open: Vec::new(),
            strategy: RecordDistributionStrategy::UserPartitionKey,
            random: fastrand::Rng::with_seed(u64::from(shards)),
            shards: Vec::new(),
            stored: HashMap::new(),
            seen: HashSet::new(),
            expects_ids,
            ids: HashMap::new(),
            youngest: expects_order.then(HashMap::new),
        };
        for number in 0..u128::from(shards) {
            let end = if number + 1 == u128::from(shards) { u128::MAX } else { (number + 1) * width - 1 };
            kinesis.make(number * width, end, &[]);
        }
        kinesis
    }

    fn make(&mut self, start: u128, end: u128, parents: &[&ShardDescription]) {
        let shard_id = format!("shardId-{:012}", self.shards.len()).as_str().into();
        let description =
            ShardDescription { shard_id, starting_hash_key: HashKey(start), ending_hash_key: HashKey(end) };
        self.open.push(description.clone());
        let parents = parents.iter().map(|parent| parent.shard_id.clone()).collect();
        self.shards.push(KeptShard { description, parents, records: Vec::new() });
    }

    pub(super) fn reshard(&mut self, random: &mut fastrand::Rng) {
        self.open.sort_by_key(|shard| shard.starting_hash_key);
        let place = random.usize(..self.open.len());
        let shard = self.open.remove(place);
        let (start, end) = (shard.starting_hash_key.0, shard.ending_hash_key.0);
        if random.bool() && place < self.open.len() {
            let right = self.open.remove(place);
            self.make(start, right.ending_hash_key.0, &[&shard, &right]);
        } else {
            let middle = start + (end - start) / 2;
            self.make(start, middle, &[&shard]);
            self.make(middle + 1, end, &[&shard]);
        }
    }

    pub(super) fn change_strategy(&mut self) {
        self.strategy = match self.strategy {
            RecordDistributionStrategy::UserPartitionKey => RecordDistributionStrategy::Auto,
            RecordDistributionStrategy::Auto => RecordDistributionStrategy::UserPartitionKey,
        };
    }

    /// Stores an entry as a consumer with the KCL's rules would see it; answers where.
    pub(super) fn store(&mut self, entry: &PutRecordsEntry) -> EntryPlaced {
        let hash_key = entry.hash_key();
        let holds = |shard: &&ShardDescription| {
            shard.starting_hash_key <= hash_key && hash_key <= shard.ending_hash_key
        };
        let place = match self.strategy {
            RecordDistributionStrategy::UserPartitionKey => self.open.iter().position(|shard| holds(&shard)),
            RecordDistributionStrategy::Auto => Some(self.random.usize(..self.open.len())),
        };
        let shard = self.open[place.expect("the shards cover all keys")].clone();
        let range = shard.hash_key_range().expect("in order");
        match decode_in_shard(&entry.data, &range) {
            Decoded::Plain => self.see(&entry.data, hash_key, None),
            Decoded::Decompressed(data) => self.see(&data, hash_key, None),
            Decoded::Aggregated(records) => {
                for record in &records {
                    self.see(&record.data, record.hash_key(), record.dedup_id.as_ref());
                }
            }
        }
        let kept = self.shards.iter_mut().find(|kept| kept.description.shard_id == shard.shard_id);
        kept.expect("a shard that was made").records.push(entry.data.clone());
        EntryPlaced { shard_id: shard.shard_id, sequence_number: "1".into() }
    }

    pub(super) fn see(&mut self, data: &[u8], hash_key: HashKey, id: Option<&DedupId>) {
        let number =
            u64::from_be_bytes(data[..8].try_into().expect("a simulated record starts with its number"));
        *self.stored.entry(number).or_default() += 1;
        if self.seen.insert(number)
            && let Some(youngest) = &mut self.youngest
        {
            let before = youngest.insert(hash_key, number);
            assert!(before < Some(number), "{number} came after {before:?} of its key {hash_key}");
        }
        assert!(id.is_none() || self.expects_ids, "an id that nobody asked for");
        if let Some(id) = id {
            let first = self.ids.entry(id.clone()).or_insert(number);
            assert_eq!(*first, number, "two records with the id {id}");
        }
    }
}
