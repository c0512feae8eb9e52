//! Records that got their outcomes, kept for a moment: their memory is freed by the thread that asked for it.
//!
//! A record is made on a caller's thread and ends on one of the runtime's. Freed there, each would need the lock of the
//! caller's heap, and the caller would find nothing freed when it makes the next one: without aggregation that was a
//! third of the CPU time. So each record that a caller hands over lets it free one that is done.
//!
//! Invariant: they take about [`SPENT_BYTES`] at most, beside the budget, and none are kept when nothing is in flight.

use crate::delivery::Ticket;
use crate::kinesis_record::{Content, KinesisRecord, KinesisRecordParts};

/// A few thousand records, which is what a few calls that are answered together hold.
const SPENT_BYTES: usize = 4 << 20;

/// The records.
#[derive(Debug, Default)]
pub(super) struct Spent {
    records: Vec<KinesisRecord<Ticket>>,
    bytes: usize,
}

impl Spent {
    /// Keeps a record that was settled, if there is room. (Aggregates are too few to matter.)
    pub(super) fn keep(&mut self, record: KinesisRecord<Ticket>) {
        let fits = self.bytes + bytes(&record) <= SPENT_BYTES;
        if fits && matches!(record.content, Content::Single { .. }) {
            self.push(record);
        }
    }

    /// Takes over what another has, as far as there is room; the rest stays there.
    pub(super) fn take_over(&mut self, other: &mut Self) {
        if self.records.is_empty() {
            std::mem::swap(self, other);
        }
        while self.bytes < SPENT_BYTES
            && let Some(record) = other.next()
        {
            self.push(record);
        }
    }

    fn push(&mut self, record: KinesisRecord<Ticket>) {
        self.bytes += bytes(&record);
        self.records.push(record);
    }

    /// One of them, to be dropped.
    pub(super) fn next(&mut self) -> Option<KinesisRecord<Ticket>> {
        let record = self.records.pop()?;
        self.bytes -= bytes(&record);
        Some(record)
    }
}

fn bytes(record: &KinesisRecord<Ticket>) -> usize {
    size_of::<KinesisRecordParts<Ticket>>() + record.data.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::aggregator::alone;
    use crate::kinesis_record::Member;
    use crate::types::Moment;
    use crate::user_record::RecordRef;

    fn record(size: usize) -> KinesisRecord<Ticket> {
        let data = vec![0; size];
        let record = RecordRef::new("k", &data);
        let member = Member {
            tag: Ticket::Tagged(1),
            arrival: Moment::ORIGIN,
            epoch: 0,
            cost: 0,
            lane: None,
            history: None,
        };
        alone(record, record.hash_key(), None, member, Moment::ORIGIN)
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let (mut first, mut second) = (Spent::default(), Spent::default());
        for size in [1 << 20, 5 << 20, 2 << 20] {
            first.keep(record(size));
            second.keep(record(size));
        }
        first.take_over(&mut second);
        assert_eq!((first.records.len(), second.records.len()), (3, 1), "full, or a little more");
        assert_eq!(first.records.iter().map(bytes).sum::<usize>(), first.bytes);
        while first.next().is_some() {}
        assert_eq!(first.bytes, 0);
    }
}
