//! What each event says in the KPL's metrics: its catalogue as a table.

use std::time::Duration;

use super::*;
use crate::put_records::{CallError, Doubt};

/// A sample in short: name, shard, error code, and count, sum, minimum and maximum.
type Short = (String, Option<String>, Option<String>, [f64; 4]);

fn short(sample: &Sample<'_>) -> Short {
    let values = sample.values;
    let numbers = [values.sample_count() as f64, values.sum(), values.minimum(), values.maximum()];
    let text = |shard: &ShardId| shard.to_string();
    (sample.name.as_str().to_owned(), sample.shard.map(text), sample.error_code.map(str::to_owned), numbers)
}

fn samples(metric: &Metric<'_>) -> Vec<Short> {
    let mut samples = Vec::new();
    metric.samples(|sample| samples.push(short(&sample)));
    samples
}

fn row(name: &str, shard: Option<&str>, code: Option<&str>, numbers: [f64; 4]) -> Short {
    (name.to_owned(), shard.map(str::to_owned), code.map(str::to_owned), numbers)
}

fn once(value: f64) -> [f64; 4] {
    [1.0, value, value, value]
}

fn stream() -> StreamName {
    StreamName::new("orders").expect("a lawful name")
}

#[test]
fn what_comes_in_and_waits() {
    let stream = &stream();
    assert_eq!(
        samples(&Metric::UserRecordsReceived { stream, user_records: 7 }),
        [row("UserRecordsReceived", None, None, [7.0, 7.0, 1.0, 1.0])]
    );
    assert_eq!(
        samples(&Metric::UserRecordsPending { stream, user_records: 0 }),
        [row("UserRecordsPending", None, None, once(0.0))]
    );
}

#[test]
fn calls() {
    let stream = &stream();
    let request_time = Duration::from_millis(20);
    let of_any_call = [
        row("RequestTime", None, None, once(20.0)),
        row("KinesisRecordsPerPutRecordsRequest", None, None, once(3.0)),
        row("UserRecordsPerPutRecordsRequest", None, None, once(40.0)),
    ];
    let answered = Metric::PutRecordsAnswered {
        stream,
        entries: 3,
        user_records: 40,
        entries_put: 2,
        user_records_put: 30,
        data_bytes_put: 1000,
        request_time,
    };
    assert_eq!(samples(&answered), of_any_call);
    let error = &CallError { code: "".into(), message: "".into(), doubt: Doubt::MayHaveBeenWritten };
    let failed = Metric::PutRecordsFailed { stream, entries: 3, user_records: 40, error, request_time };
    let failed = samples(&failed);
    assert_eq!(failed[..3], of_any_call);
    assert_eq!(
        failed[3..],
        [row("ErrorsByCode", None, Some(""), once(1.0)), row("AllErrors", None, None, once(1.0))]
    );
}

#[test]
fn entries() {
    let (stream, shard) = (&stream(), &ShardId::from("s0"));
    let entry = |outcome| {
        let buffering_time = StatisticSet::folded([StatisticSet::of(80.0), StatisticSet::of(100.0)]);
        let shard = Some(shard);
        let sent = Metric::KinesisRecordSent {
            stream,
            shard,
            user_records: 2,
            data_bytes: 500,
            buffering_time,
            outcome,
        };
        samples(&sent)
    };
    let s0 = Some("s0");
    let of_any_entry = [
        row("UserRecordsPerKinesisRecord", s0, None, once(2.0)),
        row("BufferingTime", s0, None, [2.0, 180.0, 80.0, 100.0]),
    ];
    let stored = entry(EntryOutcome::Stored);
    assert_eq!(stored[..2], of_any_entry);
    assert_eq!(
        stored[2..],
        [
            row("KinesisRecordsPut", s0, None, once(1.0)),
            row("KinesisRecordsDataPut", s0, None, once(500.0)),
            row("AllErrors", s0, None, once(0.0)),
        ]
    );
    let refused = entry(EntryOutcome::Refused { code: "InternalFailure" });
    assert_eq!(
        refused[2..],
        [
            row("KinesisRecordsPut", s0, None, once(0.0)),
            row("ErrorsByCode", s0, Some("InternalFailure"), once(1.0)),
            row("AllErrors", s0, None, once(1.0)),
        ]
    );
    assert_eq!(entry(EntryOutcome::CallFailed), of_any_entry, "the call tells its error once");
}

#[test]
fn outcomes() {
    let (stream, shard) = (&stream(), &ShardId::from("s0"));
    let finished = |failure| {
        let data_bytes = StatisticSet::folded([10.0, 20.0, 30.0].map(StatisticSet::of));
        let retries = StatisticSet::folded([0.0, 0.0, 2.0].map(StatisticSet::of));
        let (Some(data_bytes), Some(retries)) = (data_bytes, retries) else { unreachable!() };
        let shard = Some(shard);
        samples(&Metric::UserRecordsFinished { stream, shard, user_records: 3, data_bytes, retries, failure })
    };
    let s0 = Some("s0");
    let retries = row("RetriesPerRecord", s0, None, [3.0, 2.0, 0.0, 2.0]);
    let put = |value: f64| row("UserRecordsPut", s0, None, [3.0, 3.0 * value, value, value]);
    assert_eq!(
        finished(None),
        [retries.clone(), put(1.0), row("UserRecordsDataPut", s0, None, [3.0, 60.0, 10.0, 30.0])]
    );
    assert_eq!(
        finished(Some(FailureReason::Expired)),
        [retries.clone(), put(0.0), row("UserRecordExpired", s0, None, [3.0, 3.0, 1.0, 1.0])]
    );
    assert_eq!(finished(Some(FailureReason::Refused)), [retries, put(0.0)]);
}
