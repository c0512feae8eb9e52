//! How a record's owner learns its outcome: a future, or a tag handed to a sink.
//!
//! Futures are served from blocks: one allocation holds the outcomes of many records, and the records of one
//! aggregate are told together.
//!
//! Invariant: every ticket is settled exactly once; dropping a [`Delivery`] changes nothing but the notification, and
//! no outcome is kept that nobody can ask for.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use crate::outcome::{Outcome, UserRecordFailed, UserRecordResult};

/// Records whose outcomes share one allocation.
const BLOCK_RECORDS: u16 = 128;

/// Resolves to the outcome of one record.
///
/// Dropping it does not take the record back. It resolves even if the producer is dropped or stops.
///
/// # Cancel safety
///
/// Polling it and dropping it later loses nothing: the outcome is not consumed until it is returned. A delivery that has
/// resolved and is polled again, in a `select!` loop for example, gives the same outcome again, at once.
///
/// ```
/// # use kpl::{Answer, Producer, PutRecordsRequest, PutRecordsResponse, ShardListing, StreamName, Transport};
/// # struct Refuses;
/// # impl Transport for Refuses {
/// #     fn put_records(&self, _: PutRecordsRequest) -> Answer<PutRecordsResponse> { Box::pin(std::future::pending()) }
/// #     fn list_shards(&self, _: StreamName) -> Answer<ShardListing> { Box::pin(std::future::pending()) }
/// # }
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// # let producer = Producer::builder(Refuses).start()?;
/// let record = kpl::UserRecord::new(StreamName::new("orders")?, "customer-7", "order 1");
/// let mut delivery = producer.send(record).await?;
/// producer.close_within(std::time::Duration::ZERO).await;
/// assert!((&mut delivery).await.is_err(), "it was given up");
/// assert!(delivery.await.is_err(), "and still is");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "the record is on its way, but its failure would go unseen"]
pub struct Delivery(State);

#[derive(Debug)]
enum State {
    /// The outcome comes to this place, or is there.
    Awaited(Arc<Block>, u16),
    /// The outcome was handed out.
    Resolved(Outcome),
}

/// Takes the outcomes of records that were sent with a tag instead of a future.
///
/// Called from the producer's tasks (and from a [`TaggedBatch`](crate::TaggedBatch) that finds the producer closed, on its
/// caller's thread), in no particular order: it must not block. A panic in it is caught and logged,
/// and the outcomes of that call are lost.
pub trait OutcomeSink: Send + Sync + 'static {
    /// These records were stored.
    fn stored(&self, tags: &mut dyn Iterator<Item = u64>, result: &UserRecordResult);

    /// This record was not.
    fn failed(&self, tag: u64, failed: UserRecordFailed);

    /// What was told since the last time can be passed on together: no more follows at the moment. Called before the room
    /// that the records took is given back. Does nothing by default.
    ///
    /// An answer of the service gives up to 500 outcomes; a sink that wakes somebody up for each does that 500 times.
    fn told(&self) {}
}

/// What the pipeline knows a record by.
#[derive(Debug)]
pub(crate) enum Ticket {
    Future(Arc<Block>, u16),
    Tagged(u64),
}

/// The outcomes of [`BLOCK_RECORDS`] records.
#[derive(Debug)]
pub(crate) struct Block(Mutex<[Place; BLOCK_RECORDS as usize]>);

#[derive(Debug)]
enum Place {
    Pending,
    Awaited(Waker),
    Settled(Outcome),
    /// The outcome was handed out, or nobody will ask for it.
    Gone,
}

/// Hands out places in blocks.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// The block with free places, and the first of them.
    block: Option<(Arc<Block>, u16)>,
}

// === impl Places ===

impl Places {
    /// A ticket and the future that it settles.
    pub(crate) fn next(&mut self) -> (Ticket, Delivery) {
        let (block, place) = self.block.take().unwrap_or_else(|| (Arc::new(Block::new()), 0));
        if place + 1 < BLOCK_RECORDS {
            self.block = Some((Arc::clone(&block), place + 1));
        }
        (Ticket::Future(Arc::clone(&block), place), Delivery(State::Awaited(block, place)))
    }
}

// === impl Block ===

impl Block {
    fn new() -> Self {
        Self(Mutex::new([const { Place::Pending }; BLOCK_RECORDS as usize]))
    }

    fn lock(&self) -> MutexGuard<'_, [Place; BLOCK_RECORDS as usize]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts `new` in the place, unless nobody will ask for it any more, and answers what was there. Wakers and outcomes
    /// run foreign code when they are dropped; the lock is free again by then.
    fn replace(&self, place: u16, new: Place) -> Place {
        match self.lock().get_mut(usize::from(place)) {
            None | Some(Place::Gone) => Place::Gone,
            Some(place) => std::mem::replace(place, new),
        }
    }

    /// The outcome, which is handed out once; until it is there, `waker` listens for it.
    fn outcome_or_listen(&self, place: u16, waker: &Waker) -> Poll<Outcome> {
        let mut places = self.lock();
        let Some(place) = places.get_mut(usize::from(place)) else {
            return Poll::Pending;
        };
        match std::mem::replace(place, Place::Gone) {
            Place::Settled(outcome) => Poll::Ready(outcome),
            before => {
                *place = Place::Awaited(waker.clone());
                drop(places);
                drop(before);
                Poll::Pending
            }
        }
    }

    pub(crate) fn settle(&self, place: u16, outcome: Outcome) {
        if let Place::Awaited(waker) = self.replace(place, Place::Settled(outcome)) {
            waker.wake();
        }
    }
}

// === impl Delivery ===

impl Future for Delivery {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let outcome = match &self.0 {
            State::Awaited(block, place) => ready!(block.outcome_or_listen(*place, context.waker())),
            State::Resolved(outcome) => return Poll::Ready(outcome.clone()),
        };
        self.0 = State::Resolved(outcome.clone());
        Poll::Ready(outcome)
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if let State::Awaited(block, place) = &self.0 {
            drop(block.replace(*place, Place::Gone));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Attempts, FailureReason};
    use crate::types::StreamName;
    use crate::user_record::UserRecord;

    #[tokio::test]
    async fn outcomes_reach_their_owners_whatever_the_order() {
        let mut places = Places::default();
        let mut tickets = Vec::new();
        let mut deliveries = Vec::new();
        for _ in 0..BLOCK_RECORDS * 3 {
            let (ticket, delivery) = places.next();
            tickets.push(ticket);
            deliveries.push(delivery);
        }
        for (number, ticket) in tickets.into_iter().enumerate().rev() {
            let Ticket::Future(block, place) = ticket else { unreachable!() };
            let result = UserRecordResult::new("s".into(), number.to_string().into(), Attempts::new());
            block.settle(place, Ok(result));
        }
        for (number, delivery) in deliveries.into_iter().enumerate() {
            let result = delivery.await.expect("stored");
            assert_eq!(result.sequence_number().as_str(), number.to_string());
        }
    }

    fn failure(place: u16) -> UserRecordFailed {
        let stream = StreamName::new("s").expect("a lawful name");
        let record = UserRecord::new(stream, place.to_string(), vec![0; 1000]);
        UserRecordFailed::new(FailureReason::Aborted, Vec::new().into(), false, record)
    }

    #[test]
    fn an_outcome_that_nobody_can_ask_for_is_not_kept() {
        let mut places = Places::default();
        for settled_first in [true, false] {
            let (Ticket::Future(block, place), delivery) = places.next() else { unreachable!() };
            if settled_first {
                block.settle(place, Err(failure(place)));
                drop(delivery);
            } else {
                drop(delivery);
                block.settle(place, Err(failure(place)));
            }
            assert!(matches!(block.lock()[usize::from(place)], Place::Gone), "{settled_first}");
        }
    }

    #[tokio::test]
    async fn a_delivery_that_has_resolved_gives_the_same_outcome_again() {
        let mut places = Places::default();
        let (stored, failed) = (places.next(), places.next());
        let (Ticket::Future(block, place), mut stored) = stored else { unreachable!() };
        block.settle(place, Ok(UserRecordResult::new("s".into(), "7".into(), Attempts::new())));
        let (Ticket::Future(block, place), mut failed) = failed else { unreachable!() };
        block.settle(place, Err(failure(place)));
        for _ in 0..3 {
            let result = (&mut stored).await.expect("stored");
            assert_eq!(result.sequence_number().as_str(), "7");
            let failure = (&mut failed).await.expect_err("failed");
            assert_eq!(failure.reason(), FailureReason::Aborted);
        }
    }

    /// A task that keeps another delivery of the same block alive, in its waker.
    struct Keeper(#[expect(dead_code, reason = "held, to be dropped with the waker")] Delivery);

    impl std::task::Wake for Keeper {
        fn wake(self: Arc<Self>) {}
    }

    #[test]
    fn a_waker_may_own_a_delivery_of_the_same_block() {
        let mut places = Places::default();
        let (_first_ticket, mut first) = places.next();
        let (_second_ticket, second) = places.next();
        let waker = Waker::from(Arc::new(Keeper(second)));
        assert!(Pin::new(&mut first).poll(&mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        // The old waker, and with it the second delivery, goes as the new one comes.
        assert!(Pin::new(&mut first).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
}
