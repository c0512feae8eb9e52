//! A PutRecords call and its answer in numbers, for the metrics.
//!
//! Invariant: what was put is part of what was sent; of a call that failed as a whole nothing counts as put.

use std::time::Duration;

use crate::call_failure::CallFailure;
use crate::core::sender::InFlight;
use crate::error_class::ErrorClass;
use crate::kinesis_record::KinesisRecord;
use crate::metric::statistic_set::StatisticSet;
use crate::put_records::{CallError, EntryError, EntryPlaced, PutRecordsResponse};
use crate::types::{Moment, ShardId};

/// A call and its answer in numbers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CallSummary {
    pub(crate) failed: bool,
    /// Why it failed as a whole.
    pub(crate) failure: Option<CallFailure>,
    /// The attempt that it was for the entry that was sent most often, from 1.
    pub(crate) attempt: u32,
    /// Bytes of the entries' data.
    pub(crate) data_bytes: usize,
    /// User records that got a failure as their outcome by this answer.
    pub(crate) user_records_given_up: usize,
    pub(crate) entries: usize,
    pub(crate) user_records: usize,
    pub(crate) entries_put: usize,
    pub(crate) entries_throttled: usize,
    pub(crate) user_records_put: usize,
    pub(crate) data_bytes_put: usize,
    pub(crate) request_time: Duration,
}

/// One entry of a call in numbers.
#[derive(Debug, Clone)]
pub(crate) struct EntrySummary {
    pub(crate) predicted_shard: Option<ShardId>,
    pub(crate) user_records: usize,
    pub(crate) data_bytes: usize,
    /// In milliseconds, of the members that were sent for the first time.
    pub(crate) buffering_time: Option<StatisticSet>,
}

impl CallSummary {
    pub(crate) fn of<T>(
        call: &InFlight<T>,
        answer: &Result<PutRecordsResponse, CallError>,
        now: Moment,
    ) -> Self {
        let results = match answer {
            Ok(response) if response.entries.len() == call.records.len() => &response.entries[..],
            _ => &[],
        };
        let request_time = now.since(call.started);
        let failure = match answer {
            Err(error) => Some(CallFailure::of(&error.code)),
            Ok(_) => results.is_empty().then_some(CallFailure::Transport),
        };
        let mut summary = Self { failed: failure.is_some(), failure, request_time, ..Self::default() };
        for (place, record) in call.records.iter().enumerate() {
            summary.add(record, results.get(place));
        }
        summary
    }

    fn add<T>(&mut self, record: &KinesisRecord<T>, result: Option<&Result<EntryPlaced, EntryError>>) {
        self.entries += 1;
        self.user_records += record.members.len();
        self.data_bytes += record.data.len();
        self.attempt = self.attempt.max(record.history.attempts_made.saturating_add(1));
        match result {
            Some(Ok(_)) => {
                self.entries_put += 1;
                self.user_records_put += record.members.len();
                self.data_bytes_put += record.data.len();
            }
            Some(Err(error)) if ErrorClass::of(&error.code) == ErrorClass::Throttled => {
                self.entries_throttled += 1;
            }
            Some(Err(_)) | None => {}
        }
    }
}

impl CallSummary {
    /// Entries that were neither stored nor throttled.
    pub(crate) fn entries_failed(&self) -> usize {
        self.entries - self.entries_put - self.entries_throttled
    }
}

impl EntrySummary {
    /// An entry of a call that started at `started`.
    pub(crate) fn of<T>(
        record: &KinesisRecord<T>,
        predicted_shard: Option<ShardId>,
        started: Moment,
    ) -> Self {
        let is_first = record.history.attempts.is_empty();
        let waits = record
            .members
            .iter()
            .filter(|member| is_first && member.history.is_none())
            .map(|member| StatisticSet::of_duration(started.since(member.arrival)));
        Self {
            predicted_shard,
            user_records: record.members.len(),
            data_bytes: record.data.len(),
            buffering_time: StatisticSet::folded(waits),
        }
    }
}
