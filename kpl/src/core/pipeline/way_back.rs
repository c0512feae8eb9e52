//! The pipeline's way back: from the answers to outcomes, or to another attempt.
//!
//! Invariant: a record that is sent again keeps its age, its attempts and its doubt.

use super::in_order::parts_of;
use super::{Action, Finished, Pipeline, ShardScope};
use crate::core::learned_shards::Lesson;
use crate::core::retrier::{GivingUp, Verdict, WRONG_SHARD, judge_call, judge_entry, wrong_shard};
use crate::core::sender::InFlight;
use crate::error_class::ErrorClass;
use crate::kinesis_record::KinesisRecord;
use crate::outcome::FailureReason;
use crate::put_records::{CallError, Doubt, EntryError, EntryPlaced};
use crate::types::{HashKey, Moment, ShardId, ShardIndex};

/// How often a record may be in an aggregate that landed in the wrong shard. Then it goes alone, which counts wherever
/// it lands: shards that are cut anew again and again, or that no listing shows, cannot hold it for ever.
pub(super) const MISPLACED_AT_MOST: usize = 3;

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
        let verdict = judge_entry(&record, result, &self.shards, GivingUp::of(&self.config));
        let error = match (result, &verdict) {
            (Ok(placed), Verdict::WrongShard) => Some(wrong_shard(&placed.shard_id)),
            (Ok(_), _) => None,
            (Err(error), _) => Some((error.code.clone(), error.message.clone())),
        };
        let arrival = record.arrival;
        record.history.note(arrival, (started, now), error);
        record.history.may_have_been_written |=
            result.as_ref().is_err_and(|error| error.doubt() == Doubt::MayHaveBeenWritten);
        self.limiter.landed(&record, now);
        // Where order is kept, records without a prediction stay in one lane until a listing comes.
        if let Ok(placed) = result
            && !self.config.strict_order
            && self.shards.learn(record.hash_keys.0, &placed.shard_id) == Lesson::Confirmed
        {
            self.learned(now);
        }
        let (lane, hash_key) = (record.predicted_shard, record.hash_keys.0);
        match (verdict, result) {
            (Verdict::Stored { surprised }, Ok(placed)) => {
                self.limiter.recovered(lane);
                if surprised {
                    self.surprised(lane, (hash_key, &placed.shard_id), started, now);
                }
                let EntryPlaced { shard_id, sequence_number } = placed.clone();
                self.finish(Finished::Stored { record, shard_id, sequence_number });
            }
            (Verdict::WrongShard, Ok(placed)) => {
                self.totals.misplaced();
                self.totals.retried(record.members.len());
                self.surprised(lane, (hash_key, &placed.shard_id), started, now);
                let until_listed = !self.shards.is_hidden(&placed.shard_id);
                self.take_apart(record, now, until_listed);
            }
            (Verdict::Undecided, Ok(placed)) => {
                self.limiter.recovered(lane);
                self.surprised(lane, (hash_key, &placed.shard_id), started, now);
                if self.config.strict_order {
                    self.limiter.halt();
                }
                let until = self.map_patience(now).min(self.expiration(record.arrival));
                self.undecided.put(record, placed.clone(), until);
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
            (Verdict::Stored { .. } | Verdict::WrongShard | Verdict::Undecided | Verdict::Search, _) => {
                self.retry(record, now);
            }
        }
    }

    pub(super) fn call_failed(&mut self, call: InFlight<T>, error: &CallError, now: Moment) {
        let verdict = judge_call(error, call.records.len(), GivingUp::of(&self.config));
        if let Verdict::Retry(_) = verdict {
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
            self.actions.push_back(Action::ListShards(ShardScope::Open));
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
        if self.is_predicted_still(&record) {
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
                let until = self.map_patience(now).min(expiration);
                self.held.put_back(part, until);
            } else {
                part.with_record(|record, member| self.route(record, member, now));
            }
        }
    }

    /// A record was stored in another shard than predicted, so the predicted one has closed: what waits for it waits for
    /// the next listing.
    fn surprised(
        &mut self,
        lane: Option<ShardIndex>,
        (hash_key, placed): (HashKey, &ShardId),
        seen_at: Moment,
        now: Moment,
    ) {
        if self.shards.contradicted((hash_key, placed), seen_at, now) {
            self.actions.push_back(Action::ListShards(ShardScope::Open));
        }
        if lane.is_some() && self.shards.is_listing() && self.shards.is_news(placed) {
            self.limiter.hold(lane, now);
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
            self.shares.leave(member);
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
