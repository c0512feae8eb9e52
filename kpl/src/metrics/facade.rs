//! The producer's metrics under the facade of the crate `metrics`, for whatever recorder the program has installed.
//!
//! Invariant: no label is blank; sums, counts, smallest and largest values are those of the events.

use metrics_facade::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use crate::call_failure::CallFailure;
use crate::metric::Metric;
use crate::metric::name::{MetricName, MetricUnit};
use crate::metric::sample::Sample;
use crate::metric::statistic_set::StatisticSet;
use crate::metrics::MetricsSink;
use crate::types::StreamName;

/// A [`MetricsSink`] that tells the facade of the crate [`metrics`](https://docs.rs/metrics).
///
/// The names are the KPL's in snake case after `kpl_`, with the labels `stream`, and `shard` and `error_code` where
/// there is one:
///
/// * counters: `kpl_user_records_received`, `kpl_user_records_put`, `kpl_user_records_failed` (not the KPL's, whose
///   UserRecordsPut has both), `kpl_user_records_data_put`, `kpl_kinesis_records_put`, `kpl_kinesis_records_data_put`,
///   `kpl_errors_by_code`, `kpl_all_errors`, `kpl_user_record_expired`, `kpl_hot_shard`, and of calls `kpl_calls` and
///   `kpl_calls_failed`, which has the label `cause`: `throttled`, `refused`, `timed_out`, `transport` or `service`;
/// * a gauge: `kpl_user_records_pending`;
/// * histograms: `kpl_retries_per_record`, `kpl_buffering_time_milliseconds`, `kpl_request_time_milliseconds`,
///   `kpl_user_records_per_kinesis_record`, `kpl_kinesis_records_per_put_records_request`,
///   `kpl_user_records_per_put_records_request`.
///
/// The events of many user records are folded, so a histogram gets their smallest and largest value as they are, and the
/// mean of the others for each of the others.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct MetricsFacade;

/// What kind of metric it is to the facade.
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl MetricsFacade {
    /// The sink. Install the recorder first: it is told here what the metrics are.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it does something: it describes the metrics")]
    pub fn new() -> Self {
        for name in MetricName::all() {
            let unit = match name.unit() {
                MetricUnit::Count => Unit::Count,
                MetricUnit::Bytes => Unit::Bytes,
                MetricUnit::Milliseconds => Unit::Milliseconds,
            };
            match kind(name) {
                Kind::Counter => describe_counter!(facade_name(name), unit, name.as_str()),
                Kind::Gauge => describe_gauge!(facade_name(name), unit, name.as_str()),
                Kind::Histogram => describe_histogram!(facade_name(name), unit, name.as_str()),
            }
        }
        Self
    }
}

impl MetricsSink for MetricsFacade {
    fn record(&self, metric: &Metric<'_>) {
        metric.samples(|sample| tell(&sample));
        match metric {
            Metric::PutRecordsAnswered { stream, .. } => count_call(stream),
            Metric::PutRecordsFailed { stream, error, .. } => {
                count_call(stream);
                let cause = CallFailure::of(&error.code).as_str();
                counter!("kpl_calls_failed", "stream" => stream.to_string(), "cause" => cause).increment(1);
            }
            Metric::UserRecordsFinished { stream, user_records, failure: Some(_), .. } => {
                counter!("kpl_user_records_failed", "stream" => stream.to_string())
                    .increment(*user_records as u64);
            }
            Metric::HotShard { stream, shard, .. } => {
                counter!("kpl_hot_shard", "stream" => stream.to_string(), "shard" => shard.to_string())
                    .increment(1);
            }
            _ => {}
        }
    }
}

fn count_call(stream: &StreamName) {
    counter!("kpl_calls", "stream" => stream.to_string()).increment(1);
}

fn tell(sample: &Sample<'_>) {
    let name = facade_name(sample.name);
    let mut labels = vec![("stream", sample.stream.to_string())];
    labels.extend(sample.shard.map(|shard| ("shard", shard.to_string())));
    labels.extend(sample.error_code.map(|code| ("error_code", error_code(code))));
    match kind(sample.name) {
        // Sums of counts and bytes: whole numbers.
        Kind::Counter => counter!(name, &labels).increment(sample.values.sum() as u64),
        Kind::Gauge => gauge!(name, &labels).set(sample.values.maximum()),
        Kind::Histogram => {
            let histogram = histogram!(name, &labels);
            for (value, count) in spread(sample.values) {
                histogram.record_many(value, count);
            }
        }
    }
}

fn error_code(code: &str) -> String {
    if code.trim().is_empty() { "Unknown".to_owned() } else { code.to_owned() }
}

/// Values with how often each is there, that fold to this set.
fn spread(set: StatisticSet) -> impl Iterator<Item = (f64, usize)> {
    let count = usize::try_from(set.sample_count()).unwrap_or(usize::MAX);
    let (least, most) = (set.minimum(), set.maximum());
    let others = count.saturating_sub(2);
    let mean = if others == 0 { least } else { (set.sum() - least - most) / others as f64 };
    // Rounding must not take it out of what was measured.
    let mean = mean.clamp(least, most);
    let spread = [(least, 1), (mean, others), (most, usize::from(count > 1))];
    spread.into_iter().filter(|(_, count)| *count > 0)
}

fn kind(name: MetricName) -> Kind {
    match name {
        MetricName::UserRecordsReceived
        | MetricName::UserRecordsPut
        | MetricName::UserRecordsDataPut
        | MetricName::KinesisRecordsPut
        | MetricName::KinesisRecordsDataPut
        | MetricName::ErrorsByCode
        | MetricName::AllErrors
        | MetricName::UserRecordExpired => Kind::Counter,
        MetricName::UserRecordsPending => Kind::Gauge,
        MetricName::RetriesPerRecord
        | MetricName::BufferingTime
        | MetricName::RequestTime
        | MetricName::UserRecordsPerKinesisRecord
        | MetricName::KinesisRecordsPerPutRecordsRequest
        | MetricName::UserRecordsPerPutRecordsRequest => Kind::Histogram,
    }
}

fn facade_name(name: MetricName) -> &'static str {
    match name {
        MetricName::UserRecordsReceived => "kpl_user_records_received",
        MetricName::UserRecordsPending => "kpl_user_records_pending",
        MetricName::UserRecordsPut => "kpl_user_records_put",
        MetricName::UserRecordsDataPut => "kpl_user_records_data_put",
        MetricName::KinesisRecordsPut => "kpl_kinesis_records_put",
        MetricName::KinesisRecordsDataPut => "kpl_kinesis_records_data_put",
        MetricName::ErrorsByCode => "kpl_errors_by_code",
        MetricName::AllErrors => "kpl_all_errors",
        MetricName::RetriesPerRecord => "kpl_retries_per_record",
        MetricName::UserRecordExpired => "kpl_user_record_expired",
        MetricName::BufferingTime => "kpl_buffering_time_milliseconds",
        MetricName::RequestTime => "kpl_request_time_milliseconds",
        MetricName::UserRecordsPerKinesisRecord => "kpl_user_records_per_kinesis_record",
        MetricName::KinesisRecordsPerPutRecordsRequest => "kpl_kinesis_records_per_put_records_request",
        MetricName::UserRecordsPerPutRecordsRequest => "kpl_user_records_per_put_records_request",
    }
}

#[cfg(test)]
mod tests;
