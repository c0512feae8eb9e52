//! What one stream has done since its start, in numbers, for snapshots.
//!
//! Invariant: received = stored + failed + outstanding; entries sent = stored + throttled + failed.

use crate::call_failure::CallFailure;
use crate::core::call_summary::CallSummary;
use crate::kinesis_record::KinesisRecord;
use crate::outcome::FailureReason;

/// Counts since the start. They never decrease, but for what is outstanding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) outstanding_bytes: usize,
    pub(crate) user_records_received: u64,
    pub(crate) user_records_stored: u64,
    pub(crate) user_records_failed: u64,
    pub(crate) user_records_expired: u64,
    pub(crate) user_records_refused: u64,
    pub(crate) user_records_throttled: u64,
    pub(crate) user_records_aborted: u64,
    pub(crate) user_records_retried: u64,
    pub(crate) calls: u64,
    pub(crate) calls_failed: u64,
    pub(crate) calls_throttled: u64,
    pub(crate) calls_refused: u64,
    pub(crate) calls_timed_out: u64,
    pub(crate) calls_failed_in_transport: u64,
    pub(crate) calls_failed_in_service: u64,
    pub(crate) kinesis_records_sent: u64,
    pub(crate) kinesis_records_stored: u64,
    pub(crate) kinesis_records_throttled: u64,
    pub(crate) kinesis_records_failed: u64,
    pub(crate) kinesis_records_misplaced: u64,
    pub(crate) listings: u64,
    pub(crate) listings_failed: u64,
}

impl Totals {
    /// A record was accepted that takes `cost` bytes of the budget.
    pub(crate) fn received(&mut self, cost: u32) {
        self.user_records_received += 1;
        self.outstanding_bytes += cost as usize;
    }

    /// Records are to be sent again.
    pub(crate) fn retried(&mut self, user_records: usize) {
        self.user_records_retried += user_records as u64;
    }

    /// A call ended.
    pub(crate) fn called(&mut self, call: &CallSummary) {
        self.calls += 1;
        self.calls_failed += u64::from(call.failed);
        if let Some(counter) = call.failure.map(|failure| self.failed_calls(failure)) {
            *counter += 1;
        }
        self.kinesis_records_sent += call.entries as u64;
        self.kinesis_records_stored += call.entries_put as u64;
        self.kinesis_records_throttled += call.entries_throttled as u64;
        self.kinesis_records_failed += call.entries_failed() as u64;
    }

    fn failed_calls(&mut self, failure: CallFailure) -> &mut u64 {
        match failure {
            CallFailure::Throttled => &mut self.calls_throttled,
            CallFailure::Refused => &mut self.calls_refused,
            CallFailure::TimedOut => &mut self.calls_timed_out,
            CallFailure::Transport => &mut self.calls_failed_in_transport,
            CallFailure::Service => &mut self.calls_failed_in_service,
        }
    }

    /// An aggregate was stored in a shard that does not hold all its members.
    pub(crate) fn misplaced(&mut self) {
        self.kinesis_records_misplaced += 1;
    }

    /// A listing ended.
    pub(crate) fn listed(&mut self, failed: bool) {
        self.listings += 1;
        self.listings_failed += u64::from(failed);
    }

    /// Records got their outcome.
    pub(crate) fn finished<T>(&mut self, record: &KinesisRecord<T>, failure: Option<FailureReason>) {
        let user_records = record.members.len() as u64;
        let bytes: usize = record.members.iter().map(|member| member.cost as usize).sum();
        self.outstanding_bytes = self.outstanding_bytes.saturating_sub(bytes);
        match failure {
            None => self.user_records_stored += user_records,
            Some(reason) => {
                self.user_records_failed += user_records;
                *match reason {
                    FailureReason::Expired => &mut self.user_records_expired,
                    FailureReason::Refused | FailureReason::NoPartitionKey => &mut self.user_records_refused,
                    FailureReason::Throttled => &mut self.user_records_throttled,
                    FailureReason::Aborted => &mut self.user_records_aborted,
                } += user_records;
            }
        }
    }
}
