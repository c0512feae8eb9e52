//! What a new shard map, or its absence, means for the records that are not in flight.
//!
//! Invariant: a record leaves without a prediction only if there is no map to predict by, and none is expected within
//! its patience. As soon as there is one, it is predicted, aggregated and paced like any other.

use super::{Action, Finished, Pipeline, ShardScope};
use crate::core::limiter::Unpredicted;
use crate::core::retrier::wrong_shard;
use crate::core::undecided::Undecided;
use crate::error_class::ErrorClass;
use crate::put_records::{CallError, ShardListing};
use crate::types::Moment;

/// Codes that say that shards will not be listed, while records may well be taken: the permission is missing, or an
/// endpoint does not know the call.
const LISTING_REFUSED: &[&str] =
    &["AccessDeniedException", "AccessDenied", "NotAuthorized", "UnknownOperationException", "InvalidAction"];

impl<T> Pipeline<T> {
    /// Takes the answer to ListShards, or its failure.
    pub(crate) fn shards_listed(&mut self, listing: &Result<ShardListing, CallError>, now: Moment) {
        self.totals.listed(listing.is_err());
        self.last_error.note_listing(listing, now);
        match listing {
            Ok(listing) => self.install(listing, now),
            Err(error) => self.listing_failed(error, now),
        }
    }

    fn install(&mut self, listing: &ShardListing, now: Moment) {
        let got_unpredicted = self.shards.is_learning() && !self.is_untouched();
        self.limiter.shards_are_in_use(got_unpredicted || self.held.is_backlog());
        self.shards.install(listing, &mut self.random);
        let shards = &self.shards;
        self.limiter.forget(|shard| shards.id(shard).is_some());
        let is_auto = self.shards.is_auto();
        self.limiter.set_unpredicted(if is_auto { Unpredicted::Free } else { Unpredicted::Paced }, now);
        self.limiter.end_holds(now);
        for undecided in self.undecided.take() {
            self.decide(undecided, now);
        }
        if self.config.strict_order {
            self.reroute(now);
            if !self.undecided.is_empty() {
                self.limiter.halt();
            }
        } else {
            self.route_again(now);
        }
        for held in self.held.take() {
            held.with_record(|record, member| self.route(record, member, now));
        }
        let shards = &self.shards;
        self.shares.shards_changed(|shard| shards.is_open(shard));
    }

    /// Whether no record has left yet.
    fn is_untouched(&self) -> bool {
        self.totals.calls == 0
    }

    /// The old map, if there is one, goes on predicting; the shell spaces the attempts out.
    fn listing_failed(&mut self, error: &CallError, now: Moment) {
        if self.outstanding() == 0 && self.shards.rest(now) {
            return;
        }
        self.actions.push_back(Action::ListShards(ShardScope::Open));
        self.limiter.end_holds(now);
        // Any other trouble passes, or meets PutRecords, too.
        let is_refused = LISTING_REFUSED.contains(&&*error.code)
            || self.config.fail_if_refused && ErrorClass::of(&error.code) == ErrorClass::Refused;
        if is_refused {
            self.shards.stop_awaiting();
            self.held.take().into_iter().for_each(|held| self.send_alone(held, now));
        }
        // Where order is kept, everything behind an undecided aggregate waits for it.
        let is_expedited = self.config.strict_order && (self.closing || self.flushes.has_hurried());
        if is_refused || is_expedited {
            for undecided in self.undecided.take() {
                self.assume_misplaced(undecided, now);
            }
            self.limiter.resume(now);
        }
    }

    /// Gives what waits for its pace to the shards that the new map predicts. What waits for a shard that has closed
    /// would be stored elsewhere, and what has no prediction now gets one.
    pub(super) fn route_again(&mut self, now: Moment) {
        let shards = &self.shards;
        let mut records = self.limiter.take_lanes(|lane| match lane {
            Some(shard) => !shards.is_open(shard),
            None => !shards.is_auto() && !shards.is_off(),
        });
        self.aggregator.close_shards(now, |shard| !shards.is_open(shard), &mut records);
        for record in records {
            self.take_apart(record, now, false);
        }
    }

    /// The shards that records were stored in predict from now on. (Not where order is kept.)
    pub(super) fn learned(&mut self, now: Moment) {
        self.limiter.shards_are_in_use(true);
        let unpredicted = self.limiter.take_lanes(|lane| lane.is_none());
        unpredicted.into_iter().for_each(|record| self.take_apart(record, now, false));
    }

    /// Decides about an aggregate in a shard that was unknown, now that there is another listing.
    fn decide(&mut self, undecided: Undecided<T>, now: Moment) {
        match self.shards.holds(&undecided.placed.shard_id, undecided.record.hash_keys) {
            Some(true) => self.stored(undecided),
            Some(false) => self.misplaced(undecided, now),
            None => match self.undecided.put_back(undecided) {
                Ok(()) if self.shards.is_unresolved(now) => {
                    self.actions.push_back(Action::ListShards(ShardScope::WithRecentlyClosed));
                }
                Ok(()) => {}
                Err(undecided) => self.misplaced(undecided, now),
            },
        }
    }

    /// Nobody says in time which keys the shard holds.
    pub(super) fn decide_overdue(&mut self, now: Moment) {
        for undecided in self.undecided.take_overdue(now) {
            self.assume_misplaced(undecided, now);
        }
    }

    fn assume_misplaced(&mut self, mut undecided: Undecided<T>, now: Moment) {
        undecided.record.history.may_have_been_written = true;
        self.misplaced(undecided, now);
    }

    fn stored(&mut self, undecided: Undecided<T>) {
        let Undecided { record, placed, .. } = undecided;
        let (shard_id, sequence_number) = (placed.shard_id, placed.sequence_number);
        self.finish(Finished::Stored { record, shard_id, sequence_number });
    }

    fn misplaced(&mut self, undecided: Undecided<T>, now: Moment) {
        let Undecided { mut record, placed, .. } = undecided;
        self.totals.misplaced();
        record.history.refute_last(wrong_shard(&placed.shard_id));
        self.totals.retried(record.members.len());
        self.take_apart(record, now, true);
    }
}
