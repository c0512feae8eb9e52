//! Tells one stream's events to the metrics sink, if there is one.
//!
//! Invariant: without a sink nothing is computed; a sink that panics ends nothing.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use crate::core::call_summary::{CallSummary, EntrySummary};
use crate::core::hot_keys::KeyLoad;
use crate::core::pipeline::Finished;
use crate::kinesis_record::KinesisRecord;
use crate::metric::statistic_set::StatisticSet;
use crate::metric::{EntryOutcome, HeavyPartitionKey, Metric};
use crate::metrics::MetricsSink;
use crate::metrics_upload::CloudWatchMetrics;
use crate::put_records::{CallError, PutRecordsResponse};
use crate::types::{ShardId, StreamName};

/// The way to the sink.
#[derive(Clone)]
pub(crate) struct Reporter {
    /// `None`: nobody listens.
    sink: Option<Arc<dyn MetricsSink>>,
    hears_kinesis_records: bool,
}

/// Both sinks as one.
struct Both(CloudWatchMetrics, Arc<dyn MetricsSink>);

impl MetricsSink for Both {
    fn record(&self, metric: &Metric<'_>) {
        self.0.record(metric);
        self.1.record(metric);
    }

    fn wants_kinesis_records(&self) -> bool {
        self.0.wants_kinesis_records() || self.1.wants_kinesis_records()
    }
}

impl Reporter {
    /// Tells whichever there is.
    pub(crate) fn new(sink: Option<Arc<dyn MetricsSink>>, cloudwatch: Option<&CloudWatchMetrics>) -> Self {
        let sink = match (cloudwatch.cloned(), sink) {
            (Some(cloudwatch), Some(sink)) => Some(Arc::new(Both(cloudwatch, sink)) as Arc<dyn MetricsSink>),
            (Some(cloudwatch), None) => Some(Arc::new(cloudwatch) as Arc<dyn MetricsSink>),
            (None, sink) => sink,
        };
        let hears_kinesis_records = sink.as_ref().is_some_and(|sink| sink.wants_kinesis_records());
        Self { sink, hears_kinesis_records }
    }

    /// Whether anybody listens; if not, there is nothing to compute.
    pub(crate) fn is_heard(&self) -> bool {
        self.sink.is_some()
    }

    /// Whether anybody listens to the events of single Kinesis records.
    pub(crate) fn hears_kinesis_records(&self) -> bool {
        self.hears_kinesis_records
    }

    /// Records were received, or the number of those pending has changed.
    pub(crate) fn changed(&self, stream: &StreamName, received: u64, pending: Option<usize>) {
        if received > 0 {
            let user_records = usize::try_from(received).unwrap_or(usize::MAX);
            self.tell(&Metric::UserRecordsReceived { stream, user_records });
        }
        if let Some(user_records) = pending {
            self.tell(&Metric::UserRecordsPending { stream, user_records });
        }
    }

    /// A shard throttles because of these keys.
    pub(crate) fn hot_shard(&self, stream: &StreamName, shard: &ShardId, heaviest: &[KeyLoad]) {
        let mut partition_keys = Vec::with_capacity(heaviest.len());
        for KeyLoad { partition_key, user_records, bytes } in heaviest {
            let (user_records, bytes) = (*user_records, *bytes);
            partition_keys.push(HeavyPartitionKey { partition_key, user_records, bytes });
        }
        self.tell(&Metric::HotShard { stream, shard, partition_keys: &partition_keys });
    }

    /// A call ended; `entries` are those that it had, if anybody listens to them.
    pub(crate) fn call_ended(
        &self,
        stream: &StreamName,
        entries: &[EntrySummary],
        summary: &CallSummary,
        answer: &Result<PutRecordsResponse, CallError>,
    ) {
        for (place, entry) in entries.iter().enumerate() {
            self.tell(&Metric::KinesisRecordSent {
                stream,
                shard: entry.predicted_shard.as_ref(),
                user_records: entry.user_records,
                data_bytes: entry.data_bytes,
                buffering_time: entry.buffering_time,
                outcome: outcome(summary, answer, place),
            });
        }
        let CallSummary { entries, user_records, request_time, .. } = *summary;
        let failed = |error: &CallError| {
            self.tell(&Metric::PutRecordsFailed { stream, entries, user_records, error, request_time });
        };
        match answer {
            Err(error) => failed(error),
            Ok(response) if summary.failed => {
                failed(&CallError::miscounted(response.entries.len(), entries));
            }
            Ok(_) => self.tell(&Metric::PutRecordsAnswered {
                stream,
                entries,
                user_records,
                entries_put: summary.entries_put,
                user_records_put: summary.user_records_put,
                data_bytes_put: summary.data_bytes_put,
                request_time,
            }),
        }
    }

    /// Records got their outcome; `predicted` tells the shard that they were last predicted for.
    pub(crate) fn finished<T>(
        &self,
        stream: &StreamName,
        finished: &Finished<T>,
        predicted: impl FnOnce() -> Option<ShardId>,
    ) {
        let (record, shard) = match finished {
            // Delivery streams have no shards, and their id is empty.
            Finished::Stored { record, shard_id, .. } => {
                (record, (!shard_id.as_str().is_empty()).then(|| shard_id.clone()))
            }
            Finished::Failed { record, .. } => (record, predicted()),
        };
        let (Some(retries), Some(data_bytes)) = (StatisticSet::folded(retries(record)), data_bytes(record))
        else {
            return; // it has no members, and there is nothing to tell
        };
        self.tell(&Metric::UserRecordsFinished {
            stream,
            shard: shard.as_ref(),
            user_records: record.members.len(),
            data_bytes,
            retries,
            failure: finished.failure(),
        });
    }

    fn tell(&self, metric: &Metric<'_>) {
        if let Some(sink) = &self.sink {
            guarded(|| sink.record(metric));
        }
    }
}

fn outcome<'a>(
    summary: &CallSummary,
    answer: &'a Result<PutRecordsResponse, CallError>,
    place: usize,
) -> EntryOutcome<'a> {
    match answer {
        Ok(response) if !summary.failed => match response.entries.get(place) {
            Some(Err(error)) => EntryOutcome::Refused { code: &error.code },
            _ => EntryOutcome::Stored,
        },
        _ => EntryOutcome::CallFailed,
    }
}

/// Of each member, the attempts after its first.
fn retries<T>(record: &KinesisRecord<T>) -> impl Iterator<Item = StatisticSet> {
    let together = record.history.attempts_made;
    record.members.iter().map(move |member| {
        let before = member.history.as_ref().map_or(0, |history| history.attempts_made);
        StatisticSet::of(f64::from(before.saturating_add(together).saturating_sub(1)))
    })
}

fn data_bytes<T>(record: &KinesisRecord<T>) -> Option<StatisticSet> {
    let sizes = record.data_sizes;
    let extremes = (f64::from(sizes.smallest), f64::from(sizes.largest));
    StatisticSet::summed(record.members.len(), f64::from(sizes.sum), extremes)
}

/// Calls into the user's code. A panic there must not end the task, or records would lose their outcomes.
pub(crate) fn guarded(call: impl FnOnce()) {
    if std::panic::catch_unwind(AssertUnwindSafe(call)).is_err() {
        tracing::error!("a sink for outcomes or metrics panicked; it is called again for the next ones");
    }
}
