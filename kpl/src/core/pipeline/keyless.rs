//! Records without a partition key, which only a stream under AUTO takes.
//!
//! Invariant: such a record is never aggregated and never predicted; where the stream is known to follow partition keys
//! it is given up without a call.

use super::{Finished, Pipeline};
use crate::core::aggregator::alone;
use crate::incoming_record::IncomingRecord;
use crate::kinesis_record::{KinesisRecord, Member};
use crate::outcome::FailureReason;
use crate::put_records::RecordDistributionStrategy;
use crate::types::{HashKey, Moment};

impl<T> Pipeline<T> {
    /// Whether a record without a partition key is to be refused.
    pub(crate) fn follows_keys(&self) -> bool {
        self.shards.strategy() == Some(RecordDistributionStrategy::UserPartitionKey)
    }

    /// A record without a partition key as what is to be sent, alone, unless it was given up.
    pub(super) fn keyless(
        &mut self,
        record: IncomingRecord<'_>,
        member: Member<T>,
        now: Moment,
    ) -> Option<KinesisRecord<T>> {
        let send = self.deadlines(&member, now).send;
        // Strict order would take records with equal hash keys one by one; these have no order to keep.
        let hash_key = record.explicit_hash_key.unwrap_or_else(|| HashKey(self.random.u128(..)));
        let record = alone(record, hash_key, None, member, send);
        if !self.follows_keys() {
            return Some(record);
        }
        self.finish(Finished::Failed { record, reason: FailureReason::NoPartitionKey });
        None
    }
}
