//! The budget over everything that a producer holds, the copies included that the SDK makes of what is in flight: at its
//! bound a caller waits or gets its record back.
//!
//! Invariants: what was taken for a record is given back exactly when its outcome has been delivered. Each stream, and
//! within it each lane, has a part of its own whatever the others hold. Callers of one lane are served in the order in
//! which they came, so a large record is not passed over for ever.

mod account;
mod ledger;
mod turns;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smallvec::SmallVec;
use tokio::sync::Notify;

use self::ledger::{Ledger, Terms};
use self::turns::Turns;
use crate::core::room::{Claim, Room};
use crate::shared_budget::{BudgetPart, QueuedLoan};
use crate::user_record::RecordRef;

pub(crate) use self::account::Account;
#[cfg(test)]
pub(crate) use self::account::Copies;
pub(crate) use self::turns::Queue;

/// What a record costs besides its bytes: its places in the tables, and what its failure would take.
const OVERHEAD_BYTES: usize = 192;

/// Bytes and records that may be held, and are.
#[derive(Debug)]
pub(crate) struct Budget {
    /// What is shared with other producers.
    part: BudgetPart,
    state: Mutex<State>,
    /// Each stream's own part, to be read without the lock.
    own: [AtomicUsize; 2],
    /// Callers that wait, of all streams.
    waiting: AtomicUsize,
}

#[derive(Debug)]
struct State {
    ledger: Ledger,
    /// By the streams' numbers.
    listeners: Vec<Arc<Listener>>,
}

/// The callers of one stream.
#[derive(Debug, Default)]
struct Listener {
    /// Callers that wait, those whose turn it is included.
    waiting: AtomicUsize,
    /// Heard by the callers whose turn it is.
    changed: Arc<Notify>,
}

/// There is no room now.
#[derive(Debug, Default)]
pub(crate) struct Full {
    /// Where the caller may wait.
    pub(crate) queue: Queue,
    /// A record of another lane would have found room.
    pub(crate) is_the_lanes: bool,
    /// The caller's place among those that wait for other producers.
    pub(crate) queued: Option<QueuedLoan>,
}

/// Why something was not taken.
#[derive(Debug)]
pub(crate) enum Refused {
    Full(Full),
    /// The producer takes no more records.
    Closed,
}

impl Budget {
    pub(crate) fn new(max_bytes: usize, max_records: usize, part: BudgetPart) -> Self {
        let max = Room { bytes: max_bytes, records: max_records };
        let state = State { ledger: Ledger::new(max, part.own()), listeners: Vec::new() };
        let own = state.ledger.own();
        let own = [own.bytes.into(), own.records.into()];
        Self { part, state: Mutex::new(state), own, waiting: AtomicUsize::new(0) }
    }

    /// The account of a new stream.
    pub(crate) fn account(self: &Arc<Self>) -> Account {
        let listener = Arc::<Listener>::default();
        let mut state = self.lock();
        let stream = state.ledger.begin_stream();
        match state.listeners.get_mut(stream) {
            Some(gone) => *gone = Arc::clone(&listener),
            None => state.listeners.push(Arc::clone(&listener)),
        }
        self.publish_own(&state);
        drop(state);
        // Others may have more now.
        self.wake();
        Account { budget: Arc::clone(self), stream, listener, turns: Turns::default() }
    }

    fn end(&self, stream: usize) {
        let mut state = self.lock();
        state.ledger.end_stream(stream);
        self.publish_own(&state);
    }

    /// What `record` takes.
    pub(crate) fn cost(record: &RecordRef<'_>) -> u32 {
        Self::cost_of_bytes(record.service_bytes() + record.dedup_id.map_or(0, str::len))
    }

    /// What a record of so many bytes (data and partition key) takes.
    pub(crate) fn cost_of_bytes(bytes: usize) -> u32 {
        u32::try_from(bytes.saturating_add(OVERHEAD_BYTES)).unwrap_or(u32::MAX)
    }

    /// Records and bytes held.
    pub(crate) fn outstanding(&self) -> (usize, usize) {
        let held = self.lock().ledger.held();
        (held.records, held.bytes)
    }

    /// Makes the callers whose turn it is look again.
    pub(crate) fn wake(&self) {
        if self.waiting.load(Ordering::Acquire) == 0 {
            return;
        }
        let is_waited_for = |listener: &&Arc<Listener>| listener.waiting.load(Ordering::Acquire) > 0;
        // Wakers are foreign code: they run without the lock.
        let listeners: SmallVec<[Arc<Listener>; 8]> =
            self.lock().listeners.iter().filter(is_waited_for).cloned().collect();
        for listener in listeners {
            listener.changed.notify_waiters();
        }
    }

    fn own_part(&self) -> Room {
        let [bytes, records] = &self.own;
        Room { bytes: bytes.load(Ordering::Relaxed), records: records.load(Ordering::Relaxed) }
    }

    fn publish_own(&self, state: &State) {
        let own = state.ledger.own();
        self.own[0].store(own.bytes, Ordering::Relaxed);
        self.own[1].store(own.records, Ordering::Relaxed);
    }

    /// Takes room for a stream. Where it is other producers that hold it, `changed` rings when they give it back.
    fn take(
        &self,
        stream: usize,
        more: Room,
        claim: Claim,
        changed: Option<&Arc<Notify>>,
    ) -> Result<(), Full> {
        let mut state = self.lock();
        let Some(terms) = state.ledger.judge(stream, more, claim) else {
            let is_the_lanes = state.ledger.judge(stream, more, Claim::UNPLACED).is_some();
            return Err(Full { is_the_lanes, ..Full::default() });
        };
        let before = state.ledger.bytes();
        self.lend(before, before.saturating_add(more.bytes), terms, changed)?;
        let own = state.ledger.own();
        state.ledger.take(stream, more);
        if own != state.ledger.own() {
            self.publish_own(&state);
        }
        Ok(())
    }

    /// Borrows what is needed of what producers share.
    fn lend(
        &self,
        before: usize,
        after: usize,
        terms: Terms,
        changed: Option<&Arc<Notify>>,
    ) -> Result<(), Full> {
        let spare = if let Terms::Common { spare } = terms { spare } else { 0 };
        let Some(loan) = self.part.loan(before, after, spare) else { return Ok(()) };
        let loan = match terms {
            Terms::Anyway => {
                self.part.lend_anyway(loan);
                return Ok(());
            }
            Terms::Guaranteed => loan.guaranteed(),
            Terms::Common { .. } => loan,
        };
        let full = |queued| Full { is_the_lanes: spare > 0, queued, ..Full::default() };
        self.part.lend(loan, changed).map_err(full)
    }

    fn give_back(&self, stream: usize, less: Room) {
        if less != Room::NONE {
            self.shrink(|ledger| ledger.give_back(stream, less));
        }
    }

    fn take_copies(&self, stream: usize, bytes: usize) {
        let mut state = self.lock();
        let before = state.ledger.bytes();
        if let Some(loan) = self.part.loan(before, before.saturating_add(bytes), 0) {
            self.part.lend_anyway(loan);
        }
        state.ledger.take_copies(stream, bytes);
    }

    fn give_copies_back(&self, stream: usize, bytes: usize) {
        self.shrink(|ledger| ledger.give_copies_back(stream, bytes));
    }

    fn shrink(&self, change: impl FnOnce(&mut Ledger)) {
        let (before, after) = {
            let mut state = self.lock();
            let before = state.ledger.bytes();
            change(&mut state.ledger);
            (before, state.ledger.bytes())
        };
        self.part.give_back(before, after);
        self.wake();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
