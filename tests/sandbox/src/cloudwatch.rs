//! CloudWatch: metric data that are kept to be read back.
//!
//! Invariant: a PutMetricData is kept whole or refused whole; the newest [`MAX_KEPT`] data are kept, older ones go.

pub(crate) mod metric_datum;
mod read;

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::aws_error::AwsError;
use crate::backend::Instruments;
use crate::reply::Answer;
use metric_datum::MetricDatum;

/// Metric data kept; a day of a busy agent is far less.
const MAX_KEPT: usize = 100_000;

/// The metrics.
#[derive(Debug, Default)]
pub(crate) struct CloudWatch {
    kept: Mutex<VecDeque<MetricDatum>>,
}

impl CloudWatch {
    pub(crate) fn carry_out(
        &self,
        operation: &str,
        tree: &Value,
        instruments: Instruments<'_>,
    ) -> Result<Answer, AwsError> {
        match operation {
            "PutMetricData" => {
                instruments.counters.count_put_metric_data();
                self.keep(read::metric_data(tree)?);
                Ok(Answer::Empty)
            }
            "ListMetrics" => Ok(Answer::Tree(self.list(tree))),
            other => Err(AwsError::unknown_operation(other)),
        }
    }

    /// Everything that is kept, oldest first.
    pub(crate) fn metrics(&self) -> Vec<MetricDatum> {
        self.lock().iter().cloned().collect()
    }

    fn keep(&self, data: Vec<MetricDatum>) {
        let mut kept = self.lock();
        kept.extend(data);
        let surplus = kept.len().saturating_sub(MAX_KEPT);
        kept.drain(..surplus);
    }

    /// Each metric once, without pages.
    fn list(&self, tree: &Value) -> Value {
        let wanted = |field: &str, value: &str| tree[field].as_str().is_none_or(|wanted| wanted == value);
        let kept = self.lock();
        let metrics: BTreeSet<_> = kept
            .iter()
            .filter(|datum| wanted("Namespace", &datum.namespace) && wanted("MetricName", &datum.name))
            .map(|datum| (&datum.namespace, &datum.name, &datum.dimensions))
            .collect();
        let listed = |(namespace, name, dimensions): (&String, &String, &Vec<metric_datum::Dimension>)| {
            let dimensions: Vec<Value> = dimensions
                .iter()
                .map(|dimension| json!({"Name": dimension.name, "Value": dimension.value}))
                .collect();
            json!({"Namespace": namespace, "MetricName": name, "Dimensions": dimensions})
        };
        json!({"Metrics": metrics.into_iter().map(listed).collect::<Vec<_>>()})
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<MetricDatum>> {
        // A panic between growing and trimming leaves a queue that the next call trims.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
