//! De-aggregation as a reader of one shard needs it.
//!
//! Invariant: what is returned is what the KCL returns: of an aggregate all members or none.

use bytes::Bytes;

use super::{Decoded, DecodedRecord, decode};
use crate::types::{HashKey, HashKeyRange};

/// Takes the data of a Kinesis record apart that was read from a shard with this hash key range.
///
/// It follows the KCL's `AggregatorUtil.deaggregate(records, startingHashKey, endingHashKey)`: when a single member of
/// an aggregate has a hash key outside the range, the whole aggregate is dropped, and the answer is
/// [`Decoded::Aggregated`] without records. The producer knows this rule and sends the members of such an aggregate
/// again, so a reader that kept them would see them twice. This happens after a reshard, until the producer has the
/// new shards. A record that is not aggregated is never dropped.
///
/// The range is that of the shard that the record was read from, as ListShards or DescribeStream lists it, also when
/// the shard is closed.
///
/// ```
/// use bytes::Bytes;
/// use kpl::aggregation_format::{AggregateEncoder, Decoded, decode_in_shard};
/// use kpl::{HashKey, HashKeyRange, RecordRef};
///
/// let mut encoder = AggregateEncoder::default();
/// for (hash_key, data) in [(5, "one"), (15, "two")] {
///     let record = RecordRef::new("k", data.as_bytes()).with_explicit_hash_key(HashKey(hash_key));
///     assert!(encoder.try_push(record, 1_000).is_ok());
/// }
/// let data: Bytes = encoder.finish();
///
/// let parent = HashKeyRange::new(HashKey(0), HashKey(19))?;
/// assert!(matches!(decode_in_shard(&data, &parent), Decoded::Aggregated(records) if records.len() == 2));
///
/// let child = HashKeyRange::new(HashKey(0), HashKey(9))?; // holds the first one only
/// assert_eq!(decode_in_shard(&data, &child), Decoded::Aggregated(Vec::new()));
/// # Ok::<(), kpl::InvalidHashKeyRange>(())
/// ```
#[must_use]
pub fn decode_in_shard(data: &Bytes, range: &HashKeyRange) -> Decoded {
    match decode(data) {
        Decoded::Aggregated(records) if !range.holds_all(&records) => Decoded::Aggregated(Vec::new()),
        decoded => decoded,
    }
}

impl HashKeyRange {
    /// Whether a shard with this range holds every member of an aggregate.
    ///
    /// [`decode_in_shard`] asks it; a reader that counts or reports the aggregates that it drops can ask itself.
    #[must_use]
    pub fn holds_all(&self, records: &[DecodedRecord]) -> bool {
        records.iter().all(|record| self.contains(record.hash_key()))
    }
}

impl DecodedRecord {
    /// What decides the shard: the explicit hash key, or else the partition key's MD5.
    #[must_use]
    pub fn hash_key(&self) -> HashKey {
        self.explicit_hash_key.unwrap_or_else(|| HashKey::of_partition_key(&self.partition_key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregation_format::AggregateEncoder;
    use crate::compression::compress;
    use crate::user_record::RecordRef;

    fn aggregate(records: &[RecordRef<'_>]) -> Bytes {
        let mut encoder = AggregateEncoder::new();
        for record in records {
            encoder.try_push(*record, usize::MAX).expect("no limit");
        }
        encoder.finish()
    }

    fn with_hash_keys(hash_keys: &[u128]) -> Bytes {
        let record = |key: &u128| RecordRef::new("k", b"data").with_explicit_hash_key(HashKey(*key));
        aggregate(&hash_keys.iter().map(record).collect::<Vec<_>>())
    }

    fn range(starting: u128, ending: u128) -> HashKeyRange {
        HashKeyRange::new(HashKey(starting), HashKey(ending)).expect("in order")
    }

    fn members(data: &Bytes, range: HashKeyRange) -> usize {
        match decode_in_shard(data, &range) {
            Decoded::Aggregated(records) => records.len(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_member_of_another_shard_drops_the_whole_aggregate() {
        for (hash_keys, kept) in
            [(&[10, 15, 19][..], 3), (&[10, 15, 20], 0), (&[9, 15, 19], 0), (&[15, 9, 15], 0), (&[30, 40], 0)]
        {
            assert_eq!(members(&with_hash_keys(hash_keys), range(10, 19)), kept, "{hash_keys:?}");
        }
    }

    #[test]
    fn without_explicit_hash_key_the_md5_of_the_partition_key_counts() {
        let data = aggregate(&[RecordRef::new("pk", b"one"), RecordRef::new("pk", b"two")]);
        let hash_key = HashKey::of_partition_key("pk").0;
        assert_eq!(members(&data, range(hash_key, hash_key)), 2);
        assert_eq!(members(&data, range(hash_key + 1, u128::MAX)), 0);
        assert_eq!(members(&data, range(0, hash_key - 1)), 0);
    }

    #[test]
    fn an_explicit_hash_key_takes_the_place_of_the_md5() {
        let hash_key = HashKey::of_partition_key("pk").0;
        let record = |data| RecordRef::new("pk", data).with_explicit_hash_key(HashKey(7));
        let data = aggregate(&[record(b"one"), record(b"two")]);
        assert_eq!((members(&data, range(7, 7)), members(&data, range(hash_key, hash_key))), (2, 0));
    }

    #[test]
    fn a_compressed_aggregate_is_dropped_by_the_same_rule() {
        let rows: Vec<_> = (0..200).map(|_| 5).chain([15]).collect();
        let data = compress(&with_hash_keys(&rows)).expect("much of the same");
        assert_eq!((members(&data, range(0, 19)), members(&data, range(0, 9))), (201, 0));
    }

    #[test]
    fn what_is_not_aggregated_is_never_dropped() {
        let elsewhere = range(0, 0);
        assert_eq!(decode_in_shard(&Bytes::from_static(b"plain"), &elsewhere), Decoded::Plain);
        let lone = Bytes::from(vec![b'x'; 5_000]);
        let compressed = compress(&lone).expect("much of the same");
        assert_eq!(decode_in_shard(&compressed, &elsewhere), Decoded::Decompressed(lone));
        let mut damaged = with_hash_keys(&[5, 6]).to_vec();
        *damaged.last_mut().expect("not empty") ^= 1;
        assert_eq!(decode_in_shard(&damaged.into(), &elsewhere), Decoded::Plain);
    }
}
