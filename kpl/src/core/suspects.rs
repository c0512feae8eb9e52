//! Entries of calls that the service refused for something in them, in halves, to find the one that it means.
//!
//! Invariant: a call is cut until the entry stands alone, so no entry is given up for a neighbour's fault: one bad
//! entry of 500 costs 18 calls.

use std::collections::VecDeque;

use crate::kinesis_record::KinesisRecord;
use crate::types::Moment;

/// Calls to be made before all others.
#[derive(Debug)]
pub(crate) struct Suspects<T> {
    calls: VecDeque<Vec<KinesisRecord<T>>>,
}

impl<T> Suspects<T> {
    pub(crate) fn new() -> Self {
        Self { calls: VecDeque::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Takes the entries of a refused call: two or more.
    pub(crate) fn put(&mut self, mut entries: Vec<KinesisRecord<T>>) {
        let second_half = entries.split_off(entries.len() / 2);
        self.calls.extend([entries, second_half]);
    }

    /// The entries of the next call.
    pub(crate) fn take(&mut self) -> Option<Vec<KinesisRecord<T>>> {
        self.calls.pop_front()
    }

    /// Takes out everything.
    pub(crate) fn drain_all(&mut self) -> Vec<KinesisRecord<T>> {
        self.calls.drain(..).flatten().collect()
    }

    /// Arrival of the oldest entry.
    pub(crate) fn oldest_arrival(&self) -> Moment {
        self.calls.iter().flatten().map(|record| record.arrival).min().unwrap_or(Moment::NEVER)
    }

    /// User records among them.
    #[cfg(test)]
    pub(crate) fn members(&self) -> usize {
        self.calls.iter().flatten().map(|record| record.members.len()).sum()
    }
}
