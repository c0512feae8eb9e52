//! One stream of a producer: the hot path.
//!
//! Invariant: room that was taken for a record is given back when the record is not accepted after all.

use std::sync::Arc;
use std::time::Duration;

use super::permit::Permit;
use super::tagged_batch::TaggedBatch;
use super::{Inner, SendError};
use crate::delivery::Delivery;
use crate::driver::{Caller, Closed, StreamShared};
use crate::incoming_record::IncomingRecord;
use crate::permits::{Budget, Refused};
use crate::user_record::{InvalidUserRecord, RecordRef};

/// One stream of a producer, looked up once: the form of the hot path. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct StreamProducer {
    pub(super) shared: Arc<StreamShared>,
    pub(super) inner: Arc<Inner>,
}

/// A [`SendError`] before it is known what record to hand back.
pub(super) enum Refusal {
    Full,
    Closed,
    Invalid(InvalidUserRecord),
}

impl Refusal {
    pub(super) fn with<R>(self, record: R) -> SendError<R> {
        match self {
            Self::Full => SendError::Full(record),
            Self::Closed => SendError::Closed(record),
            Self::Invalid(problem) => SendError::Invalid(record, problem),
        }
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Full(_) => Self::Full,
            Refused::Closed => Self::Closed,
        }
    }
}

// === impl StreamProducer ===

impl StreamProducer {
    /// As [`Producer::send`](crate::Producer::send), for a record that is borrowed and whose stream is known: nothing is looked up and
    /// nothing copied but into the aggregate.
    ///
    /// # Errors
    ///
    /// [`SendError::Invalid`] or [`SendError::Closed`]; the caller still has the record.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future before it returns leaves the record unsent; nothing else is lost.
    pub async fn send(&self, record: RecordRef<'_>) -> Result<Delivery, SendError<()>> {
        self.accept_waiting(record.into()).await.map_err(|refusal| refusal.with(()))
    }

    /// As [`Producer::try_send`](crate::Producer::try_send), for a record that is borrowed and whose stream is known.
    ///
    /// # Errors
    ///
    /// [`SendError`]; the caller still has the record.
    pub fn try_send(&self, record: RecordRef<'_>) -> Result<Delivery, SendError<()>> {
        self.accept_now(record.into()).map_err(|refusal| refusal.with(()))
    }

    /// Hands a borrowed record over if there is room for it now. Its outcome goes to the builder's
    /// [`outcomes`](crate::ProducerBuilder::outcomes) with `tag`. No allocation in steady state.
    ///
    /// # Errors
    ///
    /// [`SendError`]; the caller still has the record.
    pub fn try_send_tagged(&self, record: RecordRef<'_>, tag: u64) -> Result<(), SendError<()>> {
        let record = self.checked(record).map_err(|refusal| refusal.with(()))?;
        let accepted = self.shared.accept_tagged(record, Budget::cost(&record), tag);
        accepted.map_err(|refused| Refusal::from(refused).with(()))
    }

    /// Gathers records to hand them over together: the form for many records at a time. Cheap, but keeps buffers: to be
    /// used for more than a few.
    #[must_use]
    pub fn batch(&self) -> TaggedBatch {
        TaggedBatch::new(self.clone())
    }

    /// Waits until a record of `bytes` (data and partition key) would have had room. Returns at once when the producer
    /// is closed; the next `try_send_tagged` says so.
    ///
    /// The room is not kept for the caller: another one may take it first. And it may be a room that is kept for other
    /// shards than the record's, so after a refusal for the shard's sake this may return too early, but not at once:
    /// when some room was given back, or after 20 ms. [`wait_for_room_for`](Self::wait_for_room_for) knows the shard.
    ///
    /// # Cancel safety
    ///
    /// Nothing is taken: dropping the future loses nothing.
    pub async fn wait_for_room(&self, bytes: usize) {
        let cost = Budget::cost_of_bytes(bytes);
        if self.take_unplaced(cost).await.is_ok() {
            self.shared.account.give_back(cost as usize, 1);
        }
    }

    /// Waits until this record would have had room, its shard's included. Returns at once when the producer is closed or
    /// the record can never be sent; the next `try_send_tagged` says so.
    ///
    /// Callers that wait for room for one shard are served in the order in which they came, and callers for other shards
    /// do not wait behind them. The room is not kept for the caller: another one may take it first.
    ///
    /// ```
    /// # async fn example(stream: kpl::StreamProducer) {
    /// let record = kpl::RecordRef::new("customer-7", b"an order");
    /// while let Err(kpl::SendError::Full(())) = stream.try_send_tagged(record, 1) {
    ///     stream.wait_for_room_for(record).await;
    /// }
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Nothing is taken: dropping the future loses nothing.
    pub async fn wait_for_room_for(&self, record: RecordRef<'_>) {
        let Ok(record) = self.checked(record) else { return };
        let cost = Budget::cost(&record);
        let take = |caller: Caller<'_>| self.shared.take_for(&record, cost, caller);
        if self.taken(take).await.is_ok() {
            self.shared.account.give_back(cost as usize, 1);
        }
    }

    /// Waits for room for a record of `bytes` (data and partition key) and keeps it until the record is there: for
    /// callers that take a record from its source only when it can be sent, in `select!` for example.
    ///
    /// # Errors
    ///
    /// [`SendError::Closed`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future takes nothing; callers that wait are served in the order in which they came.
    ///
    /// # The shard
    ///
    /// It is not known which shard the record will be for. [`Permit::send`] may answer [`SendError::Full`] where that shard
    /// holds so much that the rest is kept for the stream's other shards.
    pub async fn reserve(&self, bytes: usize) -> Result<Permit, SendError<()>> {
        let cost = Budget::cost_of_bytes(bytes);
        self.take_unplaced(cost).await.map_err(|Closed| SendError::Closed(()))?;
        let permit = Permit::new(self.clone(), cost);
        self.shared.check_open().map_err(|Closed| SendError::Closed(()))?;
        Ok(permit)
    }

    /// How long a record with this partition key would wait for its shard's turn, if it were handed over now: its shard's
    /// pace, what is queued for it, and the pause after it throttled or failed. For callers that are free to choose
    /// their keys: of a few keys drawn at random, the one with the shortest wait goes round a shard that is throttled.
    ///
    /// Zero as long as no shard is held back (paused, or with records that could not leave when it was looked at last),
    /// and for delivery streams. What is still being aggregated, and what is in flight, is not counted, nor is the time
    /// that records wait for company. Costs next to nothing then; where a shard is held back the stream's lock for a
    /// moment, and an MD5.
    #[must_use]
    pub fn expected_wait(&self, partition_key: &str) -> Duration {
        self.shared.expected_wait(partition_key)
    }

    /// As [`Producer::flush`](crate::Producer::flush), for this stream alone.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the waiting, not the sending.
    pub async fn flush(&self) {
        let _ = self.shared.flush().await;
    }

    pub(super) fn accept_now(&self, record: IncomingRecord<'_>) -> Result<Delivery, Refusal> {
        let record = record.keyed_like(self.checked(*record)?);
        Ok(self.shared.accept(record, Budget::cost(&record), Caller::Leaves)?)
    }

    pub(super) async fn accept_waiting(&self, record: IncomingRecord<'_>) -> Result<Delivery, Refusal> {
        let record = record.keyed_like(self.checked(*record)?);
        let cost = Budget::cost(&record);
        let accept = |caller: Caller<'_>| self.shared.accept(record, cost, caller);
        self.taken(accept).await.map_err(|Closed| Refusal::Closed)
    }

    /// What `take` takes, at once or when it is the caller's turn.
    async fn taken<R>(&self, take: impl Fn(Caller<'_>) -> Result<R, Refused>) -> Result<R, Closed> {
        match take(Caller::WillWait) {
            Ok(taken) => Ok(taken),
            Err(Refused::Closed) => Err(Closed),
            Err(Refused::Full(full)) => {
                self.shared.account.wait(full.queue, |changed| take(Caller::InTurn(changed))).await
            }
        }
    }

    /// Waits for room for a record of whatever lane, and takes it.
    async fn take_unplaced(&self, cost: u32) -> Result<(), Closed> {
        if self.shared.was_refused_for_lane() {
            // The caller may be on another runtime, or on none.
            let patience = self.inner.runtime.spawn(self.shared.patience());
            tokio::select! {
                () = self.shared.account.changed() => {}
                _ = patience => {}
            }
        }
        let take = |caller: Caller<'_>| self.shared.take_unplaced(cost, caller);
        self.taken(take).await
    }

    /// The record as the service will see it, if it can be sent at all.
    pub(super) fn checked<'a>(&self, record: RecordRef<'a>) -> Result<RecordRef<'a>, Refusal> {
        if self.inner.is_closed() {
            return Err(Refusal::Closed);
        }
        let checked = self.inner.checked(&self.shared.stream, record).map_err(Refusal::Invalid)?;
        if checked.partition_key.is_none() && self.shared.follows_keys() {
            return Err(Refusal::Invalid(InvalidUserRecord::NoPartitionKey));
        }
        Ok(checked)
    }
}
