//! Uploading metrics to CloudWatch.
//!
//! Invariant: a failed upload is reported and its values are lost, as with every metrics uploader; it never delays
//! records.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StandardUnit, StatisticSet as SdkStatisticSet};

use crate::metric::{MetricName, MetricWindow, StatisticSet};

/// Metrics in one PutMetricData call, as the Java agent sends them.
const METRICS_PER_CALL: usize = 20;

/// The way to CloudWatch.
#[derive(Debug, Clone)]
pub struct CloudWatch {
    client: Client,
    namespace: String,
    /// The value of the dimension `Instance`, where it is wanted.
    instance: Option<String>,
}

impl CloudWatch {
    /// Uploads into `namespace`, with the dimension `Instance` if there is one.
    #[must_use]
    pub fn new(client: Client, namespace: String, instance: Option<String>) -> Self {
        Self { client, namespace, instance }
    }

    /// Uploads a window.
    pub async fn upload(&self, window: &MetricWindow) {
        let data: Vec<_> = window.sets.iter().map(|((name, to), set)| self.datum(*name, to, *set)).collect();
        for chunk in data.chunks(METRICS_PER_CALL) {
            let call = self
                .client
                .put_metric_data()
                .namespace(&self.namespace)
                .set_metric_data(Some(chunk.to_vec()));
            if let Err(error) = call.send().await {
                let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                tracing::warn!(
                    namespace = self.namespace,
                    metrics = chunk.len(),
                    "metrics could not be uploaded to CloudWatch ({error}: {cause}); records are not affected"
                );
            }
        }
    }

    fn datum(&self, name: MetricName, destination: &str, set: StatisticSet) -> MetricDatum {
        let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
        let statistics = SdkStatisticSet::builder()
            .sample_count(set.count)
            .sum(set.sum)
            .minimum(set.minimum)
            .maximum(set.maximum)
            .build();
        MetricDatum::builder()
            .metric_name(name.as_str())
            .unit(if name.is_in_bytes() { StandardUnit::Bytes } else { StandardUnit::Count })
            .statistic_values(statistics)
            .set_dimensions(Some(
                std::iter::once(dimension("Destination", destination))
                    .chain(self.instance.iter().map(|instance| dimension("Instance", instance)))
                    .collect(),
            ))
            .build()
    }
}
