//! Delivery streams.

use kinesis_sandbox::Sandbox;
use kpl::{CallTimeouts, FirehoseTransport, Producer};

use crate::support::{
    STREAM, assert_all_stored, assert_all_there, builder, impatient, many_calls, patient, sandbox, send, soon,
};

fn producer(sandbox: &Sandbox, timeouts: CallTimeouts) -> Producer {
    let transport = FirehoseTransport::from_builder(builder!(aws_sdk_firehose, sandbox), timeouts);
    let mut config = many_calls();
    config.collection_max_count = 500;
    Producer::builder(transport).delivery_streams().config(config).start().expect("a lawful configuration")
}

fn delivered(sandbox: &Sandbox) -> Vec<Vec<u8>> {
    sandbox.delivered(STREAM).expect("it exists").iter().map(|data| data.to_vec()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_in_a_storm() {
    let sandbox = sandbox(&[
        "throttle:share=0.2,op=PutRecordBatch",
        "fail:share=0.05,op=PutRecordBatch",
        "drop-before:share=0.1,op=PutRecordBatch",
        "drop-after:share=0.1,op=PutRecordBatch",
    ])
    .await;
    sandbox.create_delivery_stream(STREAM).expect("created");
    let producer = producer(&sandbox, patient());
    let deliveries = soon(send(&producer, 20_000)).await;
    soon(producer.close()).await;
    soon(assert_all_stored(deliveries)).await;
    assert_eq!((producer.outstanding_records(), producer.outstanding_bytes()), (0, 0));
    assert_all_there(delivered(&sandbox), 20_000);
    let counters = sandbox.counters();
    assert!(counters.put_record_batch.failed_entries > 1000, "{counters:?}");
    assert!(!counters.calls.contains_key("kinesis:ListShards"), "{counters:?}");
}

#[tokio::test]
async fn only_what_failed_is_sent_again() {
    let sandbox = sandbox(&["throttle:share=0.3,op=PutRecordBatch"]).await;
    sandbox.create_delivery_stream(STREAM).expect("created");
    let producer = producer(&sandbox, patient());
    let deliveries = soon(send(&producer, 2_000)).await;
    soon(producer.close()).await;
    soon(assert_all_stored(deliveries)).await;
    assert_eq!(assert_all_there(delivered(&sandbox), 2_000), 0, "nothing came twice");
    let put = sandbox.counters().put_record_batch;
    assert_eq!((put.stored_entries, put.entries - put.failed_entries), (2_000, 2_000));
}

#[tokio::test]
async fn a_service_that_falls_silent_cannot_hold_a_call_for_ever() {
    let sandbox = sandbox(&["hang:op=PutRecordBatch,times=1"]).await;
    sandbox.create_delivery_stream(STREAM).expect("created");
    let producer = producer(&sandbox, impatient());
    for delivery in soon(send(&producer, 3)).await {
        let stored = soon(delivery).await.expect("the second attempt stores it");
        assert_eq!(stored.attempts()[0].error.as_ref().expect("the first failed").0, "Timeout");
    }
    soon(producer.close()).await;
    assert_all_there(delivered(&sandbox), 3);
}
