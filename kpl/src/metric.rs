//! What the producer reports about itself: one event for each thing that happened.
//!
//! Invariant: every event is final; nothing is reported twice. None is made for a single user record: what differs
//! between the records of an event is folded into a [`StatisticSet`].

use std::time::Duration;

use crate::outcome::FailureReason;
use crate::put_records::CallError;
use crate::types::{ShardId, StreamName};

pub(crate) mod datum;
pub(crate) mod name;
pub(crate) mod options;
pub(crate) mod sample;
pub(crate) mod statistic_set;
pub(crate) mod window;

use statistic_set::StatisticSet;

/// One event of a producer's life, given to [`MetricsSink`](crate::MetricsSink).
///
/// [`Metric::samples`] says what an event means in the KPL's metrics.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Metric<'a> {
    /// User records that were accepted since the last such event.
    UserRecordsReceived {
        /// The stream.
        stream: &'a StreamName,
        /// How many; 1 or more.
        user_records: usize,
    },
    /// How many user records have no outcome now. Told when the number has changed; the last one of a producer that
    /// was closed is 0.
    UserRecordsPending {
        /// The stream.
        stream: &'a StreamName,
        /// How many.
        user_records: usize,
    },
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
    /// One entry of a call that ended; told before the call's own event.
    KinesisRecordSent {
        /// The stream.
        stream: &'a StreamName,
        /// The shard that it was predicted to go to, if one was.
        shard: Option<&'a ShardId>,
        /// User records in it.
        user_records: usize,
        /// Bytes of its data, keys not counted.
        data_bytes: usize,
        /// From the arrival of its user records to the start of the call, in milliseconds, of those that were sent for
        /// the first time.
        buffering_time: Option<StatisticSet>,
        /// What came of it.
        outcome: EntryOutcome<'a>,
    },
    /// User records that got their outcome.
    UserRecordsFinished {
        /// The stream.
        stream: &'a StreamName,
        /// The shard that stored them, or else the last one that they were predicted for, if one was.
        shard: Option<&'a ShardId>,
        /// How many; 1 or more.
        user_records: usize,
        /// Bytes of the data of each.
        data_bytes: StatisticSet,
        /// Attempts of each after its first.
        retries: StatisticSet,
        /// Why they were given up; `None` if they were stored.
        failure: Option<FailureReason>,
    },
    /// A shard throttles, and a few partition keys make up much of its load. Told seldom, however long it lasts.
    HotShard {
        /// The stream.
        stream: &'a StreamName,
        /// The shard.
        shard: &'a ShardId,
        /// The heaviest partition keys of late, heaviest first.
        partition_keys: &'a [HeavyPartitionKey<'a>],
    },
}

/// What came of one entry of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryOutcome<'a> {
    /// The service stored it.
    Stored,
    /// The service answered the call and refused this entry.
    Refused {
        /// The service's error code.
        code: &'a str,
    },
    /// The call failed as a whole; its own event says why.
    CallFailed,
}

/// A partition key that makes up much of a shard's load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeavyPartitionKey<'a> {
    /// The key.
    pub partition_key: &'a str,
    /// User records with it, of those that were looked at.
    pub user_records: u64,
    /// Their bytes.
    pub bytes: u64,
}
