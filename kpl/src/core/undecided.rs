//! Aggregates that were stored in a shard that no listing has shown yet. The next listing says whether that shard holds
//! all their hash keys, and so whether consumers can read them there.
//!
//! Invariant: an aggregate waits here for two listings at most, and no longer than its time limit.

use crate::core::shard_map::LISTINGS;
use crate::kinesis_record::KinesisRecord;
use crate::put_records::EntryPlaced;
use crate::types::Moment;

/// One aggregate that waits.
#[derive(Debug)]
pub(crate) struct Undecided<T> {
    pub(crate) record: KinesisRecord<T>,
    pub(crate) placed: EntryPlaced,
    /// When it waits no longer.
    pub(crate) until: Moment,
    listings: u8,
}

/// The aggregates that wait.
#[derive(Debug)]
pub(crate) struct UndecidedAggregates<T> {
    waiting: Vec<Undecided<T>>,
    /// The earliest time limit among them.
    until: Moment,
}

impl<T> UndecidedAggregates<T> {
    pub(crate) fn new() -> Self {
        Self { waiting: Vec::new(), until: Moment::NEVER }
    }

    /// Keeps an aggregate until `until` at most.
    pub(crate) fn put(&mut self, record: KinesisRecord<T>, placed: EntryPlaced, until: Moment) {
        self.push(Undecided { record, placed, until, listings: 0 });
    }

    /// Keeps an aggregate whose shard this listing did not show, unless it was the last one that it waits for.
    pub(crate) fn put_back(&mut self, mut undecided: Undecided<T>) -> Result<(), Undecided<T>> {
        undecided.listings += 1;
        if undecided.listings >= LISTINGS {
            return Err(undecided);
        }
        self.push(undecided);
        Ok(())
    }

    fn push(&mut self, undecided: Undecided<T>) {
        self.until = self.until.min(undecided.until);
        self.waiting.push(undecided);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// When to look at them again, if no listing comes before.
    pub(crate) fn next_wakeup(&self) -> Moment {
        self.until
    }

    /// Arrival of the oldest record.
    pub(crate) fn oldest_arrival(&self) -> Moment {
        self.waiting.iter().map(|undecided| undecided.record.arrival).min().unwrap_or(Moment::NEVER)
    }

    /// Takes out everything.
    pub(crate) fn take(&mut self) -> Vec<Undecided<T>> {
        self.until = Moment::NEVER;
        std::mem::take(&mut self.waiting)
    }

    /// Takes out those whose time is over.
    pub(crate) fn take_overdue(&mut self, now: Moment) -> Vec<Undecided<T>> {
        if self.until > now {
            return Vec::new();
        }
        let (overdue, waiting): (Vec<_>, Vec<_>) =
            self.take().into_iter().partition(|undecided| undecided.until <= now);
        waiting.into_iter().for_each(|undecided| self.push(undecided));
        overdue
    }

    /// User records that wait.
    #[cfg(test)]
    pub(crate) fn members(&self) -> usize {
        self.waiting.iter().map(|undecided| undecided.record.members.len()).sum()
    }
}
