//! Between the first and the second stage, where compression is on: Kinesis records wait here until the shell has
//! compressed them, so that the pace and the size of calls are counted in the bytes that are sent.
//!
//! Invariant: no more than a few batches are being compressed at once; what waits meanwhile makes larger batches.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::compression::NEVER_SMALLER_BYTES;
use crate::kinesis_record::KinesisRecord;

/// Batches under way at once: the processors that one stream may keep busy.
const MOST_BATCHES: usize = 4;

/// Bytes that end a batch, so that a batch takes a few milliseconds.
const BATCH_BYTES: usize = 256 * 1024;

/// The number of a batch of one stream's pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchId(u64);

#[derive(Debug)]
pub(crate) struct Compressor<T> {
    waiting: VecDeque<KinesisRecord<T>>,
    under_way: Vec<(BatchId, Vec<KinesisRecord<T>>)>,
    next: u64,
}

impl<T> Compressor<T> {
    pub(crate) fn new() -> Self {
        Self { waiting: VecDeque::new(), under_way: Vec::new(), next: 0 }
    }

    /// Takes a record, or hands it back because there is nothing to gain.
    pub(crate) fn put(&mut self, record: KinesisRecord<T>) -> Option<KinesisRecord<T>> {
        if record.is_compressed || record.data.len() <= NEVER_SMALLER_BYTES {
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
        let mut batch = Vec::new();
        while bytes < BATCH_BYTES
            && let Some(record) = self.waiting.pop_front()
        {
            bytes += record.data.len();
            batch.push(record);
        }
        let id = BatchId(self.next);
        self.next += 1;
        let blobs = batch.iter().map(|record| record.data.clone()).collect();
        self.under_way.push((id, batch));
        Some((id, blobs))
    }

    /// The records of a batch with their new data; where there is none they stay as they are.
    pub(crate) fn finish(&mut self, id: BatchId, compressed: Vec<Option<Bytes>>) -> Vec<KinesisRecord<T>> {
        let Some(place) = self.under_way.iter().position(|(other, _)| *other == id) else {
            return Vec::new();
        };
        let (_, mut records) = self.under_way.swap_remove(place);
        for (record, data) in records.iter_mut().zip(compressed) {
            if let Some(data) = data {
                record.data = data;
                record.is_compressed = true;
            }
        }
        records
    }

    /// Takes out everything, compressed or not.
    pub(crate) fn drain_all(&mut self) -> Vec<KinesisRecord<T>> {
        let under_way = std::mem::take(&mut self.under_way).into_iter().flat_map(|(_, records)| records);
        under_way.chain(std::mem::take(&mut self.waiting)).collect()
    }

    #[cfg(test)]
    pub(crate) fn members(&self) -> usize {
        let under_way = self.under_way.iter().flat_map(|(_, records)| records);
        under_way.chain(&self.waiting).map(|record| record.members.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compression::compress;
    use crate::core::aggregator::alone;
    use crate::kinesis_record::Member;
    use crate::types::{Moment, ShardIndex};
    use crate::user_record::RecordRef;

    fn record(tag: u32, data: &[u8]) -> KinesisRecord<u32> {
        let record = RecordRef::new("k", data);
        let member = Member { tag, arrival: Moment::ORIGIN, epoch: 0, cost: 0, history: None };
        alone(record, record.hash_key(), Some(ShardIndex(0)), member, Moment::ORIGIN)
    }

    fn tags(records: &[KinesisRecord<u32>]) -> Vec<u32> {
        records.iter().flat_map(|record| record.members.iter().map(|member| member.tag)).collect()
    }

    #[test]
    fn what_has_nothing_to_gain_goes_on() {
        let mut compressor = Compressor::new();
        assert!(compressor.put(record(1, &[0; 32])).is_some());
        let mut compressed = record(2, &[0; 100]);
        compressed.is_compressed = true;
        assert!(compressor.put(compressed).is_some());
        assert!(compressor.start().is_none());
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
        let done = compressor.finish(ids[2].0, vec![compress(&[7; 100_000])]);
        assert_eq!((tags(&done), done[0].is_compressed), (vec![2], true));
        let mut parts = Vec::new();
        done.into_iter().for_each(|record| record.for_each_member(|_, part| parts.push(part.data.to_vec())));
        assert_eq!(parts, [vec![7; 100_000]], "it is still known what was in it");
        assert_eq!(compressor.start().map(|(_, blobs)| blobs.len()), Some(3), "what gathered, by its bytes");
        let left = compressor.finish(ids[0].0, Vec::new());
        assert!(!left[0].is_compressed, "a batch that failed goes as it is");
        assert_eq!(compressor.drain_all().len(), 8);
        assert_eq!(compressor.members(), 0);
    }
}
