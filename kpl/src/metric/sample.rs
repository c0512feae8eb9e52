//! From what happened to the KPL's metrics: the one table of which event says what.
//!
//! Invariant: each metric is said by one kind of event only (an error by the entry or by the call that met it).

use super::name::MetricName;
use super::statistic_set::StatisticSet;
use super::{EntryOutcome, Metric};
use crate::outcome::FailureReason;
use crate::types::{ShardId, StreamName};

/// Values of one metric, and whose they are.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Sample<'a> {
    /// Which metric.
    pub name: MetricName,
    /// The stream.
    pub stream: &'a StreamName,
    /// The shard, where the metric has one and it is known.
    pub shard: Option<&'a ShardId>,
    /// The error code, of [`MetricName::ErrorsByCode`] only. As the service gave it: it may be empty.
    pub error_code: Option<&'a str>,
    /// The values.
    pub values: StatisticSet,
}

/// Whose the samples of one event are, and who takes them.
struct Teller<'a, F> {
    stream: &'a StreamName,
    shard: Option<&'a ShardId>,
    each: F,
}

impl<'a> Metric<'a> {
    /// What this event means in the KPL's metrics: calls `each` for every metric that it adds values to.
    pub fn samples(&self, each: impl FnMut(Sample<'a>)) {
        match *self {
            Metric::UserRecordsReceived { stream, user_records } => {
                Teller::new(stream, each).tell_repeated(MetricName::UserRecordsReceived, 1.0, user_records);
            }
            Metric::UserRecordsPending { stream, user_records } => {
                Teller::new(stream, each).tell_count(MetricName::UserRecordsPending, user_records);
            }
            Metric::PutRecordsAnswered { stream, entries, user_records, request_time, .. } => {
                Teller::new(stream, each).tell_call(entries, user_records, request_time);
            }
            Metric::PutRecordsFailed { stream, entries, user_records, error, request_time } => {
                let mut teller = Teller::new(stream, each);
                teller.tell_call(entries, user_records, request_time);
                teller.tell_error(&error.code);
            }
            Metric::KinesisRecordSent {
                stream,
                shard,
                user_records,
                data_bytes,
                buffering_time,
                outcome,
            } => {
                let mut teller = Teller { stream, shard, each };
                teller.tell_count(MetricName::UserRecordsPerKinesisRecord, user_records);
                teller.tell(MetricName::BufferingTime, buffering_time);
                teller.tell_entry(outcome, data_bytes);
            }
            Metric::UserRecordsFinished { stream, shard, user_records, data_bytes, retries, failure } => {
                let mut teller = Teller { stream, shard, each };
                teller.tell(MetricName::RetriesPerRecord, Some(retries));
                let stored = f64::from(u8::from(failure.is_none()));
                teller.tell_repeated(MetricName::UserRecordsPut, stored, user_records);
                match failure {
                    None => teller.tell(MetricName::UserRecordsDataPut, Some(data_bytes)),
                    Some(FailureReason::Expired) => {
                        teller.tell_repeated(MetricName::UserRecordExpired, 1.0, user_records);
                    }
                    Some(_) => {}
                }
            }
            // The KPL has no such metric, and partition keys are too many for dimensions.
            Metric::HotShard { .. } => {}
        }
    }
}

impl<'a, F: FnMut(Sample<'a>)> Teller<'a, F> {
    fn new(stream: &'a StreamName, each: F) -> Self {
        Self { stream, shard: None, each }
    }

    fn tell(&mut self, name: MetricName, values: Option<StatisticSet>) {
        let Self { stream, shard, .. } = *self;
        if let Some(values) = values {
            (self.each)(Sample { name, stream, shard, error_code: None, values });
        }
    }

    fn tell_count(&mut self, name: MetricName, count: usize) {
        self.tell(name, Some(StatisticSet::of(count as f64)));
    }

    fn tell_repeated(&mut self, name: MetricName, value: f64, times: usize) {
        self.tell(name, StatisticSet::repeated(value, times));
    }

    fn tell_call(&mut self, entries: usize, user_records: usize, request_time: std::time::Duration) {
        self.tell(MetricName::RequestTime, Some(StatisticSet::of_duration(request_time)));
        self.tell_count(MetricName::KinesisRecordsPerPutRecordsRequest, entries);
        self.tell_count(MetricName::UserRecordsPerPutRecordsRequest, user_records);
    }

    fn tell_entry(&mut self, outcome: EntryOutcome<'a>, data_bytes: usize) {
        match outcome {
            EntryOutcome::Stored => {
                self.tell_count(MetricName::KinesisRecordsPut, 1);
                self.tell_count(MetricName::KinesisRecordsDataPut, data_bytes);
                self.tell_count(MetricName::AllErrors, 0);
            }
            EntryOutcome::Refused { code } => {
                self.tell_count(MetricName::KinesisRecordsPut, 0);
                self.tell_error(code);
            }
            // The call's event tells the error, once.
            EntryOutcome::CallFailed => {}
        }
    }

    fn tell_error(&mut self, code: &'a str) {
        let Self { stream, shard, .. } = *self;
        let (name, values) = (MetricName::ErrorsByCode, StatisticSet::of(1.0));
        (self.each)(Sample { name, stream, shard, error_code: Some(code), values });
        self.tell_count(MetricName::AllErrors, 1);
    }
}

#[cfg(test)]
mod tests;
