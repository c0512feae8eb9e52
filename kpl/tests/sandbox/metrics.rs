//! The producer's metrics as CloudWatch gets them, read back from the sandbox.

use std::collections::BTreeMap;
use std::time::Duration;

use kinesis_sandbox::{MetricDatum, MetricValue, Sandbox};
use kpl::{AwsTransport, CloudWatchMetrics, CloudWatchTransport, Config, Producer};

use crate::support::{STREAM, assert_all_stored, builder, many_calls, patient, sandbox, send, soon};

/// With a slash, which has broken signatures before.
const NAMESPACE: &str = "my/app";

async fn producer(sandbox: &Sandbox) -> Producer {
    sandbox.create_stream(STREAM, 1).await.expect("created");
    let mut options = Config::default();
    options.metrics_namespace = NAMESPACE.to_owned();
    // Only what is asked for is uploaded: the windows are the test's to choose.
    options.metrics_upload_delay = Duration::from_secs(60);
    let cloudwatch = CloudWatchTransport::from_builder(builder!(aws_sdk_cloudwatch, sandbox), patient());
    let kinesis = AwsTransport::from_builder(builder!(aws_sdk_kinesis, sandbox), patient());
    let mut config = many_calls();
    config.aggregation_max_size = 51_200;
    Producer::builder(kinesis)
        .config(config)
        .cloudwatch_metrics(CloudWatchMetrics::start(cloudwatch, &options).expect("lawful options"))
        .start()
        .expect("a lawful configuration")
}

/// What was told, by `name unit dimension=value`: count, sum, minimum and maximum.
fn told(sandbox: &Sandbox) -> BTreeMap<String, [f64; 4]> {
    let metrics = sandbox.metrics();
    assert!(metrics.iter().all(|datum| datum.namespace == NAMESPACE));
    let told: BTreeMap<_, _> = metrics.iter().map(|datum| (key(datum), numbers(datum))).collect();
    assert_eq!(told.len(), metrics.len(), "one window, and each metric once: {metrics:#?}");
    told
}

fn key(datum: &MetricDatum) -> String {
    let unit = datum.unit.as_deref().unwrap_or_default();
    let dimensions = datum.dimensions.iter().map(|own| format!(" {}={}", own.name, own.value));
    format!("{} {unit}{}", datum.name, dimensions.collect::<String>())
}

fn numbers(datum: &MetricDatum) -> [f64; 4] {
    match datum.value {
        MetricValue::StatisticValues { sample_count, sum, minimum, maximum } => {
            [sample_count, sum, minimum, maximum]
        }
        _ => panic!("no statistic set: {datum:?}"),
    }
}

/// Asserts each of these at all levels: the producer, the stream, and `shard` if it is asked for.
fn assert_told(told: &BTreeMap<String, [f64; 4]>, rows: &[(&str, bool, [f64; 4])]) {
    for (name, by_shard, expected) in rows {
        let stream = format!("{name} StreamName={STREAM}");
        let shard = format!("{stream} ShardId=shardId-000000000000");
        for key in [Some((*name).to_owned()), Some(stream), by_shard.then_some(shard)].into_iter().flatten() {
            assert_eq!(told.get(&key), Some(expected), "{key} in {told:#?}");
        }
    }
}

#[tokio::test]
async fn cloudwatch_is_told_exactly_what_happened_including_the_window_at_close() {
    let sandbox = sandbox(&["throttle:op=PutRecords,times=1"]).await;
    let producer = producer(&sandbox).await;
    let deliveries = soon(send(&producer, 100)).await;
    soon(assert_all_stored(deliveries)).await;
    soon(producer.close()).await;
    let told = told(&sandbox);
    let bytes: f64 = (0..100).map(|number| crate::support::data(number).len() as f64).sum();
    assert_told(
        &told,
        &[
            ("UserRecordsPut Count", true, [100.0, 100.0, 1.0, 1.0]),
            ("UserRecordsDataPut Bytes", true, [100.0, bytes, 14.0, 63.0]),
            ("KinesisRecordsPut Count", true, [2.0, 1.0, 0.0, 1.0]),
            ("AllErrors Count", true, [2.0, 1.0, 0.0, 1.0]),
            ("RetriesPerRecord Count", true, [100.0, 100.0, 1.0, 1.0]),
            ("UserRecordsPerKinesisRecord Count", true, [2.0, 200.0, 100.0, 100.0]),
            ("KinesisRecordsPerPutRecordsRequest Count", false, [2.0, 2.0, 1.0, 1.0]),
            ("UserRecordsPerPutRecordsRequest Count", false, [2.0, 200.0, 100.0, 100.0]),
            ("UserRecordsReceived Count", false, [100.0, 100.0, 1.0, 1.0]),
        ],
    );
    let code = "ErrorCode=ProvisionedThroughputExceededException";
    let error = format!("ErrorsByCode Count {code} StreamName={STREAM} ShardId=shardId-000000000000");
    assert_eq!(told.get(&error), Some(&[1.0; 4]), "{told:#?}");
    for (name, count) in [("BufferingTime Milliseconds", 100.0), ("RequestTime Milliseconds", 2.0)] {
        assert_eq!(told[name][0], count, "{name}");
    }
    assert_eq!(told["UserRecordsPending Count"][2], 0.0);
    assert_eq!(sandbox.counters().put_metric_data_calls, 1, "one window, one call");
}

#[tokio::test]
async fn a_cloudwatch_that_fails_is_asked_again_and_records_do_not_care() {
    let sandbox = sandbox(&["fail:op=PutMetricData,code=InternalServiceFault,times=1"]).await;
    let producer = producer(&sandbox).await;
    let deliveries = soon(send(&producer, 10)).await;
    soon(assert_all_stored(deliveries)).await;
    soon(producer.close()).await;
    assert_told(&told(&sandbox), &[("UserRecordsPut Count", true, [10.0, 10.0, 1.0, 1.0])]);
}
