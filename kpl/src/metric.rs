//! What the producer reports about itself: one event for each thing that happened.
//!
//! Invariant: every event is final; nothing is reported twice.

use std::time::Duration;

use crate::put_records::CallError;
use crate::types::StreamName;

/// One event of a producer's life, given to [`MetricsSink`](crate::MetricsSink).
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Metric<'a> {
    /// A PutRecords (or PutRecordBatch) call that was answered, entry by entry.
    PutRecordsAnswered {
        /// The stream.
        stream: &'a StreamName,
        /// Entries in the request (the KPL's KinesisRecordsPerPutRecordsRequest).
        entries: usize,
        /// User records in the request (the KPL's UserRecordsPerPutRecordsRequest).
        user_records: usize,
        /// Entries that the service stored (the KPL's KinesisRecordsPut).
        entries_put: usize,
        /// User records in those entries.
        user_records_put: usize,
        /// Data bytes of those entries, keys not counted (the KPL's KinesisRecordsDataPut).
        data_bytes_put: usize,
        /// How long the call took (the KPL's RequestTime).
        request_time: Duration,
    },
    /// A call that failed as a whole.
    PutRecordsFailed {
        /// The stream.
        stream: &'a StreamName,
        /// Entries in the request.
        entries: usize,
        /// User records in the request.
        user_records: usize,
        /// What went wrong.
        error: &'a CallError,
        /// How long the call took.
        request_time: Duration,
    },
    /// User records that got their outcome.
    UserRecordsFinished {
        /// The stream.
        stream: &'a StreamName,
        /// How many.
        user_records: usize,
        /// Whether they were stored.
        stored: bool,
    },
}
