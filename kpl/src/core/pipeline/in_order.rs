//! Strict order: the records of one hash key reach the service in the order in which they were accepted.
//!
//! The limiter lets no record pass while another one with a hash key in common is in flight, or waits before it in its
//! lane. That is enough as long as all records were given their lanes by one shard map. So whenever the map changes,
//! and whenever a record is taken apart, what has not left yet is put in order anew.
//!
//! Invariant: of two records with a hash key in common the older one is never behind the younger one in a lane, and
//! never in another lane. Whatever has a key in common with a record that was released is younger than it.

use super::held::HeldRecord;
use super::way_back::MISPLACED_AT_MOST;
use super::{Finished, Pipeline};
use crate::aggregation_format::DecodedRecord;
use crate::core::aggregator::alone;
use crate::core::retrier::WRONG_SHARD;
use crate::incoming_record::IncomingRecord;
use crate::kinesis_record::{Content, KinesisRecord, Member};
use crate::outcome::FailureReason;
use crate::types::Moment;

impl<T> Pipeline<T> {
    /// When a record is taken to have arrived: later than all before it, so that arrivals tell the order.
    pub(super) fn arrival(&mut self, now: Moment) -> Moment {
        if self.config.strict_order {
            self.last_arrival = now.max(self.last_arrival.plus(std::time::Duration::from_nanos(1)));
            return self.last_arrival;
        }
        now
    }

    /// There is another shard map: every record that has not left gets its lane by it.
    pub(super) fn reroute(&mut self, now: Moment) {
        // The younger ones stand farther from the end.
        let mut queued = self.limiter.drain_all();
        queued.extend(self.not_released(now));
        let mut parts = self.held.take();
        for record in queued {
            if self.is_predicted_still(&record) {
                self.limiter.put(record, now);
            } else {
                parts.extend(parts_of(record));
            }
        }
        parts.sort_by_key(|part| part.member.arrival);
        for record in self.packed(parts, now) {
            self.limiter.put(record, now);
        }
        self.limiter.resume(now);
    }

    /// Puts the parts of a record, oldest first, in front of what waited for it.
    pub(super) fn put_back_in_order(&mut self, parts: Vec<HeldRecord<T>>, now: Moment) {
        for record in self.not_released(now) {
            self.limiter.put(record, now);
        }
        // The last one first: each goes in front of those that have keys in common with it.
        for record in self.packed(parts, now).into_iter().rev() {
            self.limiter.put_back(record, now);
        }
    }

    /// Packs records by the present map, with nothing else; gives up what has expired.
    fn packed(&mut self, parts: Vec<HeldRecord<T>>, now: Moment) -> Vec<KinesisRecord<T>> {
        let mut closed = Vec::new();
        for part in parts {
            if self.expiration(part.member.arrival) <= now {
                let record = part.into_alone(now);
                self.finish(Finished::Failed { record, reason: FailureReason::Expired });
                continue;
            }
            let deadlines = self.deadlines(&part.member, now);
            part.with_record(|record, mut member| {
                if record.partition_key.is_none() {
                    self.shares.place(&mut member, None);
                    closed.extend(self.keyless(record, member, now));
                    return;
                }
                let hash_key = record.hash_key();
                let shard = self.shards.predict(hash_key);
                self.shares.place(&mut member, shard);
                let is_misplaced = member.times(WRONG_SHARD) >= MISPLACED_AT_MOST;
                match shard {
                    shard if is_misplaced => {
                        self.aggregator.close_all(now, &mut closed);
                        let mut record = alone(record, hash_key, None, member, deadlines.send);
                        record.predicted_shard = shard;
                        closed.push(record);
                    }
                    Some(shard) if self.config.aggregation_enabled => {
                        self.aggregator.add(record, hash_key, shard, member, deadlines, &mut closed);
                    }
                    shard => closed.push(alone(record, hash_key, shard, member, deadlines.send)),
                }
            });
        }
        self.aggregator.close_all(now, &mut closed);
        closed
    }

    /// Takes out what stands before the limiter.
    fn not_released(&mut self, now: Moment) -> Vec<KinesisRecord<T>> {
        let mut records = self.compressor.drain_all();
        self.aggregator.close_all(now, &mut records);
        records
    }

    /// Whether the present map predicts the record's shard for all its hash keys.
    pub(super) fn is_predicted_still(&self, record: &KinesisRecord<T>) -> bool {
        let (first, last) = record.hash_keys;
        let predicted = (self.shards.predict(first), self.shards.predict(last));
        predicted == (record.predicted_shard, record.predicted_shard)
    }
}

/// The members of a Kinesis record with what they are to send.
pub(super) fn parts_of<T>(record: KinesisRecord<T>) -> Vec<HeldRecord<T>> {
    let history = record.history.clone();
    // A part of an aggregate that kept its data would keep the whole aggregate's.
    let keeps_data = matches!(record.content, Content::Single { .. });
    let part_of = |(mut member, part): (Member<T>, DecodedRecord)| {
        if history.attempts_made > 0 {
            member.history = Some(std::sync::Arc::new(history.joined(member.history.as_ref())));
        }
        let incoming = match keeps_data {
            true => IncomingRecord::owned(part.as_ref(), &part.data),
            false => part.as_ref().into(),
        };
        HeldRecord::new(incoming, member)
    };
    record.into_members().map(part_of).collect()
}
