//! One entry of a PutRecords call in flight: an aggregate of user records, or a single one as it is.
//!
//! Invariant: the members of a Kinesis record share its predicted shard, and its data holds them in members' order.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;
use smol_str::SmolStr;

use crate::aggregation_format::{AGGREGATE_PARTITION_KEY, DecodedRecord, decode_strict};
use crate::compression::decompress;
use crate::dedup_id::DedupId;
use crate::outcome::{ATTEMPTS_KEPT, Attempt, Attempts};
use crate::partition_key::PartitionKey;
use crate::types::{HashKey, Lane, Moment, ServiceText, ShardIndex};
use crate::user_record::RecordRef;

/// Bytes of an entry of a request beside its data and its partition key: names and quotes.
const REQUEST_ENTRY_BYTES: usize = 60;

/// Bytes of an entry of an answer: a sequence number, a shard id, and their names.
const ANSWER_ENTRY_BYTES: usize = 120;

/// A user record in flight: whose it is and how old, not its bytes (they stand in the Kinesis record).
#[derive(Debug)]
pub(crate) struct Member<T> {
    /// What the shell knows the record by.
    pub(crate) tag: T,
    pub(crate) arrival: Moment,
    /// How many flushes had been asked for when it was accepted.
    pub(crate) epoch: u32,
    /// What it takes of the budget, in bytes.
    pub(crate) cost: u32,
    /// The lane for which that counts; `None` until it counts for one.
    pub(crate) lane: Option<Lane>,
    /// Attempts in Kinesis records that were taken apart since; `None` for nearly all.
    pub(crate) history: Option<Arc<History>>,
}

/// Bytes of the data of some user records, in little memory: no Kinesis record has 4 GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DataSizes {
    pub(crate) sum: u32,
    pub(crate) smallest: u32,
    pub(crate) largest: u32,
}

/// The attempts so far, and whether one of them may have stored the record.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    pub(crate) attempts: Attempts,
    /// Those included that are not kept.
    pub(crate) attempts_made: u32,
    pub(crate) may_have_been_written: bool,
    /// When the last attempt ended.
    ended_at: Moment,
}

/// How the bytes of a Kinesis record are to be read.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// One user record: its data is the entry's data, which has no place for its dedup id.
    /// Whether the smallest hash key, which is the only one, was given explicitly is said in little memory.
    Single { partition_key: PartitionKey, has_explicit_hash_key: bool, dedup_id: Option<SmolStr> },
    /// User records in the aggregated format: two or more, or one with a dedup id.
    Aggregate,
}

/// An entry of a PutRecords call, from the aggregator to its outcome. It goes through many hands, so that only a pointer
/// is moved.
#[derive(Debug)]
pub(crate) struct KinesisRecord<T>(Box<KinesisRecordParts<T>>);

/// What a Kinesis record is made of.
#[derive(Debug)]
pub(crate) struct KinesisRecordParts<T> {
    pub(crate) data: Bytes,
    /// Whether `data` was compressed after `content` had been made.
    pub(crate) is_compressed: bool,
    pub(crate) content: Content,
    /// Smallest and largest hash key of the members; the smallest one places the entry.
    pub(crate) hash_keys: (HashKey, HashKey),
    pub(crate) predicted_shard: Option<ShardIndex>,
    pub(crate) members: SmallVec<[Member<T>; 1]>,
    /// Bytes of the members' data, for the metrics.
    pub(crate) data_sizes: DataSizes,
    /// Arrival of the oldest member.
    pub(crate) arrival: Moment,
    /// When it should leave, whatever else there is to wait for.
    pub(crate) deadline: Moment,
    pub(crate) history: History,
}

// === impl KinesisRecord ===

impl<T> From<KinesisRecordParts<T>> for KinesisRecord<T> {
    fn from(parts: KinesisRecordParts<T>) -> Self {
        Self(Box::new(parts))
    }
}

impl<T> Deref for KinesisRecord<T> {
    type Target = KinesisRecordParts<T>;
    fn deref(&self) -> &KinesisRecordParts<T> {
        &self.0
    }
}

impl<T> DerefMut for KinesisRecord<T> {
    fn deref_mut(&mut self) -> &mut KinesisRecordParts<T> {
        &mut self.0
    }
}

impl<T> KinesisRecord<T> {
    /// The parts themselves.
    pub(crate) fn into_parts(self) -> KinesisRecordParts<T> {
        *self.0
    }
    /// The partition key of the entry.
    pub(crate) fn partition_key(&self) -> &str {
        match &self.content {
            Content::Single { partition_key, .. } => partition_key,
            Content::Aggregate => AGGREGATE_PARTITION_KEY,
        }
    }

    /// Bytes as PutRecords counts them.
    pub(crate) fn entry_bytes(&self) -> usize {
        self.data.len() + self.partition_key().len()
    }

    /// Bytes that the entry takes of the line to the service: as JSON in the request, or in the answer where that is more.
    pub(crate) fn wire_bytes(&self) -> usize {
        let in_request = self.data.len().div_ceil(3) * 4 + self.partition_key().len() + REQUEST_ENTRY_BYTES;
        in_request.max(ANSWER_ENTRY_BYTES)
    }

    /// Calls `each` with the user records, in order, unless they are compressed.
    pub(crate) fn for_each_record(&self, mut each: impl FnMut(RecordRef<'_>)) {
        match &self.content {
            _ if self.is_compressed => {}
            Content::Single { partition_key, .. } => {
                each(RecordRef::without_partition_key(&self.data).with_key(partition_key));
            }
            Content::Aggregate => {
                for record in decode_strict(&self.data).iter().flatten() {
                    each(record.as_ref());
                }
            }
        }
    }

    /// Calls `each` with every member and its record, in order.
    #[cfg(test)]
    pub(crate) fn for_each_member(self, mut each: impl FnMut(Member<T>, RecordRef<'_>)) {
        for (member, record) in self.into_members() {
            each(member, record.as_ref());
        }
    }

    /// Every member with its record, in order. The records share this one's data.
    pub(crate) fn into_members(self) -> impl Iterator<Item = (Member<T>, DecodedRecord)> {
        let KinesisRecordParts { data, is_compressed, content, hash_keys, members, .. } = self.into_parts();
        let data = match is_compressed {
            false => data,
            true => match decompress(&data) {
                Ok(Some(data)) => data,
                _ => unreachable!("what this crate compressed did not decompress"),
            },
        };
        let records = match content {
            Content::Single { partition_key, has_explicit_hash_key, dedup_id } => {
                let explicit_hash_key = has_explicit_hash_key.then_some(hash_keys.0);
                // It was checked when the record was accepted, or is this crate's own.
                let dedup_id = dedup_id.and_then(|id| DedupId::new(&id).ok());
                vec![DecodedRecord {
                    partition_key: partition_key.as_str().into(),
                    explicit_hash_key,
                    data,
                    dedup_id,
                }]
            }
            Content::Aggregate => match decode_strict(&data) {
                Ok(records) => records,
                Err(_) => unreachable!("an aggregate that this crate encoded did not decode"),
            },
        };
        debug_assert_eq!(records.len(), members.len());
        members.into_iter().zip(records)
    }
}

impl DecodedRecord {
    /// The borrowed form, as the producer takes it.
    #[must_use]
    pub fn as_ref(&self) -> RecordRef<'_> {
        RecordRef {
            explicit_hash_key: self.explicit_hash_key,
            dedup_id: self.dedup_id.as_ref().map(DedupId::as_str),
            ..RecordRef::without_partition_key(&self.data)
        }
        .with_key(&self.partition_key)
    }
}

// === impl Member ===

impl<T> Member<T> {
    /// How many of its remembered attempts in Kinesis records that were taken apart ended with this code.
    pub(crate) fn times(&self, code: &str) -> usize {
        let attempts = self.history.iter().flat_map(|history| &history.attempts);
        attempts.filter(|attempt| attempt.error.as_ref().is_some_and(|(ended, _)| *ended == code)).count()
    }
}

// === impl DataSizes ===

impl DataSizes {
    /// Of no record at all.
    pub(crate) const NONE: Self = Self { sum: 0, smallest: u32::MAX, largest: 0 };

    /// One record more.
    pub(crate) fn with(self, bytes: usize) -> Self {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        Self {
            sum: self.sum.saturating_add(bytes),
            smallest: self.smallest.min(bytes),
            largest: self.largest.max(bytes),
        }
    }
}

// === impl History ===

impl History {
    /// Notes an attempt at a record that arrived at `arrival`.
    pub(crate) fn note(
        &mut self,
        arrival: Moment,
        (started, ended): (Moment, Moment),
        error: Option<(ServiceText, ServiceText)>,
    ) {
        let attempt = Attempt {
            delay: started.since(arrival.max(self.ended_at)),
            duration: ended.since(started),
            error,
        };
        if self.attempts.len() == ATTEMPTS_KEPT {
            self.attempts.remove(0);
        }
        self.attempts.push(attempt);
        self.attempts_made = self.attempts_made.saturating_add(1);
        self.ended_at = ended;
    }

    /// The last attempt, which was answered as a success, was none.
    pub(crate) fn refute_last(&mut self, error: (ServiceText, ServiceText)) {
        if let Some(last) = self.attempts.last_mut() {
            last.error = Some(error);
        }
    }

    /// The attempts of `member` and of the Kinesis record that it is in, as one.
    pub(crate) fn joined(&self, earlier: Option<&Arc<Self>>) -> Self {
        let mut joined = earlier.map(|history| History::clone(history)).unwrap_or_default();
        joined.attempts.extend(self.attempts.iter().cloned());
        joined.attempts_made = joined.attempts_made.saturating_add(self.attempts_made);
        joined.may_have_been_written |= self.may_have_been_written;
        joined.ended_at = joined.ended_at.max(self.ended_at);
        let surplus = joined.attempts.len().saturating_sub(ATTEMPTS_KEPT);
        joined.attempts.drain(..surplus);
        joined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(attempts: u64) -> History {
        let mut history = History::default();
        let at = |second| Moment::after_origin(std::time::Duration::from_secs(second));
        for second in 0..attempts {
            history.note(Moment::ORIGIN, (at(second), at(second + 1)), None);
        }
        history
    }

    #[test]
    fn attempts_that_are_not_kept_are_counted_all_the_same() {
        let (earlier, later) = (history(20), history(3));
        assert_eq!((earlier.attempts.len(), earlier.attempts_made), (ATTEMPTS_KEPT, 20));
        let joined = later.joined(Some(&Arc::new(earlier)));
        assert_eq!((joined.attempts.len(), joined.attempts_made), (ATTEMPTS_KEPT, 23));
    }

    #[test]
    fn sizes_are_folded() {
        let sizes = [30, 10, 20].into_iter().fold(DataSizes::NONE, DataSizes::with);
        assert_eq!(sizes, DataSizes { sum: 60, smallest: 10, largest: 30 });
    }
}
