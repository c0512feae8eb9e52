//! The budget over everything that a producer holds, the copies included that the SDK makes of what is under way: at its
//! bound a caller waits or gets its record back.
//!
//! Invariant: what was taken for a record is given back exactly when its outcome has been delivered. Callers that
//! wait are served in the order in which they came, so a large record is not passed over for ever.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::shared_budget::{BudgetPart, QueuedLoan};
use crate::user_record::RecordRef;

/// What a record costs besides its bytes: its places in the tables, and what its failure would take.
const OVERHEAD_BYTES: usize = 192;

/// Bytes and records that may be held, and are.
#[derive(Debug)]
pub(crate) struct Budget {
    max_bytes: usize,
    max_records: usize,
    /// What is shared with other producers.
    part: BudgetPart,
    held: Mutex<Held>,
    /// Callers that wait, the one whose turn it is included.
    waiting: AtomicUsize,
    /// Held by the caller whose turn it is; the others queue for it.
    turn: tokio::sync::Mutex<()>,
    /// Heard by the caller whose turn it is.
    changed: Arc<Notify>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Held {
    bytes: usize,
    records: usize,
    /// Bytes of the calls under way.
    copies: usize,
}

/// What the SDK holds of a call under way, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Copies {
    budget: Arc<Budget>,
    bytes: usize,
}

/// There is no room now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

/// Counts its owner among those who wait, for as long as it lives.
struct Waiting<'a>(&'a AtomicUsize);

impl Budget {
    pub(crate) fn new(max_bytes: usize, max_records: usize, part: BudgetPart) -> Self {
        Self {
            max_bytes,
            max_records,
            part,
            held: Mutex::default(),
            waiting: AtomicUsize::new(0),
            turn: tokio::sync::Mutex::new(()),
            changed: Arc::default(),
        }
    }

    /// What `record` takes.
    pub(crate) fn cost(record: &RecordRef<'_>) -> u32 {
        Self::cost_of_bytes(record.service_bytes() + record.dedup_id.map_or(0, str::len))
    }

    /// What a record of so many bytes (data and partition key) takes.
    pub(crate) fn cost_of_bytes(bytes: usize) -> u32 {
        u32::try_from(bytes.saturating_add(OVERHEAD_BYTES)).unwrap_or(u32::MAX)
    }

    /// Takes room for one record. A record larger than the whole budget passes when nothing else is held.
    pub(crate) fn try_take(&self, cost: u32) -> Result<(), Full> {
        self.take_now(cost, None).map_err(|_| Full)
    }

    /// The same. Where it is other producers that hold the room, `changed` rings when they give it back.
    fn take_now(&self, cost: u32, changed: Option<&Arc<Notify>>) -> Result<(), Option<QueuedLoan>> {
        let mut held = self.lock();
        let records = held.records + 1;
        self.make_room(&held, cost as usize, records, changed)?;
        held.bytes += cost as usize;
        held.records = records;
        Ok(())
    }

    /// Makes the room of one record larger or smaller.
    pub(crate) fn resize(&self, taken: u32, cost: u32) -> Result<(), Full> {
        let grows = cost.saturating_sub(taken) as usize;
        if grows == 0 {
            self.give_back((taken - cost) as usize, 0);
            return Ok(());
        }
        let mut held = self.lock();
        self.make_room(&held, grows, held.records, None).map_err(|_| Full)?;
        held.bytes += grows;
        Ok(())
    }

    /// Counts what the SDK holds of a call with entries of so many bytes. A call that is to be made is made, so this does
    /// not ask for room; it leaves less for new records.
    pub(crate) fn copies(self: &Arc<Self>, bytes: usize) -> Copies {
        let mut held = self.lock();
        let before = held.all();
        if let Some(loan) = self.part.loan(before, before + bytes) {
            self.part.lend_anyway(loan);
        }
        held.copies += bytes;
        drop(held);
        Copies { budget: Arc::clone(self), bytes }
    }

    /// Makes room for `more` bytes. A record larger than all of it passes when it is the only one.
    fn make_room(
        &self,
        held: &Held,
        more: usize,
        records: usize,
        changed: Option<&Arc<Notify>>,
    ) -> Result<(), Option<QueuedLoan>> {
        let (before, after) = (held.all(), held.all().saturating_add(more));
        let is_alone = records <= 1;
        if !is_alone && (after > self.max_bytes || records > self.max_records) {
            return Err(None);
        }
        match self.part.loan(before, after) {
            None => Ok(()),
            Some(loan) if is_alone => {
                self.part.lend_anyway(loan);
                Ok(())
            }
            Some(loan) => self.part.lend(loan, changed),
        }
    }

    pub(crate) fn give_back(&self, bytes: usize, records: usize) {
        self.shrink(|held| {
            held.bytes = held.bytes.saturating_sub(bytes);
            held.records = held.records.saturating_sub(records);
        });
    }

    fn shrink(&self, change: impl FnOnce(&mut Held)) {
        let (before, after) = {
            let mut held = self.lock();
            let before = held.all();
            change(&mut held);
            (before, held.all())
        };
        self.part.give_back(before, after);
        self.wake();
    }

    /// Makes the caller whose turn it is look again.
    pub(crate) fn wake(&self) {
        self.changed.notify_waiters();
    }

    /// Waits until there is room and takes it, unless `full`, which is asked each time before it waits, says why not.
    ///
    /// Cancel safe: room is taken only on the last step.
    pub(crate) async fn take<E>(&self, cost: u32, mut full: impl FnMut() -> Result<(), E>) -> Result<(), E> {
        if self.waiting.load(Ordering::Acquire) == 0 && self.try_take(cost).is_ok() {
            return Ok(());
        }
        let _waiting = Waiting::count(&self.waiting);
        let _turn = self.turn.lock().await;
        // Given up only after the next look: it may have been woken for others, too.
        let mut _queued = None;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Listening starts before looking, so that no room given back in between is missed.
            changed.as_mut().enable();
            match self.take_now(cost, Some(&self.changed)) {
                Ok(()) => return Ok(()),
                Err(queued) => _queued = queued,
            }
            full()?;
            changed.await;
        }
    }

    /// Records and bytes held.
    pub(crate) fn outstanding(&self) -> (usize, usize) {
        let held = self.lock();
        (held.records, held.bytes)
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn all(&self) -> usize {
        self.bytes.saturating_add(self.copies)
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        self.budget.shrink(|held| held.copies = held.copies.saturating_sub(self.bytes));
    }
}

impl<'a> Waiting<'a> {
    fn count(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::AcqRel);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn wait() -> Result<(), Infallible> {
        Ok(())
    }

    #[test]
    fn room_is_bounded_by_bytes_and_by_records() {
        let budget = Budget::new(100, 3, BudgetPart::unshared());
        for (cost, taken) in [(60, true), (41, false), (40, true), (1, false)] {
            assert_eq!(budget.try_take(cost).is_ok(), taken, "{cost} of 100 bytes");
        }
        budget.give_back(100, 2);
        for taken in [true, true, true, false] {
            assert_eq!(budget.try_take(1).is_ok(), taken, "a record of 3");
        }
        budget.give_back(3, 3);
        assert_eq!(budget.outstanding(), (0, 0));
    }

    #[test]
    fn a_record_larger_than_the_budget_passes_alone() {
        let budget = Budget::new(100, 10, BudgetPart::unshared());
        assert!(budget.try_take(1).is_ok() && budget.try_take(500).is_err());
        budget.give_back(1, 1);
        assert!(budget.try_take(500).is_ok() && budget.try_take(1).is_err());
    }

    #[test]
    fn what_the_sdk_holds_leaves_less_room() {
        let budget = Arc::new(Budget::new(100, 10, BudgetPart::unshared()));
        assert!(budget.try_take(40).is_ok());
        let copies = budget.copies(50);
        assert!(budget.try_take(11).is_err() && budget.try_take(10).is_ok());
        drop(copies);
        assert!(budget.try_take(50).is_ok());
        assert_eq!(budget.outstanding(), (3, 100));
    }

    #[test]
    fn room_that_was_taken_can_be_resized() {
        let budget = Budget::new(100, 2, BudgetPart::unshared());
        assert!(budget.try_take(40).is_ok() && budget.try_take(30).is_ok());
        assert!(budget.resize(40, 70).is_ok() && budget.resize(70, 71).is_err());
        assert!(budget.resize(70, 10).is_ok());
        assert_eq!(budget.outstanding(), (2, 40));
    }

    #[test]
    fn callers_that_wait_are_served_in_their_order() {
        let budget = Budget::new(100, 10, BudgetPart::unshared());
        budget.try_take(90).expect("room");
        let mut context = Context::from_waker(Waker::noop());
        let mut large = pin!(budget.take(80, wait));
        let mut small = pin!(budget.take(5, wait));
        assert!(large.as_mut().poll(&mut context).is_pending());
        assert!(small.as_mut().poll(&mut context).is_pending(), "there is room, but another one's turn");
        budget.give_back(90, 1);
        assert!(small.as_mut().poll(&mut context).is_pending());
        assert_eq!(large.as_mut().poll(&mut context), Poll::Ready(Ok(())));
        assert_eq!(small.as_mut().poll(&mut context), Poll::Ready(Ok(())));
    }

    #[test]
    fn who_stops_waiting_hands_the_turn_on() {
        let budget = Budget::new(100, 10, BudgetPart::unshared());
        budget.try_take(100).expect("room");
        let mut context = Context::from_waker(Waker::noop());
        let mut second = pin!(budget.take(5, wait));
        {
            let mut first = pin!(budget.take(80, wait));
            assert!(first.as_mut().poll(&mut context).is_pending());
            assert!(second.as_mut().poll(&mut context).is_pending());
        }
        budget.give_back(100, 1);
        assert_eq!(second.as_mut().poll(&mut context), Poll::Ready(Ok(())));
        assert_eq!((budget.outstanding(), budget.waiting.load(Ordering::Acquire)), ((1, 5), 0));
    }

    #[test]
    fn who_is_told_why_not_stops_waiting() {
        let budget = Budget::new(100, 10, BudgetPart::unshared());
        budget.try_take(100).expect("room");
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(pin!(budget.take(5, || Err("closed"))).poll(&mut context), Poll::Ready(Err("closed")));
    }
}
