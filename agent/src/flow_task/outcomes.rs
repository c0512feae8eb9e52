//! The chores with outcomes: acknowledgements, and records that the service refused.
//!
//! A record whose stream is in trouble is handed over again after a growing pause, and nothing new is read meanwhile: its
//! bytes hold the checkpoint, and the file is the buffer.

use std::time::Duration;

use kpl::UserRecordFailed;

use super::FlowTask;
use crate::inbox::Letters;
use crate::publisher::Published;
use crate::types::{Moment, RecordTag};

/// A record to be handed over again.
#[derive(Debug)]
pub(super) struct Retry {
    pub(super) due: Moment,
    tag: u64,
    record: kpl::UserRecord,
}

impl FlowTask {
    pub(super) fn take_outcomes(&mut self, letters: &mut Letters) {
        if !letters.stored.is_empty() {
            self.state.refusals_in_a_row = 0;
            self.state.refusals.stored();
            self.state.refusal = None;
        }
        for tag in letters.stored.drain(..) {
            self.flow.acknowledge(RecordTag::from_number(tag));
        }
        let failed = self.settle_refused(std::mem::take(&mut letters.failed));
        if failed.is_empty() {
            return;
        }
        self.state.refusal = failed.first().map(|(_, first)| first.to_string());
        self.state.refusals_in_a_row = self.state.refusals_in_a_row.saturating_add(1);
        let due = self.clock.now().plus(self.retry_delay());
        if self.may_report() {
            self.report_refusal(&failed);
        }
        let retries =
            failed.into_iter().map(|(tag, failed)| Retry { due, tag, record: failed.into_record() });
        self.state.retries.extend(retries);
    }

    fn report_refusal(&self, failed: &[(u64, UserRecordFailed)]) {
        if let Some((_, first)) = failed.first() {
            tracing::error!(
                flow = self.config.id,
                records = failed.len(),
                "records were refused and are sent again: {first}; check that the stream exists and that the agent may \
                 write to it"
            );
        }
    }

    /// Hands refused records over again, as far as they are due and there is room.
    pub(super) fn republish(&mut self) {
        let now = self.clock.now();
        while let Some(retry) = self.state.retries.pop_front_if(|retry| retry.due <= now) {
            let record = &retry.record;
            match self.publisher.publish(retry.tag, record.as_ref()) {
                Published::Accepted => self.statistics.records_republished.add(1),
                Published::Ended => {
                    self.state.has_failed = true;
                    return;
                }
                Published::Full | Published::Invalid(_) => {
                    let wants_room = record.as_ref().into();
                    self.state.retries.push_front(retry);
                    if !self.state.awaits_room {
                        self.await_room(wants_room);
                    }
                    return;
                }
            }
        }
    }

    fn retry_delay(&self) -> Duration {
        let doublings = (self.state.refusals_in_a_row - 1).min(20);
        let delay = self.config.retry_initial_backoff.saturating_mul(1 << doublings);
        // As the Java agent: 30 percent more or less.
        delay.min(self.config.retry_max_backoff).mul_f64(0.7 + 0.6 * fastrand::f64())
    }
}
