//! Between the first and the second stage, where compression is on: Kinesis records wait here until the shell has
//! compressed them, so that the pace and the size of calls are counted in the bytes that are sent.
//!
//! Invariant: records leave in the order in which they came. No more than a few batches are being compressed at once;
//! what waits meanwhile makes larger batches.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::compression::NEVER_SMALLER_BYTES;
use crate::kinesis_record::KinesisRecord;
use crate::types::Moment;

/// Batches in flight at once: the processors that one stream may keep busy.
const MOST_BATCHES: usize = 4;

/// Bytes that end a batch, so that a batch takes a few milliseconds.
const BATCH_BYTES: usize = 256 * 1024;

/// The number of a batch of one stream's pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchId(u64);

#[derive(Debug)]
pub(crate) struct Compressor<T> {
    waiting: VecDeque<KinesisRecord<T>>,
    /// Oldest first.
    under_way: VecDeque<Batch<T>>,
    next: u64,
}

#[derive(Debug)]
struct Batch<T> {
    id: BatchId,
    records: Vec<KinesisRecord<T>>,
    /// It waits for older ones to be done too.
    is_done: bool,
}

impl<T> Compressor<T> {
    pub(crate) fn new() -> Self {
        Self { waiting: VecDeque::new(), under_way: VecDeque::new(), next: 0 }
    }

    /// Takes a record, or hands it back because there is nothing to gain and nothing to wait behind.
    pub(crate) fn put(&mut self, record: KinesisRecord<T>) -> Option<KinesisRecord<T>> {
        let is_empty = self.waiting.is_empty() && self.under_way.is_empty();
        if is_empty && record.data.len() <= NEVER_SMALLER_BYTES {
            return Some(record);
        }
        self.waiting.push_back(record);
        None
    }

    /// The next batch to compress.
    pub(crate) fn start(&mut self) -> Option<(BatchId, Vec<Bytes>)> {
        if self.waiting.is_empty() || self.under_way.len() >= MOST_BATCHES {
            return None;
        }
        let mut bytes = 0;
        let mut records = Vec::new();
        while bytes < BATCH_BYTES
            && let Some(record) = self.waiting.pop_front()
        {
            bytes += record.data.len();
            records.push(record);
        }
        let id = BatchId(self.next);
        self.next += 1;
        let blobs = records.iter().map(|record| record.data.clone()).collect();
        self.under_way.push_back(Batch { id, records, is_done: false });
        Some((id, blobs))
    }

    /// Gives the records of a batch their new data; where there is none they stay as they are. Returns what may go on.
    pub(crate) fn finish(&mut self, id: BatchId, compressed: Vec<Option<Bytes>>) -> Vec<KinesisRecord<T>> {
        if let Some(batch) = self.under_way.iter_mut().find(|batch| batch.id == id) {
            batch.finish(compressed);
        }
        let mut records = Vec::new();
        while let Some(batch) = self.under_way.pop_front_if(|oldest| oldest.is_done) {
            records.extend(batch.records);
        }
        records
    }

    /// Takes out everything, compressed or not.
    pub(crate) fn drain_all(&mut self) -> Vec<KinesisRecord<T>> {
        let under_way = std::mem::take(&mut self.under_way).into_iter().flat_map(|batch| batch.records);
        under_way.chain(std::mem::take(&mut self.waiting)).collect()
    }

    /// Arrival of the oldest record.
    pub(crate) fn oldest_arrival(&self) -> Moment {
        let under_way = self.under_way.iter().flat_map(|batch| &batch.records);
        let arrivals = under_way.chain(&self.waiting).map(|record| record.arrival);
        arrivals.min().unwrap_or(Moment::NEVER)
    }

    #[cfg(test)]
    pub(crate) fn members(&self) -> usize {
        let under_way = self.under_way.iter().flat_map(|batch| &batch.records);
        under_way.chain(&self.waiting).map(|record| record.members.len()).sum()
    }
}

impl<T> Batch<T> {
    fn finish(&mut self, compressed: Vec<Option<Bytes>>) {
        for (record, data) in self.records.iter_mut().zip(compressed) {
            if let Some(data) = data {
                record.data = data;
                record.is_compressed = true;
            }
        }
        self.is_done = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compression::compress;
    use crate::core::aggregator::alone;
    use crate::kinesis_record::Member;
    use crate::types::ShardIndex;
    use crate::user_record::RecordRef;

    fn record(tag: u32, data: &[u8]) -> KinesisRecord<u32> {
        let record = RecordRef::new("k", data);
        let member = Member { tag, arrival: Moment::ORIGIN, epoch: 0, cost: 0, lane: None, history: None };
        alone(record, record.hash_key(), Some(ShardIndex(0)), member, Moment::ORIGIN)
    }

    fn tags(records: &[KinesisRecord<u32>]) -> Vec<u32> {
        records.iter().flat_map(|record| record.members.iter().map(|member| member.tag)).collect()
    }

    #[test]
    fn what_has_nothing_to_gain_goes_on_unless_it_would_overtake() {
        let mut compressor = Compressor::new();
        assert!(compressor.put(record(1, &[0; 32])).is_some());
        assert!(compressor.start().is_none());
        assert!(compressor.put(record(2, &[0; 33])).is_none());
        assert!(compressor.put(record(3, &[0; 32])).is_none());
        let (id, blobs) = compressor.start().expect("a batch");
        assert!(compressor.put(record(4, &[0; 32])).is_none());
        assert_eq!(tags(&compressor.finish(id, vec![None; blobs.len()])), [2, 3]);
    }

    #[test]
    fn few_batches_are_under_way_and_the_rest_gathers() {
        let mut compressor = Compressor::new();
        let mut ids = Vec::new();
        for tag in 0..10 {
            assert!(compressor.put(record(tag, &[7; 100_000])).is_none());
            ids.extend(compressor.start().map(|(id, blobs)| (id, blobs.len())));
        }
        assert_eq!(ids.iter().map(|(_, blobs)| *blobs).collect::<Vec<_>>(), [1; 4]);
        assert_eq!(compressor.members(), 10);
        assert!(
            compressor.finish(ids[1].0, vec![compress(&[7; 100_000])]).is_empty(),
            "an older one is not done"
        );
        assert!(compressor.start().is_none(), "and keeps its place");
        let done = compressor.finish(ids[0].0, Vec::new());
        assert_eq!(tags(&done), [0, 1]);
        assert_eq!(
            [done[0].is_compressed, done[1].is_compressed],
            [false, true],
            "one that failed goes as it is"
        );
        let mut parts = Vec::new();
        done.into_iter().for_each(|record| record.for_each_member(|_, part| parts.push(part.data.to_vec())));
        assert_eq!(parts, [vec![7; 100_000], vec![7; 100_000]], "it is still known what was in them");
        assert_eq!(compressor.start().map(|(_, blobs)| blobs.len()), Some(3), "what gathered, by its bytes");
        assert_eq!(tags(&compressor.drain_all()), [2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(compressor.members(), 0);
    }
}
