//! One budget for several producers: each has a part that is its own, and borrows beyond that from what is common.
//!
//! Invariants: of the common room a producer borrows at most as much as is still free, so however many of them hold
//! theirs for ever, something is left for the others; and whoever waits for common room is woken when there is enough.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// One producer's part of a budget that several producers share; see
/// [`ProducerBuilder::budget`](crate::ProducerBuilder::budget).
///
/// Half of the shared bytes is divided evenly: so much is always a producer's own, whatever the others do. The other half
/// is common: a new record may make a producer borrow at most as much of it as is left free then. So a producer whose
/// stream is stuck ends with half of the common room, the next one with a quarter, and so on; the others go on.
///
/// The records of all producers together never take more than the shared bytes, except that of each producer one record
/// passes that is larger than all of its room, when it holds nothing else. As in a budget that is not shared, 192 bytes are counted
/// for each record besides its data and key; and what the SDK holds of calls in flight is counted, too, and leaves less
/// for new records, but a call that is due is made.
///
/// # Examples
///
/// ```no_run
/// # fn start(transports: Vec<impl kpl::Transport>) -> Result<Vec<kpl::Producer>, kpl::StartError> {
/// let parts = kpl::BudgetPart::split(32 << 20, transports.len());
/// let start = |(transport, part)| kpl::Producer::builder(transport).budget(part).start();
/// transports.into_iter().zip(parts).map(start).collect()
/// # }
/// ```
#[derive(Debug)]
pub struct BudgetPart {
    own: usize,
    common: Arc<Common>,
}

/// What nobody owns.
#[derive(Debug, Default)]
struct Common(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    capacity: usize,
    /// Bytes lent to all producers.
    lent: usize,
    /// Who waits, in the order in which they came.
    waiting: VecDeque<Waiting>,
    next_number: u64,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    loan: Loan,
    changed: Arc<Notify>,
}

/// A producer's loan that is to grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Loan {
    before: usize,
    after: usize,
    /// How large it has to be able to grow, with what is to be left for others of the same producer.
    at_most: usize,
    /// Whether it is for a part that is guaranteed to a stream or shard of the producer: others of the same producer hold
    /// the producer's own.
    is_guaranteed: bool,
}

/// A place in the queue for common room. Who is woken gives it up when it has looked, and so wakes the next one.
#[derive(Debug)]
pub(crate) struct QueuedLoan {
    common: Arc<Common>,
    number: u64,
}

// === impl BudgetPart ===

impl BudgetPart {
    /// Divides `max_bytes` among so many producers.
    #[must_use]
    pub fn split(max_bytes: usize, producers: usize) -> Vec<Self> {
        let own = max_bytes / 2 / producers.max(1);
        let capacity = max_bytes - own * producers;
        let common = Arc::new(Common(Mutex::new(State { capacity, ..State::default() })));
        (0..producers).map(|_| Self { own, common: Arc::clone(&common) }).collect()
    }

    /// The part of a producer that shares with nobody.
    pub(crate) fn unshared() -> Self {
        Self { own: usize::MAX, common: Arc::default() }
    }

    /// What a producer needs of the common room that holds `before` bytes and is to hold `after`, and to be able to hold
    /// `spare` more; `None` if its own part suffices.
    pub(crate) fn loan(&self, before: usize, after: usize, spare: usize) -> Option<Loan> {
        let borrowed = |bytes: usize| bytes.saturating_sub(self.own);
        let at_most = borrowed(after.saturating_add(spare));
        (at_most > 0).then(|| Loan {
            before: borrowed(before),
            after: borrowed(after),
            at_most,
            is_guaranteed: false,
        })
    }

    /// The bytes that are this producer's own, whatever the others hold.
    pub(crate) fn own(&self) -> usize {
        self.own
    }

    /// Lends, if the rule allows. If it does not, `changed` rings when it does, for whoever is named.
    pub(crate) fn lend(&self, loan: Loan, changed: Option<&Arc<Notify>>) -> Result<(), Option<QueuedLoan>> {
        let mut state = self.common.lock();
        if state.allows(loan) {
            state.lent += loan.growth();
            return Ok(());
        }
        let queued = changed.map(|changed| {
            let number = state.queue(loan, Arc::clone(changed));
            QueuedLoan { common: Arc::clone(&self.common), number }
        });
        Err(queued)
    }

    /// Lends, whatever the rule says.
    pub(crate) fn lend_anyway(&self, loan: Loan) {
        self.common.lock().lent += loan.growth();
    }

    /// A producer that held `before` bytes holds `after` now.
    pub(crate) fn give_back(&self, before: usize, after: usize) {
        if let Some(Loan { before: less, after: more, .. }) = self.loan(after, before, 0) {
            let mut state = self.common.lock();
            state.lent = state.lent.saturating_sub(more - less);
            drop(state);
            self.common.wake_next();
        }
    }
}

impl Loan {
    /// For a part that is guaranteed within the producer.
    pub(crate) fn guaranteed(self) -> Self {
        Self { is_guaranteed: true, ..self }
    }

    fn growth(self) -> usize {
        self.after - self.before
    }
}

impl State {
    /// Whether there would be at least as much left as the producer then had; for what is guaranteed, whether it is there,
    /// or in an eighth beyond.
    fn allows(&self, loan: Loan) -> bool {
        if loan.is_guaranteed {
            return self.lent.saturating_add(loan.growth())
                <= self.capacity.saturating_add(self.capacity / 8);
        }
        let growth = loan.at_most - loan.before.min(loan.at_most);
        self.lent.saturating_add(growth).saturating_add(loan.at_most) <= self.capacity
    }

    fn queue(&mut self, loan: Loan, changed: Arc<Notify>) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        self.waiting.push_back(Waiting { number, loan, changed });
        number
    }
}

impl Common {
    /// Wakes the first of those to whom can be lent now. It wakes the next one when it has looked: of many that wait,
    /// those are woken for whom there is room, and nobody is forgotten.
    fn wake_next(&self) {
        let woken = {
            let mut state = self.lock();
            let place = state.waiting.iter().position(|waiting| state.allows(waiting.loan));
            place.and_then(|place| state.waiting.remove(place))
        };
        if let Some(woken) = woken {
            woken.changed.notify_waiters();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for QueuedLoan {
    fn drop(&mut self) {
        let was_woken = {
            let mut state = self.common.lock();
            let place = state.waiting.iter().position(|waiting| waiting.number == self.number);
            place.and_then(|place| state.waiting.remove(place)).is_none()
        };
        if was_woken {
            self.common.wake_next();
        }
    }
}

#[cfg(test)]
mod tests;
