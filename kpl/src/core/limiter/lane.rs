//! One lane: the records of one predicted shard.
//!
//! Invariant: its queue is in the order of arrival; where order is kept, in the order of each hash key.

use std::time::Duration;

use super::queue::Queue;
use crate::core::keys_under_way::{KeysUnderWay, Span, overlap};
use crate::core::token_bucket::TokenBucket;
use crate::kinesis_record::KinesisRecord;
use crate::types::Moment;

/// How long a lane without credit waits at least: it then releases a few records at once, for fuller calls and fewer
/// wake-ups. A bucket holds a second's worth, so nothing is lost by it.
const PATIENCE: Duration = Duration::from_millis(20);

/// How many records that have to wait for one in flight are passed over, in search of one that has not.
const PASSED_OVER: usize = 64;

#[derive(Debug)]
pub(super) struct LaneState<T> {
    pub(super) bucket: Option<TokenBucket>,
    pub(super) queue: Queue<T>,
    pub(super) paused_until: Moment,
    /// Until when it waits for a listing, because its shard has closed.
    pub(super) held_until: Moment,
    pub(super) failures: u32,
    /// Whether it is paused, or had records that could not leave when it was looked at last.
    pub(super) is_held_back: bool,
    /// When it will be looked at.
    pub(super) due: Moment,
}

/// What is left of a lane after a look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looked {
    /// Nothing.
    Empty,
    /// Records that may leave then, or expire.
    Until(Moment),
    /// Records that wait for others in flight, and the first of which expires then.
    Blocked(Moment),
    /// A record expired; those behind it wait for what is left of it.
    Expired,
}

impl<T> LaneState<T> {
    pub(super) fn new(bucket: Option<TokenBucket>) -> Self {
        Self {
            bucket,
            queue: Queue::new(),
            paused_until: Moment::ORIGIN,
            held_until: Moment::ORIGIN,
            failures: 0,
            is_held_back: false,
            due: Moment::NEVER,
        }
    }

    /// Until when nothing is released.
    pub(super) fn closed_until(&self) -> Moment {
        self.paused_until.max(self.held_until)
    }

    /// Releases from the front; answers when to come back.
    pub(super) fn drain(
        &mut self,
        now: Moment,
        record_ttl: Option<Duration>,
        released: &mut Vec<KinesisRecord<T>>,
        expired: &mut Vec<KinesisRecord<T>>,
    ) -> Moment {
        while let Some(head) = self.queue.front() {
            let expiration = expiration(head, record_ttl);
            if expiration <= now {
                expired.extend(self.queue.pop_front());
                continue;
            }
            let bytes = head.data.len();
            if let Err(wait) = self.admit(bytes, now) {
                return wait.min(expiration);
            }
            released.extend(self.queue.pop_front());
        }
        Moment::NEVER
    }

    /// Releases nothing.
    pub(super) fn wait(
        &mut self,
        now: Moment,
        record_ttl: Option<Duration>,
        expired: &mut Vec<KinesisRecord<T>>,
    ) -> Looked {
        match self.queue.front().map(|head| expiration(head, record_ttl)) {
            None => Looked::Empty,
            Some(expires) if expires > now => Looked::Blocked(expires),
            Some(_) => {
                expired.extend(self.queue.pop_front());
                Looked::Expired
            }
        }
    }

    /// Releases those that share no hash key with one in flight, nor with an older one that has to wait.
    pub(super) fn drain_in_order(
        &mut self,
        now: Moment,
        record_ttl: Option<Duration>,
        under_way: &mut KeysUnderWay,
        released: &mut Vec<KinesisRecord<T>>,
        expired: &mut Vec<KinesisRecord<T>>,
    ) -> Looked {
        let first_released = released.len();
        let mut waiting: Vec<Span> = Vec::new();
        let looked = loop {
            let Some(head) = self.queue.front() else { break Looked::Empty };
            let expires = expiration(head, record_ttl);
            if expires <= now {
                expired.extend(self.queue.pop_front());
                break Looked::Expired;
            }
            let place = waiting.len();
            let (keys, bytes) = match self.queue.get(place) {
                Some(record) if place < PASSED_OVER => (record.hash_keys, record.data.len()),
                _ => break Looked::Blocked(expires),
            };
            if under_way.overlaps(keys) || waiting.iter().any(|span| overlap(*span, keys)) {
                waiting.push(keys);
                continue;
            }
            if let Err(wait) = self.admit(bytes, now) {
                break Looked::Until(wait.min(expires));
            }
            under_way.insert(keys);
            released.extend(self.queue.remove(place));
        };
        // Others wait for those that leave now, so they wait for nobody.
        if looked != Looked::Empty {
            released[first_released..]
                .iter_mut()
                .for_each(|record| record.deadline = record.deadline.min(now));
        }
        looked
    }

    /// How long a record that comes now would wait, as far as pause and pace go.
    pub(super) fn expected_wait(&self, now: Moment) -> Duration {
        let (records, bytes) = (self.queue.len(), self.queue.bytes());
        let credit = self.bucket.as_ref().map_or(now, |bucket| bucket.credit_after(records, bytes, now));
        self.closed_until().max(credit).since(now)
    }

    /// Whether a record of so many bytes may leave, as far as pause and pace go; if not, when to ask again.
    pub(super) fn admit(&mut self, bytes: usize, now: Moment) -> Result<(), Moment> {
        let closed_until = self.closed_until();
        if closed_until > now {
            return Err(closed_until);
        }
        let credit = self.bucket.as_mut().map_or(Ok(()), |bucket| bucket.take(bytes, now));
        credit.map_err(|credit_at| credit_at.max(now.plus(PATIENCE)))
    }
}

fn expiration<T>(record: &KinesisRecord<T>, record_ttl: Option<Duration>) -> Moment {
    record_ttl.map_or(Moment::NEVER, |ttl| record.arrival.plus(ttl))
}
