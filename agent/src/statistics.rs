//! What a flow has done so far, in numbers that other threads may look at.
//!
//! Invariant: the books balance: records parsed = acknowledged + dropped by rule + dead-lettered + pending.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::config::Destination;

/// Counters of one flow. Each is exact; read together they may be a moment apart.
#[derive(Debug, Default)]
pub struct FlowStatistics {
    /// Bytes read of all files.
    pub bytes_read: Counter,
    /// Records cut from them.
    pub records_parsed: Counter,
    /// Records that a rule of the configuration left out, whichever it was.
    pub records_dropped: Counter,
    /// Those of them that do not have the format that LOGTOJSON names.
    pub records_unmatched: Counter,
    /// Records that a converter failed on, sent as they were.
    pub conversion_failures: Counter,
    /// Records that were cut for their size.
    pub records_truncated: Counter,
    /// Parts into which records were cut that were too long to be sent.
    pub record_parts: Counter,
    /// Records sent without the id that `dedupIds` asks for: no JSON objects, parts of one, or too long with it.
    pub records_without_id: Counter,
    /// Bytes of over-long lines that were passed over.
    pub bytes_passed_over: Counter,
    /// Records left out because they are footers.
    pub footers_skipped: Counter,
    /// Header lines left out.
    pub header_lines_skipped: Counter,
    /// Records handed to the producer.
    pub records_published: Counter,
    /// Records that the service acknowledged.
    pub records_acknowledged: Counter,
    /// Records that can never be sent, and are in the dead-letter file.
    pub records_dead_lettered: Counter,
    /// Attempts to write dead letters that failed; what was to be written waits.
    pub dead_letter_failures: Counter,
    /// Files that are stopped at a record that can never be sent.
    pub files_stopped: Counter,
    /// Records that the service refused and that were handed to the producer again.
    pub records_republished: Counter,
    /// Truncations and rotations seen.
    pub rotations: Counter,
    /// Rotated files that were never seen before their rotation, and read from their beginning.
    pub unseen_generations: Counter,
    /// Bytes that were seen in a file before it was truncated, not read, and in no copy when the file was given up.
    pub bytes_lost_by_truncation: Counter,
    /// NUL bytes at the beginning of truncated files, passed over.
    pub hole_bytes: Counter,
    /// Passes over the files that ended in an error.
    pub processing_errors: Counter,
    /// Passes in a row that did; zero when all is well.
    pub consecutive_processing_errors: Counter,
    /// Bytes in the files that are not acknowledged yet.
    pub bytes_behind: Counter,
    /// Files under way.
    pub files: Counter,
}

/// What became of a flow's calls to its destination.
#[derive(Debug, Default)]
pub struct DeliveryStatistics {
    /// Calls made (PutRecords or PutRecordBatch).
    pub calls: Counter,
    /// Calls that failed as a whole.
    pub failed_calls: Counter,
    /// Entries in those calls: Kinesis records, or Firehose's.
    pub entries: Counter,
    /// Entries that the service stored.
    pub entries_put: Counter,
    /// User records in the entries sent.
    pub user_records: Counter,
    /// User records in the entries stored.
    pub user_records_put: Counter,
    /// Data bytes of the entries stored, keys not counted.
    pub data_bytes_put: Counter,
}

/// One flow as it can be watched from outside.
#[derive(Debug, Clone)]
pub struct FlowHandle {
    /// Its id.
    pub id: String,
    /// Where its records go.
    pub destination: Destination,
    /// What it has read and sent.
    pub statistics: Arc<FlowStatistics>,
    /// What became of its calls.
    pub deliveries: Arc<DeliveryStatistics>,
}

/// A number that one thread changes and others read.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to it.
    pub fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Relaxed);
    }

    /// Replaces it.
    pub fn set(&self, value: u64) {
        self.0.store(value, Relaxed);
    }

    /// Its present value.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}
