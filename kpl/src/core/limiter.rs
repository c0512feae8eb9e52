//! Second stage: Kinesis records pass at the pace that their shard takes, oldest first.
//!
//! Each predicted shard is a lane with a token bucket; records without a prediction share one lane without a bucket.
//! A lane whose shard throttled or failed is paused for a jittered time.
//!
//! Invariant: what a lane releases in any time is at most its rate times that time plus one second's worth; nothing
//! is released during a pause; nothing expired is released.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use crate::core::jitter::full_jitter;
use crate::core::token_bucket::TokenBucket;
use crate::kinesis_record::KinesisRecord;
use crate::limits::{SHARD_BYTES_PER_SECOND, SHARD_RECORDS_PER_SECOND};
use crate::types::{Moment, ShardIndex};

/// How long a lane without credit waits at least: it then releases a few records at once, for fuller calls and fewer
/// wake-ups. A bucket holds a second's worth, so nothing is lost by it.
const PATIENCE: Duration = Duration::from_millis(20);

/// A shard, or `None` for records without a prediction.
type Lane = Option<ShardIndex>;

/// The lanes of one stream.
#[derive(Debug)]
pub(crate) struct Limiter<T> {
    /// Part of a shard's limits that may be used.
    share: f64,
    record_ttl: Option<Duration>,
    lanes: HashMap<Lane, LaneState<T>>,
    /// When to look at which lane; holds exactly the lanes that have records.
    due: BTreeSet<(Moment, Lane)>,
}

#[derive(Debug)]
struct LaneState<T> {
    bucket: Option<TokenBucket>,
    /// Oldest first.
    queue: VecDeque<KinesisRecord<T>>,
    paused_until: Moment,
    failures: u32,
    due: Moment,
}

impl<T> Limiter<T> {
    pub(crate) fn new(rate_limit_percent: u32, record_ttl: Option<Duration>) -> Self {
        let share = f64::from(rate_limit_percent) / 100.0;
        Self { share, record_ttl, lanes: HashMap::new(), due: BTreeSet::new() }
    }

    /// Queues a record in its lane, behind the older ones.
    pub(crate) fn put(&mut self, record: KinesisRecord<T>, now: Moment) {
        let lane = record.predicted_shard;
        let share = self.share;
        let state = self.lanes.entry(lane).or_insert_with(|| LaneState {
            bucket: lane.map(|_| {
                TokenBucket::new(SHARD_RECORDS_PER_SECOND * share, SHARD_BYTES_PER_SECOND * share, now)
            }),
            queue: VecDeque::new(),
            paused_until: Moment::ORIGIN,
            failures: 0,
            due: Moment::NEVER,
        });
        let place = state.queue.partition_point(|queued| queued.arrival <= record.arrival);
        state.queue.insert(place, record);
        // The next release finds a pause, or what expires during it.
        let due = if place == 0 { now } else { state.due };
        schedule(&mut self.due, lane, state, due);
    }

    /// Takes out what may leave now and what has expired.
    pub(crate) fn release(
        &mut self,
        now: Moment,
        released: &mut Vec<KinesisRecord<T>>,
        expired: &mut Vec<KinesisRecord<T>>,
    ) {
        while let Some(&(due, lane)) = self.due.first() {
            if due > now {
                return;
            }
            let Some(state) = self.lanes.get_mut(&lane) else {
                return;
            };
            let next = state.drain(now, self.record_ttl, released, expired);
            schedule(&mut self.due, lane, state, next);
        }
    }

    /// The shard (or the unpredicted traffic) throttled or failed an entry: hold its lane back for a while.
    pub(crate) fn pause(&mut self, lane: Lane, sent_at: Moment, now: Moment, random: &mut fastrand::Rng) {
        let Some(state) = self.lanes.get_mut(&lane) else {
            return;
        };
        // Entries of calls that started before the pause began are the same trouble, not a new one.
        if sent_at < state.paused_until && state.failures > 0 {
            return;
        }
        state.failures = state.failures.saturating_add(1);
        state.paused_until = now.plus(full_jitter(state.failures, random));
        // The next release finds the pause, or what expires during it.
        let due = if state.queue.is_empty() { state.due } else { now };
        schedule(&mut self.due, lane, state, due);
    }

    /// The shard took an entry: its trouble is over.
    pub(crate) fn recovered(&mut self, lane: Lane) {
        if let Some(state) = self.lanes.get_mut(&lane) {
            state.failures = 0;
        }
    }

    /// When [`Limiter::release`] has something to do.
    pub(crate) fn next_wakeup(&self) -> Moment {
        self.due.first().map_or(Moment::NEVER, |(due, _)| *due)
    }

    /// Arrival of the oldest record queued.
    pub(crate) fn oldest_arrival(&self) -> Moment {
        let heads = self.lanes.values().filter_map(|lane| lane.queue.front());
        heads.map(|record| record.arrival).min().unwrap_or(Moment::NEVER)
    }

    /// Takes out everything.
    pub(crate) fn drain_all(&mut self) -> Vec<KinesisRecord<T>> {
        self.due.clear();
        self.lanes.drain().flat_map(|(_, state)| state.queue).collect()
    }

    /// User records queued.
    #[cfg(test)]
    pub(crate) fn members(&self) -> usize {
        self.lanes.values().flat_map(|lane| &lane.queue).map(|record| record.members.len()).sum()
    }
}

impl<T> LaneState<T> {
    /// Releases from the front; answers when to come back.
    fn drain(
        &mut self,
        now: Moment,
        record_ttl: Option<Duration>,
        released: &mut Vec<KinesisRecord<T>>,
        expired: &mut Vec<KinesisRecord<T>>,
    ) -> Moment {
        while let Some(head) = self.queue.front() {
            let expiration = record_ttl.map_or(Moment::NEVER, |ttl| head.arrival.plus(ttl));
            if expiration <= now {
                expired.extend(self.queue.pop_front());
                continue;
            }
            if self.paused_until > now {
                return self.paused_until.min(expiration);
            }
            let bytes = head.data.len();
            if let Some(Err(credit_at)) = self.bucket.as_mut().map(|bucket| bucket.take(bytes, now)) {
                return credit_at.max(now.plus(PATIENCE)).min(expiration);
            }
            released.extend(self.queue.pop_front());
        }
        Moment::NEVER
    }
}

fn schedule<T>(due_lanes: &mut BTreeSet<(Moment, Lane)>, lane: Lane, state: &mut LaneState<T>, due: Moment) {
    if state.due == due {
        return;
    }
    due_lanes.remove(&(state.due, lane));
    state.due = due;
    if !state.queue.is_empty() {
        due_lanes.insert((due, lane));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::aggregator::alone;
    use crate::kinesis_record::Member;
    use crate::user_record::RecordRef;

    const SHARD: Lane = Some(ShardIndex(0));

    fn at(milliseconds: u64) -> Moment {
        Moment::after_origin(Duration::from_millis(milliseconds))
    }

    fn record(tag: u64, arrival: u64, data: &[u8], lane: Lane) -> KinesisRecord<u64> {
        let record = RecordRef::new("k", data);
        let member = Member { tag, arrival: at(arrival), epoch: 0, cost: 0, history: None };
        alone(record, record.hash_key(), lane, member, at(arrival + 100))
    }

    fn release(limiter: &mut Limiter<u64>, now: u64) -> (Vec<u64>, Vec<u64>) {
        let (mut released, mut expired) = (Vec::new(), Vec::new());
        limiter.release(at(now), &mut released, &mut expired);
        let tags =
            |records: Vec<KinesisRecord<u64>>| records.iter().map(|record| record.members[0].tag).collect();
        (tags(released), tags(expired))
    }

    #[test]
    fn a_shard_gets_its_rate_and_the_oldest_go_first() {
        let mut limiter = Limiter::new(100, None);
        for tag in (0..2000).rev() {
            limiter.put(record(tag, tag, b"x", SHARD), at(2000));
        }
        let (first, _) = release(&mut limiter, 2000);
        assert_eq!(first, (0..1000).collect::<Vec<_>>(), "one second's worth at once");
        let (second, _) = release(&mut limiter, 2500);
        assert_eq!(second, (1000..1500).collect::<Vec<_>>());
        assert_eq!(limiter.next_wakeup(), at(2520), "not for a single record's credit");
    }

    #[test]
    fn records_without_a_prediction_are_not_paced() {
        let mut limiter = Limiter::new(100, None);
        for tag in 0..3000 {
            limiter.put(record(tag, 0, b"x", None), at(0));
        }
        assert_eq!(release(&mut limiter, 0).0.len(), 3000);
        assert_eq!(limiter.next_wakeup(), Moment::NEVER);
    }

    #[test]
    fn what_expires_in_the_queue_is_not_released() {
        let mut limiter = Limiter::new(100, Some(Duration::from_secs(1)));
        limiter.put(record(1, 0, b"x", SHARD), at(0));
        limiter.put(record(2, 900, b"x", SHARD), at(900));
        assert_eq!(release(&mut limiter, 1000), (vec![2], vec![1]));
    }

    #[test]
    fn what_expires_during_a_pause_is_told_on_time() {
        let mut limiter = Limiter::new(100, Some(Duration::from_millis(100)));
        limiter.put(record(1, 0, b"x", SHARD), at(0));
        assert_eq!(release(&mut limiter, 0).0, [1]);
        limiter.lanes.get_mut(&SHARD).expect("the lane").paused_until = at(5000);
        limiter.put(record(1, 0, b"x", SHARD), at(50));
        release(&mut limiter, 50);
        assert_eq!(limiter.next_wakeup(), at(100));
        assert_eq!(release(&mut limiter, 100), (vec![], vec![1]));
    }

    #[test]
    fn a_pause_holds_its_lane_only_and_grows() {
        let mut limiter = Limiter::new(100, None);
        let mut random = fastrand::Rng::with_seed(1);
        for lane in [SHARD, Some(ShardIndex(1))] {
            limiter.put(record(0, 0, b"x", lane), at(0));
        }
        release(&mut limiter, 0);
        for _ in 0..10 {
            let until = limiter.lanes[&SHARD].paused_until;
            limiter.pause(SHARD, until, until, &mut random);
        }
        assert_eq!(limiter.lanes[&SHARD].failures, 10);
        let until = limiter.lanes[&SHARD].paused_until;
        limiter.pause(SHARD, at(0), at(1), &mut random);
        assert_eq!(limiter.lanes[&SHARD].failures, 10, "an old call's failure is the same trouble");
        limiter.put(record(1, 1, b"x", SHARD), at(1));
        limiter.put(record(2, 1, b"x", Some(ShardIndex(1))), at(1));
        assert_eq!(release(&mut limiter, 1).0, [2]);
        assert_eq!(limiter.next_wakeup(), until);
        let (mut released, mut expired) = (Vec::new(), Vec::new());
        limiter.release(until, &mut released, &mut expired);
        assert_eq!(released.len(), 1);
        limiter.recovered(SHARD);
        assert_eq!(limiter.lanes[&SHARD].failures, 0);
    }
}
