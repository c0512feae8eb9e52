//! The accumulator: what was measured since the last upload, by metric, error code, stream and shard.
//!
//! Values are kept where they are told apart most finely, and summed up to the coarser series only when the window is
//! read, so that adding one touches one series.
//!
//! Invariant: a window keeps at most [`MAX_SHARDS`] shards and [`MAX_ERROR_CODES`] error codes; what comes beyond is
//! counted for the whole stream, or under [`OTHER_CODE`], and never lost.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Metric;
use super::datum::{MetricData, MetricDimension};
use super::name::MetricName;
use super::options::{ERROR_CODE, MetricsOptions, SHARD_ID, STREAM_NAME, error_code_dimension};
use super::sample::Sample;
use super::statistic_set::StatisticSet;
use crate::config::choices::MetricsGranularity;
use crate::types::{ShardId, StreamName};

/// Shards that are told apart, over all streams.
const MAX_SHARDS: usize = 10_000;

/// Error codes that are told apart.
const MAX_ERROR_CODES: usize = 50;

/// The code of all others.
const OTHER_CODE: &str = "Other";

/// What was measured since the last upload.
#[derive(Debug, Default)]
pub(crate) struct MetricWindow {
    streams: HashMap<StreamName, StreamSeries>,
    /// Shards in all streams together.
    shards: usize,
    codes: HashSet<Arc<str>>,
}

#[derive(Debug, Default)]
struct StreamSeries {
    /// What has no shard, or none that is told apart.
    own: Series,
    shards: HashMap<ShardId, Series>,
}

/// The values of one stream or shard.
#[derive(Debug, Default)]
struct Series {
    /// By metric.
    sets: [Option<StatisticSet>; MetricName::COUNT],
    /// Those of [`MetricName::ErrorsByCode`], by code.
    errors: HashMap<Arc<str>, Option<StatisticSet>>,
}

/// Where a series stands in the KPL's tree, without the metric's name: the dimensions from the root down.
struct Path {
    dimensions: Vec<MetricDimension>,
    /// The shortest beginning that names the stream; the same for the shard.
    with_stream: usize,
    with_shard: usize,
}

// === impl MetricWindow ===

impl MetricWindow {
    /// Adds an event, as far as `options` ask for what it says.
    pub(crate) fn add(&mut self, metric: &Metric<'_>, options: &MetricsOptions) {
        metric.samples(|sample| self.add_sample(&sample, options));
    }

    /// Whether nothing was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.streams.is_empty()
    }

    /// Adds all series to `data`: each by itself, and each summed up to every coarser one.
    pub(crate) fn add_to(&self, data: &mut MetricData, options: &MetricsOptions) {
        for (stream, series) in &self.streams {
            series.own.add_to(data, options, stream, None);
            for (shard, series) in &series.shards {
                series.add_to(data, options, stream, Some(shard));
            }
        }
    }

    fn add_sample(&mut self, sample: &Sample<'_>, options: &MetricsOptions) {
        if sample.name.level() > options.metrics_level {
            return;
        }
        let by_shard = options.metrics_granularity == MetricsGranularity::Shard;
        // Delivery streams have no shards; their outcomes carry an empty id.
        let shard = sample.shard.filter(|shard| by_shard && !shard.as_str().is_empty());
        let code = sample.error_code.map(|code| self.code(code));
        let series = self.series(sample.stream, shard);
        let set = match code {
            Some(code) => series.errors.entry(code).or_default(),
            None => &mut series.sets[sample.name as usize],
        };
        *set = Some(set.map_or(sample.values, |known| known.merged(sample.values)));
    }

    fn series(&mut self, stream: &StreamName, shard: Option<&ShardId>) -> &mut Series {
        let known = self.streams.entry(stream.clone()).or_default();
        let Some(shard) = shard else { return &mut known.own };
        if !known.shards.contains_key(shard) {
            if self.shards == MAX_SHARDS {
                return &mut known.own;
            }
            self.shards += 1;
        }
        known.shards.entry(shard.clone()).or_default()
    }

    /// The code as a dimension's value, as long as there is room for another one.
    fn code(&mut self, code: &str) -> Arc<str> {
        if let Some(known) = self.codes.get(code) {
            return Arc::clone(known);
        }
        let lawful = error_code_dimension(code);
        if let Some(known) = self.codes.get(lawful.as_str()) {
            return Arc::clone(known);
        }
        let lawful = if self.codes.len() < MAX_ERROR_CODES { lawful } else { OTHER_CODE.to_owned() };
        let lawful = Arc::from(lawful);
        self.codes.insert(Arc::clone(&lawful));
        lawful
    }
}

// === impl Series ===

impl Series {
    fn add_to(
        &self,
        data: &mut MetricData,
        options: &MetricsOptions,
        stream: &StreamName,
        shard: Option<&ShardId>,
    ) {
        let path = Path::new(options, None, stream, shard);
        for name in MetricName::all() {
            path.add_to(data, options, name, self.sets[name as usize]);
        }
        for (code, set) in &self.errors {
            let path = Path::new(options, Some(code), stream, shard);
            path.add_to(data, options, MetricName::ErrorsByCode, *set);
        }
    }
}

// === impl Path ===

impl Path {
    fn new(
        options: &MetricsOptions,
        code: Option<&Arc<str>>,
        stream: &StreamName,
        shard: Option<&ShardId>,
    ) -> Self {
        let mut dimensions = Vec::new();
        let add_own = |dimensions: &mut Vec<MetricDimension>, granularity| {
            let own = options.additional_metric_dims.iter().filter(|own| own.granularity == granularity);
            dimensions.extend(own.map(|own| MetricDimension::new(&own.name, &own.value)));
        };
        add_own(&mut dimensions, MetricsGranularity::Global);
        dimensions.extend(code.map(|code| MetricDimension::new(ERROR_CODE, code)));
        dimensions.push(MetricDimension::new(STREAM_NAME, stream.as_str()));
        let with_stream = dimensions.len();
        add_own(&mut dimensions, MetricsGranularity::Stream);
        let mut with_shard = usize::MAX;
        if let Some(shard) = shard {
            dimensions.push(MetricDimension::new(SHARD_ID, shard.as_str()));
            with_shard = dimensions.len();
            add_own(&mut dimensions, MetricsGranularity::Shard);
        }
        Self { dimensions, with_stream, with_shard }
    }

    /// Every beginning of the path is a metric of its own, down to the granularity.
    fn add_to(
        &self,
        data: &mut MetricData,
        options: &MetricsOptions,
        name: MetricName,
        set: Option<StatisticSet>,
    ) {
        let Some(set) = set else { return };
        let end = match options.metrics_granularity {
            MetricsGranularity::Global => self.with_stream,
            MetricsGranularity::Stream => self.with_shard,
            MetricsGranularity::Shard => usize::MAX,
        };
        for count in 0..end.min(self.dimensions.len() + 1) {
            data.add(name, &self.dimensions[..count], set);
        }
    }
}

#[cfg(test)]
mod tests;
