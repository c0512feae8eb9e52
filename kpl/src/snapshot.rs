//! A producer's state in numbers at one moment, for dashboards and health checks.
//!
//! Invariant: counts of one stream are of one moment: user records received = stored + failed + outstanding; Kinesis
//! records sent = stored + throttled + failed; failed calls = those of the five causes together.

use std::time::Duration;

use crate::types::{ShardId, StreamName};

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

/// The newest error of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LastError {
    /// The operation that failed: `PutRecords`, `PutRecordBatch` of a delivery stream, or `ListShards`.
    pub operation: &'static str,
    /// The service's error code, or one of this crate's; see [`CallError::code`](crate::CallError).
    pub code: String,
    /// The service's words, or the network's.
    pub message: String,
    /// How long ago it was. It stays here when calls succeed again.
    pub age: Duration,
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
    /// The shard whose records take the most bytes of it; `None` when nothing is outstanding. What is stuck shows here.
    pub fullest_shard: Option<ShardHolding>,
    /// How long the oldest of them is here; `None` when there is none. (The KPL's oldest record time.)
    pub oldest_record_age: Option<Duration>,
    /// PutRecords calls in flight now.
    pub calls_in_flight: usize,
    /// Open shards by the last listing; 0 before the first, and for delivery streams.
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
    /// Those that the service refused for good, or that had no partition key where the stream needs one.
    pub user_records_refused: u64,
    /// Those that were throttled under [`Config::fail_if_throttled`](crate::Config::fail_if_throttled).
    pub user_records_throttled: u64,
    /// Those that had no outcome when the producer stopped.
    pub user_records_aborted: u64,
    /// User records that were to be sent again, counted each time.
    pub user_records_retried: u64,
    /// PutRecords calls that ended.
    pub calls: u64,
    /// Those of them that failed as a whole, for one of the five causes that follow.
    pub calls_failed: u64,
    /// Failed because the service was called too often.
    pub calls_throttled: u64,
    /// Failed because the service does not take them: permissions, credentials, a stream that does not exist, contents.
    pub calls_refused: u64,
    /// Failed because no answer came within the time limit.
    pub calls_timed_out: u64,
    /// Failed on the way: network, TLS, proxy, credentials that could not be had, an answer that cannot be read.
    pub calls_failed_in_transport: u64,
    /// Failed because the service had trouble of its own, or by a code that is not known.
    pub calls_failed_in_service: u64,
    /// Entries in calls that ended.
    pub kinesis_records_sent: u64,
    /// Those of them that were stored.
    pub kinesis_records_stored: u64,
    /// Those of them that the service refused because it was too fast for it.
    pub kinesis_records_throttled: u64,
    /// Those of them that were not stored for another reason, all entries of failed calls included.
    pub kinesis_records_failed: u64,
    /// Those of them that were stored in a shard which does not hold all their members, so that consumers drop them and
    /// the members are sent again: they show reshards.
    pub kinesis_records_misplaced: u64,
    /// Listings of shards that ended (ListShards with all its pages, and DescribeStreamSummary).
    pub listings: u64,
    /// Those of them that failed.
    pub listings_failed: u64,
    /// The newest error of a call, of an entry or of a listing; `None` if there was none.
    pub last_error: Option<LastError>,
}

/// What the records of one shard hold of their stream's room; see [`StreamSnapshot::fullest_shard`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShardHolding {
    /// The shard; `None` for records whose shard is not predicted, and for a shard that is forgotten since it closed.
    pub shard_id: Option<ShardId>,
    /// User records without an outcome.
    pub outstanding_records: usize,
    /// Bytes of the budget that they take.
    pub outstanding_bytes: usize,
}
