//! Each kind of fault, as a client meets it.

use aws_sdk_kinesis::error::SdkError;
use aws_sdk_kinesis::operation::put_records::PutRecordsOutput;
use aws_sdk_kinesis::primitives::Blob;
use kinesis_sandbox::Sandbox;

use crate::http;
use crate::support::{STREAM, entries, firehose, impatient_kinesis, kinesis, read_stream, sandbox};

async fn put(sandbox: &Sandbox, count: usize) -> PutRecordsOutput {
    let put = kinesis(sandbox).put_records().stream_name(STREAM).set_records(Some(entries(count)));
    put.send().await.unwrap()
}

#[tokio::test]
async fn one_shard_is_throttled_and_the_other_entries_are_stored_in_order() {
    let sandbox = sandbox(&["throttle:shard=1"]).await;
    let put = put(&sandbox, 40).await;
    let refused: Vec<usize> = put
        .records()
        .iter()
        .enumerate()
        .filter(|(_, record)| record.error_code().is_some())
        .map(|(at, _)| at)
        .collect();
    assert!(!refused.is_empty() && refused.len() < 40);
    assert_eq!(put.failed_record_count(), Some(i32::try_from(refused.len()).unwrap()));
    let first = &put.records()[refused[0]];
    assert_eq!(first.error_code(), Some("ProvisionedThroughputExceededException"));
    let message = "Rate exceeded for shard shardId-000000000001 in stream clicks under account 000000000000.";
    assert_eq!(first.error_message(), Some(message));
    let mut kept: Vec<String> =
        (0..40).filter(|at| !refused.contains(at)).map(|at: usize| at.to_string()).collect();
    kept.sort();
    assert_eq!(read_stream(&kinesis(&sandbox)).await, kept);
    assert!(
        put.records()
            .iter()
            .filter(|record| record.error_code().is_none())
            .all(|record| record.shard_id() == Some("shardId-000000000000"))
    );
    assert_eq!(sandbox.counters().faults_fired, refused.len() as u64);
}

#[tokio::test]
async fn the_same_seed_fails_the_same_share_of_entries() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let sandbox = sandbox(&["fail:share=0.1,code=InternalFailure,op=PutRecords"]).await;
        let put = put(&sandbox, 200).await;
        runs.push(
            put.records().iter().map(|record| record.error_code().map(str::to_owned)).collect::<Vec<_>>(),
        );
    }
    assert_eq!(runs[0], runs[1]);
    let failed = runs[0].iter().flatten().count();
    assert!((5..45).contains(&failed), "about 20 of 200, not {failed}");
    assert!(runs[0].iter().flatten().all(|code| code == "InternalFailure"));
}

#[tokio::test]
async fn a_put_record_is_refused_whole() {
    let sandbox = sandbox(&["throttle:times=1", "fail:times=1,code=InternalFailure"]).await;
    let client = kinesis(&sandbox);
    let put = || client.put_record().stream_name(STREAM).partition_key("k").data(Blob::new("x")).send();
    assert!(put().await.unwrap_err().into_service_error().is_provisioned_throughput_exceeded_exception());
    let failed = put().await.unwrap_err();
    assert_eq!(failed.raw_response().unwrap().status().as_u16(), 500);
    assert_eq!(failed.into_service_error().meta().code(), Some("InternalFailure"));
    put().await.unwrap();
}

#[tokio::test]
async fn a_named_operation_fails_whole() {
    let sandbox =
        sandbox(&["fail:op=ListShards,code=AccessDeniedException", "throttle:op=kinesis:ListStreams"]).await;
    let client = kinesis(&sandbox);
    let denied = client.list_shards().stream_name(STREAM).send().await.unwrap_err();
    assert_eq!(denied.into_service_error().meta().code(), Some("AccessDeniedException"));
    let limited = client.list_streams().send().await.unwrap_err();
    assert!(limited.into_service_error().is_limit_exceeded_exception());
}

#[tokio::test]
async fn a_call_dropped_before_stores_nothing_and_one_dropped_after_stores_all() {
    for (rule, stored) in [("drop-before:op=PutRecords,times=1", 0), ("drop-after:op=PutRecords,times=1", 10)]
    {
        let sandbox = sandbox(&[rule]).await;
        let client = kinesis(&sandbox);
        let put = || client.put_records().stream_name(STREAM).set_records(Some(entries(10))).send();
        let dropped = put().await.unwrap_err();
        assert!(matches!(dropped, SdkError::DispatchFailure(_)), "{rule}: {dropped:?}");
        assert_eq!(read_stream(&client).await.len(), stored, "{rule}");
        put().await.unwrap();
        assert_eq!(sandbox.counters().calls["kinesis:PutRecords"], 2);
    }
}

#[tokio::test]
async fn a_dropped_connection_says_nothing_at_all() {
    let sandbox = sandbox(&["drop-before"]).await;
    let headers =
        [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "Kinesis_20131202.ListStreams")];
    let raw = http::post(&sandbox, "/", &headers, b"{}").await;
    assert_eq!((raw.head.as_str(), raw.body.len()), ("", 0));
}

#[tokio::test]
async fn error_500_stores_nothing() {
    let sandbox = sandbox(&["error500:op=PutRecords,times=1"]).await;
    let client = kinesis(&sandbox);
    let failed =
        client.put_records().stream_name(STREAM).set_records(Some(entries(1))).send().await.unwrap_err();
    assert_eq!(failed.raw_response().unwrap().status().as_u16(), 500);
    assert_eq!(read_stream(&client).await, [""; 0]);
}

#[tokio::test]
async fn a_hanging_call_is_never_answered_and_does_not_hold_up_the_end() {
    let sandbox = sandbox(&["hang:op=PutRecords"]).await;
    let hung = impatient_kinesis(&sandbox)
        .put_records()
        .stream_name(STREAM)
        .set_records(Some(entries(1)))
        .send()
        .await;
    assert!(matches!(hung.unwrap_err(), SdkError::TimeoutError(_)));
    assert_eq!(read_stream(&kinesis(&sandbox)).await, [""; 0]);

    let patient = kinesis(&sandbox);
    let mut calls = tokio::task::JoinSet::new();
    calls.spawn(async move {
        patient.put_records().stream_name(STREAM).set_records(Some(entries(1))).send().await
    });
    while sandbox.counters().calls["kinesis:PutRecords"] < 2 {
        tokio::task::yield_now().await;
    }
    sandbox.shutdown().await;
    assert!(matches!(calls.join_next().await.unwrap().unwrap().unwrap_err(), SdkError::DispatchFailure(_)));
}

#[tokio::test]
async fn a_delayed_call_waits_and_is_then_carried_out() {
    let sandbox = sandbox(&["delay:ms=600000,op=PutRecords,times=1", "delay:ms=1"]).await;
    let waited = impatient_kinesis(&sandbox)
        .put_records()
        .stream_name(STREAM)
        .set_records(Some(entries(1)))
        .send()
        .await;
    assert!(matches!(waited.unwrap_err(), SdkError::TimeoutError(_)));
    put(&sandbox, 3).await;
    assert_eq!(sandbox.faults()[1].fired, 2);
    assert_eq!(read_stream(&kinesis(&sandbox)).await.len(), 3);
}

#[tokio::test]
async fn rules_are_replaced_while_running() {
    let sandbox = sandbox(&["fail"]).await;
    assert_eq!(put(&sandbox, 5).await.failed_record_count(), Some(5));
    sandbox.set_faults(vec!["fail:times=2,stream=clicks".parse().unwrap()]);
    assert_eq!(put(&sandbox, 5).await.failed_record_count(), Some(2));
    sandbox.set_faults(Vec::new());
    assert_eq!(put(&sandbox, 5).await.failed_record_count(), Some(0));
    assert_eq!(sandbox.counters().faults_fired, 7);
}

#[tokio::test]
async fn firehose_is_throttled_in_its_own_words() {
    let sandbox = sandbox(&["throttle:stream=logs"]).await;
    sandbox.create_delivery_stream("logs").unwrap();
    let record =
        |data: &str| aws_sdk_firehose::types::Record::builder().data(Blob::new(data)).build().unwrap();
    let client = firehose(&sandbox);
    let batch =
        client.put_record_batch().delivery_stream_name("logs").records(record("a")).records(record("b"));
    let batch = batch.send().await.unwrap();
    assert_eq!(batch.failed_put_count(), 2);
    let first = &batch.request_responses()[0];
    assert_eq!(
        (first.error_code(), first.error_message()),
        (Some("ServiceUnavailableException"), Some("Slow down."))
    );
    let one = client.put_record().delivery_stream_name("logs").record(record("c")).send().await.unwrap_err();
    assert!(one.into_service_error().is_service_unavailable_exception());
    assert_eq!(sandbox.delivered("logs").unwrap().len(), 0);
}
