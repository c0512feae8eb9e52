//! The pipeline seen from outside: what metrics and snapshots are made of.
//!
//! Invariant: looking changes nothing that is seen, and takes no memory for a single user record.

use std::time::Duration;

use super::{Finished, Pipeline};
use crate::core::call_summary::EntrySummary;
use crate::kinesis_record::KinesisRecord;
use crate::outcome::FailureReason;
use crate::snapshot::{ShardHolding, StreamSnapshot};
use crate::types::{Lane, Moment, RequestId, ShardId, ShardIndex};

impl<T> Pipeline<T> {
    /// The entries of a call in flight, in order; none when there is no such call.
    pub(crate) fn entries_of(&self, id: RequestId) -> Vec<EntrySummary> {
        let Some(call) = self.sender.call(id) else {
            return Vec::new();
        };
        let entry = |record: &KinesisRecord<T>| {
            EntrySummary::of(record, self.shard_id(record.predicted_shard), call.started)
        };
        call.records.iter().map(entry).collect()
    }

    /// The shard of an index.
    pub(crate) fn shard_id(&self, shard: Option<ShardIndex>) -> Option<ShardId> {
        self.shards.id(shard?).cloned()
    }

    /// How long a record with this key that comes now would wait for its shard.
    pub(crate) fn expected_wait(&mut self, partition_key: &str, now: Moment) -> Duration {
        if !self.limiter.holds_back() {
            return Duration::ZERO;
        }
        let hash_key = self.last_key.hash_key(partition_key);
        self.limiter.expected_wait(self.shards.predict(hash_key), now)
    }

    /// Whether records with some keys would have to wait for their shard.
    pub(crate) fn holds_back(&self) -> bool {
        self.limiter.holds_back()
    }

    /// Records accepted since the start.
    pub(crate) fn received(&self) -> u64 {
        self.totals.user_records_received
    }

    /// The stream's state in numbers.
    pub(crate) fn snapshot(&self, now: Moment) -> StreamSnapshot {
        let oldest_arrival = self.oldest_arrival();
        let totals = &self.totals;
        StreamSnapshot {
            stream: self.stream.clone(),
            outstanding_records: self.outstanding(),
            outstanding_bytes: totals.outstanding_bytes,
            fullest_shard: self.fullest_shard(),
            oldest_record_age: (oldest_arrival != Moment::NEVER).then(|| now.since(oldest_arrival)),
            calls_in_flight: self.sender.calls(),
            open_shards: self.shards.open_shards(),
            line_bytes_per_second: self.sender.line_rate(),
            is_limited_by_line: self.sender.is_limited_by_line(now),
            user_records_received: totals.user_records_received,
            user_records_stored: totals.user_records_stored,
            user_records_failed: totals.user_records_failed,
            user_records_expired: totals.user_records_expired,
            user_records_refused: totals.user_records_refused,
            user_records_throttled: totals.user_records_throttled,
            user_records_aborted: totals.user_records_aborted,
            user_records_retried: totals.user_records_retried,
            calls: totals.calls,
            calls_failed: totals.calls_failed,
            calls_throttled: totals.calls_throttled,
            calls_refused: totals.calls_refused,
            calls_timed_out: totals.calls_timed_out,
            calls_failed_in_transport: totals.calls_failed_in_transport,
            calls_failed_in_service: totals.calls_failed_in_service,
            kinesis_records_sent: totals.kinesis_records_sent,
            kinesis_records_stored: totals.kinesis_records_stored,
            kinesis_records_throttled: totals.kinesis_records_throttled,
            kinesis_records_failed: totals.kinesis_records_failed,
            kinesis_records_misplaced: totals.kinesis_records_misplaced,
            listings: totals.listings,
            listings_failed: totals.listings_failed,
            last_error: self.last_error.snapshot(now),
        }
    }

    /// The shard that holds the most.
    fn fullest_shard(&self) -> Option<ShardHolding> {
        let (Lane(shard), held) = self.shares.fullest()?;
        let shard_id = self.shard_id(shard);
        Some(ShardHolding { shard_id, outstanding_records: held.records, outstanding_bytes: held.bytes })
    }

    /// Arrival of the oldest record without an outcome.
    fn oldest_arrival(&self) -> Moment {
        self.held
            .oldest_arrival()
            .min(self.undecided.oldest_arrival())
            .min(self.aggregator.oldest_arrival())
            .min(self.compressor.oldest_arrival())
            .min(self.limiter.oldest_arrival())
            .min(self.collector.oldest_arrival())
            .min(self.suspects.oldest_arrival())
            .min(self.sender.oldest_arrival())
    }
}

impl<T> Finished<T> {
    /// Why the records were given up; `None` if they are stored.
    pub(crate) fn failure(&self) -> Option<FailureReason> {
        match self {
            Self::Stored { .. } => None,
            Self::Failed { reason, .. } => Some(*reason),
        }
    }
}
