//! Room for one record, taken before the record is there.
//!
//! Invariant: the room is given to a record, or back.

use super::SendError;
use super::stream_producer::{Refusal, StreamProducer};
use crate::delivery::Delivery;
use crate::permits::Budget;
use crate::user_record::RecordRef;

/// Room for one record; see [`StreamProducer::reserve`]. Dropping it gives the room back.
#[derive(Debug)]
#[must_use = "the room is held until the permit is used or dropped"]
pub struct Permit {
    stream: StreamProducer,
    /// What was taken of the budget.
    cost: u32,
}

impl Permit {
    pub(super) fn new(stream: StreamProducer, cost: u32) -> Self {
        Self { stream, cost }
    }

    /// Hands the record over for which there is room. A smaller one than was asked for gives the rest back; a larger
    /// one needs the difference now.
    ///
    /// # Errors
    ///
    /// [`SendError`]: [`SendError::Full`] only for a record larger than was asked for, or whose shard holds so much that
    /// the rest is kept for the stream's other shards ([`StreamProducer::wait_for_room_for`] waits for that shard). The
    /// caller still has the record; the room is given back.
    pub fn send(mut self, record: RecordRef<'_>) -> Result<Delivery, SendError<()>> {
        let record = self.stream.checked(record).map_err(|refusal| refusal.with(()))?;
        let cost = Budget::cost(&record);
        let sent = self.stream.shared.accept_permitted(record, self.cost, cost);
        if sent.is_ok() {
            self.cost = 0; // it is the record's now
        }
        sent.map_err(|refused| Refusal::from(refused).with(()))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.cost > 0 {
            self.stream.shared.account.give_back(self.cost as usize, 1);
        }
    }
}
