//! What became of a user record: stored, with the service's word for it, or failed, with everything known.
//!
//! Invariant: success always carries a shard id and a sequence number; failure always carries the record.

use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;

use crate::types::{SequenceNumber, ServiceText, ShardId};
use crate::user_record::UserRecord;

/// One try to put a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// From the record's arrival, or the end of the attempt before, to the start of this one.
    pub delay: Duration,
    /// From the start of the call to its answer.
    pub duration: Duration,
    /// The error code and message, shared with the other records of the call; `None` for the attempt that succeeded.
    pub error: Option<(ServiceText, ServiceText)>,
}

/// A record that the service stored. Cloning copies a pointer.
#[derive(Debug, Clone)]
pub struct UserRecordResult(Arc<Stored>);

#[derive(Debug)]
struct Stored {
    shard_id: ShardId,
    sequence_number: SequenceNumber,
    attempts: Attempts,
}

/// A record that was not stored, as far as anybody knows. The record itself is inside.
#[derive(Debug, Clone)]
pub struct UserRecordFailed(Box<Failed>);

#[derive(Debug, Clone)]
struct Failed {
    reason: FailureReason,
    /// Shared with the other records of an aggregate.
    attempts: Arc<[Attempt]>,
    may_have_been_written: bool,
    record: UserRecord,
}

/// Why a record was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FailureReason {
    /// Its time to live (`record_ttl`) was over.
    #[error("its time to live was over")]
    Expired,
    /// The service refused it for a reason that sending again cannot cure.
    #[error("the service refused it for good")]
    Refused,
    /// It was throttled and the configuration says `fail_if_throttled`.
    #[error("it was throttled, and fail_if_throttled is set")]
    Throttled,
    /// It has no partition key, and its stream turned out to place records by their keys.
    #[error(
        "it has no partition key, and its stream places records by key (USER_PARTITION_KEY): give it a key, or set the \
         stream's record distribution strategy to AUTO"
    )]
    NoPartitionKey,
    /// The producer stopped before the record was stored.
    #[error("the producer stopped first")]
    Aborted,
}

/// What became of one user record.
pub type Outcome = Result<UserRecordResult, UserRecordFailed>;

/// Most records need one attempt, which then needs no allocation.
pub(crate) type Attempts = SmallVec<[Attempt; 1]>;

/// Attempts that an outcome keeps.
pub(crate) const ATTEMPTS_KEPT: usize = 16;

// === impl UserRecordResult ===

impl UserRecordResult {
    pub(crate) fn new(shard_id: ShardId, sequence_number: SequenceNumber, attempts: Attempts) -> Self {
        Self(Arc::new(Stored { shard_id, sequence_number, attempts }))
    }

    /// The same, in the place of one that nobody keeps: making one for each Kinesis record is an allocation each.
    pub(crate) fn renew(&mut self, shard_id: ShardId, sequence_number: SequenceNumber, attempts: Attempts) {
        let stored = Stored { shard_id, sequence_number, attempts };
        match Arc::get_mut(&mut self.0) {
            Some(unshared) => *unshared = stored,
            None => self.0 = Arc::new(stored),
        }
    }

    /// The same place, after other attempts.
    pub(crate) fn after(&self, attempts: Attempts) -> Self {
        Self::new(self.0.shard_id.clone(), self.0.sequence_number.clone(), attempts)
    }

    /// The shard that took the record; empty for delivery streams.
    #[must_use]
    pub fn shard_id(&self) -> &ShardId {
        &self.0.shard_id
    }

    /// Its sequence number, or Firehose's record id. The records of one aggregate share it.
    #[must_use]
    pub fn sequence_number(&self) -> &SequenceNumber {
        &self.0.sequence_number
    }

    /// The attempts, the successful one last. The last 16 are kept.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.0.attempts
    }
}

// === impl UserRecordFailed ===

impl UserRecordFailed {
    pub(crate) fn new(
        reason: FailureReason,
        attempts: Arc<[Attempt]>,
        may_have_been_written: bool,
        record: UserRecord,
    ) -> Self {
        Self(Box::new(Failed { reason, attempts, may_have_been_written, record }))
    }

    /// Why the record was given up.
    #[must_use]
    pub fn reason(&self) -> FailureReason {
        self.0.reason
    }

    /// The attempts, in order. The last 16 are kept.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.0.attempts
    }

    /// Whether an attempt ended without a clear answer, so that the record may be in the stream all the same.
    #[must_use]
    pub fn may_have_been_written(&self) -> bool {
        self.0.may_have_been_written
    }

    /// The record.
    #[must_use]
    pub fn record(&self) -> &UserRecord {
        &self.0.record
    }

    /// The record, back in the caller's hands.
    #[must_use]
    pub fn into_record(self) -> UserRecord {
        self.0.record
    }
}

impl std::fmt::Display for UserRecordFailed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "record for stream {} was not stored: {}", self.0.record.stream, self.0.reason)?;
        match self.0.attempts.iter().rev().find_map(|attempt| attempt.error.as_ref()) {
            Some((code, message)) => write!(formatter, "; last answer {code}: {message}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for UserRecordFailed {}
