//! Second stage: Kinesis records pass at the pace that their shard takes, oldest first.
//!
//! Each predicted shard is a lane with a token bucket; records without a prediction share one lane. Its bucket finds out
//! what the stream takes, unless the service distributes the records itself.
//! A lane whose shard throttled or failed is paused for a jittered time, and one that throttled gets a lower pace for a
//! while. Where order is kept, a record also waits for those before it that share hash keys with it.
//!
//! Invariant: what a lane releases in any time is at most its rate times that time plus one second's worth; nothing
//! is released during a pause; nothing expired is released.

mod lane;
mod queue;

use std::collections::BTreeSet;
use std::time::Duration;

use hashbrown::HashMap;

use self::lane::{LaneState, Looked};
use self::queue::Queue;
use crate::core::jitter::{full_jitter, throttle_pause};
use crate::core::keys_under_way::{KeysUnderWay, overlap};
use crate::core::token_bucket::{Pace, TokenBucket};
use crate::kinesis_record::KinesisRecord;
use crate::types::{Moment, ShardIndex};

/// A shard, or `None` for records without a prediction.
type Lane = Option<ShardIndex>;

/// What the configuration says about the pace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Percent of a shard's limits that may be used.
    pub(crate) rate_limit: u32,
    /// Whether a shard that throttles gets less for a while.
    pub(crate) adaptive_rate: bool,
    pub(crate) record_ttl: Option<Duration>,
    /// Whether records of one hash key leave one after the other.
    pub(crate) strict_order: bool,
    pub(crate) unpredicted: Unpredicted,
}

/// How records without a prediction leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unpredicted {
    /// As they come: the service distributes them, or there are no shards.
    Free,
    /// At a pace that begins with one shard's and finds out what the stream takes: their shards are not known.
    Paced,
}

/// How long a lane is held at most while the shards are listed.
const HELD_AT_MOST: Duration = Duration::from_secs(5);

/// The lanes of one stream.
#[derive(Debug)]
pub(crate) struct Limiter<T> {
    paces: Paces,
    record_ttl: Option<Duration>,
    lanes: HashMap<Lane, LaneState<T>>,
    /// When to look at which lane; holds exactly the lanes that have records.
    due: BTreeSet<(Moment, Lane)>,
    order: Option<Order>,
    /// Lanes that are held back.
    held_back: usize,
}

/// The paces of lanes.
#[derive(Debug, Clone, Copy)]
struct Paces {
    of_shard: Pace,
    /// `None` where they leave as they come.
    of_unpredicted: Option<Pace>,
    rate_limit: u32,
    /// Whether the shards of new lanes got unpredicted records a moment ago, or get a backlog now.
    are_shards_in_use: bool,
}

/// What keeps the order of records of one hash key.
#[derive(Debug, Default)]
struct Order {
    under_way: KeysUnderWay,
    /// Lanes in which a record waits for one in flight.
    blocked: BTreeSet<Lane>,
    /// Whether everything waits for a new shard map.
    is_halted: bool,
}

impl<T> Limiter<T> {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            paces: Paces {
                of_shard: Pace::of_shard(limits.rate_limit, limits.adaptive_rate),
                of_unpredicted: match limits.unpredicted {
                    Unpredicted::Free => None,
                    Unpredicted::Paced => Some(Pace::of_unknown_shards(limits.rate_limit)),
                },
                rate_limit: limits.rate_limit,
                are_shards_in_use: false,
            },
            record_ttl: limits.record_ttl,
            lanes: HashMap::new(),
            due: BTreeSet::new(),
            order: limits.strict_order.then(Order::default),
            held_back: 0,
        }
    }

    /// Lets a record pass if nothing holds it back: most need not be queued. Otherwise it is, as by [`Limiter::put`].
    pub(crate) fn pass(&mut self, record: KinesisRecord<T>, now: Moment) -> Option<KinesisRecord<T>> {
        let is_free = self.order.is_none() && {
            let state = lane_of(&mut self.lanes, record.predicted_shard, self.paces, now);
            state.queue.is_empty() && state.admit(record.data.len(), now).is_ok()
        };
        if is_free {
            return Some(record);
        }
        self.put(record, now);
        None
    }

    /// Queues a record in its lane, behind the older ones.
    pub(crate) fn put(&mut self, record: KinesisRecord<T>, now: Moment) {
        let keeps_order = self.order.is_some();
        self.insert(record, now, |queue, record| {
            // Where order is kept, records come in order, but not by the arrival of their oldest members.
            let is_youngest = queue.back().is_none_or(|last| last.arrival <= record.arrival);
            if keeps_order || is_youngest {
                queue.len()
            } else {
                queue.partition_point(|queued| queued.arrival <= record.arrival)
            }
        });
    }

    /// Queues a record that was released before, or was part of one, in front of those that waited for it.
    pub(crate) fn put_back(&mut self, record: KinesisRecord<T>, now: Moment) {
        if self.order.is_none() {
            return self.put(record, now);
        }
        self.insert(record, now, |queue, record| {
            let is_behind = |queued: &KinesisRecord<T>| {
                queued.arrival > record.arrival || overlap(queued.hash_keys, record.hash_keys)
            };
            queue.iter().position(is_behind).unwrap_or(queue.len())
        });
    }

    fn insert(
        &mut self,
        record: KinesisRecord<T>,
        now: Moment,
        place: impl FnOnce(&Queue<T>, &KinesisRecord<T>) -> usize,
    ) {
        let lane = record.predicted_shard;
        let state = lane_of(&mut self.lanes, lane, self.paces, now);
        let place = place(&state.queue, &record);
        state.queue.insert(place, record);
        // The next release finds a pause, or what expires during it. Where order is kept, the record may pass others.
        let due = if place == 0 || self.order.is_some() { now } else { state.due };
        schedule(&mut self.due, lane, state, due);
    }

    /// Takes out what may leave now and what has expired.
    pub(crate) fn release(
        &mut self,
        now: Moment,
        released: &mut Vec<KinesisRecord<T>>,
        expired: &mut Vec<KinesisRecord<T>>,
    ) {
        let mut again = Vec::new();
        while let Some(&(due, lane)) = self.due.first() {
            if due > now {
                break;
            }
            let Some(state) = self.lanes.get_mut(&lane) else {
                break;
            };
            let next = match &mut self.order {
                None => state.drain(now, self.record_ttl, released, expired),
                Some(order) => {
                    let (ttl, under_way) = (self.record_ttl, &mut order.under_way);
                    let looked = match order.is_halted {
                        true => state.wait(now, ttl, expired),
                        false => state.drain_in_order(now, ttl, under_way, released, expired),
                    };
                    if looked == Looked::Expired {
                        again.push(lane);
                    }
                    order.note(lane, looked)
                }
            };
            let is_held_back = !state.queue.is_empty() || state.closed_until() > now;
            hold_back(&mut self.held_back, state, is_held_back);
            schedule(&mut self.due, lane, state, next);
        }
        // What is left of an expired record comes back first.
        for lane in again {
            self.look_at(lane, now);
        }
    }

    /// A record that was released got its answer, or will not be sent: those that waited for it may leave.
    pub(crate) fn landed(&mut self, record: &KinesisRecord<T>, now: Moment) {
        let Some(order) = &mut self.order else { return };
        let lane = record.predicted_shard;
        if order.under_way.remove(record.hash_keys) {
            for lane in std::mem::take(&mut order.blocked) {
                self.look_at(lane, now);
            }
        } else if order.blocked.remove(&lane) {
            self.look_at(lane, now);
        }
    }

    /// Where order is kept, nothing leaves from now on, until [`Limiter::resume`].
    pub(crate) fn halt(&mut self) {
        if let Some(order) = &mut self.order {
            order.is_halted = true;
        }
    }

    /// There is a new shard map, or there will be none soon: what is queued may leave.
    pub(crate) fn resume(&mut self, now: Moment) {
        let Some(order) = &mut self.order else { return };
        order.is_halted = false;
        order.under_way.next_map();
        for lane in std::mem::take(&mut order.blocked) {
            self.look_at(lane, now);
        }
    }

    /// The shard (or the unpredicted traffic) throttled or failed an entry: hold its lane back for a while.
    pub(crate) fn pause(
        &mut self,
        lane: Lane,
        is_throttled: bool,
        sent_at: Moment,
        now: Moment,
        random: &mut fastrand::Rng,
    ) {
        let Some(state) = self.lanes.get_mut(&lane) else {
            return;
        };
        // Entries of calls that started before the pause began are the same trouble, not a new one.
        if sent_at < state.paused_until && state.failures > 0 {
            return;
        }
        state.failures = state.failures.saturating_add(1);
        let pause = if is_throttled { throttle_pause } else { full_jitter };
        state.paused_until = now.plus(pause(state.failures, random));
        hold_back(&mut self.held_back, state, true);
        if let Some(bucket) = state.bucket.as_mut().filter(|_| is_throttled) {
            bucket.slow_down(now);
        }
        self.look_at(lane, now);
    }

    /// Says how records without a prediction leave from now on.
    pub(crate) fn set_unpredicted(&mut self, unpredicted: Unpredicted, now: Moment) {
        let pace = match unpredicted {
            Unpredicted::Free => None,
            Unpredicted::Paced => Some(Pace::of_unknown_shards(self.paces.rate_limit)),
        };
        if pace.is_some() == self.paces.of_unpredicted.is_some() {
            return;
        }
        self.paces.of_unpredicted = pace;
        let bucket = self.paces.bucket(None, now);
        if let Some(state) = self.lanes.get_mut(&None) {
            state.bucket = bucket;
        }
        self.look_at(None, now);
    }

    /// Records go to shards from now on that got unpredicted ones until now, or many at once.
    pub(crate) fn shards_are_in_use(&mut self, are_in_use: bool) {
        self.paces.are_shards_in_use = are_in_use;
    }

    /// A lane's shard has closed: its records wait until [`Limiter::end_holds`], for a bounded time.
    pub(crate) fn hold(&mut self, lane: Lane, now: Moment) {
        if let Some(state) = self.lanes.get_mut(&lane) {
            state.held_until = now.plus(HELD_AT_MOST);
            hold_back(&mut self.held_back, state, true);
        }
    }

    /// No lane is held any more.
    pub(crate) fn end_holds(&mut self, now: Moment) {
        let held: Vec<_> =
            self.lanes.iter().filter(|(_, state)| state.held_until > now).map(|(lane, _)| *lane).collect();
        for lane in held {
            if let Some(state) = self.lanes.get_mut(&lane) {
                state.held_until = Moment::ORIGIN;
            }
            self.look_at(lane, now);
        }
    }

    /// Takes out the records of those lanes. The lanes keep their pace.
    pub(crate) fn take_lanes(&mut self, is_taken: impl Fn(Lane) -> bool) -> Vec<KinesisRecord<T>> {
        // In the order of lanes, so that the same inputs give the same actions.
        let mut lanes: Vec<_> = self.lanes.keys().copied().filter(|lane| is_taken(*lane)).collect();
        lanes.sort_unstable();
        let mut taken = Vec::new();
        for lane in lanes {
            if let Some(state) = self.lanes.get_mut(&lane) {
                self.due.remove(&(state.due, lane));
                state.due = Moment::NEVER;
                taken.extend(state.queue.take_all());
            }
        }
        taken
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

    /// Whether some lane is paused, or has records that wait for their time.
    pub(crate) fn holds_back(&self) -> bool {
        self.held_back > 0
    }

    /// How long a record of this lane that comes now would wait, as far as pause and pace go.
    pub(crate) fn expected_wait(&self, lane: Lane, now: Moment) -> Duration {
        self.lanes.get(&lane).map_or(Duration::ZERO, |state| state.expected_wait(now))
    }

    /// Arrival of the oldest record queued.
    pub(crate) fn oldest_arrival(&self) -> Moment {
        let looked_at = if self.order.is_some() { usize::MAX } else { 1 };
        let records = self.lanes.values().flat_map(|lane| lane.queue.iter().take(looked_at));
        records.map(|record| record.arrival).min().unwrap_or(Moment::NEVER)
    }

    /// Takes out everything. The lanes keep their pace.
    pub(crate) fn drain_all(&mut self) -> Vec<KinesisRecord<T>> {
        self.due.clear();
        let mut drained = Vec::new();
        for state in self.lanes.values_mut() {
            state.due = Moment::NEVER;
            drained.extend(state.queue.take_all());
        }
        drained
    }

    /// Forgets the lanes of shards that are known no more.
    pub(crate) fn forget(&mut self, is_known: impl Fn(ShardIndex) -> bool) {
        let held_back = &mut self.held_back;
        self.lanes.retain(|lane, state| {
            let is_kept = !state.queue.is_empty() || lane.is_none_or(&is_known);
            if !is_kept {
                hold_back(held_back, state, false);
            }
            is_kept
        });
    }

    /// User records queued.
    #[cfg(test)]
    pub(crate) fn members(&self) -> usize {
        self.lanes.values().flat_map(|lane| lane.queue.iter()).map(|record| record.members.len()).sum()
    }

    /// The next release finds a pause, or what expires during it.
    fn look_at(&mut self, lane: Lane, now: Moment) {
        if let Some(state) = self.lanes.get_mut(&lane).filter(|state| !state.queue.is_empty()) {
            schedule(&mut self.due, lane, state, now);
        }
    }
}

impl Order {
    /// Notes whether a lane waits for records in flight; answers when to look at it again.
    fn note(&mut self, lane: Lane, looked: Looked) -> Moment {
        match looked {
            Looked::Empty | Looked::Expired => Moment::NEVER,
            Looked::Until(moment) => moment,
            Looked::Blocked(expiration) => {
                self.blocked.insert(lane);
                expiration
            }
        }
    }
}

/// A lane, which is new when its first record comes.
fn lane_of<T>(
    lanes: &mut HashMap<Lane, LaneState<T>>,
    lane: Lane,
    paces: Paces,
    now: Moment,
) -> &mut LaneState<T> {
    lanes.entry(lane).or_insert_with(|| LaneState::new(paces.bucket(lane, now)))
}

impl Paces {
    fn bucket(self, lane: Lane, now: Moment) -> Option<TokenBucket> {
        let pace = if lane.is_some() { Some(self.of_shard) } else { self.of_unpredicted };
        let bucket =
            if self.are_shards_in_use && lane.is_some() { TokenBucket::in_use } else { TokenBucket::new };
        pace.map(|pace| bucket(pace, now))
    }
}

/// Notes whether a lane is held back, and counts it.
fn hold_back<T>(count: &mut usize, state: &mut LaneState<T>, is_held_back: bool) {
    *count += usize::from(is_held_back);
    *count -= usize::from(state.is_held_back);
    state.is_held_back = is_held_back;
}

fn schedule<T>(due_lanes: &mut BTreeSet<(Moment, Lane)>, lane: Lane, state: &mut LaneState<T>, due: Moment) {
    if state.due == due {
        return;
    }
    due_lanes.remove(&(state.due, lane));
    state.due = due;
    if !state.queue.is_empty() && due < Moment::NEVER {
        due_lanes.insert((due, lane));
    }
}

#[cfg(test)]
mod tests;
