//! What the sandbox received, counted.
//!
//! Invariant: for every put, entries = stored entries + failed entries; a call that a fault refused or dropped before
//! it was carried out is counted in `calls` alone.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// Everything counted since the sandbox started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Calls received, by IAM action, such as `kinesis:PutRecords`.
    pub calls: BTreeMap<String, u64>,
    /// PutRecords that was carried out.
    pub put_records: PutCounters,
    /// PutRecordBatch that was carried out.
    pub put_record_batch: PutCounters,
    /// PutMetricData calls that were carried out.
    pub put_metric_data_calls: u64,
    /// Faults fired: calls, and entries for `throttle` and `fail`.
    pub faults_fired: u64,
}

/// What one kind of put carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PutCounters {
    /// Calls carried out, refused by the service or not.
    pub calls: u64,
    /// Entries in them.
    pub entries: u64,
    /// Entries that were stored, or would have been if records were not discarded.
    pub stored_entries: u64,
    /// Entries that were not stored.
    pub failed_entries: u64,
    /// Bytes of data and partition keys in all entries, stored or not.
    pub bytes: u64,
}

/// The counters of a running sandbox; faults are counted by the rules themselves.
#[derive(Debug, Default)]
pub(crate) struct LiveCounters(Mutex<Counters>);

impl LiveCounters {
    pub(crate) fn count_call(&self, action: String) {
        *self.lock().calls.entry(action).or_default() += 1;
    }

    pub(crate) fn count_put_records(&self, put: PutCounters) {
        self.lock().put_records.add(put);
    }

    pub(crate) fn count_put_record_batch(&self, put: PutCounters) {
        self.lock().put_record_batch.add(put);
    }

    pub(crate) fn count_put_metric_data(&self) {
        self.lock().put_metric_data_calls += 1;
    }

    pub(crate) fn read(&self, faults_fired: u64) -> Counters {
        Counters { faults_fired, ..self.lock().clone() }
    }

    fn lock(&self) -> MutexGuard<'_, Counters> {
        // Counting cannot panic half way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PutCounters {
    /// One call with so many entries and bytes, of which so many failed.
    pub(crate) fn one_call(entries: usize, failed: usize, bytes: usize) -> Self {
        Self {
            calls: 1,
            entries: entries as u64,
            stored_entries: entries.saturating_sub(failed) as u64,
            failed_entries: failed as u64,
            bytes: bytes as u64,
        }
    }

    fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.entries += other.entries;
        self.stored_entries += other.stored_entries;
        self.failed_entries += other.failed_entries;
        self.bytes += other.bytes;
    }
}
