//! How a record's owner learns its outcome: a future, or a tag handed to a sink.
//!
//! Futures are served from blocks: one allocation holds the outcomes of many records, and the records of one
//! aggregate are told together.
//!
//! Invariant: every ticket is settled exactly once; dropping a [`Delivery`] changes nothing but the notification.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::outcome::{Outcome, UserRecordFailed, UserRecordResult};

/// Records whose outcomes share one allocation.
const BLOCK_RECORDS: usize = 64;

/// Resolves to the outcome of one record.
///
/// Dropping it does not take the record back. It resolves even if the producer is dropped or stops.
///
/// # Cancel safety
///
/// Polling it and dropping it later loses nothing: the outcome is not consumed until it is returned.
#[derive(Debug)]
#[must_use = "the record is on its way, but its failure would go unseen"]
pub struct Delivery {
    block: Arc<Block>,
    place: u16,
}

/// Takes the outcomes of records that were sent with a tag instead of a future.
///
/// Called from the producer's tasks, in no particular order: it must not block.
pub trait OutcomeSink: Send + Sync + 'static {
    /// These records were stored.
    fn stored(&self, tags: &mut dyn Iterator<Item = u64>, result: &UserRecordResult);

    /// This record was not.
    fn failed(&self, tag: u64, failed: UserRecordFailed);
}

/// What the pipeline knows a record by.
#[derive(Debug)]
pub(crate) enum Ticket {
    Future(Arc<Block>, u16),
    Tagged(u64),
}

/// The outcomes of up to [`BLOCK_RECORDS`] records.
#[derive(Debug)]
pub(crate) struct Block(Mutex<Vec<Place>>);

#[derive(Debug)]
enum Place {
    Pending,
    Awaited(Waker),
    Settled(Outcome),
    Taken,
}

/// Hands out places in blocks.
#[derive(Debug, Default)]
pub(crate) struct Places {
    block: Option<Arc<Block>>,
}

// === impl Places ===

impl Places {
    /// A ticket and the future that it settles.
    pub(crate) fn next(&mut self) -> (Ticket, Delivery) {
        let block = match &self.block {
            Some(block) if block.lock().len() < BLOCK_RECORDS => Arc::clone(block),
            _ => {
                let block = Arc::new(Block(Mutex::new(Vec::with_capacity(BLOCK_RECORDS))));
                self.block = Some(Arc::clone(&block));
                block
            }
        };
        let place = {
            let mut places = block.lock();
            places.push(Place::Pending);
            // A block has at most BLOCK_RECORDS places.
            (places.len() - 1) as u16
        };
        (Ticket::Future(Arc::clone(&block), place), Delivery { block, place })
    }
}

// === impl Block ===

impl Block {
    fn lock(&self) -> MutexGuard<'_, Vec<Place>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn settle(&self, place: u16, outcome: Outcome) {
        let mut places = self.lock();
        let Some(place) = places.get_mut(usize::from(place)) else {
            return;
        };
        if let Place::Awaited(waker) = std::mem::replace(place, Place::Settled(outcome)) {
            drop(places);
            waker.wake();
        }
    }
}

// === impl Delivery ===

impl Future for Delivery {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let mut places = self.block.lock();
        let place = &mut places[usize::from(self.place)];
        match std::mem::replace(place, Place::Taken) {
            Place::Settled(outcome) => Poll::Ready(outcome),
            // The contract of futures forbids this poll; an endless wait is the mildest answer.
            Place::Taken => Poll::Pending,
            Place::Pending | Place::Awaited(_) => {
                *place = Place::Awaited(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let result = UserRecordResult::new("s".into(), number.to_string().into(), Vec::new());
            block.settle(place, Ok(result));
        }
        for (number, delivery) in deliveries.into_iter().enumerate() {
            let result = delivery.await.expect("stored");
            assert_eq!(result.sequence_number().as_str(), number.to_string());
        }
    }
}
