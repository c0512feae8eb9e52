//! Data streams.

use kinesis_sandbox::Sandbox;
use kpl::{AwsTransport, CallTimeouts, FailureReason, Producer};

use crate::reader::read_back;
use crate::support::{
    STREAM, assert_all_stored, assert_all_there, builder, failing_fast, impatient, many_calls, patient,
    sandbox, send, soon,
};

pub(crate) fn transport(sandbox: &Sandbox, timeouts: CallTimeouts) -> AwsTransport {
    AwsTransport::from_builder(builder!(aws_sdk_kinesis, sandbox), timeouts)
}

/// Sends so many records through `sandbox` and finds them all; answers how many came twice.
async fn round_trip(sandbox: &Sandbox, records: usize, aggregation: bool) -> usize {
    sandbox.create_stream(STREAM, 4).await.expect("created");
    let mut config = many_calls();
    config.aggregation_enabled = aggregation;
    let producer = Producer::builder(transport(sandbox, patient()))
        .config(config)
        .start()
        .expect("a lawful configuration");
    let deliveries = send(&producer, records).await;
    producer.close().await;
    assert_all_stored(deliveries).await;
    assert_eq!((producer.outstanding_records(), producer.outstanding_bytes()), (0, 0));
    sandbox.set_faults(Vec::new());
    let arrived = read_back(sandbox).await;
    let packed = arrived.iter().filter(|arrived| arrived.is_aggregated).count();
    assert!(if aggregation { packed > records * 9 / 10 } else { packed == 0 }, "{packed} in aggregates");
    assert_all_there(arrived.into_iter().map(|arrived| arrived.data), records)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_in_a_storm() {
    let sandbox = sandbox(&[
        "throttle:share=0.2,op=PutRecords",
        "fail:share=0.05,op=PutRecords",
        "drop-before:share=0.1,op=PutRecords",
        "drop-after:share=0.1,op=PutRecords",
        "error500:share=0.05,op=PutRecords",
    ])
    .await;
    soon(round_trip(&sandbox, 20_000, true)).await;
    let counters = sandbox.counters();
    assert!(counters.faults_fired > 100, "the storm was too mild to test anything: {counters:?}");
    assert!(counters.put_records.failed_entries > 50, "{counters:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_are_not_aggregated_survive_it_too() {
    let sandbox = sandbox(&["throttle:share=0.2,op=PutRecords", "drop-after:share=0.1,op=PutRecords"]).await;
    soon(round_trip(&sandbox, 2_000, false)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_calm_weather_nothing_comes_twice() {
    let sandbox = sandbox(&[]).await;
    assert_eq!(soon(round_trip(&sandbox, 5_000, true)).await, 0);
    let counters = sandbox.counters();
    assert_eq!(
        counters.calls["kinesis:ListShards"], 2,
        "the producer's one and the reader's one: {counters:?}"
    );
}

#[tokio::test]
async fn a_service_that_falls_silent_cannot_hold_a_call_for_ever() {
    let sandbox = sandbox(&["hang:op=PutRecords,times=1", "hang:op=ListShards,times=1"]).await;
    sandbox.create_stream(STREAM, 1).await.expect("created");
    let mut config = many_calls();
    config.max_connections = 1;
    let producer = Producer::builder(transport(&sandbox, impatient()))
        .config(config)
        .start()
        .expect("a lawful configuration");
    for delivery in soon(send(&producer, 3)).await {
        let stored = soon(delivery).await.expect("the second attempt stores it");
        let (code, _) = stored.attempts()[0].error.as_ref().expect("the first attempt failed");
        assert_eq!(code, "Timeout");
    }
    soon(producer.close()).await;
    let arrived = read_back(&sandbox).await;
    assert_all_there(arrived.into_iter().map(|arrived| arrived.data), 3);
}

#[tokio::test]
async fn a_stream_that_is_not_there_fails_its_records() {
    let sandbox = sandbox(&[]).await;
    let transport = transport(&sandbox, patient());
    let producer =
        Producer::builder(transport).config(failing_fast()).start().expect("a valid configuration");
    for delivery in soon(send(&producer, 10)).await {
        let failed = soon(delivery).await.expect_err("there is no stream");
        assert_eq!((failed.reason(), failed.may_have_been_written()), (FailureReason::Refused, false));
        assert!(failed.to_string().contains("ResourceNotFoundException"), "{failed}");
    }
    soon(producer.close()).await;
}

#[tokio::test]
async fn a_service_that_is_not_there_leaves_records_to_their_time_to_live() {
    let sandbox = sandbox(&[]).await;
    let transport = transport(&sandbox, impatient());
    sandbox.shutdown().await;
    let mut config = many_calls();
    config.record_ttl = Some(std::time::Duration::from_millis(300));
    let producer = Producer::builder(transport).config(config).start().expect("a lawful configuration");
    for delivery in soon(send(&producer, 10)).await {
        let failed = soon(delivery).await.expect_err("nobody listens");
        assert_eq!(failed.reason(), FailureReason::Expired);
        assert!(!failed.attempts().is_empty());
    }
    soon(producer.close()).await;
}
