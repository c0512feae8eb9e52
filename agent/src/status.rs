//! What the agent tells about itself while it runs: metrics to CloudWatch, and one line of progress when there was any.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior};

use crate::cloudwatch::CloudWatch;
use crate::metric::MetricName;
use crate::metrics::SharedMetrics;
use crate::statistics::FlowHandle;

/// The task that reports.
#[derive(Debug)]
pub struct Reporter {
    /// Of whom.
    pub flows: Vec<FlowHandle>,
    /// The metrics gathered.
    pub metrics: Arc<SharedMetrics>,
    /// Where they go; `None` when they are not wanted.
    pub cloudwatch: Option<CloudWatch>,
    /// Between two uploads.
    pub upload_period: Duration,
    /// Between two lines of progress.
    pub status_period: Duration,
}

/// What was told already.
#[derive(Debug, Default)]
struct Told {
    done: u64,
    /// Bytes lost, by flow.
    lost: HashMap<String, u64>,
}

impl Reporter {
    /// Reports until told to stop; then uploads what is left.
    pub async fn run(self, mut stopped: watch::Receiver<bool>) {
        let mut uploads = every(self.upload_period);
        let mut lines = every(self.status_period);
        let mut told = Told::default();
        loop {
            tokio::select! {
                _ = uploads.tick() => self.upload().await,
                _ = lines.tick() => self.report(&mut told),
                _ = stopped.changed() => break,
            }
        }
        self.report(&mut told);
        self.upload().await;
    }

    async fn upload(&self) {
        let window = self.metrics.take();
        if let Some(cloudwatch) = &self.cloudwatch {
            cloudwatch.upload(&window).await;
        }
    }

    /// Says how far the agent is, unless nothing was sent or dead-lettered since the last time.
    fn report(&self, told: &mut Told) {
        for flow in &self.flows {
            // The Java agent leaves the prefix out of this one metric's dimension.
            let errors = flow.statistics.consecutive_processing_errors.get();
            self.metrics.add(MetricName::ConsecutiveProcessingErrors, flow.destination.name(), errors as f64);
            self.tell_loss(flow, told);
        }
        let sum = |value: fn(&FlowHandle) -> u64| self.flows.iter().map(value).sum::<u64>();
        let sent = sum(|flow| flow.statistics.records_acknowledged.get());
        let dead_lettered = sum(|flow| flow.statistics.records_dead_lettered.get());
        let dropped = sum(|flow| flow.statistics.records_dropped.get());
        let done = sent + dead_lettered + dropped;
        if std::mem::replace(&mut told.done, done) == done {
            return;
        }
        tracing::info!(
            records_parsed = sum(|flow| flow.statistics.records_parsed.get()),
            bytes_read = sum(|flow| flow.statistics.bytes_read.get()),
            records_sent = sent,
            records_dropped = dropped,
            records_unmatched = sum(|flow| flow.statistics.records_unmatched.get()),
            footers_skipped = sum(|flow| flow.statistics.footers_skipped.get()),
            records_without_id = sum(|flow| flow.statistics.records_without_id.get()),
            records_truncated = sum(|flow| flow.statistics.records_truncated.get()),
            records_dead_lettered = dead_lettered,
            conversion_failures = sum(|flow| flow.statistics.conversion_failures.get()),
            files_stopped = sum(|flow| flow.statistics.files_stopped.get()),
            bytes_lost_by_truncation = sum(|flow| flow.statistics.bytes_lost_by_truncation.get()),
            bytes_behind = sum(|flow| flow.statistics.bytes_behind.get()),
            "progress"
        );
    }

    /// The one loss that no reader can prevent is never silent.
    fn tell_loss(&self, flow: &FlowHandle, told: &mut Told) {
        let lost = flow.statistics.bytes_lost_by_truncation.get();
        let known = told.lost.entry(flow.id.clone()).or_default();
        if lost > *known {
            tracing::warn!(
                flow = flow.id,
                bytes = lost - *known,
                "bytes were written between the copy and the truncation of a file (copytruncate) and are in neither; \
                 let logrotate rename and create instead"
            );
            *known = lost;
        }
    }
}

fn every(period: Duration) -> Interval {
    // The first tick comes after a period, not at once.
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval.reset();
    interval
}
