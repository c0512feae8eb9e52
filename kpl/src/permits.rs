//! The budget over everything that a producer holds: at its bound a caller waits or gets its record back.
//!
//! Invariant: what was taken for a record is given back exactly when its outcome has been delivered.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use crate::user_record::RecordRef;

/// What a record costs besides its bytes: its entry in the tables.
const OVERHEAD_BYTES: usize = 64;

/// Bytes and records that may be held, and are.
#[derive(Debug)]
pub(crate) struct Budget {
    max_bytes: usize,
    max_records: usize,
    bytes: AtomicUsize,
    records: AtomicUsize,
    given_back: Notify,
}

/// There is no room now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

impl Budget {
    pub(crate) fn new(max_bytes: usize, max_records: usize) -> Self {
        Self {
            max_bytes,
            max_records,
            bytes: AtomicUsize::new(0),
            records: AtomicUsize::new(0),
            given_back: Notify::new(),
        }
    }

    /// What `record` takes.
    pub(crate) fn cost(record: &RecordRef<'_>) -> u32 {
        // A record is at most 10 MiB when it gets here.
        u32::try_from(record.service_bytes() + OVERHEAD_BYTES).unwrap_or(u32::MAX)
    }

    /// Takes room for one record. A record larger than the whole budget passes when nothing else is held.
    pub(crate) fn try_take(&self, cost: u32) -> Result<(), Full> {
        let cost = cost as usize;
        let records = self.records.fetch_update(Ordering::AcqRel, Ordering::Acquire, |records| {
            (records < self.max_records).then_some(records + 1)
        });
        let records = records.map_err(|_| Full)?;
        let bytes = self.bytes.fetch_update(Ordering::AcqRel, Ordering::Acquire, |bytes| {
            (bytes + cost <= self.max_bytes || records == 0).then_some(bytes + cost)
        });
        if bytes.is_err() {
            self.records.fetch_sub(1, Ordering::AcqRel);
        }
        bytes.map(drop).map_err(|_| Full)
    }

    pub(crate) fn give_back(&self, bytes: usize, records: usize) {
        self.bytes.fetch_sub(bytes, Ordering::AcqRel);
        self.records.fetch_sub(records, Ordering::AcqRel);
        self.given_back.notify_waiters();
    }

    /// Waits until there is room and takes it. Calls `pressed` each time before it waits.
    ///
    /// Cancel safe: room is taken only on the last step.
    pub(crate) async fn take(&self, cost: u32, mut pressed: impl FnMut()) {
        loop {
            let given_back = self.given_back.notified();
            tokio::pin!(given_back);
            // Listening starts before looking, so that no room given back in between is missed.
            given_back.as_mut().enable();
            if self.try_take(cost).is_ok() {
                return;
            }
            pressed();
            given_back.await;
        }
    }

    pub(crate) fn outstanding(&self) -> (usize, usize) {
        (self.records.load(Ordering::Acquire), self.bytes.load(Ordering::Acquire))
    }
}
