//! From what the producers report to what CloudWatch is told, and to the flow's own statistics. The producers log refused
//! and failing calls themselves.

use std::sync::{Arc, Mutex, PoisonError};

use kpl::{Metric, MetricsSink};

use crate::metric::{MetricName, MetricWindow};
use crate::statistics::DeliveryStatistics;

/// The window that all flows add to.
#[derive(Debug, Default)]
pub struct SharedMetrics(Mutex<MetricWindow>);

/// One flow's producer reports here.
#[derive(Debug)]
pub struct DeliveryMetrics {
    /// The dimension's value, for example `KinesisStream:clicks`.
    pub destination: String,
    /// The window of all flows.
    pub metrics: Arc<SharedMetrics>,
    /// This flow's numbers.
    pub statistics: Arc<DeliveryStatistics>,
}

impl SharedMetrics {
    /// Adds one value.
    pub fn add(&self, name: MetricName, destination: &str, value: f64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).add(name, destination, value);
    }

    /// Takes what was gathered.
    pub fn take(&self) -> MetricWindow {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl DeliveryMetrics {
    /// A flow's reports, under its destination.
    #[must_use]
    pub fn new(
        destination: String,
        metrics: Arc<SharedMetrics>,
        statistics: Arc<DeliveryStatistics>,
    ) -> Self {
        Self { destination, metrics, statistics }
    }

    fn add(&self, values: &[(MetricName, usize)]) {
        for (name, value) in values {
            self.metrics.add(*name, &self.destination, *value as f64);
        }
    }
}

impl MetricsSink for DeliveryMetrics {
    fn wants_kinesis_records(&self) -> bool {
        false
    }

    fn record(&self, metric: &Metric<'_>) {
        let statistics = &self.statistics;
        match metric {
            Metric::PutRecordsAnswered {
                entries,
                user_records,
                entries_put,
                user_records_put,
                data_bytes_put,
                ..
            } => {
                self.add(&[
                    (MetricName::RecordSendAttempts, *user_records),
                    (MetricName::RecordsSent, *user_records_put),
                    (MetricName::RecordSendErrors, user_records - user_records_put),
                    (MetricName::BytesSent, *data_bytes_put),
                    (MetricName::ServiceErrors, 0),
                ]);
                statistics.calls.add(1);
                statistics.entries.add(*entries as u64);
                statistics.entries_put.add(*entries_put as u64);
                statistics.user_records.add(*user_records as u64);
                statistics.user_records_put.add(*user_records_put as u64);
                statistics.data_bytes_put.add(*data_bytes_put as u64);
            }
            Metric::PutRecordsFailed { entries, user_records, .. } => {
                self.add(&[(MetricName::RecordSendAttempts, *user_records), (MetricName::ServiceErrors, 1)]);
                statistics.calls.add(1);
                statistics.failed_calls.add(1);
                statistics.entries.add(*entries as u64);
                statistics.user_records.add(*user_records as u64);
            }
            _ => {}
        }
    }
}
