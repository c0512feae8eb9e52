//! CloudWatch through the AWS SDK: the producer's metrics as statistic sets.
//!
//! Invariant: that of [`aws`](crate::transport::aws).

use aws_config::SdkConfig;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum as SdkDatum, StandardUnit, StatisticSet as SdkSet};

use crate::metric::datum::{MetricDatum, MetricDimension, PutMetricDataRequest};
use crate::metric::name::MetricUnit;
use crate::transport::aws::ReloadedCredentials;
use crate::transport::aws::{BEHAVIOR, CallTimeouts, SeenEndpoint, call_error, client_config};
use crate::transport::{Answer, MetricDataTransport};

/// A [`MetricDataTransport`] to CloudWatch. Needs the permission `cloudwatch:PutMetricData`.
#[derive(Debug, Clone)]
pub struct CloudWatchTransport {
    client: Client,
    endpoint: SeenEndpoint,
}

impl CloudWatchTransport {
    /// Resolves region and credentials as every AWS tool does.
    pub async fn from_environment() -> Self {
        let config = ReloadedCredentials::load(|| aws_config::defaults(BEHAVIOR())).await;
        Self::new(&config, CallTimeouts::default())
    }

    /// Uses the region, credentials and endpoint of `config`. Its retries and time limits are replaced.
    #[must_use]
    pub fn new(config: &SdkConfig, timeouts: CallTimeouts) -> Self {
        Self::from_builder(aws_sdk_cloudwatch::config::Builder::from(config), timeouts)
    }

    /// The same from a builder of the SDK: for credentials, a region or an endpoint for CloudWatch alone.
    #[must_use]
    pub fn from_builder(builder: aws_sdk_cloudwatch::config::Builder, timeouts: CallTimeouts) -> Self {
        let config = client_config!(builder, timeouts);
        let endpoint = SeenEndpoint::new(config.region());
        let config = config.to_builder().interceptor(endpoint.clone()).build();
        Self { client: Client::from_conf(config), endpoint }
    }
}

impl MetricDataTransport for CloudWatchTransport {
    fn endpoint(&self) -> String {
        self.endpoint.to_string()
    }

    fn put_metric_data(&self, request: PutMetricDataRequest) -> Answer<()> {
        let client = self.client.clone();
        Box::pin(async move {
            let data = request.metric_data.iter().map(sdk_datum).collect();
            let call = client.put_metric_data().namespace(request.namespace).set_metric_data(Some(data));
            call.send().await.map(|_| ()).map_err(|error| call_error(&error))
        })
    }
}

fn sdk_datum(datum: &MetricDatum) -> SdkDatum {
    let values = SdkSet::builder()
        .sample_count(datum.values.sample_count() as f64)
        .sum(datum.values.sum())
        .minimum(datum.values.minimum())
        .maximum(datum.values.maximum())
        .build();
    SdkDatum::builder()
        .metric_name(datum.name.as_str())
        .unit(sdk_unit(datum.name.unit()))
        .set_dimensions(Some(datum.dimensions.iter().map(sdk_dimension).collect()))
        .statistic_values(values)
        .build()
}

fn sdk_dimension(dimension: &MetricDimension) -> Dimension {
    Dimension::builder().name(&*dimension.name).value(&*dimension.value).build()
}

fn sdk_unit(unit: MetricUnit) -> StandardUnit {
    match unit {
        MetricUnit::Count => StandardUnit::Count,
        MetricUnit::Bytes => StandardUnit::Bytes,
        MetricUnit::Milliseconds => StandardUnit::Milliseconds,
    }
}
