//! What a recorder hears.

use std::collections::BTreeMap;
use std::time::Duration;

use metrics_util::debugging::{DebugValue, DebuggingRecorder};

use super::*;
use crate::metric::EntryOutcome;
use crate::outcome::FailureReason;
use crate::put_records::{CallError, Doubt};
use crate::types::ShardId;

/// What a recorder has after these events: `name label=value` and the value.
fn recorded(metrics: &[Metric<'_>]) -> BTreeMap<String, DebugValue> {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics_facade::with_local_recorder(&recorder, || {
        let sink = MetricsFacade::new();
        metrics.iter().for_each(|metric| sink.record(metric));
    });
    let entries = snapshotter.snapshot().into_vec().into_iter();
    entries
        .map(|(key, _, _, value)| {
            let labels = key.key().labels().map(|label| format!(" {}={}", label.key(), label.value()));
            (format!("{}{}", key.key().name(), labels.collect::<String>()), value)
        })
        .collect()
}

#[test]
fn every_kind_of_metric_arrives_with_its_labels() {
    let (stream, shard) = (&StreamName::new("orders").expect("a lawful name"), &ShardId::from("s0"));
    let error = &CallError { code: "".into(), message: "".into(), doubt: Doubt::NotWritten };
    let request_time = Duration::from_millis(20);
    let recorded = recorded(&[
        Metric::UserRecordsReceived { stream, user_records: 5 },
        Metric::UserRecordsReceived { stream, user_records: 2 },
        Metric::UserRecordsPending { stream, user_records: 7 },
        Metric::PutRecordsFailed { stream, entries: 1, user_records: 7, error, request_time },
        Metric::KinesisRecordSent {
            stream,
            shard: Some(shard),
            user_records: 7,
            data_bytes: 90,
            buffering_time: None,
            outcome: EntryOutcome::Stored,
        },
        Metric::UserRecordsFinished {
            stream,
            shard: None,
            user_records: 7,
            data_bytes: StatisticSet::of(1.0),
            retries: StatisticSet::of(0.0),
            failure: Some(FailureReason::Expired),
        },
    ]);
    for (key, value) in [
        ("kpl_user_records_received stream=orders", DebugValue::Counter(7)),
        ("kpl_user_records_pending stream=orders", DebugValue::Gauge(7.0.into())),
        ("kpl_request_time_milliseconds stream=orders", DebugValue::Histogram(vec![20.0.into()])),
        ("kpl_errors_by_code stream=orders error_code=Unknown", DebugValue::Counter(1)),
        ("kpl_kinesis_records_data_put stream=orders shard=s0", DebugValue::Counter(90)),
        ("kpl_user_records_put stream=orders", DebugValue::Counter(0)),
        ("kpl_user_records_failed stream=orders", DebugValue::Counter(7)),
        ("kpl_user_record_expired stream=orders", DebugValue::Counter(7)),
        ("kpl_calls stream=orders", DebugValue::Counter(1)),
        ("kpl_calls_failed stream=orders cause=service", DebugValue::Counter(1)),
    ] {
        assert_eq!(recorded.get(key), Some(&value), "{key} in {recorded:#?}");
    }
}

#[test]
fn a_folded_set_is_spread_so_that_it_folds_again() {
    for values in [vec![5.0], vec![2.0, 9.0], vec![1.0, 1.0, 4.0, 9.0], vec![3.0; 5]] {
        let set = StatisticSet::folded(values.iter().map(|value| StatisticSet::of(*value))).expect("values");
        let spread = spread(set).filter_map(|(value, count)| StatisticSet::repeated(value, count));
        assert_eq!(StatisticSet::folded(spread), Some(set), "{values:?}");
    }
}

#[test]
fn names_are_the_kpls_in_snake_case() {
    for name in MetricName::all() {
        let plain: String = facade_name(name).split('_').collect();
        let expected = format!("kpl{}", name.as_str().to_lowercase());
        assert_eq!(plain.trim_end_matches("milliseconds"), expected);
    }
}
