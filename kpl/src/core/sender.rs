//! Fourth stage: the calls in flight.
//!
//! Invariant: at most the configured number of calls and bytes is in flight, and no more than the line carries in about
//! two seconds; while the service as a whole is in trouble no new call starts before its jittered time. Trouble halves
//! the number of calls that may be in flight, and each answer gives one back: a service that is too slow for all of them
//! would otherwise let every one time out.

use std::collections::HashMap;
use std::time::Duration;

use crate::core::jitter::full_jitter;
use crate::core::line::{Line, Sent};
use crate::kinesis_record::KinesisRecord;
use crate::types::{Moment, RequestId};

/// Bytes of a call beside its entries: the head of the request, with its signature, and of the answer.
const CALL_BYTES: usize = 1_000;

/// For how long records must have waited for the line before it is reported as the limit: on any line they wait for the
/// first answer.
const LIMITED_FOR: Duration = Duration::from_secs(1);

/// The same for a warning.
const WARNED_AFTER: Duration = Duration::from_secs(5);

/// Time between two warnings.
const WARNED_EVERY: Duration = Duration::from_secs(60);

/// The table of calls in flight.
#[derive(Debug)]
pub(crate) struct Sender<T> {
    max_requests: usize,
    /// Calls that may be in flight now, from 1 to `max_requests`: halved by trouble, one more with each answer.
    concurrency: usize,
    max_bytes: usize,
    in_flight: HashMap<RequestId, InFlight<T>>,
    bytes: usize,
    next_id: u64,
    paused_until: Moment,
    failures: u32,
    line: Line,
    /// Since when records have been waiting because the line takes no more.
    limited_since: Option<Moment>,
    /// When the next warning about that is due.
    warns_at: Moment,
}

/// One call in flight.
#[derive(Debug)]
pub(crate) struct InFlight<T> {
    pub(crate) records: Vec<KinesisRecord<T>>,
    pub(crate) started: Moment,
    sent: Sent,
}

impl<T> Sender<T> {
    pub(crate) fn new(max_requests: usize, max_bytes: usize) -> Self {
        Self {
            max_requests,
            concurrency: max_requests,
            max_bytes,
            in_flight: HashMap::new(),
            bytes: 0,
            next_id: 0,
            paused_until: Moment::ORIGIN,
            failures: 0,
            line: Line::new(),
            limited_since: None,
            warns_at: Moment::ORIGIN,
        }
    }

    /// When another call may start; [`Moment::NEVER`] while it takes an answer first.
    pub(crate) fn room_at(&self) -> Moment {
        let has_room = self.may_start_calls() && self.line.has_room();
        if has_room { self.paused_until.max(self.line.paced_until()) } else { Moment::NEVER }
    }

    /// Whether the limits that have nothing to do with the line let another call start.
    fn may_start_calls(&self) -> bool {
        self.in_flight.len() < self.concurrency && self.bytes < self.max_bytes
    }

    /// The most bytes on the wire that the next call may have, unless it has one entry.
    pub(crate) fn call_bytes(&self) -> usize {
        self.line.call_bytes()
    }

    /// How long the line may take to carry what is in flight.
    pub(crate) fn transfer_time(&self) -> Duration {
        self.line.transfer_time()
    }

    /// What the line carries, in bytes a second; `None` while it is not known.
    pub(crate) fn line_rate(&self) -> Option<u64> {
        self.line.rate().map(|rate| rate as u64)
    }

    /// Notes whether records wait for a call.
    pub(crate) fn note_waiting(&mut self, is_waiting: bool, now: Moment) {
        let is_line_busy = !self.line.has_room() || self.line.paced_until() > now;
        let is_limited = is_waiting && is_line_busy && self.may_start_calls() && self.paused_until <= now;
        self.limited_since = is_limited.then(|| self.limited_since.unwrap_or(now));
    }

    /// Whether records have been waiting because the line takes no more.
    pub(crate) fn is_limited_by_line(&self, now: Moment) -> bool {
        self.is_limited_for(LIMITED_FOR, now)
    }

    /// What the line carries, if it is time to warn that it is the limit.
    pub(crate) fn line_warning(&mut self, now: Moment) -> Option<u64> {
        let rate = self.line_rate().filter(|_| self.is_limited_for(WARNED_AFTER, now))?;
        if now < self.warns_at {
            return None;
        }
        self.warns_at = now.plus(WARNED_EVERY);
        Some(rate)
    }

    fn is_limited_for(&self, least: Duration, now: Moment) -> bool {
        self.limited_since.is_some_and(|since| now.since(since) >= least)
    }

    /// Whether no call is in flight.
    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// A call in flight.
    pub(crate) fn call(&self, id: RequestId) -> Option<&InFlight<T>> {
        self.in_flight.get(&id)
    }

    /// Calls in flight.
    pub(crate) fn calls(&self) -> usize {
        self.in_flight.len()
    }

    /// Arrival of the oldest record in flight.
    pub(crate) fn oldest_arrival(&self) -> Moment {
        let records = self.in_flight.values().flat_map(|call| &call.records);
        records.map(|record| record.arrival).min().unwrap_or(Moment::NEVER)
    }

    pub(crate) fn start(&mut self, records: Vec<KinesisRecord<T>>, now: Moment) -> RequestId {
        let id = RequestId(self.next_id);
        self.next_id += 1;
        self.bytes += bytes(&records);
        let wire_bytes = records.iter().map(KinesisRecord::wire_bytes).sum::<usize>() + CALL_BYTES;
        let sent = self.line.send(wire_bytes, now);
        self.in_flight.insert(id, InFlight { records, started: now, sent });
        id
    }

    /// Takes a call out of the table; `None` when it is not in it.
    pub(crate) fn finish(&mut self, id: RequestId) -> Option<InFlight<T>> {
        let call = self.in_flight.remove(&id)?;
        self.bytes -= bytes(&call.records);
        self.line.land(&call.sent);
        Some(call)
    }

    /// A call had no answer in its time.
    pub(crate) fn timed_out(&mut self, call: &InFlight<T>, now: Moment) {
        self.line.time_out(&call.sent, now);
    }

    /// A call failed as a whole, for a reason that will pass.
    pub(crate) fn pause(&mut self, started: Moment, now: Moment, random: &mut fastrand::Rng) {
        // Calls that started before the pause began are the same trouble, not a new one.
        if started < self.paused_until && self.failures > 0 {
            return;
        }
        self.failures = self.failures.saturating_add(1);
        // The failed call itself is out of the table already.
        self.concurrency = (self.concurrency.min(self.in_flight.len() + 1) / 2).max(1);
        self.paused_until = now.plus(full_jitter(self.failures, random));
    }

    /// A call was answered.
    pub(crate) fn answered(&mut self, call: &InFlight<T>, now: Moment) {
        self.line.deliver(&call.sent, now);
        self.failures = 0;
        self.concurrency = (self.concurrency + 1).min(self.max_requests);
    }

    /// Takes out everything.
    pub(crate) fn drain_all(&mut self) -> Vec<KinesisRecord<T>> {
        self.bytes = 0;
        self.line.land_all();
        self.in_flight.drain().flat_map(|(_, call)| call.records).collect()
    }

    /// User records in flight.
    #[cfg(test)]
    pub(crate) fn members(&self) -> usize {
        self.in_flight.values().flat_map(|call| &call.records).map(|record| record.members.len()).sum()
    }
}

fn bytes<T>(records: &[KinesisRecord<T>]) -> usize {
    records.iter().map(KinesisRecord::entry_bytes).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn calls_and_failures_bound_what_starts() {
        let mut sender: Sender<()> = Sender::new(2, 1000);
        let mut random = fastrand::Rng::with_seed(3);
        let now = Moment::after_origin(Duration::from_secs(1));
        assert!(sender.room_at() <= now);
        let first = sender.start(Vec::new(), now);
        let second = sender.start(Vec::new(), now);
        assert_eq!(sender.room_at(), Moment::NEVER);
        assert!(sender.finish(first).is_some() && sender.finish(first).is_none());
        sender.finish(second);
        sender.pause(now, now, &mut random);
        let until = sender.room_at();
        assert!(until > now && until < now.plus(Duration::from_millis(51)));
        sender.pause(now, now, &mut random);
        assert_eq!(sender.room_at(), until, "the same trouble");
    }

    #[test]
    fn trouble_halves_the_calls_and_answers_give_them_back() {
        let mut sender: Sender<()> = Sender::new(8, 1000);
        let mut random = fastrand::Rng::with_seed(3);
        let mut now = Moment::after_origin(Duration::from_secs(1));
        let fill = |sender: &mut Sender<()>, now: Moment| {
            let started =
                std::iter::from_fn(|| (sender.room_at() <= now).then(|| sender.start(Vec::new(), now)));
            started.collect::<Vec<_>>()
        };
        for expected in [8, 4, 2, 1, 1] {
            let calls = fill(&mut sender, now);
            assert_eq!(calls.len(), expected);
            for call in calls {
                let started = sender.finish(call).expect("is under way").started;
                sender.pause(started, now, &mut random);
            }
            now = now.plus(Duration::from_secs(10));
        }
        for expected in [1, 2, 4, 8, 8] {
            let calls = fill(&mut sender, now);
            assert_eq!(calls.len(), expected);
            for call in calls {
                let call = sender.finish(call).expect("is under way");
                sender.answered(&call, now);
            }
        }
    }
}
