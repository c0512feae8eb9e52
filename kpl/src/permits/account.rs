//! One stream's account with its producer's budget: taking room, and waiting for it.
//!
//! Invariant: a caller waits only for room that its own stream can give back or that is common; never in a queue with
//! callers of another stream or lane.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use super::turns::{Queue, Turns};
use super::{Budget, Full, Listener, Refused};
use crate::core::room::{Claim, Room};
use crate::driver::Closed;

/// A stream's account.
#[derive(Debug)]
pub(crate) struct Account {
    pub(super) budget: Arc<Budget>,
    pub(super) stream: usize,
    pub(super) listener: Arc<Listener>,
    pub(super) turns: Turns,
}

/// What the SDK holds of a call in flight, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Copies {
    budget: Arc<Budget>,
    stream: usize,
    bytes: usize,
}

/// Counts its owner among those who wait, for as long as it lives.
struct Waiting<'a>([&'a AtomicUsize; 2]);

impl Account {
    /// The part of the budget that is the stream's own, whatever other streams hold.
    pub(crate) fn own_part(&self) -> Room {
        self.budget.own_part()
    }

    /// Takes room for one record. `changed` rings when there may be some, if it is other producers that hold it.
    pub(crate) fn take_now(
        &self,
        cost: u32,
        claim: Claim,
        changed: Option<&Arc<Notify>>,
    ) -> Result<(), Full> {
        self.budget.take(self.stream, Room::of_record(cost), claim, changed)
    }

    /// Makes the room of one record larger or smaller, which is to count for a lane.
    pub(crate) fn resize(&self, taken: u32, cost: u32, claim: Claim) -> Result<(), Full> {
        let grows = Room::of_bytes(cost.saturating_sub(taken) as usize);
        self.budget.take(self.stream, grows, claim, None)?;
        self.give_back(taken.saturating_sub(cost) as usize, 0);
        Ok(())
    }

    pub(crate) fn give_back(&self, bytes: usize, records: usize) {
        self.budget.give_back(self.stream, Room { bytes, records });
    }

    /// Counts what the SDK holds of a call with entries of so many bytes. A call that is to be made is made, so this does
    /// not ask for room; it leaves less for new records.
    pub(crate) fn copies(&self, bytes: usize) -> Copies {
        self.budget.take_copies(self.stream, bytes);
        Copies { budget: Arc::clone(&self.budget), stream: self.stream, bytes }
    }

    /// Makes the callers whose turn it is look again.
    pub(crate) fn wake(&self) {
        self.listener.changed.notify_waiters();
    }

    /// Records and bytes that the whole producer holds.
    #[cfg(test)]
    pub(crate) fn outstanding(&self) -> (usize, usize) {
        self.budget.outstanding()
    }

    /// Whether callers wait in this queue.
    pub(crate) fn has_queue(&self, queue: Queue) -> bool {
        self.listener.waiting.load(Ordering::Acquire) > 0 && self.turns.has(queue)
    }

    /// Tries until there is room, in this queue's order or that of the queue which an attempt names.
    ///
    /// Cancel safe: something is taken only on the last step.
    pub(crate) async fn wait<R>(
        &self,
        mut queue: Queue,
        mut attempt: impl FnMut(&Arc<Notify>) -> Result<R, Refused>,
    ) -> Result<R, Closed> {
        let _waiting = self.waiting();
        loop {
            let place = self.turns.join(queue);
            let _turn = place.turn().await;
            match self.wait_in_turn(queue, &mut attempt).await? {
                Ok(taken) => return Ok(taken),
                Err(other) => queue = other,
            }
        }
    }

    /// The caller's turn: what it took, or the queue where it belongs since the shards changed.
    async fn wait_in_turn<R>(
        &self,
        queue: Queue,
        attempt: &mut impl FnMut(&Arc<Notify>) -> Result<R, Refused>,
    ) -> Result<Result<R, Queue>, Closed> {
        // Given up only after the next look: it may have been woken for others, too.
        let mut _queued = None;
        loop {
            let changed = self.listener.changed.notified();
            tokio::pin!(changed);
            // Listening starts before looking, so that no room given back in between is missed.
            changed.as_mut().enable();
            match attempt(&self.listener.changed) {
                Ok(taken) => return Ok(Ok(taken)),
                Err(Refused::Closed) => return Err(Closed),
                Err(Refused::Full(full)) if full.queue != queue => return Ok(Err(full.queue)),
                Err(Refused::Full(full)) => _queued = full.queued,
            }
            changed.await;
        }
    }

    /// Returns when room was given back, in this stream or elsewhere.
    pub(crate) async fn changed(&self) {
        let _waiting = self.waiting();
        self.listener.changed.notified().await;
    }

    fn waiting(&self) -> Waiting<'_> {
        let counts = [&self.listener.waiting, &self.budget.waiting];
        counts.iter().for_each(|count| _ = count.fetch_add(1, Ordering::AcqRel));
        Waiting(counts)
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.budget.end(self.stream);
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        self.budget.give_copies_back(self.stream, self.bytes);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.iter().for_each(|count| _ = count.fetch_sub(1, Ordering::AcqRel));
    }
}
