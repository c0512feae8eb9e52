//! Which metrics are gathered and under which dimensions: what the accumulator takes of the configuration.
//!
//! Invariant: made of a configuration that passed [`Config::check`], it names no dimension that CloudWatch refuses.

use std::time::Duration;

use crate::config::Config;
use crate::config::choices::{AdditionalMetricDimension, MetricsGranularity, MetricsLevel};

/// Characters of a dimension's value (the KPL's own limit; CloudWatch takes more).
const TEXT_CHARACTERS: usize = 255;

/// The dimensions that the KPL's metrics have by themselves.
pub(crate) const STREAM_NAME: &str = "StreamName";
pub(crate) const SHARD_ID: &str = "ShardId";
pub(crate) const ERROR_CODE: &str = "ErrorCode";

/// What is uploaded to CloudWatch, and when; see the fields of the same names of [`Config`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MetricsOptions {
    pub(crate) metrics_level: MetricsLevel,
    pub(crate) metrics_granularity: MetricsGranularity,
    pub(crate) metrics_namespace: String,
    pub(crate) metrics_upload_delay: Duration,
    pub(crate) additional_metric_dims: Vec<AdditionalMetricDimension>,
}

impl From<&Config> for MetricsOptions {
    fn from(config: &Config) -> Self {
        Self {
            metrics_level: config.metrics_level,
            metrics_granularity: config.metrics_granularity,
            metrics_namespace: config.metrics_namespace.clone(),
            metrics_upload_delay: config.metrics_upload_delay,
            additional_metric_dims: config.additional_metric_dims.clone(),
        }
    }
}

/// An error code as a dimension's value: what CloudWatch would refuse is replaced, and blank ones get a name, because a
/// datum whose dimension is blank is refused, or taken for another metric without it.
pub(crate) fn error_code_dimension(code: &str) -> String {
    if code.trim().is_empty() {
        return "Unknown".to_owned();
    }
    let lawful =
        |character: char| if character.is_ascii_graphic() || character == ' ' { character } else { '?' };
    code.chars().take(TEXT_CHARACTERS).map(lawful).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_codes_become_lawful_values() {
        for (code, value) in [
            ("InternalFailure", "InternalFailure"),
            ("Record Count Mismatch", "Record Count Mismatch"),
            ("", "Unknown"),
            (" \t", "Unknown"),
            ("é\n", "??"),
        ] {
            assert_eq!(error_code_dimension(code), value, "{code:?}");
        }
        assert_eq!(error_code_dimension(&"x".repeat(3000)).len(), 255);
    }
}
