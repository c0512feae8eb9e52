//! Records that wait for a shard map: new ones for the first, and the parts of a misplaced aggregate for the next.
//!
//! Invariant: no record waits beyond half of its time to live. A record that stops waiting goes alone: a single record
//! counts wherever it lands, so it needs no map.

use bytes::Bytes;
use smol_str::SmolStr;

use super::{Finished, Pipeline};
use crate::core::aggregator::alone;
use crate::incoming_record::IncomingRecord;
use crate::kinesis_record::{KinesisRecord, Member};
use crate::outcome::FailureReason;
use crate::types::{HashKey, Moment};
use crate::user_record::RecordRef;

/// Bytes, and records, from which on those that wait are a backlog. If it left in one burst its shards would throttle:
/// the calls of a burst take a while, and what is paced comes right behind.
const BACKLOG_BYTES: usize = 64 << 10;
const BACKLOG_RECORDS: usize = 1000;

/// The records that wait.
#[derive(Debug)]
pub(super) struct Held<T> {
    records: Vec<HeldRecord<T>>,
    /// When to look at them, if no map comes before.
    until: Moment,
    oldest_arrival: Moment,
}

/// One record that waits.
#[derive(Debug)]
pub(super) struct HeldRecord<T> {
    pub(super) member: Member<T>,
    /// When it stops waiting.
    until: Moment,
    partition_key: String,
    explicit_hash_key: Option<HashKey>,
    data: Bytes,
    dedup_id: Option<SmolStr>,
}

// === impl Held ===

impl<T> Held<T> {
    pub(super) fn new() -> Self {
        Self { records: Vec::new(), until: Moment::NEVER, oldest_arrival: Moment::NEVER }
    }

    /// Keeps a record until `until` at most.
    pub(super) fn put(&mut self, record: IncomingRecord<'_>, member: Member<T>, until: Moment) {
        self.put_back(HeldRecord::new(record, member), until);
    }

    pub(super) fn put_back(&mut self, mut record: HeldRecord<T>, until: Moment) {
        record.until = until;
        self.oldest_arrival = self.oldest_arrival.min(record.member.arrival);
        self.records.push(record);
        self.until = self.until.min(until);
    }

    pub(super) fn next_wakeup(&self) -> Moment {
        self.until
    }

    pub(super) fn oldest_arrival(&self) -> Moment {
        self.oldest_arrival
    }

    /// Whether so much waits that it should not leave in one burst.
    pub(super) fn is_backlog(&self) -> bool {
        let bytes = || self.records.iter().map(|held| held.data.len()).sum::<usize>();
        self.records.len() >= BACKLOG_RECORDS || bytes() >= BACKLOG_BYTES
    }

    /// Takes out everything, as Kinesis records that go nowhere.
    pub(super) fn drain_all(&mut self, now: Moment) -> Vec<KinesisRecord<T>> {
        self.take().into_iter().map(|held| held.into_alone(now)).collect()
    }

    #[cfg(test)]
    pub(super) fn members(&self) -> usize {
        self.records.len()
    }

    pub(super) fn take(&mut self) -> Vec<HeldRecord<T>> {
        self.until = Moment::NEVER;
        self.oldest_arrival = Moment::NEVER;
        std::mem::take(&mut self.records)
    }
}

// === impl HeldRecord ===

impl<T> HeldRecord<T> {
    pub(super) fn new(record: IncomingRecord<'_>, member: Member<T>) -> Self {
        Self {
            member,
            until: Moment::NEVER,
            partition_key: record.key().to_owned(),
            explicit_hash_key: record.explicit_hash_key,
            data: record.shared_data().unwrap_or_else(|| Bytes::copy_from_slice(record.data)),
            dedup_id: record.dedup_id.map(SmolStr::from),
        }
    }

    /// The record and whose it is.
    pub(super) fn with_record<R>(self, act: impl FnOnce(IncomingRecord<'_>, Member<T>) -> R) -> R {
        let Self { member, until: _, partition_key, explicit_hash_key, data, dedup_id } = self;
        let dedup_id = dedup_id.as_deref();
        let record = RecordRef { explicit_hash_key, dedup_id, ..RecordRef::without_partition_key(&data) };
        act(IncomingRecord::owned(record.with_key(&partition_key), &data), member)
    }

    /// As a Kinesis record without a prediction.
    pub(super) fn into_alone(self, send: Moment) -> KinesisRecord<T> {
        self.with_record(|record, member| alone(record, record.hash_key(), None, member, send))
    }
}

// === impl Pipeline ===

impl<T> Pipeline<T> {
    /// Whose patience is over goes on without a new map.
    pub(super) fn release_held(&mut self, now: Moment) {
        if self.held.next_wakeup() > now {
            return;
        }
        // Without the first map all go on together, in the order in which they came.
        let is_first = self.shards.is_awaited();
        self.shards.stop_awaiting();
        for held in self.held.take() {
            if self.expiration(held.member.arrival) <= now {
                self.finish(Finished::Failed {
                    record: held.into_alone(now),
                    reason: FailureReason::Expired,
                });
            } else if is_first || held.until <= now {
                self.send_alone(held, now);
            } else {
                let until = held.until;
                self.held.put_back(held, until);
            }
        }
    }

    /// Sends a record without company. It counts wherever it lands; the map, if there is one, only paces it.
    pub(super) fn send_alone(&mut self, held: HeldRecord<T>, now: Moment) {
        let send = self.deadlines(&held.member, now).send;
        let mut record = held.into_alone(send);
        let shard = self.shards.predict(record.hash_keys.0);
        record.predicted_shard = shard;
        record.members.iter_mut().for_each(|member| self.shares.place(member, shard));
        self.pass_on(record, now);
    }
}
