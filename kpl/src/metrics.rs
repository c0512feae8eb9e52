//! Where a producer's metrics go.
//!
//! Invariant: one method, so that a sink never has to change when a metric is added.

use crate::metric::Metric;

/// Takes the events of a producer. Called from the producer's tasks: it must not block.
pub trait MetricsSink: Send + Sync + 'static {
    /// Takes one event.
    fn record(&self, metric: &Metric<'_>);
}

/// The sink of a producer that nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoMetrics;

impl MetricsSink for NoMetrics {
    fn record(&self, _metric: &Metric<'_>) {}
}
