//! A PutRecords call and what came of it, in the service's words.
//!
//! Invariant: a failed call says what may have happened to its records: refused, or perhaps stored.

use std::time::Duration;

use bytes::Bytes;

use crate::partition_key::PartitionKey;
use crate::types::{
    HashKey, HashKeyRange, InvalidHashKeyRange, SequenceNumber, ServiceText, ShardId, StreamName,
};

/// The code of an answer that contradicts itself or cannot be read.
pub(crate) const RESPONSE_UNREADABLE: &str = "ResponseUnreadable";

/// One PutRecords call (or PutRecordBatch, for a delivery stream).
#[derive(Debug, Clone)]
pub struct PutRecordsRequest {
    /// The stream, or the delivery stream.
    pub stream: StreamName,
    /// 1 to 500 entries.
    pub entries: Vec<PutRecordsEntry>,
    /// How long the line to the service may take, by what it was measured to carry, for this call and those that are in
    /// flight with it. A call's time limit is this and the transport's own limit for an answer.
    ///
    /// On a fast line some milliseconds. For an unknown line it assumes 12 KB a second.
    pub transfer_time: Duration,
}

/// One entry of a PutRecords call. Cloning copies pointers.
#[derive(Debug, Clone)]
pub struct PutRecordsEntry {
    /// The partition key; not sent to delivery streams. Empty for a record without one, which only streams under AUTO
    /// take; an empty key is not sent.
    pub partition_key: PartitionKey,
    /// Decides the shard in place of the partition key's MD5; not sent to delivery streams. Always there for an
    /// aggregate; for a record that goes alone, if its owner gave one.
    pub explicit_hash_key: Option<HashKey>,
    /// The data blob.
    pub data: Bytes,
}

impl PutRecordsEntry {
    /// What decides the shard: the explicit hash key, or else the partition key's MD5.
    #[must_use]
    pub fn hash_key(&self) -> HashKey {
        self.explicit_hash_key.unwrap_or_else(|| HashKey::of_partition_key(&self.partition_key))
    }
}

/// The answer to a call that the service carried out: a result for each entry, in order.
#[derive(Debug, Clone)]
pub struct PutRecordsResponse {
    /// As many as the request had entries.
    pub entries: Vec<Result<EntryPlaced, EntryError>>,
}

/// Where the service put an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPlaced {
    /// The shard; empty for delivery streams.
    pub shard_id: ShardId,
    /// The sequence number, or Firehose's record id.
    pub sequence_number: SequenceNumber,
}

/// Why the service did not store an entry of a call that it carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryError {
    /// The service's error code, such as `ProvisionedThroughputExceededException`, or `ResponseUnreadable` where the
    /// answer contradicts itself: with an error and a sequence number, or with neither.
    pub code: ServiceText,
    /// The service's words.
    pub message: ServiceText,
}

impl EntryError {
    /// What is known about the entry: an answer that contradicts itself does not say whether it is stored.
    #[must_use]
    pub fn doubt(&self) -> Doubt {
        if self.code == RESPONSE_UNREADABLE { Doubt::MayHaveBeenWritten } else { Doubt::NotWritten }
    }
}

/// A call that failed as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct CallError {
    /// The service's error code, or one of this crate's: `Timeout`, `DispatchFailure`, `ResponseUnreadable`,
    /// `ListingEndless`, `ConstructionFailure`, `TransportFailure`.
    pub code: ServiceText,
    /// The service's words, or the network's.
    pub message: ServiceText,
    /// What is known about the records of the call.
    pub doubt: Doubt,
}

/// The code of a call that had no answer in its time.
const TIMEOUT: &str = "Timeout";

impl CallError {
    /// Whether the call had no answer in its time: the code is `Timeout`. The producer sends less at a time then.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.code == TIMEOUT
    }

    /// An answer that does not say which entry each of its results is for.
    pub(crate) fn miscounted(results: usize, entries: usize) -> Self {
        Self {
            code: RESPONSE_UNREADABLE.into(),
            message: format!("the answer has {results} results for {entries} entries").into(),
            doubt: Doubt::MayHaveBeenWritten,
        }
    }
}

/// Whether the records of a failed call can have been stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Not stored: the call never left, or the service refused it.
    NotWritten,
    /// Perhaps stored: no answer, or none that could be read.
    MayHaveBeenWritten,
}

/// One open shard, as ListShards describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardDescription {
    /// Its id.
    pub shard_id: ShardId,
    /// The first hash key of its range.
    pub starting_hash_key: HashKey,
    /// The last hash key of its range.
    pub ending_hash_key: HashKey,
}

impl ShardDescription {
    /// The hash keys that the shard holds, as a reader of it needs them.
    ///
    /// # Errors
    ///
    /// The range is reversed, which the service never answers.
    pub fn hash_key_range(&self) -> Result<HashKeyRange, InvalidHashKeyRange> {
        HashKeyRange::new(self.starting_hash_key, self.ending_hash_key)
    }
}

/// The answer to a listing: a stream's open shards, and whether they say where records go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShardListing {
    /// All open shards, in any order.
    pub shards: Vec<ShardDescription>,
    /// Shards that closed a short while ago, as far as they were asked for (see
    /// [`Transport::list_recent_shards`](crate::Transport::list_recent_shards)). They say whether an aggregate that was
    /// stored in one of them can be read there.
    pub recently_closed: Vec<ShardDescription>,
    /// How the service spreads records over them; `None` when that is not known: then what was last known counts, and
    /// at first [`RecordDistributionStrategy::UserPartitionKey`].
    pub record_distribution_strategy: Option<RecordDistributionStrategy>,
}

/// How the service chooses a record's shard (Kinesis API reference, `StreamDescriptionSummary`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordDistributionStrategy {
    /// By explicit hash key, or the MD5 of the partition key: the default.
    UserPartitionKey,
    /// By the service's own choice, whatever the keys: an on-demand stream can be changed to that at any time.
    ///
    /// No shard can be predicted then. The producer does not aggregate for such a stream: members of an aggregate would
    /// arrive in shards that do not hold their hash keys, and consumers (the KCL) drop such aggregates whole.
    Auto,
}

impl From<Vec<ShardDescription>> for ShardListing {
    /// A listing of a stream of which nothing more is known.
    fn from(shards: Vec<ShardDescription>) -> Self {
        Self { shards, ..Self::default() }
    }
}
