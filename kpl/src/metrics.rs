//! Where a producer's metrics go.
//!
//! Invariant: one method takes everything, so that a sink never has to change when a metric is added.

use crate::metric::Metric;

#[cfg(feature = "metrics")]
pub(crate) mod facade;

/// Takes the events of a producer. Called from the producer's tasks: it must not block.
///
/// There is at least one event for each call and each Kinesis record, and none for a single user record. A panic in it
/// is caught and logged.
pub trait MetricsSink: Send + Sync + 'static {
    /// Takes one event.
    fn record(&self, metric: &Metric<'_>);

    /// Whether the events of single Kinesis records are wanted, [`Metric::KinesisRecordSent`] and
    /// [`Metric::UserRecordsFinished`], or only those of calls and streams. Without aggregation there are two for each
    /// user record. Asked once, when the producer starts. Default: they are.
    fn wants_kinesis_records(&self) -> bool {
        true
    }
}

/// The sink that takes no notice.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoMetrics;

impl MetricsSink for NoMetrics {
    fn record(&self, _metric: &Metric<'_>) {}

    fn wants_kinesis_records(&self) -> bool {
        false
    }
}
