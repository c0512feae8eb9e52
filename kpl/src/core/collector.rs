//! Third stage: Kinesis records are gathered into PutRecords calls.
//!
//! Invariant: a call never exceeds the limits on entries and bytes, nor what the line takes at a time (a single record
//! larger than that goes alone), and entries leave in the order in which they came.

use std::collections::VecDeque;

use hashbrown::HashMap;

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
    /// Bytes on the wire.
    wire_bytes: usize,
    bytes_by_shard: HashMap<ShardIndex, usize>,
    full_shards: usize,
    /// Entries at the front that should leave at once.
    hurried: usize,
    deadlines: Earliest,
    arrivals: Earliest,
}

/// The earliest of the moments in a queue, known after every push and pop: those that no later one undercuts, with
/// their positions.
#[derive(Debug, Default)]
struct Earliest {
    moments: VecDeque<(u64, Moment)>,
    pushed: u64,
    popped: u64,
}

impl<T> Collector<T> {
    pub(crate) fn new(max_count: usize, max_bytes: usize) -> Self {
        Self {
            max_count,
            max_bytes,
            queue: VecDeque::new(),
            bytes: 0,
            wire_bytes: 0,
            bytes_by_shard: HashMap::new(),
            full_shards: 0,
            hurried: 0,
            deadlines: Earliest::default(),
            arrivals: Earliest::default(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(crate) fn put(&mut self, record: KinesisRecord<T>) {
        self.bytes += record.entry_bytes();
        self.wire_bytes += record.wire_bytes();
        self.deadlines.push(record.deadline);
        self.arrivals.push(record.arrival);
        if let Some(shard) = record.predicted_shard {
            let bytes = self.bytes_by_shard.entry(shard).or_default();
            let before = *bytes;
            *bytes += record.data.len();
            self.full_shards +=
                usize::from(before < COLLECTOR_BYTES_PER_SHARD && *bytes >= COLLECTOR_BYTES_PER_SHARD);
        }
        self.queue.push_back(record);
    }

    /// Why a call of at most `wire_bytes` is to be made now, if one is.
    pub(crate) fn ready(&self, wire_bytes: usize, now: Moment) -> Option<SendCause> {
        let causes = [
            (self.queue.len() >= self.max_count, SendCause::CountFull),
            (self.bytes >= self.max_bytes || self.wire_bytes >= wire_bytes, SendCause::SizeFull),
            (self.full_shards > 0, SendCause::ShardFull),
            (self.hurried > 0, SendCause::Hurried),
            (self.next_wakeup() <= now, SendCause::DeadlineReached),
        ];
        let cause = causes.into_iter().find(|(holds, _)| *holds).map(|(_, cause)| cause);
        cause.filter(|_| !self.queue.is_empty())
    }

    /// Somebody waits for what is here now: it should leave at once.
    pub(crate) fn hurry(&mut self) {
        self.hurried = self.queue.len();
    }

    /// The entries of the next call: as many of the first ones as fit, also in `wire_bytes` on the wire.
    pub(crate) fn take(&mut self, wire_bytes: usize) -> Vec<KinesisRecord<T>> {
        let (mut count, mut bytes, mut on_the_wire) = (0, 0, 0);
        for record in self.queue.iter().take(self.max_count) {
            let (size, wire_size) = (record.entry_bytes(), record.wire_bytes());
            if count > 0 && (bytes + size > self.max_bytes || on_the_wire + wire_size > wire_bytes) {
                break;
            }
            bytes += size;
            on_the_wire += wire_size;
            count += 1;
        }
        let taken: Vec<_> = self.queue.drain(..count).collect();
        self.bytes -= bytes;
        self.wire_bytes -= on_the_wire;
        for record in &taken {
            self.forget_shard_bytes(record);
        }
        self.hurried = self.hurried.saturating_sub(count);
        self.deadlines.pop(count);
        self.arrivals.pop(count);
        taken
    }

    /// When the oldest entry should be on its way.
    pub(crate) fn next_wakeup(&self) -> Moment {
        self.deadlines.get()
    }

    /// The arrival of the oldest entry.
    pub(crate) fn oldest_arrival(&self) -> Moment {
        self.arrivals.get()
    }

    /// Takes out the entries that `is_expired` says so of, by their arrival; older ones expire no later.
    pub(crate) fn take_expired(&mut self, is_expired: impl Fn(Moment) -> bool) -> Vec<KinesisRecord<T>> {
        if self.queue.is_empty() || !is_expired(self.oldest_arrival()) {
            return Vec::new();
        }
        let hurried = self.hurried;
        let emptied = Self::new(self.max_count, self.max_bytes);
        let all = std::mem::replace(self, emptied).queue;
        let mut taken = Vec::new();
        for (place, record) in all.into_iter().enumerate() {
            if is_expired(record.arrival) {
                taken.push(record);
            } else {
                self.hurried += usize::from(place < hurried);
                self.put(record);
            }
        }
        taken
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

// === impl Earliest ===

impl Earliest {
    fn push(&mut self, moment: Moment) {
        while self.moments.back().is_some_and(|(_, last)| *last >= moment) {
            self.moments.pop_back();
        }
        self.moments.push_back((self.pushed, moment));
        self.pushed += 1;
    }

    fn pop(&mut self, count: usize) {
        self.popped += count as u64;
        while self.moments.front().is_some_and(|(position, _)| *position < self.popped) {
            self.moments.pop_front();
        }
    }

    /// The earliest; [`Moment::NEVER`] when the queue is empty.
    fn get(&self) -> Moment {
        self.moments.front().map_or(Moment::NEVER, |(_, moment)| *moment)
    }
}

#[cfg(test)]
mod conformance;

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
            let record = RecordRef::new("k", &data);
            let member = Member { tag, arrival: at(0), epoch: 0, cost: 0, lane: None, history: None };
            collector.put(alone(record, record.hash_key(), shard, member, at(100)));
        }
        collector
    }

    fn collector_entry(tag: usize) -> KinesisRecord<usize> {
        collector(&[1; 1], None).queue.pop_front().map_or_else(
            || unreachable!(),
            |mut record| {
                record.members[0].tag = tag;
                record
            },
        )
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
            let mut collector = collector(sizes, shard);
            if hurried {
                collector.hurry();
            }
            assert_eq!(collector.ready(usize::MAX, at(now)), cause, "{sizes:?} at {now}");
        }
    }

    #[test]
    fn a_call_takes_what_fits_in_order() {
        let mut full = collector(&[400_000, 400_000, 400_000, 5], Some(ShardIndex(0)));
        let counts: Vec<usize> =
            std::iter::from_fn(|| Some(full.take(usize::MAX).len()).filter(|count| *count > 0)).collect();
        assert_eq!(counts, [2, 2]);
        assert_eq!((full.bytes, full.full_shards, full.bytes_by_shard.len()), (0, 0, 0));
        assert_eq!(full.next_wakeup(), Moment::NEVER);
        assert_eq!(
            collector(&[2_000_000, 5], None).take(usize::MAX).len(),
            1,
            "larger than a call goes alone"
        );
    }

    #[test]
    fn a_slow_line_gets_smaller_calls() {
        let mut gathered = collector(&[3_000, 3_000, 30_000, 3_000], None);
        let wire_bytes: Vec<usize> = gathered.queue.iter().map(KinesisRecord::wire_bytes).collect();
        assert_eq!(wire_bytes, [4_061, 4_061, 40_061, 4_061]);
        assert_eq!(gathered.ready(52_245, at(0)), None, "one byte less than the line takes");
        assert_eq!(gathered.ready(52_244, at(0)), Some(SendCause::SizeFull));
        let counts: Vec<usize> =
            std::iter::from_fn(|| Some(gathered.take(8_122).len()).filter(|count| *count > 0)).collect();
        assert_eq!(counts, [2, 1, 1], "an entry that is too large goes alone");
        assert_eq!(gathered.wire_bytes, 0);
    }

    #[test]
    fn the_earliest_deadline_is_known_after_every_take() {
        let mut random = fastrand::Rng::with_seed(5);
        let mut collector = Collector::new(3, 1_000_000);
        for tag in 0..500 {
            let record = RecordRef::new("k", b"x");
            let member = Member { tag, arrival: at(0), epoch: 0, cost: 0, lane: None, history: None };
            collector.put(alone(record, record.hash_key(), None, member, at(random.u64(..1000))));
            if random.u8(..4) == 0 {
                collector.take(usize::MAX);
            }
            let earliest = collector.queue.iter().map(|record| record.deadline).min();
            assert_eq!(collector.next_wakeup(), earliest.unwrap_or(Moment::NEVER));
        }
    }

    #[test]
    fn old_entries_are_taken_out_from_anywhere() {
        let mut collector = collector(&[1; 6], Some(ShardIndex(0)));
        for (place, arrival) in [5, 1, 7, 2, 9, 3].into_iter().enumerate() {
            collector.queue[place].arrival = at(arrival);
        }
        let all: Vec<_> = collector.drain_all();
        all.into_iter().for_each(|record| collector.put(record));
        collector.hurry();
        let taken = collector.take_expired(|arrival| arrival <= at(3));
        assert_eq!(taken.iter().map(|record| record.members[0].tag).collect::<Vec<_>>(), [1, 3, 5]);
        assert_eq!((collector.oldest_arrival(), collector.bytes, collector.hurried), (at(5), 6, 3));
        assert!(collector.take_expired(|arrival| arrival <= at(3)).is_empty());
    }

    #[test]
    fn haste_is_for_those_who_are_there() {
        let mut collector = collector(&[5; 15], None);
        collector.hurry();
        let late = collector_entry(99);
        collector.put(late);
        assert_eq!(collector.take(usize::MAX).len(), 10);
        assert_eq!(collector.ready(usize::MAX, at(0)), Some(SendCause::Hurried), "five are still in a hurry");
        assert_eq!(collector.take(usize::MAX).len(), 6);
        collector.put(collector_entry(100));
        assert_eq!(collector.ready(usize::MAX, at(0)), None);
    }
}
