//! From bytes to published records: splitter, processor, partition key, and the books.

use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

use super::boundaries::is_footer;
use super::{Flow, RecordLimits, Unmatched};
use crate::config::{Destination, FlowConfig, OverLimitPolicy, PartitionKeyOption};
use crate::core::dedup_ids::Place;
use crate::core::partition_key::{write_partition_key, write_unhindered_key};
use crate::core::processor::Processed;
use crate::core::record_limit::fit;
use crate::core::splitter::Split;
use crate::core::tracked_file::TrackedFile;
use crate::types::{FileId, RecordTag};

/// Records in a row that get one random partition key where they are aggregated: a key of its own for each would make the
/// aggregates larger and cost an MD5 each. Without aggregation each record has its own, as in the Java agent.
const RECORDS_OF_A_RANDOM_KEY: u32 = 16;

/// A record to publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Under which its outcome is told to [`Flow::acknowledge`].
    pub tag: RecordTag,
    /// Its partition key; empty for delivery streams.
    pub partition_key: &'a str,
    /// The bytes to send.
    pub data: &'a [u8],
    /// Its id, if that travels beside the data.
    pub dedup_id: Option<&'a str>,
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

/// A record that the splitter gave, or what it gave of one.
#[derive(Clone, Copy)]
struct Cut {
    split: Split,
    length: usize,
}

/// How a record leaves.
struct Fitted<'a> {
    data: Cow<'a, [u8]>,
    /// It does not: it is to be dead-lettered.
    is_over_limit: bool,
    is_truncated: bool,
}

/// What one step of the pump did.
enum Step {
    Done,
    Blocked,
    OutOfBytes,
}

impl Flow {
    /// Cuts what was read of a file into records and publishes them, until the bytes or the room run out.
    /// `expected_wait` says how long a record with a partition key would wait for its shard.
    pub fn pump(
        &mut self,
        id: FileId,
        wall_time_ms: u64,
        expected_wait: impl Fn(&str) -> Duration,
        mut publish: impl FnMut(Record<'_>) -> Publish,
    ) -> Pumped {
        self.name_origin(id);
        loop {
            match self.step(id, wall_time_ms, &expected_wait, &mut publish) {
                Step::Done => {}
                // A stop may follow: what is acknowledged up to here is not to be sent again.
                Step::Blocked => return self.pumped(id, Pumped::Blocked),
                Step::OutOfBytes => return self.pumped(id, Pumped::Empty),
            }
        }
    }

    fn pumped(&mut self, id: FileId, how: Pumped) -> Pumped {
        if let Some(mut file) = self.files.get_mut(id) {
            file.set_landmark();
            file.release_buffer(&mut self.read_buffer);
            file.has_leftover = how == Pumped::Blocked;
        }
        how
    }

    fn step(
        &mut self,
        id: FileId,
        wall_time_ms: u64,
        expected_wait: &impl Fn(&str) -> Duration,
        publish: &mut impl FnMut(Record<'_>) -> Publish,
    ) -> Step {
        let Some(mut file) = self.files.get_mut(id) else { return Step::OutOfBytes };
        if file.is_stopped {
            return Step::OutOfBytes;
        }
        if file.target.is_some_and(|target| file.cut() >= target) {
            file.is_drained = true; // with --once: what came later is left for another time
            return Step::OutOfBytes;
        }
        let hole = file.hole();
        if hole > 0 && file.begins_with_hole.is_none() {
            let (is_inside, nuls) = (file.cut() > 0, file.nuls_ahead());
            drop(file);
            let begins_with_hole = is_inside || self.is_hole(id, nuls);
            if let Some(mut file) = self.files.get_mut(id) {
                file.begins_with_hole = Some(begins_with_hole);
            }
            return Step::Done;
        }
        if hole > 0 {
            file.consume(hole);
            let cut = file.cut();
            file.ledger.pass_over(cut);
            self.statistics.hole_bytes.add(hole as u64);
            return Step::Done;
        }
        if file.is_over() && file.unconsumed().iter().all(|byte| *byte == 0) {
            let room = file.unconsumed().len();
            file.consume(room);
            let cut = file.cut();
            file.ledger.pass_over(cut);
        }
        let split = file.split();
        let cut = match split {
            Split::Incomplete => {
                file.is_drained |= file.is_over();
                return Step::OutOfBytes;
            }
            Split::PassOver(length) => {
                self.statistics.bytes_passed_over.add(length as u64);
                return pass_over(&mut file, split, length);
            }
            Split::Record(length)
            | Split::Part(length)
            | Split::LastPart(length)
            | Split::Oversized(length) => Cut { split, length },
        };
        if file.headers_left > 0 {
            file.headers_left -= 1;
            self.statistics.header_lines_skipped.add(1);
            return pass_over(&mut file, split, cut.length);
        }
        let is_whole = matches!(split, Split::Record(_));
        if is_whole && is_footer(self.footer.as_ref(), &file.unconsumed()[..cut.length]) {
            self.statistics.records_parsed.add(1);
            self.statistics.records_dropped.add(1);
            self.statistics.footers_skipped.add(1);
            return pass_over(&mut file, split, cut.length);
        }
        drop(file);
        self.hand_over(id, cut, wall_time_ms, expected_wait, publish)
    }

    /// Converts what was cut and publishes it.
    fn hand_over(
        &mut self,
        id: FileId,
        cut: Cut,
        wall_time_ms: u64,
        expected_wait: &impl Fn(&str) -> Duration,
        publish: &mut impl FnMut(Record<'_>) -> Publish,
    ) -> Step {
        let Some(mut file) = self.files.get_mut(id) else { return Step::OutOfBytes };
        let statistics = &self.statistics;
        let raw = &file.unconsumed()[..cut.length];
        let processed = match cut.is_part() {
            true => Processed::Record(raw), // converters need whole records
            false => self.processor.process(raw, wall_time_ms),
        };
        let data = match processed {
            Processed::Record(data) => data,
            Processed::FailedSoRaw => raw,
            Processed::Dropped => {
                if self.unmatched.is_none() {
                    self.unmatched = Some(Unmatched::new(file.path.clone(), file.cut(), raw));
                }
                statistics.records_parsed.add(1);
                statistics.records_dropped.add(1);
                statistics.records_unmatched.add(1);
                return pass_over(&mut file, cut.split, cut.length);
            }
        };
        match self.config.destination {
            Destination::KinesisStream(_) if self.key_records > 0 => self.key_records -= 1,
            Destination::KinesisStream(_) => {
                let option = self.config.partition_key_option;
                write_partition_key(option, data, &mut self.random, &mut self.key);
                if option == PartitionKeyOption::Random {
                    let drawn = &mut self.drawn_key;
                    write_unhindered_key(&mut self.random, expected_wait, drawn, &mut self.key);
                }
                if self.config.aggregation && option == PartitionKeyOption::Random {
                    self.key_records = RECORDS_OF_A_RANDOM_KEY - 1;
                }
            }
            Destination::DeliveryStream(_) => self.key.clear(),
        }
        let limit = RecordLimits::of(&self.config).record_bytes - self.key.len();
        let place = Place { origin: file.origin, offset: file.cut(), length: cut.length as u64 };
        let identified = self.dedup_ids.identify(data, place, limit, !cut.is_part());
        let fitted = Fitted::new(&self.config, identified.data, cut, limit);
        let (is_failed, is_truncated) = (processed == Processed::FailedSoRaw, fitted.is_truncated);
        let is_without_id = identified.is_without;
        let published = publish(Record {
            tag: RecordTag { file: id, sequence: file.ledger.next_sequence() },
            partition_key: &self.key,
            data: &fitted.data,
            dedup_id: identified.tag,
            path: &file.path,
            offset: place.offset,
            length: place.length,
            is_over_limit: fitted.is_over_limit,
        });
        match published {
            Publish::Full => {
                // It may be the key's shard that has no room: another one is drawn next.
                self.key_records = 0;
                return Step::Blocked;
            }
            Publish::Stopped => {
                drop(file);
                self.stop_file(id);
                return Step::OutOfBytes;
            }
            Publish::Accepted => {
                let end = file.cut() + cut.length as u64;
                file.ledger.open(end);
                file.take(cut.split, cut.length);
                statistics.records_published.add(1);
                statistics.records_without_id.add(u64::from(is_without_id));
            }
            Publish::DeadLettered => {
                pass_over(&mut file, cut.split, cut.length);
                statistics.records_dead_lettered.add(1);
            }
        }
        statistics.records_parsed.add(1);
        statistics.conversion_failures.add(u64::from(is_failed));
        statistics.record_parts.add(u64::from(cut.is_part()));
        statistics.records_truncated.add(u64::from(is_truncated));
        Step::Done
    }
}

impl Cut {
    /// Whether it is one of several parts that are all handed on.
    fn is_part(self) -> bool {
        matches!(self.split, Split::Part(_) | Split::LastPart(_))
    }
}

impl<'a> Fitted<'a> {
    /// What the flow's policy makes of a record of which so many bytes can be sent.
    fn new(config: &FlowConfig, data: &'a [u8], cut: Cut, limit: usize) -> Self {
        let whole = |is_over_limit| Self { data: Cow::Borrowed(data), is_over_limit, is_truncated: false };
        match (&config.record_policies.over_limit, cut.split) {
            (OverLimitPolicy::DeadLetter, _) => whole(data.len() > limit || cut.is_part()),
            (OverLimitPolicy::Split { continuation_mark }, Split::Part(_)) => {
                Self { data: Cow::Owned([data, continuation_mark].concat()), ..whole(false) }
            }
            (OverLimitPolicy::Split { .. } | OverLimitPolicy::Truncate, split) => {
                let fitted = fit(data, limit, &config.truncated_record_terminator);
                let is_truncated = fitted.len() < data.len() || matches!(split, Split::Oversized(_));
                Self { data: fitted, is_over_limit: false, is_truncated }
            }
        }
    }
}

/// Nothing is sent for these bytes.
fn pass_over(file: &mut TrackedFile, split: Split, length: usize) -> Step {
    file.take(split, length);
    file.ledger.pass_over(file.cut());
    Step::Done
}
