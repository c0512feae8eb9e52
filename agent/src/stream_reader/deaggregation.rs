//! From the Kinesis records of a shard to the user records in them.
//!
//! Invariant: what is handed on is what a KCL consumer gets: an aggregate of which a single member belongs to another
//! shard is dropped whole (and counted here, which the KCL does not do); every other record is handed on.

use std::sync::Arc;

use aws_sdk_kinesis::primitives::DateTime;
use aws_sdk_kinesis::types::Record;
use bytes::Bytes;
use kpl::aggregation_format::{Decoded, DecodedRecord, decode};
use kpl::{DedupId, HashKey, HashKeyRange, SequenceNumber, ShardId};

/// What one PUT payload unit holds: 25 KB (Kinesis Data Streams pricing); the KPL counts it as 25,600 bytes.
const PAYLOAD_UNIT_BYTES: usize = 25 * 1024;

/// One user record of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsumedRecord {
    /// The payload.
    pub data: Bytes,
    /// The user's partition key.
    pub partition_key: Arc<str>,
    /// The explicit hash key, where the record is a member of an aggregate and had one; the service does not tell
    /// that of a plain record.
    pub explicit_hash_key: Option<HashKey>,
    /// The shard that it was read from.
    pub shard_id: ShardId,
    /// The sequence number of its Kinesis record.
    pub sequence_number: SequenceNumber,
    /// Its place in the aggregate, from 0; `None` for a plain record.
    pub sub_sequence_number: Option<u64>,
    /// When the service took it, in seconds since 1970.
    pub approximate_arrival: Option<f64>,
    /// What its tag says by which a repeat is recognised, if it has one.
    pub dedup_id: Option<DedupId>,
}

/// What was read so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadTotals {
    /// Kinesis records, aggregated or not.
    pub kinesis_records: u64,
    /// User records handed on.
    pub user_records: u64,
    /// Data bytes of the Kinesis records.
    pub data_bytes: u64,
    /// What their puts are billed as: one for every 25 KB of each Kinesis record's data, begun ones included.
    pub put_payload_units: u64,
    /// Aggregates dropped because a member belongs to another shard.
    pub dropped_aggregates: u64,
}

/// A record as the service keeps it.
#[derive(Debug)]
pub(super) struct KinesisRecord {
    data: Bytes,
    partition_key: String,
    shard: ShardId,
    pub(super) sequence_number: SequenceNumber,
    approximate_arrival: Option<f64>,
}

impl KinesisRecord {
    /// The SDK's record in our words.
    pub(super) fn new(record: Record, shard: &ShardId) -> Self {
        Self {
            approximate_arrival: record.approximate_arrival_timestamp().map(DateTime::as_secs_f64),
            data: record.data.into_inner().into(),
            partition_key: record.partition_key.unwrap_or_default(),
            shard: shard.clone(),
            sequence_number: record.sequence_number.as_str().into(),
        }
    }

    fn plain(self) -> ConsumedRecord {
        ConsumedRecord {
            data: self.data,
            partition_key: self.partition_key.into(),
            explicit_hash_key: None,
            shard_id: self.shard,
            sequence_number: self.sequence_number,
            sub_sequence_number: None,
            approximate_arrival: self.approximate_arrival,
            dedup_id: None,
        }
    }

    fn member(&self, place: u64, member: DecodedRecord) -> ConsumedRecord {
        ConsumedRecord {
            data: member.data,
            partition_key: member.partition_key,
            explicit_hash_key: member.explicit_hash_key,
            shard_id: self.shard.clone(),
            sequence_number: self.sequence_number.clone(),
            sub_sequence_number: Some(place),
            approximate_arrival: self.approximate_arrival,
            dedup_id: member.dedup_id,
        }
    }
}

impl ReadTotals {
    /// Appends the user records of a Kinesis record that was read from a shard of this range, and counts both.
    pub(super) fn take_apart(
        &mut self,
        record: KinesisRecord,
        range: Option<&HashKeyRange>,
        user_records: &mut Vec<ConsumedRecord>,
    ) {
        self.kinesis_records += 1;
        self.data_bytes += record.data.len() as u64;
        self.put_payload_units += record.data.len().div_ceil(PAYLOAD_UNIT_BYTES).max(1) as u64;
        let before = user_records.len();
        match decode(&record.data) {
            Decoded::Plain => user_records.push(record.plain()),
            Decoded::Decompressed(data) => user_records.push(KinesisRecord { data, ..record }.plain()),
            Decoded::Aggregated(members) if range.is_some_and(|range| !range.holds_all(&members)) => {
                self.dropped_aggregates += 1;
                tracing::warn!(
                    shard = record.shard.as_str(),
                    sequence_number = record.sequence_number.as_str(),
                    records = members.len(),
                    "an aggregate has members of another shard: dropped whole, as the KCL does"
                );
            }
            Decoded::Aggregated(members) => {
                user_records.extend((0..).zip(members).map(|(place, member)| record.member(place, member)));
            }
        }
        self.user_records += (user_records.len() - before) as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(data: &[u8]) -> KinesisRecord {
        KinesisRecord {
            data: Bytes::copy_from_slice(data),
            partition_key: "key".to_owned(),
            shard: "shardId-000000000001".into(),
            sequence_number: "49".into(),
            approximate_arrival: Some(1.5),
        }
    }

    /// Two members under the key "k" and explicit hash key 7 for the second, made with the KPL's format by hand.
    fn aggregate() -> Vec<u8> {
        use md5::Digest as _;
        let message = [
            &b"\x0a\x01k\x12\x017"[..],
            b"\x1a\x07\x08\x00\x1a\x03one",
            b"\x1a\x09\x08\x00\x10\x00\x1a\x03two",
        ]
        .concat();
        [&[0xF3, 0x89, 0x9A, 0xC2][..], &message, &md5::Md5::digest(&message)[..]].concat()
    }

    fn range(starting: u128, ending: u128) -> HashKeyRange {
        HashKeyRange::new(HashKey(starting), HashKey(ending)).expect("in order")
    }

    #[test]
    fn a_plain_record_stays_as_it_is() {
        let (mut totals, mut records) = (ReadTotals::default(), Vec::new());
        totals.take_apart(record(b"plain"), Some(&range(0, 0)), &mut records);
        assert_eq!((&records[0].data[..], records[0].sub_sequence_number), (&b"plain"[..], None));
        assert_eq!((records[0].partition_key.as_ref(), records[0].sequence_number.as_str()), ("key", "49"));
        assert_eq!((totals.kinesis_records, totals.user_records, totals.put_payload_units), (1, 1, 1));
    }

    #[test]
    fn members_come_out_in_order_with_their_places() {
        let (mut totals, mut records) = (ReadTotals::default(), Vec::new());
        totals.take_apart(record(&aggregate()), Some(&range(0, u128::MAX)), &mut records);
        let seen: Vec<_> =
            records.iter().map(|r| (&r.data[..], r.sub_sequence_number, r.explicit_hash_key)).collect();
        assert_eq!(seen, [(&b"one"[..], Some(0), None), (b"two", Some(1), Some(HashKey(7)))]);
        assert_eq!((totals.kinesis_records, totals.user_records), (1, 2));
    }

    #[test]
    fn an_aggregate_with_a_member_of_another_shard_is_dropped_whole() {
        let (mut totals, mut records) = (ReadTotals::default(), Vec::new());
        totals.take_apart(record(&aggregate()), Some(&range(8, u128::MAX)), &mut records);
        assert!(records.is_empty());
        assert_eq!((totals.user_records, totals.dropped_aggregates), (0, 1));
    }

    #[test]
    fn payload_units_are_counted_for_each_record() {
        for (bytes, units) in [(0, 1), (1, 1), (25_600, 1), (25_601, 2), (51_200, 2), (1 << 20, 41)] {
            let mut totals = ReadTotals::default();
            totals.take_apart(record(&vec![b'x'; bytes]), None, &mut Vec::new());
            assert_eq!(totals.put_payload_units, units, "{bytes} bytes");
        }
    }
}
