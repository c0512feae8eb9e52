//! PutRecords in CBOR.

use kpl::{
    Doubt, FailureReason, HashKey, Producer, PutRecordsEntry, PutRecordsRequest, StreamName, Transport, Wire,
};

use crate::kinesis::transport;
use crate::large_records::all_sizes_pass;
use crate::reader::read_back;
use crate::scripted_server::{Reply, ScriptedServer};
use crate::support::{
    STREAM, assert_all_stored, assert_all_there, builder, failing_fast, impatient, many_calls, patient,
    sandbox, send, soon,
};

fn request(data: &'static [u8]) -> PutRecordsRequest {
    let entry = PutRecordsEntry {
        partition_key: "k".into(),
        explicit_hash_key: Some(HashKey(7)),
        data: bytes::Bytes::from_static(data),
    };
    PutRecordsRequest {
        stream: StreamName::new(STREAM).expect("lawful"),
        entries: vec![entry],
        transfer_time: std::time::Duration::ZERO,
    }
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
    sandbox.create_stream(STREAM, 4).await.expect("created");
    let transport = transport(&sandbox, patient()).with_wire(Wire::Cbor);
    let producer = Producer::builder(transport).config(many_calls()).start().expect("a lawful configuration");
    let deliveries = soon(send(&producer, 10_000)).await;
    soon(producer.close()).await;
    soon(assert_all_stored(deliveries)).await;
    sandbox.set_faults(Vec::new());
    let arrived = read_back(&sandbox).await;
    assert_all_there(arrived.into_iter().map(|arrived| arrived.data), 10_000);
    assert!(sandbox.counters().put_records.failed_entries > 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_of_all_sizes_pass() {
    let sandbox = sandbox(&[]).await;
    all_sizes_pass(&sandbox, transport(&sandbox, patient()).with_wire(Wire::Cbor)).await;
}

#[tokio::test]
async fn a_refusal_has_its_code_and_words() {
    let sandbox = sandbox(&[]).await;
    let transport = transport(&sandbox, patient()).with_wire(Wire::Cbor);
    let error = soon(transport.put_records(request(b"x"))).await.expect_err("there is no stream");
    assert_eq!((error.code.as_str(), error.doubt), ("ResourceNotFoundException", Doubt::NotWritten));
    assert!(error.message.contains(STREAM), "{error}");
    let producer =
        Producer::builder(transport).config(failing_fast()).start().expect("a valid configuration");
    for delivery in soon(send(&producer, 3)).await {
        assert_eq!(soon(delivery).await.expect_err("no stream").reason(), FailureReason::Refused);
    }
    soon(producer.close()).await;
}

#[tokio::test]
async fn the_wire_is_cbor_for_puts_alone() {
    let server = ScriptedServer::start(|_| Reply::Answer(400, "no CBOR at all".to_owned())).await;
    let transport = kpl::AwsTransport::from_builder(builder!(aws_sdk_kinesis, server), impatient());
    let data = b"\x00\xff raw bytes";
    let cbor = transport.clone().with_wire(Wire::Cbor);
    let error = soon(cbor.put_records(request(data))).await.expect_err("refused");
    assert_eq!((error.code.as_str(), error.doubt), ("ResponseUnreadable", Doubt::NotWritten), "{error}");
    let _ = soon(cbor.list_shards(StreamName::new(STREAM).expect("lawful"))).await;
    let back = cbor.with_wire(Wire::Json);
    let _ = soon(back.put_records(request(data))).await;
    let requests = server.requests();
    for request in &requests {
        let raw = request.body.windows(data.len()).any(|window| window == data);
        let head = request.head.to_ascii_lowercase();
        let is_first = std::ptr::eq(request, &requests[0]);
        assert_eq!(head.contains("content-type: application/x-amz-cbor-1.1"), is_first, "{head}");
        assert_eq!(raw, is_first, "the blob as it is");
    }
    assert_eq!(requests[0].operation(), "PutRecords");
    assert_eq!(requests.len(), 4);
}
