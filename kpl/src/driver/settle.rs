//! Telling the records' owners what became of them.
//!
//! Invariant: the budget is given back when, and only when, the outcome was delivered.

use std::sync::Arc;

use smallvec::SmallVec;

use super::Driver;
use super::spent::Spent;
use crate::aggregation_format::DecodedRecord;
use crate::core::pipeline::Finished;
use crate::delivery::Ticket;
use crate::kinesis_record::{History, KinesisRecord};
use crate::outcome::{Attempt, FailureReason, UserRecordFailed, UserRecordResult};
use crate::partition_key::PartitionKey;
use crate::reporter::guarded;
use crate::types::{SequenceNumber, ShardId, StreamName};
use crate::user_record::UserRecord;

/// What records that got their outcomes took of the budget.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Settled {
    pub(super) bytes: usize,
    pub(super) user_records: usize,
}

impl Settled {
    pub(super) fn add(&mut self, more: Self) {
        self.bytes += more.bytes;
        self.user_records += more.user_records;
    }
}

impl Driver {
    /// Tells the owners; what their records took of the budget is for the caller to give back. `told` is what was told
    /// last, for its memory.
    pub(super) fn settle(
        &self,
        finished: Finished<Ticket>,
        told: &mut Option<UserRecordResult>,
        spent: &mut Spent,
    ) -> Settled {
        let (Finished::Stored { record, .. } | Finished::Failed { record, .. }) = &finished;
        let user_records = record.members.len();
        let bytes: usize = record.members.iter().map(|member| member.cost as usize).sum();
        if self.reporter.hears_kinesis_records() {
            let predicted = || self.shared.lock().pipeline.shard_id(record.predicted_shard);
            self.reporter.finished(&self.shared.stream, &finished, predicted);
        }
        match finished {
            Finished::Stored { mut record, shard_id, sequence_number } => {
                self.settle_stored(&mut record, (shard_id, sequence_number), told);
                spent.keep(record);
            }
            Finished::Failed { record, reason } => self.settle_failed(record, reason),
        }
        Settled { bytes, user_records }
    }

    fn settle_stored(
        &self,
        record: &mut KinesisRecord<Ticket>,
        (shard, number): (ShardId, SequenceNumber),
        told: &mut Option<UserRecordResult>,
    ) {
        let (members, history) = (std::mem::take(&mut record.members), std::mem::take(&mut record.history));
        let was_taken_apart = members.iter().any(|member| member.history.is_some());
        let latest = if was_taken_apart { history.clone() } else { History::default() };
        let together = match told {
            Some(told) => {
                told.renew(shard, number, history.attempts);
                &*told
            }
            None => &*told.insert(UserRecordResult::new(shard, number, history.attempts)),
        };
        let stored_after = |history: History| together.after(history.attempts);
        let mut tags: SmallVec<[u64; 1]> = SmallVec::new();
        for member in members {
            let result = || match member.history.as_ref() {
                None => together.clone(),
                earlier => stored_after(latest.joined(earlier)),
            };
            match member.tag {
                Ticket::Future(block, place) => block.settle(place, Ok(result())),
                Ticket::Tagged(tag) if member.history.is_none() => tags.push(tag),
                Ticket::Tagged(tag) => {
                    guarded(|| self.outcomes.stored(&mut std::iter::once(tag), &result()));
                }
            }
        }
        if !tags.is_empty() {
            guarded(|| self.outcomes.stored(&mut tags.into_iter(), together));
        }
    }

    fn settle_failed(&self, record: KinesisRecord<Ticket>, reason: FailureReason) {
        let history = record.history.clone();
        let together: Arc<[Attempt]> = history.attempts.as_slice().into();
        for (member, part) in record.into_members() {
            let (attempts, doubt) = match member.history.as_ref() {
                None => (Arc::clone(&together), history.may_have_been_written),
                earlier => {
                    let joined = history.joined(earlier);
                    (joined.attempts.into_vec().into(), joined.may_have_been_written)
                }
            };
            let record = owned(&self.shared.stream, part);
            let failed = UserRecordFailed::new(reason, attempts, doubt, record);
            match member.tag {
                Ticket::Future(block, place) => block.settle(place, Err(failed)),
                Ticket::Tagged(tag) => guarded(|| self.outcomes.failed(tag, failed)),
            }
        }
    }
}

/// The record as its owner gave it. Its data is not copied: when many expire together there is no room for that.
fn owned(stream: &StreamName, record: DecodedRecord) -> UserRecord {
    let DecodedRecord { partition_key, explicit_hash_key, data, dedup_id } = record;
    UserRecord {
        stream: stream.clone(),
        partition_key: Some(partition_key.into()).filter(|key: &PartitionKey| !key.is_empty()),
        explicit_hash_key,
        data,
        dedup_id,
        #[cfg(feature = "glue")]
        schema: None,
    }
}
