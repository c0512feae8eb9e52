//! The records of a lane, and how many bytes they are.
//!
//! Invariant: the bytes are those of the records that are in it.

use std::collections::VecDeque;
use std::ops::Deref;

use crate::kinesis_record::KinesisRecord;

#[derive(Debug)]
pub(super) struct Queue<T> {
    records: VecDeque<KinesisRecord<T>>,
    bytes: usize,
}

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        Self { records: VecDeque::new(), bytes: 0 }
    }

    pub(super) fn insert(&mut self, place: usize, record: KinesisRecord<T>) {
        self.bytes += record.data.len();
        self.records.insert(place, record);
    }

    pub(super) fn pop_front(&mut self) -> Option<KinesisRecord<T>> {
        self.remove(0)
    }

    pub(super) fn remove(&mut self, place: usize) -> Option<KinesisRecord<T>> {
        let record = self.records.remove(place)?;
        self.bytes -= record.data.len();
        Some(record)
    }

    pub(super) fn take_all(&mut self) -> VecDeque<KinesisRecord<T>> {
        self.bytes = 0;
        std::mem::take(&mut self.records)
    }

    /// Bytes of their data.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// For looking only.
impl<T> Deref for Queue<T> {
    type Target = VecDeque<KinesisRecord<T>>;

    fn deref(&self) -> &Self::Target {
        &self.records
    }
}
