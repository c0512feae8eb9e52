//! First stage: user records become Kinesis records, gathered by the shard that they are predicted to go to.
//!
//! Invariant: the members of a Kinesis record share one predicted shard, and none waits longer than its deadline.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use smallvec::smallvec;
use smol_str::SmolStr;

use crate::aggregation_format::frame_alone;
use crate::core::open_aggregate::OpenAggregate;
use crate::core::shared_copy::shared_copy;
use crate::incoming_record::IncomingRecord;
use crate::kinesis_record::{Content, DataSizes, History, KinesisRecord, KinesisRecordParts, Member};
use crate::types::{HashKey, Moment, ShardIndex};

/// Empty aggregates kept with their buffers, so that a steady flow allocates nothing per record.
const SPARES: usize = 16;

/// When a record should leave this stage and when it should leave the next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadlines {
    /// When the aggregate is closed.
    pub(crate) close: Moment,
    /// When the Kinesis record should be on its way: `close` and the collector's time.
    pub(crate) send: Moment,
}

/// One open aggregate for each shard that has records.
#[derive(Debug)]
pub(crate) struct Aggregator<T> {
    max_count: usize,
    max_bytes: usize,
    /// By shard index; boxed, because indices are never used again and so most places are empty in the end.
    open: Vec<Option<Box<OpenAggregate<T>>>>,
    /// When to look at which shard; entries of aggregates that are gone are skipped.
    due: BinaryHeap<Reverse<(Moment, ShardIndex)>>,
    #[expect(clippy::vec_box, reason = "they go to their places as they are")]
    spares: Vec<Box<OpenAggregate<T>>>,
}

impl<T> Aggregator<T> {
    pub(crate) fn new(max_count: usize, max_bytes: usize) -> Self {
        Self { max_count, max_bytes, open: Vec::new(), due: BinaryHeap::new(), spares: Vec::new() }
    }

    /// Adds a record to its shard's aggregate. What is complete is appended to `closed`.
    pub(crate) fn add(
        &mut self,
        record: IncomingRecord<'_>,
        hash_key: HashKey,
        shard: ShardIndex,
        member: Member<T>,
        deadlines: Deadlines,
        closed: &mut Vec<KinesisRecord<T>>,
    ) {
        let slot = shard.0 as usize;
        if slot >= self.open.len() {
            self.open.resize_with(slot + 1, || None);
        }
        let mut member = member;
        if let Some(open) = &mut self.open[slot] {
            let earlier = deadlines.close < open.deadline();
            // The oldest member's deadline counts, not the newcomer's.
            let collection_time = deadlines.send.since(deadlines.close);
            match open.try_push(record, hash_key, member, deadlines.close, self.max_bytes) {
                Ok(()) => {
                    if open.len() >= self.max_count {
                        let send = open.deadline().plus(collection_time);
                        self.close(shard, send, closed);
                    } else if earlier {
                        self.due.push(Reverse((deadlines.close, shard)));
                    }
                    return;
                }
                Err(refused) => {
                    member = refused;
                    let send = open.deadline().plus(collection_time);
                    self.close(shard, send, closed);
                }
            }
        }
        self.start(record, hash_key, shard, member, deadlines, closed);
    }

    fn start(
        &mut self,
        record: IncomingRecord<'_>,
        hash_key: HashKey,
        shard: ShardIndex,
        member: Member<T>,
        deadlines: Deadlines,
        closed: &mut Vec<KinesisRecord<T>>,
    ) {
        if self.max_count == 1 {
            closed.push(alone(record, hash_key, Some(shard), member, deadlines.send));
            return;
        }
        let mut open = self.spares.pop().unwrap_or_else(|| Box::new(OpenAggregate::new()));
        match open.try_push(record, hash_key, member, deadlines.close, self.max_bytes) {
            Ok(()) => {
                self.open[shard.0 as usize] = Some(open);
                self.due.push(Reverse((deadlines.close, shard)));
            }
            Err(member) => {
                self.keep(open);
                closed.push(alone(record, hash_key, Some(shard), member, deadlines.send));
            }
        }
    }

    /// Closes what is due. `send` tells from a closing deadline when the Kinesis record should leave.
    pub(crate) fn close_due(
        &mut self,
        now: Moment,
        send: impl Fn(Moment) -> Moment,
        closed: &mut Vec<KinesisRecord<T>>,
    ) {
        while let Some(&Reverse((due, shard))) = self.due.peek() {
            let deadline = self.open[shard.0 as usize].as_deref().map(OpenAggregate::deadline);
            if deadline != Some(due) {
                self.due.pop(); // closed meanwhile
                continue;
            }
            if due > now {
                return;
            }
            self.due.pop();
            self.close(shard, send(due), closed);
        }
    }

    /// Closes everything, to leave at once.
    pub(crate) fn close_all(&mut self, now: Moment, closed: &mut Vec<KinesisRecord<T>>) {
        for slot in 0..self.open.len() {
            // The index came from a u32 when the slot was made.
            self.close(ShardIndex(slot as u32), now, closed);
        }
        self.due.clear();
    }

    /// Closes the aggregates of those shards, to leave at once.
    pub(crate) fn close_shards(
        &mut self,
        now: Moment,
        is_closed: impl Fn(ShardIndex) -> bool,
        closed: &mut Vec<KinesisRecord<T>>,
    ) {
        for slot in 0..self.open.len() {
            // The index came from a u32 when the slot was made.
            let shard = ShardIndex(slot as u32);
            if self.open[slot].is_some() && is_closed(shard) {
                self.close(shard, now, closed);
            }
        }
    }

    /// When [`Aggregator::close_due`] has something to do; may name a moment at which it turns out to have not.
    pub(crate) fn next_wakeup(&self) -> Moment {
        self.due.peek().map_or(Moment::NEVER, |Reverse((due, _))| *due)
    }

    /// Arrival of the oldest record in an open aggregate.
    pub(crate) fn oldest_arrival(&self) -> Moment {
        self.open.iter().flatten().map(|open| open.arrival()).min().unwrap_or(Moment::NEVER)
    }

    /// User records in open aggregates.
    #[cfg(test)]
    pub(crate) fn members(&self) -> usize {
        self.open.iter().flatten().map(|open| open.len()).sum()
    }

    fn close(&mut self, shard: ShardIndex, send: Moment, closed: &mut Vec<KinesisRecord<T>>) {
        let Some(mut open) = self.open[shard.0 as usize].take() else {
            return;
        };
        closed.extend(open.close(shard, send));
        self.keep(open);
    }

    fn keep(&mut self, empty: Box<OpenAggregate<T>>) {
        if self.spares.len() < SPARES {
            self.spares.push(empty);
        }
    }
}

/// A Kinesis record of one user record: as it is, its data shared with its owner; or in a frame if it has a dedup id.
pub(crate) fn alone<'a, T>(
    record: impl Into<IncomingRecord<'a>>,
    hash_key: HashKey,
    shard: Option<ShardIndex>,
    member: Member<T>,
    send: Moment,
) -> KinesisRecord<T> {
    let record = record.into();
    let (content, data) = match (record.dedup_id, shard) {
        (Some(_), Some(_)) => (Content::Aggregate, frame_alone(*record)),
        // An id travels in a frame, and readers drop a frame that lies where its record does not belong.
        (dedup_id, _) => {
            let (partition_key, dedup_id) = (record.key().into(), dedup_id.map(SmolStr::from));
            let has_explicit_hash_key = record.explicit_hash_key.is_some();
            let data = record.shared_data().unwrap_or_else(|| shared_copy(record.data));
            (Content::Single { partition_key, has_explicit_hash_key, dedup_id }, data)
        }
    };
    let parts = KinesisRecordParts {
        data,
        is_compressed: false,
        content,
        hash_keys: (hash_key, hash_key),
        predicted_shard: shard,
        arrival: member.arrival,
        members: smallvec![member],
        data_sizes: DataSizes::NONE.with(record.data.len()),
        deadline: send,
        history: History::default(),
    };
    parts.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user_record::RecordRef;
    use std::time::Duration;

    const SHARD: ShardIndex = ShardIndex(2);

    fn at(milliseconds: u64) -> Moment {
        Moment::after_origin(Duration::from_millis(milliseconds))
    }

    fn add(aggregator: &mut Aggregator<u32>, tag: u32, data: &[u8], close: u64) -> Vec<KinesisRecord<u32>> {
        let record = RecordRef::new("k", data);
        let member = Member { tag, arrival: at(0), epoch: 0, cost: 0, lane: None, history: None };
        let deadlines = Deadlines { close: at(close), send: at(close + 20) };
        let mut closed = Vec::new();
        aggregator.add(record.into(), record.hash_key(), SHARD, member, deadlines, &mut closed);
        closed
    }

    fn tags(records: &[KinesisRecord<u32>]) -> Vec<Vec<u32>> {
        records.iter().map(|record| record.members.iter().map(|member| member.tag).collect()).collect()
    }

    #[test]
    fn closes_at_the_count() {
        let mut aggregator = Aggregator::new(3, 1000);
        assert!(add(&mut aggregator, 1, b"x", 80).is_empty() && add(&mut aggregator, 2, b"x", 81).is_empty());
        let closed = add(&mut aggregator, 3, b"x", 82);
        assert_eq!(tags(&closed), [[1, 2, 3]]);
        assert_eq!(closed[0].predicted_shard, Some(SHARD));
    }

    #[test]
    fn closes_before_it_would_grow_too_large() {
        let mut aggregator = Aggregator::new(1000, 200);
        let mut closed = Vec::new();
        for tag in 0..20 {
            closed.extend(add(&mut aggregator, tag, &[0; 30], 80));
        }
        assert!(closed.iter().all(|record| record.data.len() <= 200 && record.members.len() == 4));
        assert_eq!(closed.len(), 4, "the last is still open");
    }

    #[test]
    fn an_oversized_record_goes_alone_and_the_others_first() {
        let mut aggregator = Aggregator::new(1000, 200);
        assert!(add(&mut aggregator, 1, b"x", 80).is_empty());
        let closed = add(&mut aggregator, 2, &[0; 500], 80);
        assert_eq!(tags(&closed), [[1], [2]]);
        assert_eq!(closed[0].data, b"x"[..], "a lone record is not wrapped");
    }

    #[test]
    fn a_lone_record_with_a_dedup_id_goes_in_a_frame() {
        let member = Member { tag: 1, arrival: at(0), epoch: 0, cost: 0, lane: None, history: None };
        let record = RecordRef::new("k", b"x").with_dedup_id("id");
        let by_size = alone(record, record.hash_key(), Some(SHARD), member, at(20));
        let mut by_deadline = Aggregator::new(3, 1000);
        let member = Member { tag: 1, arrival: at(0), epoch: 0, cost: 0, lane: None, history: None };
        let deadlines = Deadlines { close: at(1), send: at(20) };
        let mut closed = Vec::new();
        by_deadline.add(record.into(), record.hash_key(), SHARD, member, deadlines, &mut closed);
        by_deadline.close_all(at(1), &mut closed);
        assert_eq!(by_size.data, closed[0].data);
        by_size.for_each_member(|_, part| assert_eq!(part, record));
    }

    #[test]
    fn closes_at_the_earliest_deadline_and_not_before() {
        let mut aggregator = Aggregator::new(1000, 10_000);
        add(&mut aggregator, 1, b"x", 80);
        add(&mut aggregator, 2, b"x", 50);
        assert_eq!(aggregator.next_wakeup(), at(50));
        let mut closed = Vec::new();
        aggregator.close_due(at(49), |close| close, &mut closed);
        assert!(closed.is_empty());
        aggregator.close_due(at(50), |close| close, &mut closed);
        assert_eq!(tags(&closed), [[1, 2]]);
        aggregator.close_due(at(500), |close| close, &mut closed);
        assert_eq!(aggregator.next_wakeup(), Moment::NEVER, "a quiet stage asks for nothing");
    }

    #[test]
    fn a_full_aggregate_leaves_when_its_oldest_member_should() {
        let mut by_count = Aggregator::new(2, 10_000);
        add(&mut by_count, 1, b"x", 80);
        assert_eq!(add(&mut by_count, 2, b"x", 170)[0].deadline, at(100), "full by count");
        let mut by_size = Aggregator::new(1000, 200);
        add(&mut by_size, 1, &[0; 100], 80);
        add(&mut by_size, 2, b"x", 90);
        assert_eq!(add(&mut by_size, 3, &[0; 100], 170)[0].deadline, at(100), "full by size");
    }

    #[test]
    fn close_all_takes_everything() {
        let mut aggregator = Aggregator::new(1000, 10_000);
        add(&mut aggregator, 1, b"x", 80);
        let mut closed = Vec::new();
        aggregator.close_all(at(1), &mut closed);
        assert_eq!(tags(&closed), [[1]]);
        assert_eq!((aggregator.members(), aggregator.next_wakeup()), (0, Moment::NEVER));
    }
}
