//! Which metrics are gathered and under which dimensions: the KPL's options and their checks.
//!
//! Invariant: options that passed [`CloudWatchOptions::check`] make no dimension or namespace that CloudWatch refuses.

use std::time::Duration;

use super::name::MetricsLevel;
use crate::config::ConfigError;

/// Characters of a dimension's name or value, and of a namespace (CloudWatch API reference, `Dimension` and
/// `PutMetricData`; for values the KPL's own, narrower limit).
const TEXT_CHARACTERS: usize = 255;

/// Dimensions of one metric (CloudWatch API reference, `MetricDatum`).
const DIMENSIONS: usize = 30;

/// The dimensions that the KPL's metrics have by themselves.
pub(crate) const STREAM_NAME: &str = "StreamName";
pub(crate) const SHARD_ID: &str = "ShardId";
pub(crate) const ERROR_CODE: &str = "ErrorCode";
const OWN_DIMENSIONS: [&str; 3] = [STREAM_NAME, SHARD_ID, ERROR_CODE];

/// How finely metrics are told apart: the KPL's `metrics_granularity`. Each includes the coarser ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum MetricsGranularity {
    /// One number for the whole producer.
    Global,
    /// Also by the dimension `StreamName`.
    Stream,
    /// Also by the dimension `ShardId`.
    #[default]
    Shard,
}

/// A dimension of the user's own: one of the KPL's `additional_metric_dims`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AdditionalDimension {
    /// Its name. 1 to 255 ASCII characters, not blank, not starting with a colon, and none of `StreamName`, `ShardId`
    /// and `ErrorCode`.
    pub name: String,
    /// Its value. 1 to 255 ASCII characters, not blank.
    pub value: String,
    /// Which metrics get it: those by shard, by stream and shard, or all. Each metric is told without it too.
    pub granularity: MetricsGranularity,
}

/// What is uploaded to CloudWatch, and when. The defaults are the KPL's.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CloudWatchOptions {
    /// How much is uploaded. Default [`MetricsLevel::Detailed`].
    pub metrics_level: MetricsLevel,
    /// How finely. Default [`MetricsGranularity::Shard`].
    pub metrics_granularity: MetricsGranularity,
    /// The namespace in CloudWatch. 1 to 255 ASCII characters, not starting with `AWS/` or a colon. Default
    /// `KinesisProducerLibrary`.
    pub metrics_namespace: String,
    /// Between two uploads. 1 ms or more, default 60 s.
    pub metrics_upload_delay: Duration,
    /// Dimensions of your own; at most 27. Those of one granularity keep their order. Default none.
    pub additional_metric_dims: Vec<AdditionalDimension>,
}

impl Default for CloudWatchOptions {
    fn default() -> Self {
        Self {
            metrics_level: MetricsLevel::default(),
            metrics_granularity: MetricsGranularity::default(),
            metrics_namespace: "KinesisProducerLibrary".to_owned(),
            metrics_upload_delay: Duration::from_secs(60),
            additional_metric_dims: Vec::new(),
        }
    }
}

impl CloudWatchOptions {
    /// Looks at every option.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with all problems.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut problems = Vec::new();
        let namespace = &self.metrics_namespace;
        if !is_text(namespace) || namespace.starts_with("AWS/") || namespace.starts_with(':') {
            problems.push(format!(
                "metrics_namespace is {namespace:?}: give 1 to 255 ASCII characters that start neither with \"AWS/\" \
                 nor with a colon"
            ));
        }
        if self.metrics_upload_delay < Duration::from_millis(1) {
            problems
                .push(format!("metrics_upload_delay is {:?}: give 1 ms or more", self.metrics_upload_delay));
        }
        let (given, most) = (self.additional_metric_dims.len(), DIMENSIONS - OWN_DIMENSIONS.len());
        if given > most {
            problems.push(format!("additional_metric_dims has {given} dimensions: give at most {most}"));
        }
        problems.extend(self.additional_metric_dims.iter().filter_map(AdditionalDimension::problem));
        problems.extend(self.repeated_names());
        if problems.is_empty() { Ok(()) } else { Err(ConfigError { problems }) }
    }

    fn repeated_names(&self) -> impl Iterator<Item = String> {
        let dimensions = &self.additional_metric_dims;
        let is_repeated =
            |place: usize| dimensions[..place].iter().any(|earlier| earlier.name == dimensions[place].name);
        let repeated = (0..dimensions.len()).filter(move |place| is_repeated(*place));
        repeated.map(|place| {
            format!("additional_metric_dims has the name {:?} twice: give each once", dimensions[place].name)
        })
    }
}

impl AdditionalDimension {
    fn problem(&self) -> Option<String> {
        let Self { name, value, .. } = self;
        if OWN_DIMENSIONS.contains(&name.as_str()) {
            return Some(format!(
                "additional_metric_dims has the name {name:?}, which the metrics have already"
            ));
        }
        let lawful = is_text(name) && !name.starts_with(':') && is_text(value);
        (!lawful).then(|| {
            format!(
                "additional_metric_dims has {name:?} = {value:?}: give name and value 1 to 255 ASCII characters that \
                 are not all blank, and no colon in front of the name"
            )
        })
    }
}

/// Whether CloudWatch takes this as a name or a value.
fn is_text(text: &str) -> bool {
    let lawful = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    text.len() <= TEXT_CHARACTERS && !text.trim().is_empty() && text.bytes().all(lawful)
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

    fn with_dimension(name: &str, value: &str) -> CloudWatchOptions {
        let granularity = MetricsGranularity::Global;
        let dimension = AdditionalDimension { name: name.to_owned(), value: value.to_owned(), granularity };
        CloudWatchOptions { additional_metric_dims: vec![dimension], ..CloudWatchOptions::default() }
    }

    #[test]
    fn namespaces_are_checked() {
        for (namespace, lawful) in [
            ("KinesisProducerLibrary", true),
            ("my/app", true),
            ("AWS/Kinesis", false),
            ("AWSome", true),
            ("", false),
            (" ", false),
            (":x", false),
            (&"n".repeat(256), false),
        ] {
            let metrics_namespace = namespace.to_owned();
            let options = CloudWatchOptions { metrics_namespace, ..CloudWatchOptions::default() };
            assert_eq!(options.check().is_ok(), lawful, "{namespace:?}");
        }
    }

    #[test]
    fn dimensions_are_checked() {
        for (name, value, lawful) in [
            ("host", "a", true),
            ("", "a", false),
            ("host", "", false),
            ("host", "  ", false),
            (":host", "a", false),
            ("höst", "a", false),
            ("host", "a\n", false),
            ("StreamName", "a", false),
        ] {
            assert_eq!(with_dimension(name, value).check().is_ok(), lawful, "{name:?} = {value:?}");
        }
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let mut options = with_dimension("ShardId", "x");
        options.additional_metric_dims = vec![options.additional_metric_dims[0].clone(); 28];
        options.metrics_upload_delay = Duration::ZERO;
        options.metrics_namespace.clear();
        let problems = options.check().expect_err("many problems").problems;
        assert_eq!(problems.len(), 3 + 28 + 27, "{problems:?}");
    }

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
