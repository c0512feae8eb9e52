//! A PutRecords call and its answer in numbers, for the metrics.
//!
//! Invariant: what was put is part of what was sent.

use std::time::Duration;

use crate::core::sender::InFlight;
use crate::put_records::{CallError, PutRecordsResponse};
use crate::types::Moment;

/// A call and its answer in numbers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CallSummary {
    pub(crate) entries: usize,
    pub(crate) user_records: usize,
    pub(crate) entries_put: usize,
    pub(crate) user_records_put: usize,
    pub(crate) data_bytes_put: usize,
    pub(crate) request_time: Duration,
}

impl CallSummary {
    pub(crate) fn of<T>(
        call: &InFlight<T>,
        answer: &Result<PutRecordsResponse, CallError>,
        now: Moment,
    ) -> Self {
        let mut summary = Self { request_time: now.since(call.started), ..Self::default() };
        let results = answer.as_ref().map_or(&[][..], |response| &response.entries);
        for (place, record) in call.records.iter().enumerate() {
            summary.entries += 1;
            summary.user_records += record.members.len();
            if matches!(results.get(place), Some(Ok(_))) {
                summary.entries_put += 1;
                summary.user_records_put += record.members.len();
                summary.data_bytes_put += record.data.len();
            }
        }
        summary
    }
}
