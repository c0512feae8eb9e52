//! A producer's state in numbers at one moment, for dashboards and health checks.
//!
//! Invariant: counts of one stream are of one moment: received = stored + failed + outstanding.

use std::time::Duration;

use crate::types::StreamName;

/// A producer's state; see [`Producer::snapshot`](crate::Producer::snapshot).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProducerSnapshot {
    /// User records without an outcome, over all streams.
    pub outstanding_records: usize,
    /// Bytes of the budget that they take.
    pub outstanding_bytes: usize,
    /// Each stream that was used, in the order of their names.
    pub streams: Vec<StreamSnapshot>,
}

/// One stream's state. Counts are since its start and never decrease, so the difference of two snapshots is what
/// happened between them: that takes the place of the KPL's `getMetrics` with a window.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamSnapshot {
    /// The stream.
    pub stream: StreamName,
    /// User records without an outcome now.
    pub outstanding_records: usize,
    /// Bytes of the budget that they take: data, keys and a little for each.
    pub outstanding_bytes: usize,
    /// How long the oldest of them is here; `None` when there is none. (The KPL's oldest record time.)
    pub oldest_record_age: Option<Duration>,
    /// PutRecords calls under way now.
    pub calls_in_flight: usize,
    /// Open shards as the last listing told; 0 before the first, and for delivery streams.
    pub open_shards: usize,
    /// What the line to the service carries, in bytes a second: requests as they travel, or answers where those are
    /// larger. The maximum of about the last ten seconds with enough traffic to tell; with little traffic the true value
    /// is higher. `None` before the first answer, and after calls that timed out.
    pub line_bytes_per_second: Option<u64>,
    /// Whether the line is the limit now: records have been waiting for more than a second for what is in flight, and
    /// neither for a shard's pace, nor for the memory of calls or `max_connections`.
    pub is_limited_by_line: bool,
    /// User records accepted.
    pub user_records_received: u64,
    /// User records stored.
    pub user_records_stored: u64,
    /// User records given up, for whatever reason.
    pub user_records_failed: u64,
    /// Those of them whose time to live was over.
    pub user_records_expired: u64,
    /// User records that were to be sent again, counted each time.
    pub user_records_retried: u64,
    /// PutRecords calls that ended.
    pub calls: u64,
    /// Those of them that failed as a whole.
    pub calls_failed: u64,
    /// Entries in calls that ended.
    pub kinesis_records_sent: u64,
    /// Those of them that were stored.
    pub kinesis_records_stored: u64,
    /// Those of them that the service refused because it was too fast for it.
    pub kinesis_records_throttled: u64,
}
