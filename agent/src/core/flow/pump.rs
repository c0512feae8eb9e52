//! From bytes to published records: splitter, processor, partition key, and the books.

use super::Flow;
use crate::config::Destination;
use crate::core::partition_key::write_partition_key;
use crate::core::processor::Processed;
use crate::core::record_limit::fit;
use crate::core::splitter::Split;
use crate::types::{FileId, RecordTag};

/// A record to publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Under which its outcome is told to [`Flow::acknowledge`].
    pub tag: RecordTag,
    /// Its partition key; empty for delivery streams.
    pub partition_key: &'a str,
    /// The bytes to send.
    pub data: &'a [u8],
}

/// What became of a record that was to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publish {
    /// It is on its way.
    Accepted,
    /// There is no room: stop, and pump again when there is.
    Full,
    /// It can never be sent. It was reported; it is counted and passed over.
    Refused,
}

/// How a pump ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pumped {
    /// Everything that was read and is complete is on its way.
    Empty,
    /// There was no room for the next record.
    Blocked,
}

/// What one step of the pump did.
enum Step {
    Done,
    Blocked,
    OutOfBytes,
}

impl Flow {
    /// Cuts what was read of a file into records and publishes them, until the bytes or the room run out.
    pub fn pump(
        &mut self,
        id: FileId,
        wall_time_ms: u64,
        mut publish: impl FnMut(Record<'_>) -> Publish,
    ) -> Pumped {
        loop {
            match self.step(id, wall_time_ms, &mut publish) {
                Step::Done => {}
                Step::Blocked => return Pumped::Blocked,
                Step::OutOfBytes => {
                    if let Some(file) = self.files.get_mut(&id) {
                        file.set_landmark();
                    }
                    return Pumped::Empty;
                }
            }
        }
    }

    fn step(
        &mut self,
        id: FileId,
        wall_time_ms: u64,
        publish: &mut impl FnMut(Record<'_>) -> Publish,
    ) -> Step {
        let limits = self.limits();
        let Some(file) = self.files.get_mut(&id) else { return Step::OutOfBytes };
        if file.target.is_some_and(|target| file.cut() >= target) {
            file.is_drained = true; // with --once: what came later is left for another time
            return Step::OutOfBytes;
        }
        let hole = file.hole();
        if hole > 0 {
            file.consume(hole);
            file.ledger.pass_over(file.cut());
            self.statistics.hole_bytes.add(hole as u64);
            return Step::Done;
        }
        let at_end = file.is_over();
        let (splitter, bytes) = file.splitting();
        let (length, oversized) = match splitter.split(bytes, at_end) {
            Split::Incomplete => {
                file.is_drained |= at_end;
                return Step::OutOfBytes;
            }
            Split::PassOver(length) => {
                file.consume(length);
                file.ledger.pass_over(file.cut());
                return Step::Done;
            }
            Split::Record(length) => (length, false),
            Split::Oversized(length) => (length, true),
        };
        if file.headers_left > 0 {
            file.headers_left -= 1;
            file.consume(length);
            file.ledger.pass_over(file.cut());
            self.statistics.header_lines_skipped.add(1);
            return Step::Done;
        }

        let tag = RecordTag { file: id, sequence: file.ledger.next_sequence() };
        let end = file.cut() + length as u64;
        let raw = &file.unconsumed()[..length];
        let (data, failed) = match self.processor.process(raw, wall_time_ms) {
            Processed::Record(data) => (Some(data), false),
            Processed::Dropped => (None, false),
            Processed::FailedSoRaw => (Some(raw), true),
        };
        let Some(data) = data else {
            file.consume(length);
            file.ledger.pass_over(end);
            self.statistics.records_parsed.add(1);
            self.statistics.records_dropped.add(1);
            return Step::Done;
        };
        match self.config.destination {
            Destination::KinesisStream(_) => {
                write_partition_key(self.config.partition_key_option, data, &mut self.random, &mut self.key);
            }
            Destination::DeliveryStream(_) => self.key.clear(),
        }
        let fitted =
            fit(data, limits.record_bytes - self.key.len(), &self.config.truncated_record_terminator);
        let record = Record { tag, partition_key: &self.key, data: &fitted };
        let published = publish(record);
        if published == Publish::Full {
            if oversized {
                file.splitter.undo_oversized();
            }
            return Step::Blocked;
        }
        let truncated = oversized || fitted.len() < data.len();
        file.consume(length);
        let statistics = &self.statistics;
        statistics.records_parsed.add(1);
        if published == Publish::Accepted {
            file.ledger.open(end);
            statistics.records_published.add(1);
        } else {
            file.ledger.pass_over(end);
            statistics.records_refused.add(1);
        }
        statistics.conversion_failures.add(u64::from(failed));
        statistics.records_truncated.add(u64::from(truncated));
        Step::Done
    }
}
