//! Delivery streams through the Rust SDK, and what arrived read back both ways.

use aws_sdk_firehose::Client;
use aws_sdk_firehose::error::SdkError;
use aws_sdk_firehose::operation::create_delivery_stream::{
    CreateDeliveryStreamError, CreateDeliveryStreamOutput,
};
use aws_sdk_firehose::primitives::Blob;
use aws_sdk_firehose::types::{DeliveryStreamStatus, Record};
use serde_json::{Value, json};

use crate::http;
use crate::support::{firehose, sandbox};

fn record(data: impl Into<Vec<u8>>) -> Record {
    Record::builder().data(Blob::new(data)).build().unwrap()
}

/// In a box, because the SDK's future holds every kind of destination.
async fn create(
    client: &Client,
    name: &str,
) -> Result<CreateDeliveryStreamOutput, SdkError<CreateDeliveryStreamError>> {
    Box::pin(client.create_delivery_stream().delivery_stream_name(name).send()).await
}

#[tokio::test]
async fn what_arrives_can_be_read_back_in_order() {
    let sandbox = sandbox(&["fail:op=PutRecordBatch,times=1,code=InternalFailure"]).await;
    let client = firehose(&sandbox);
    create(&client, "logs").await.unwrap();
    let batch = client.put_record_batch().delivery_stream_name("logs");
    let batch =
        batch.records(record("lost")).records(record("one\n")).records(record([0xff])).send().await.unwrap();
    assert_eq!(batch.failed_put_count(), 1);
    assert_eq!(batch.request_responses()[0].error_code(), Some("InternalFailure"));
    assert!(batch.request_responses()[1..].iter().all(|response| response.record_id().is_some()));
    client.put_record().delivery_stream_name("logs").record(record("two")).send().await.unwrap();

    assert_eq!(sandbox.delivered("logs").unwrap(), [&b"one\n"[..], b"\xff", b"two"]);
    let lines = http::get(&sandbox, "/sandbox/delivery-streams/logs").await;
    let lines: Vec<Value> = lines.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, [json!({"data": "b25lCg=="}), json!({"data": "/w=="}), json!({"data": "dHdv"})]);
    let counters = sandbox.counters().put_record_batch;
    assert_eq!(
        (counters.calls, counters.entries, counters.stored_entries, counters.failed_entries),
        (1, 3, 2, 1)
    );
    assert_eq!(counters.bytes, 9);
}

#[tokio::test]
async fn delivery_streams_are_created_described_listed_and_deleted() {
    let sandbox = sandbox(&[]).await;
    let client = firehose(&sandbox);
    for name in ["a", "b", "c"] {
        create(&client, name).await.unwrap();
    }
    let again = create(&client, "a").await.unwrap_err();
    assert!(again.into_service_error().is_resource_in_use_exception());
    let described = client.describe_delivery_stream().delivery_stream_name("b").send().await.unwrap();
    let described = described.delivery_stream_description().unwrap();
    assert_eq!(*described.delivery_stream_status(), DeliveryStreamStatus::Active);
    assert_eq!(described.delivery_stream_arn(), "arn:aws:firehose:us-east-1:000000000000:deliverystream/b");
    client.delete_delivery_stream().delivery_stream_name("b").send().await.unwrap();
    let listed = client.list_delivery_streams().limit(1).send().await.unwrap();
    assert_eq!(
        (listed.delivery_stream_names(), listed.has_more_delivery_streams()),
        (&["a".to_owned()][..], true)
    );
    let listed =
        client.list_delivery_streams().exclusive_start_delivery_stream_name("a").send().await.unwrap();
    assert_eq!(
        (listed.delivery_stream_names(), listed.has_more_delivery_streams()),
        (&["c".to_owned()][..], false)
    );
}

#[tokio::test]
async fn too_much_and_the_unknown_are_refused() {
    let sandbox = sandbox(&[]).await;
    sandbox.create_delivery_stream("logs").unwrap();
    assert!(sandbox.create_delivery_stream("no such name").is_err());
    let client = firehose(&sandbox);
    let put = |name: &str, records: Vec<Record>| {
        client.put_record_batch().delivery_stream_name(name).set_records(Some(records)).send()
    };
    for records in
        [vec![record("x"); 501], vec![record(vec![0; 1_024_001])], vec![record(vec![0; 1_000_000]); 5]]
    {
        let refused = put("logs", records).await.unwrap_err();
        assert!(refused.into_service_error().is_invalid_argument_exception());
    }
    put("logs", vec![record(vec![0; 1_024_000]); 4]).await.unwrap();
    let unknown = put("other", vec![record("x")]).await.unwrap_err();
    assert!(unknown.into_service_error().is_resource_not_found_exception());
    assert_eq!(sandbox.delivered("other"), None);
    assert_eq!(http::get(&sandbox, "/sandbox/delivery-streams/other").await.status, 404);
}
