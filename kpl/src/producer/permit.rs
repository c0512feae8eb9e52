//! Room for one record, taken before the record is there.
//!
//! Invariant: the room is given to a record, or back.

use super::SendError;
use super::stream_producer::{Refusal, StreamProducer};
use crate::delivery::Delivery;
use crate::permits::{Budget, Full};
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
    /// [`SendError`]: [`SendError::Full`] only for a record larger than was asked for. The caller still has the record;
    /// the room is given back.
    pub fn send(mut self, record: RecordRef<'_>) -> Result<Delivery, SendError<()>> {
        let record = self.stream.checked(record).map_err(|refusal| refusal.with(()))?;
        self.resize(Budget::cost(&record)).map_err(|Full| SendError::Full(()))?;
        let cost = std::mem::take(&mut self.cost);
        self.stream.accept(record, cost).map_err(|refusal: Refusal| refusal.with(()))
    }

    fn resize(&mut self, cost: u32) -> Result<(), Full> {
        self.stream.budget().resize(self.cost, cost)?;
        self.cost = cost;
        Ok(())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.cost > 0 {
            self.stream.budget().give_back(self.cost as usize, 1);
        }
    }
}
