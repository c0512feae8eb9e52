//! The KPL's default user record, its three shards, and what it calls verifying a record.

use std::time::Duration;

use crate::aggregation_format::decode_strict;
use crate::core::open_aggregate::OpenAggregate;
use crate::kinesis_record::{Content, KinesisRecord, Member};
use crate::types::{HashKey, Moment, ShardIndex};
use crate::user_record::RecordRef;

/// The end of the lower half of the key space.
pub(super) const HALF_END: u128 = 170_141_183_460_469_231_731_687_303_715_884_105_727;
/// The end of its lower quarter.
pub(super) const QUARTER_END: u128 = 85_070_591_730_234_615_865_843_651_857_942_052_862;

/// The shards of the KPL's tests: 1 is the upper half, 2 and 3 are the quarters below.
pub(super) const THREE_SHARDS: [(&str, u128, u128); 3] = [
    ("shardId-000000000001", HALF_END + 1, u128::MAX),
    ("shardId-000000000002", 0, QUARTER_END),
    ("shardId-000000000003", QUARTER_END + 1, HALF_END),
];

/// A user record as it was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Original {
    pub(super) partition_key: String,
    pub(super) explicit_hash_key: Option<HashKey>,
    pub(super) data: Vec<u8>,
}

impl Original {
    /// The record that the KPL's tests make unless they say otherwise.
    pub(super) fn usual() -> Self {
        Self::of("abcd", "1234", None)
    }

    pub(super) fn of(partition_key: &str, data: impl Into<Vec<u8>>, explicit_hash_key: Option<u128>) -> Self {
        let (partition_key, data) = (partition_key.to_owned(), data.into());
        Self { partition_key, explicit_hash_key: explicit_hash_key.map(HashKey), data }
    }

    pub(super) fn at_key(hash_key: u128) -> Self {
        Self { explicit_hash_key: Some(HashKey(hash_key)), ..Self::usual() }
    }

    pub(super) fn as_ref(&self) -> RecordRef<'_> {
        RecordRef {
            explicit_hash_key: self.explicit_hash_key,
            ..RecordRef::new(&self.partition_key, &self.data)
        }
    }
}

pub(super) fn at(milliseconds: u64) -> Moment {
    Moment::after_origin(Duration::from_millis(milliseconds))
}

pub(super) fn member(tag: usize, arrival: Moment) -> Member<usize> {
    Member { tag, arrival, epoch: 0, cost: 0, lane: None, history: None }
}

/// Adds a record to an aggregate unless that would then exceed `limit` bytes; answers whether it was added.
pub(super) fn push(
    open: &mut OpenAggregate<usize>,
    original: &Original,
    deadline: Moment,
    limit: usize,
) -> bool {
    let record = original.as_ref();
    let member = member(open.len(), Moment::ORIGIN);
    open.try_push(record.into(), record.hash_key(), member, deadline, limit).is_ok()
}

pub(super) fn close(open: &mut OpenAggregate<usize>) -> Option<KinesisRecord<usize>> {
    open.close(ShardIndex(0), Moment::ORIGIN)
}

/// Frame, digest and message are right; the records are these, in this order; the place is that of one of them.
pub(super) fn verify(record: &KinesisRecord<usize>, originals: &[Original]) {
    assert!(matches!(record.content, Content::Aggregate));
    let decoded = decode_strict(&record.data).expect("an aggregate");
    assert_eq!((decoded.len(), record.members.len()), (originals.len(), originals.len()));
    for (place, (decoded, original)) in decoded.iter().zip(originals).enumerate() {
        assert_eq!(decoded.as_ref(), original.as_ref(), "record {place}");
    }
    let place = record.hash_keys.0;
    assert!(originals.iter().any(|original| original.as_ref().hash_key() == place), "{place:?} is of nobody");
}

/// The record went as it is, under its own key and to its own place.
pub(super) fn verify_unaggregated(record: &KinesisRecord<usize>, original: &Original) {
    let Content::Single { partition_key, .. } = &record.content else { panic!("aggregated") };
    let place = original.as_ref().hash_key();
    assert_eq!(record.data, original.data);
    assert_eq!(**partition_key, original.partition_key);
    assert_eq!(record.hash_keys, (place, place));
}
