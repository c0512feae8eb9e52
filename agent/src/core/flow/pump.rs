//! From bytes to published records: splitter, processor, partition key, and the books.

use std::borrow::Cow;
use std::path::Path;

use super::boundaries::is_footer;
use super::{Flow, RecordLimits};
use crate::config::{Destination, FlowConfig, OverLimitPolicy};
use crate::core::partition_key::write_partition_key;
use crate::core::processor::Processed;
use crate::core::record_limit::fit;
use crate::core::splitter::Split;
use crate::core::tracked_file::TrackedFile;
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
    /// The file, where it was last seen.
    pub path: &'a Path,
    /// Where the record begins in the file.
    pub offset: u64,
    /// How many bytes of the file it is.
    pub length: u64,
    /// It is longer than its destination takes, and the flow's policy is to write it into the dead-letter file.
    pub is_over_limit: bool,
}

/// What became of a record that was to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publish {
    /// It is on its way.
    Accepted,
    /// There is no room: stop, and pump again when there is.
    Full,
    /// It can never be sent, and is safe in the dead-letter file.
    DeadLettered,
    /// It can never be sent, and the flow's policy is to stop the file at it.
    Stopped,
}

/// How a pump ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pumped {
    /// Everything that was read and is complete is on its way.
    Empty,
    /// There was no room for the next record.
    Blocked,
}

/// What the splitter gave.
#[derive(Clone, Copy)]
struct Cut {
    split: Split,
    length: usize,
    /// It is not a whole record.
    is_part: bool,
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
        let Some(file) = self.files.get_mut(&id) else { return Step::OutOfBytes };
        if file.is_stopped {
            return Step::OutOfBytes;
        }
        if file.target.is_some_and(|target| file.cut() >= target) {
            file.is_drained = true; // with --once: what came later is left for another time
            return Step::OutOfBytes;
        }
        let split = file.split();
        let cut = match split {
            Split::Incomplete => {
                file.is_drained |= file.is_over();
                return Step::OutOfBytes;
            }
            Split::PassOver(length) => {
                self.statistics.bytes_passed_over.add(length as u64);
                return pass_over(file, split, length);
            }
            Split::Record(length) => Cut { split, length, is_part: false },
            Split::Part(length) | Split::LastPart(length) | Split::Oversized(length) => {
                Cut { split, length, is_part: true }
            }
        };
        if file.headers_left > 0 {
            file.headers_left -= 1;
            self.statistics.header_lines_skipped.add(1);
            return pass_over(file, split, cut.length);
        }
        if !cut.is_part && is_footer(self.footer.as_ref(), &file.unconsumed()[..cut.length]) {
            self.statistics.records_parsed.add(1);
            self.statistics.records_dropped.add(1);
            self.statistics.footers_skipped.add(1);
            return pass_over(file, split, cut.length);
        }
        self.hand_over(id, cut, wall_time_ms, publish)
    }

    /// Converts what was cut and publishes it.
    fn hand_over(
        &mut self,
        id: FileId,
        cut: Cut,
        wall_time_ms: u64,
        publish: &mut impl FnMut(Record<'_>) -> Publish,
    ) -> Step {
        let Some(file) = self.files.get_mut(&id) else { return Step::OutOfBytes };
        let statistics = &self.statistics;
        let raw = &file.unconsumed()[..cut.length];
        let (data, failed) = match self.processor.process(raw, wall_time_ms) {
            // Parts are no whole records, which converters need.
            _ if matches!(cut.split, Split::Part(_) | Split::LastPart(_)) => (raw, false),
            Processed::Record(data) => (data, false),
            Processed::FailedSoRaw => (raw, true),
            Processed::Dropped => {
                statistics.records_parsed.add(1);
                statistics.records_dropped.add(1);
                return pass_over(file, cut.split, cut.length);
            }
        };
        match self.config.destination {
            Destination::KinesisStream(_) => {
                write_partition_key(self.config.partition_key_option, data, &mut self.random, &mut self.key);
            }
            Destination::DeliveryStream(_) => self.key.clear(),
        }
        let limit = RecordLimits::of(&self.config.destination).record_bytes - self.key.len();
        let (sent, is_over_limit) = fit_to_policy(&self.config, data, cut.split, limit);
        let record = Record {
            tag: RecordTag { file: id, sequence: file.ledger.next_sequence() },
            partition_key: &self.key,
            data: &sent,
            path: &file.path,
            offset: file.cut(),
            length: cut.length as u64,
            is_over_limit,
        };
        let end = record.offset + record.length;
        let is_split = matches!(cut.split, Split::Part(_) | Split::LastPart(_));
        let is_truncated = !is_split && !is_over_limit && (cut.is_part || sent.len() < data.len());
        let published = publish(record);
        match published {
            Publish::Full => return Step::Blocked,
            Publish::Stopped => {
                self.stop_file(id);
                return Step::OutOfBytes;
            }
            Publish::Accepted => {
                file.ledger.open(end);
                statistics.records_published.add(1);
            }
            Publish::DeadLettered => {
                file.ledger.pass_over(end);
                statistics.records_dead_lettered.add(1);
            }
        }
        file.take(cut.split, cut.length);
        statistics.records_parsed.add(1);
        statistics.conversion_failures.add(u64::from(failed));
        statistics.record_parts.add(u64::from(is_split));
        statistics.records_truncated.add(u64::from(is_truncated));
        Step::Done
    }
}

/// What is sent of a record, and whether it is to be dead-lettered instead.
fn fit_to_policy<'a>(
    config: &FlowConfig,
    data: &'a [u8],
    split: Split,
    limit: usize,
) -> (Cow<'a, [u8]>, bool) {
    match &config.record_policies.over_limit {
        OverLimitPolicy::DeadLetter => {
            let is_over = data.len() > limit || matches!(split, Split::Part(_) | Split::LastPart(_));
            (Cow::Borrowed(data), is_over)
        }
        OverLimitPolicy::Split { continuation_mark } if matches!(split, Split::Part(_)) => {
            (Cow::Owned([data, continuation_mark].concat()), false)
        }
        OverLimitPolicy::Split { .. } | OverLimitPolicy::Truncate => {
            (fit(data, limit, &config.truncated_record_terminator), false)
        }
    }
}

/// Nothing is sent for these bytes.
fn pass_over(file: &mut TrackedFile, split: Split, length: usize) -> Step {
    file.take(split, length);
    file.ledger.pass_over(file.cut());
    Step::Done
}
