//! The pipeline's way back: from the answers to outcomes, or to another attempt.
//!
//! Invariant: a record that is sent again keeps its age, its attempts and its doubt.

use super::in_order::parts_of;
use super::{Action, Finished, Pipeline};
use crate::core::retrier::{Verdict, WRONG_SHARD, judge_call, judge_entry};
use crate::core::sender::InFlight;
use crate::error_class::ErrorClass;
use crate::kinesis_record::KinesisRecord;
use crate::outcome::FailureReason;
use crate::put_records::{CallError, Doubt, EntryError, EntryPlaced};
use crate::types::Moment;

/// How often a record may be in an aggregate that landed in the wrong shard. Then it goes alone, which counts wherever
/// it lands: shards that are cut anew again and again, or a service that places records by a rule that nobody told (a
/// record distribution strategy that could not be asked for), cannot hold it for ever.
const MISPLACED_AT_MOST: usize = 3;

/// The service's code for a stream that does not exist (Kinesis API reference, `PutRecords`).
const STREAM_NOT_FOUND: &str = "ResourceNotFoundException";

impl<T> Pipeline<T> {
    pub(super) fn entry_done(
        &mut self,
        mut record: KinesisRecord<T>,
        result: &Result<EntryPlaced, EntryError>,
        started: Moment,
        now: Moment,
    ) {
        let verdict = judge_entry(&record, result, &self.shards, self.config.fail_if_throttled);
        let error = match (result, &verdict) {
            (Ok(placed), Verdict::WrongShard) => Some((
                WRONG_SHARD.into(),
                format!("shard {} does not hold all its hash keys", placed.shard_id).into(),
            )),
            (Ok(_), _) => None,
            (Err(error), _) => Some((error.code.clone(), error.message.clone())),
        };
        let arrival = record.arrival;
        record.history.note(arrival, (started, now), error);
        record.history.may_have_been_written |=
            result.as_ref().is_err_and(|error| error.doubt() == Doubt::MayHaveBeenWritten);
        self.limiter.landed(&record, now);
        let lane = record.predicted_shard;
        match (verdict, result) {
            (Verdict::Stored { surprised }, Ok(placed)) => {
                self.limiter.recovered(lane);
                if surprised {
                    self.ask_for_shards(started, now);
                }
                let EntryPlaced { shard_id, sequence_number } = placed.clone();
                self.finish(Finished::Stored { record, shard_id, sequence_number });
            }
            (Verdict::WrongShard, _) => {
                self.totals.misplaced();
                self.totals.retried(record.members.len());
                self.ask_for_shards(started, now);
                self.take_apart(record, now, true);
            }
            (Verdict::Fail(reason), _) => self.finish(Finished::Failed { record, reason }),
            (Verdict::Retry(class), _) => {
                let is_throttled = class == ErrorClass::Throttled;
                if is_throttled {
                    self.look_for_hot_keys(&record, now);
                }
                self.limiter.pause(lane, is_throttled, started, now, &mut self.random);
                self.retry(record, now);
            }
            // What is left cannot be: only a call as a whole is searched, and only an answer can be stored.
            (Verdict::Stored { .. } | Verdict::Search, _) => self.retry(record, now),
        }
    }

    pub(super) fn call_failed(&mut self, call: InFlight<T>, error: &CallError, now: Moment) {
        let verdict = judge_call(error, call.records.len(), self.config.fail_if_throttled);
        if let Verdict::Retry(ErrorClass::Throttled | ErrorClass::Transient) = verdict {
            self.sender.pause(call.started, now, &mut self.random);
        }
        if error.is_timeout() {
            self.sender.timed_out(&call, now);
        }
        if verdict == Verdict::Search {
            return self.search(call, error, now);
        }
        for record in &call.records {
            self.limiter.landed(record, now);
        }
        if error.code == STREAM_NOT_FOUND && self.shards.lost(now) {
            self.actions.push_back(Action::ListShards);
            if self.config.strict_order {
                self.reroute(now);
            }
        }
        for mut record in call.records {
            let words = (error.code.clone(), error.message.clone());
            let arrival = record.arrival;
            record.history.note(arrival, (call.started, now), Some(words));
            record.history.may_have_been_written |= error.doubt == Doubt::MayHaveBeenWritten;
            match verdict {
                Verdict::Fail(reason) => self.finish(Finished::Failed { record, reason }),
                _ => self.retry(record, now),
            }
        }
    }

    /// Sends a refused call's entries again in halves.
    fn search(&mut self, mut call: InFlight<T>, error: &CallError, now: Moment) {
        for record in &mut call.records {
            let words = (error.code.clone(), error.message.clone());
            let arrival = record.arrival;
            record.history.note(arrival, (call.started, now), Some(words));
            self.totals.retried(record.members.len());
        }
        self.suspects.put(call.records);
    }

    fn look_for_hot_keys(&mut self, record: &KinesisRecord<T>, now: Moment) {
        let Some(shard) = record.predicted_shard.filter(|_| self.hot_keys.wants_a_look(now)) else { return };
        record.for_each_record(|part| self.hot_keys.note(shard, part));
        let Some(shard_id) = self.shards.id(shard).cloned() else { return };
        if let Some(report) = self.hot_keys.report(shard, now) {
            self.actions.push_back(Action::Warn(shard_id, report));
        }
    }

    /// Sends a record again: as it is while its prediction holds, else member by member.
    pub(super) fn retry(&mut self, record: KinesisRecord<T>, now: Moment) {
        if self.expiration(record.arrival) <= now {
            self.expire(record, now);
            return;
        }
        self.totals.retried(record.members.len());
        // Where order does not count, a record without a prediction does without one for the rest of its life.
        let is_free = record.predicted_shard.is_none() && !self.config.strict_order;
        if is_free || self.is_predicted_still(&record) {
            self.limiter.put_back(record, now);
        } else {
            self.take_apart(record, now, false);
        }
    }

    /// Of an expired Kinesis record, finishes the members that have expired and sends the younger ones again.
    pub(super) fn expire(&mut self, record: KinesisRecord<T>, now: Moment) {
        let youngest = record.members.iter().map(|member| member.arrival).max();
        if youngest.is_some_and(|arrival| self.expiration(arrival) <= now) {
            self.finish(Finished::Failed { record, reason: FailureReason::Expired });
        } else {
            self.take_apart(record, now, false);
        }
    }

    /// Hands a Kinesis record's members back to the aggregator, or holds them until there is a new shard map.
    pub(super) fn take_apart(&mut self, record: KinesisRecord<T>, now: Moment, until_listed: bool) {
        let parts = parts_of(record);
        if self.config.strict_order {
            if until_listed && self.shards.is_listing() {
                self.limiter.halt();
            }
            return self.put_back_in_order(parts, now);
        }
        for part in parts {
            let expiration = self.expiration(part.member.arrival);
            if expiration <= now {
                let record = part.into_alone(now);
                self.finish(Finished::Failed { record, reason: FailureReason::Expired });
            } else if part.member.times(WRONG_SHARD) >= MISPLACED_AT_MOST {
                self.send_alone(part, now);
            } else if until_listed && self.shards.is_listing() {
                self.held.put_back(part, expiration);
            } else {
                part.with_record(|record, member| self.route(record, member, now));
            }
        }
    }

    pub(super) fn ask_for_shards(&mut self, seen_at: Moment, now: Moment) {
        if self.shards.contradicted(seen_at, now) {
            self.actions.push_back(Action::ListShards);
        }
    }

    pub(super) fn expiration(&self, arrival: Moment) -> Moment {
        self.config.record_ttl.map_or(Moment::NEVER, |ttl| arrival.plus(ttl))
    }

    pub(super) fn finish(&mut self, finished: Finished<T>) {
        let (Finished::Stored { record, .. } | Finished::Failed { record, .. }) = &finished;
        self.totals.finished(record, finished.failure());
        for member in &record.members {
            self.flushes.finish(member.epoch);
        }
        self.actions.push_back(Action::Finish(finished));
        self.report_flushes();
    }

    pub(super) fn report_flushes(&mut self) {
        while let Some(flush) = self.flushes.next_done() {
            self.actions.push_back(Action::Flushed(flush));
        }
    }
}
