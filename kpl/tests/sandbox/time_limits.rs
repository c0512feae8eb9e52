//! How long a call may take: its own limit, and what its bytes need on the line.

use std::time::Duration;

use kpl::{HashKey, PutRecordsEntry, PutRecordsRequest, StreamName, Transport};

use crate::kinesis::transport;
use crate::support::{STREAM, impatient, sandbox, soon};

fn request(transfer_time: Duration) -> PutRecordsRequest {
    let entry = PutRecordsEntry {
        partition_key: "k".into(),
        explicit_hash_key: Some(HashKey(0)),
        data: bytes::Bytes::from_static(b"x"),
    };
    PutRecordsRequest {
        stream: StreamName::new(STREAM).expect("a valid name"),
        entries: vec![entry],
        transfer_time,
    }
}

/// The service answers after 1.5 s, and the transport waits for 0.5 s.
async fn a_call_has_the_time_that_its_bytes_need(transport: &dyn Transport) {
    let late = soon(transport.put_records(request(Duration::ZERO))).await.expect_err("it is too late");
    assert!(late.is_timeout(), "{late}");
    let answer =
        soon(transport.put_records(request(Duration::from_secs(60)))).await.expect("it has the time");
    assert_eq!(answer.entries.len(), 1);
}

#[tokio::test]
async fn of_a_stream() {
    let sandbox = sandbox(&["delay:ms=1500,op=PutRecords"]).await;
    sandbox.create_stream(STREAM, 1).await.expect("created");
    a_call_has_the_time_that_its_bytes_need(&transport(&sandbox, impatient())).await;
    #[cfg(feature = "cbor")]
    a_call_has_the_time_that_its_bytes_need(&transport(&sandbox, impatient()).with_wire(kpl::Wire::Cbor))
        .await;
}

#[cfg(feature = "firehose")]
#[tokio::test]
async fn of_a_delivery_stream() {
    let sandbox = sandbox(&["delay:ms=1500,op=PutRecordBatch"]).await;
    sandbox.create_delivery_stream(STREAM).expect("created");
    let builder = crate::support::builder!(aws_sdk_firehose, sandbox);
    a_call_has_the_time_that_its_bytes_need(&kpl::FirehoseTransport::from_builder(builder, impatient()))
        .await;
}

#[tokio::test]
async fn a_listing_that_timed_out_has_longer_the_next_time() {
    let sandbox = sandbox(&["delay:ms=1300,op=ListShards"]).await;
    sandbox.create_stream(STREAM, 1).await.expect("created");
    let transport = transport(&sandbox, impatient());
    let mut limits = Vec::new();
    // 0.5 s, 1 s, 2 s, 4 s.
    for _ in 0..4 {
        limits.push(soon(transport.list_shards(StreamName::new(STREAM).expect("a valid name"))).await);
    }
    assert!(
        limits[..2].iter().all(|listing| listing.as_ref().is_err_and(kpl::CallError::is_timeout)),
        "{limits:?}"
    );
    assert!(limits[3].is_ok(), "{limits:?}");
}
