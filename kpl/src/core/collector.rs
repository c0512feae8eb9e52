//! Third stage: Kinesis records are gathered into PutRecords calls.
//!
//! Invariant: a call never exceeds the limits on entries and bytes (a single record larger than the byte limit goes
//! alone), and entries leave in the order in which they came.

use std::collections::{HashMap, VecDeque};

use crate::kinesis_record::KinesisRecord;
use crate::limits::COLLECTOR_BYTES_PER_SHARD;
use crate::types::{Moment, ShardIndex};

/// Why a call is to be made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SendCause {
    /// A call's worth of entries.
    CountFull,
    /// A call's worth of bytes.
    SizeFull,
    /// So much for one shard that waiting longer would hit it in a burst.
    ShardFull,
    /// The oldest entry should be on its way.
    DeadlineReached,
    /// Somebody waits: a flush, a close, or a caller in need of room.
    Hurried,
}

/// The entries that wait for a call.
#[derive(Debug)]
pub(crate) struct Collector<T> {
    max_count: usize,
    max_bytes: usize,
    queue: VecDeque<KinesisRecord<T>>,
    bytes: usize,
    bytes_by_shard: HashMap<ShardIndex, usize>,
    full_shards: usize,
    earliest: Moment,
}

impl<T> Collector<T> {
    pub(crate) fn new(max_count: usize, max_bytes: usize) -> Self {
        Self {
            max_count,
            max_bytes,
            queue: VecDeque::new(),
            bytes: 0,
            bytes_by_shard: HashMap::new(),
            full_shards: 0,
            earliest: Moment::NEVER,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(crate) fn put(&mut self, record: KinesisRecord<T>) {
        self.bytes += record.entry_bytes();
        self.earliest = self.earliest.min(record.deadline);
        if let Some(shard) = record.predicted_shard {
            let bytes = self.bytes_by_shard.entry(shard).or_default();
            let before = *bytes;
            *bytes += record.data.len();
            self.full_shards +=
                usize::from(before < COLLECTOR_BYTES_PER_SHARD && *bytes >= COLLECTOR_BYTES_PER_SHARD);
        }
        self.queue.push_back(record);
    }

    /// Why a call is to be made now, if one is.
    pub(crate) fn ready(&self, now: Moment, hurried: bool) -> Option<SendCause> {
        let causes = [
            (self.queue.len() >= self.max_count, SendCause::CountFull),
            (self.bytes >= self.max_bytes, SendCause::SizeFull),
            (self.full_shards > 0, SendCause::ShardFull),
            (self.earliest <= now, SendCause::DeadlineReached),
            (hurried, SendCause::Hurried),
        ];
        let cause = causes.into_iter().find(|(holds, _)| *holds).map(|(_, cause)| cause);
        cause.filter(|_| !self.queue.is_empty())
    }

    /// The entries of the next call: as many of the first ones as fit.
    pub(crate) fn take(&mut self) -> Vec<KinesisRecord<T>> {
        let (mut count, mut bytes) = (0, 0);
        for record in self.queue.iter().take(self.max_count) {
            let size = record.entry_bytes();
            if count > 0 && bytes + size > self.max_bytes {
                break;
            }
            bytes += size;
            count += 1;
        }
        let taken: Vec<_> = self.queue.drain(..count).collect();
        self.bytes -= bytes;
        for record in &taken {
            self.forget_shard_bytes(record);
        }
        self.earliest = self.queue.iter().map(|record| record.deadline).min().unwrap_or(Moment::NEVER);
        taken
    }

    /// When the oldest entry should be on its way.
    pub(crate) fn next_wakeup(&self) -> Moment {
        self.earliest
    }

    /// Takes out everything.
    pub(crate) fn drain_all(&mut self) -> Vec<KinesisRecord<T>> {
        let emptied = Self::new(self.max_count, self.max_bytes);
        std::mem::replace(self, emptied).queue.into()
    }

    /// User records gathered.
    #[cfg(test)]
    pub(crate) fn members(&self) -> usize {
        self.queue.iter().map(|record| record.members.len()).sum()
    }

    fn forget_shard_bytes(&mut self, record: &KinesisRecord<T>) {
        let Some(shard) = record.predicted_shard else {
            return;
        };
        let Some(bytes) = self.bytes_by_shard.get_mut(&shard) else {
            return;
        };
        let was_full = *bytes >= COLLECTOR_BYTES_PER_SHARD;
        *bytes -= record.data.len();
        self.full_shards -= usize::from(was_full && *bytes < COLLECTOR_BYTES_PER_SHARD);
        if *bytes == 0 {
            self.bytes_by_shard.remove(&shard);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::aggregator::alone;
    use crate::kinesis_record::Member;
    use crate::user_record::RecordRef;
    use std::time::Duration;

    fn at(milliseconds: u64) -> Moment {
        Moment::after_origin(Duration::from_millis(milliseconds))
    }

    fn collector(sizes: &[usize], shard: Option<ShardIndex>) -> Collector<usize> {
        let mut collector = Collector::new(10, 1_000_000);
        for (tag, size) in sizes.iter().enumerate() {
            let data = vec![0; *size];
            let record = RecordRef { partition_key: "k", explicit_hash_key: None, data: &data };
            let member = Member { tag, arrival: at(0), epoch: 0, cost: 0, history: None };
            collector.put(alone(record, record.hash_key(), shard, member, at(100)));
        }
        collector
    }

    #[test]
    fn calls_are_made_for_these_reasons() {
        let shard = Some(ShardIndex(3));
        for (sizes, shard, now, hurried, cause) in [
            (&[][..], None, 500, true, None),
            (&[5], None, 99, false, None),
            (&[5], None, 100, false, Some(SendCause::DeadlineReached)),
            (&[5], None, 0, true, Some(SendCause::Hurried)),
            (&[1; 10], None, 0, false, Some(SendCause::CountFull)),
            (&[500_000, 500_000], None, 0, false, Some(SendCause::SizeFull)),
            (&[200_000, 62_144], shard, 0, false, Some(SendCause::ShardFull)),
            (&[200_000, 62_143], shard, 0, false, None),
        ] {
            assert_eq!(collector(sizes, shard).ready(at(now), hurried), cause, "{sizes:?} at {now}");
        }
    }

    #[test]
    fn a_call_takes_what_fits_in_order() {
        let mut full = collector(&[400_000, 400_000, 400_000, 5], Some(ShardIndex(0)));
        let counts: Vec<usize> =
            std::iter::from_fn(|| Some(full.take().len()).filter(|count| *count > 0)).collect();
        assert_eq!(counts, [2, 2]);
        assert_eq!((full.bytes, full.full_shards, full.bytes_by_shard.len()), (0, 0, 0));
        assert_eq!(full.next_wakeup(), Moment::NEVER);
        assert_eq!(collector(&[2_000_000, 5], None).take().len(), 1, "larger than a call goes alone");
    }
}
