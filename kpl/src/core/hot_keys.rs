//! Which partition keys make a shard hot: looked for only in records that the service throttled, so that a shard
//! without trouble costs nothing.
//!
//! Invariant: memory is bounded, however many keys there are; a report is made at most once a minute for a stream.

use std::collections::HashMap;
use std::time::Duration;

use crate::partition_key::PartitionKey;
use crate::types::{Moment, ShardIndex};
use crate::user_record::RecordRef;

/// Keys that are counted for each shard. A key that makes up more than one in so many records is never missed.
const COUNTERS: usize = 64;

/// Shards that are looked into at once.
const SHARDS: usize = 256;

/// Records to look at before something is said.
const RECORDS: u64 = 100;

/// Keys in a report, and the part of the records or bytes that makes a key heavy.
const REPORTED: usize = 5;
const HEAVY_ONE_IN: u64 = 10;

/// Between two looks into throttled records, and between two reports.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
const REPORT_INTERVAL: Duration = Duration::from_secs(60);

/// A partition key and what was seen of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyLoad {
    pub(crate) partition_key: PartitionKey,
    pub(crate) user_records: u64,
    pub(crate) bytes: u64,
}

/// The heaviest keys of a shard that throttles, heaviest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HotShard {
    pub(crate) shard: ShardIndex,
    pub(crate) heaviest: Vec<KeyLoad>,
    /// Records that were looked at.
    pub(crate) user_records: u64,
}

/// The throttled shards of one stream.
#[derive(Debug, Default)]
pub(crate) struct HotKeys {
    shards: HashMap<ShardIndex, ShardLoad>,
    look_again: Moment,
    report_again: Moment,
}

#[derive(Debug, Default)]
struct ShardLoad {
    keys: Vec<KeyLoad>,
    user_records: u64,
    bytes: u64,
}

impl HotKeys {
    /// Whether it is time to look into a throttled record.
    pub(crate) fn wants_a_look(&mut self, now: Moment) -> bool {
        let wants = now >= self.look_again;
        if wants {
            self.look_again = now.plus(LOOK_INTERVAL);
        }
        wants
    }

    /// Counts a record that the shard throttled.
    pub(crate) fn note(&mut self, shard: ShardIndex, record: RecordRef<'_>) {
        if self.shards.len() >= SHARDS && !self.shards.contains_key(&shard) {
            self.shards.clear();
        }
        self.shards.entry(shard).or_default().note(record);
    }

    /// What there is to say about the shard now, if anything.
    pub(crate) fn report(&mut self, shard: ShardIndex, now: Moment) -> Option<HotShard> {
        let load = self.shards.get(&shard)?;
        if now < self.report_again || load.user_records < RECORDS {
            return None;
        }
        let load = self.shards.remove(&shard)?;
        self.report_again = now.plus(REPORT_INTERVAL);
        let user_records = load.user_records;
        let heaviest = load.heaviest();
        (!heaviest.is_empty()).then_some(HotShard { shard, heaviest, user_records })
    }
}

impl ShardLoad {
    /// The algorithm "space saving": a new key takes the place, and the count, of the lightest.
    fn note(&mut self, record: RecordRef<'_>) {
        let bytes = record.data.len() as u64 + record.key().len() as u64;
        self.user_records += 1;
        self.bytes += bytes;
        if let Some(known) = self.keys.iter_mut().find(|key| key.partition_key == *record.key()) {
            known.user_records += 1;
            known.bytes += bytes;
            return;
        }
        let partition_key = PartitionKey::from(record.key());
        if self.keys.len() < COUNTERS {
            self.keys.push(KeyLoad { partition_key, user_records: 1, bytes });
        } else if let Some(lightest) = self.keys.iter_mut().min_by_key(|key| key.bytes) {
            lightest.partition_key = partition_key;
            lightest.user_records += 1;
            lightest.bytes += bytes;
        }
    }

    fn heaviest(mut self) -> Vec<KeyLoad> {
        let (user_records, bytes) = (self.user_records, self.bytes);
        let is_heavy = |key: &KeyLoad| {
            key.user_records * HEAVY_ONE_IN >= user_records || key.bytes * HEAVY_ONE_IN >= bytes
        };
        self.keys.retain(is_heavy);
        self.keys.sort_by_key(|key| std::cmp::Reverse((key.bytes, key.user_records)));
        self.keys.truncate(REPORTED);
        self.keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARD: ShardIndex = ShardIndex(3);

    fn at(seconds: u64) -> Moment {
        Moment::after_origin(Duration::from_secs(seconds))
    }

    fn note(keys: &mut HotKeys, key: &str, records: usize) {
        for _ in 0..records {
            keys.note(SHARD, RecordRef::new(key, &[0; 96]));
        }
    }

    #[test]
    fn a_heavy_key_is_found_among_thousands_of_light_ones() {
        let mut keys = HotKeys::default();
        for number in 0..2000 {
            note(&mut keys, &format!("light-{number}"), 1);
            note(&mut keys, "heavy", usize::from(number % 2 == 0));
        }
        let report = keys.report(SHARD, at(1)).expect("a third of all");
        assert_eq!(report.heaviest.len(), 1, "{report:?}");
        let KeyLoad { partition_key, user_records, .. } = &report.heaviest[0];
        assert!(*partition_key == "heavy" && *user_records >= 1000, "{report:?}");
        assert_eq!(report.user_records, 3000);
    }

    #[test]
    fn even_load_is_nobodys_fault_and_little_says_nothing() {
        let mut keys = HotKeys::default();
        note(&mut keys, "only", 99);
        assert_eq!(keys.report(SHARD, at(1)), None, "too few");
        let mut keys = HotKeys::default();
        for number in 0..1000 {
            note(&mut keys, &format!("key-{}", number % 40), 1);
        }
        assert_eq!(keys.report(SHARD, at(1)), None, "all alike");
    }

    #[test]
    fn reports_are_rare_and_looks_are_spaced() {
        let mut keys = HotKeys::default();
        note(&mut keys, "a", 200);
        assert!(keys.report(SHARD, at(1)).is_some());
        note(&mut keys, "a", 200);
        assert!(keys.report(SHARD, at(60)).is_none());
        assert!(keys.report(SHARD, at(61)).is_some());
        assert!(keys.wants_a_look(at(1)) && !keys.wants_a_look(at(1)) && keys.wants_a_look(at(2)));
    }

    #[test]
    fn memory_is_bounded() {
        let mut keys = HotKeys::default();
        for number in 0..10_000 {
            keys.note(ShardIndex(number), RecordRef::new("k", b"x"));
            keys.note(ShardIndex(0), RecordRef::new(&number.to_string(), b"x"));
        }
        assert!(keys.shards.len() <= SHARDS);
        assert!(keys.shards.values().all(|load| load.keys.len() <= COUNTERS));
    }
}
