//! CloudWatch: metric data that are kept to be read back, as they are and as statistics.
//!
//! Invariant: a PutMetricData is kept whole or refused whole; the newest [`MAX_KEPT`] data are kept, older ones go.

mod get;
mod list;
pub(crate) mod metric_datum;
mod read;
mod statistics;

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::aws_error::AwsError;
use crate::counters::LiveCounters;
use crate::reply::Answer;
use metric_datum::MetricDatum;

/// Metric data kept; a day of a busy agent is far less.
const MAX_KEPT: usize = 100_000;

/// The metrics.
#[derive(Debug, Default)]
pub(crate) struct CloudWatch {
    kept: Mutex<VecDeque<Kept>>,
}

/// A datum and the moment that it is about, in seconds since 1970.
#[derive(Debug)]
struct Kept {
    moment: f64,
    datum: MetricDatum,
}

impl CloudWatch {
    pub(crate) fn carry_out(
        &self,
        operation: &str,
        tree: &Value,
        counters: &LiveCounters,
    ) -> Result<Answer, AwsError> {
        match operation {
            "PutMetricData" => {
                counters.count_put_metric_data();
                self.keep(read::metric_data(tree)?);
                Ok(Answer::Empty)
            }
            "ListMetrics" => list::metrics(tree, &self.lock()).map(Answer::Tree),
            "GetMetricStatistics" => get::metric_statistics(tree, &self.lock()).map(Answer::Tree),
            "GetMetricData" => get::metric_data(tree, &self.lock()).map(Answer::Tree),
            other => Err(AwsError::unknown_operation(other)),
        }
    }

    /// Everything that is kept, oldest first.
    pub(crate) fn metrics(&self) -> Vec<MetricDatum> {
        self.lock().iter().map(|kept| kept.datum.clone()).collect()
    }

    fn keep(&self, data: Vec<Kept>) {
        let mut kept = self.lock();
        kept.extend(data);
        let surplus = kept.len().saturating_sub(MAX_KEPT);
        kept.drain(..surplus);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        // A panic between growing and trimming leaves a queue that the next call trims.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
