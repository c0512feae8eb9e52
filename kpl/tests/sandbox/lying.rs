//! Services that lie, and networks that alter what they say: nothing that was not stored counts as stored, and memory
//! stays bounded.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kpl::{
    AwsTransport, Config, Doubt, HashKey, Producer, PutRecordsEntry, PutRecordsRequest, ServiceText,
    StreamName, Transport,
};

use crate::scripted_server::{Reply, ScriptedServer};
use crate::support::{STREAM, builder, many_calls, patient, send, soon};

fn stream() -> StreamName {
    StreamName::new(STREAM).expect("a name")
}

fn request() -> PutRecordsRequest {
    let entry = PutRecordsEntry {
        partition_key: "k".into(),
        explicit_hash_key: Some(HashKey(0)),
        data: bytes::Bytes::from_static(b"x"),
    };
    PutRecordsRequest { stream: stream(), entries: vec![entry], transfer_time: Duration::ZERO }
}

fn transport(server: &ScriptedServer) -> AwsTransport {
    AwsTransport::from_builder(builder!(aws_sdk_kinesis, server), patient())
}

/// Less than what the limit, the sockets' buffers and the HTTP client's take together.
const FEW_BYTES: usize = 40 << 20;

async fn ends_at_the_limit(transport: &dyn Transport, server: &ScriptedServer, what: &str) {
    let error = soon(transport.put_records(request())).await.expect_err("it has no end");
    assert_eq!(
        (error.code.as_str(), error.doubt),
        ("ResponseUnreadable", Doubt::MayHaveBeenWritten),
        "{what}: {error}"
    );
    assert!(error.message.contains("more than 4194304 bytes"), "{what}: {error}");
    assert!(server.poured() < FEW_BYTES, "{what}: {} bytes", server.poured());
}

#[tokio::test]
async fn an_endless_answer_ends_the_call_at_the_limit() {
    for (status, chunk) in [(200, 16 << 10), (200, 64), (500, 1000)] {
        let server = ScriptedServer::start(move |_| Reply::Endless(status, chunk)).await;
        let transport = transport(&server);
        ends_at_the_limit(&transport, &server, &format!("{status} in chunks of {chunk}")).await;
        let listing = soon(transport.list_shards(stream())).await.expect_err("it has no end");
        assert!(listing.message.contains("more than 4194304 bytes"), "{listing}");
    }
}

#[cfg(feature = "cbor")]
#[tokio::test]
async fn an_endless_answer_in_cbor_ends_the_call_at_the_limit() {
    let server = ScriptedServer::start(|_| Reply::Endless(200, 1000)).await;
    let transport = transport(&server).with_wire(kpl::Wire::Cbor);
    ends_at_the_limit(&transport, &server, "CBOR").await;
}

#[cfg(feature = "firehose")]
#[tokio::test]
async fn an_endless_answer_of_firehose_ends_the_call_at_the_limit() {
    let server = ScriptedServer::start(|_| Reply::Endless(200, 1000)).await;
    let transport = kpl::FirehoseTransport::from_builder(builder!(aws_sdk_firehose, server), patient());
    ends_at_the_limit(&transport, &server, "Firehose").await;
}

#[cfg(feature = "cloudwatch")]
#[tokio::test]
async fn an_endless_answer_of_cloudwatch_ends_the_call_at_the_limit() {
    use kpl::MetricDataTransport;
    let server = ScriptedServer::start(|_| Reply::Endless(200, 1000)).await;
    let transport = kpl::CloudWatchTransport::from_builder(builder!(aws_sdk_cloudwatch, server), patient());
    let request = kpl::PutMetricDataRequest { namespace: "n".to_owned(), metric_data: Vec::new() };
    let error = soon(transport.put_metric_data(request)).await.expect_err("it has no end");
    assert!(error.message.contains("more than 4194304 bytes"), "{error}");
    assert!(server.poured() < FEW_BYTES);
}

#[tokio::test]
async fn an_endless_description_of_a_stream_does_not_spoil_its_listing() {
    let server = ScriptedServer::start(|request| match request.operation() {
        "DescribeStreamSummary" => Reply::Endless(200, 1000),
        _ => request.of_one_shard(),
    })
    .await;
    let listing = soon(transport(&server).list_shards(stream())).await.expect("one shard");
    assert_eq!((listing.shards.len(), listing.record_distribution_strategy), (1, None));
}

/// Lies of single entries, each told in three answers, then the truth.
const LIES: [&str; 5] = [
    r#"{"SequenceNumber":"49","ShardId":"shardId-000000000000","ErrorCode":"InternalFailure","ErrorMessage":"no"}"#,
    r#"{"SequenceNumber":"","ShardId":"shardId-000000000000"}"#,
    r#"{"SequenceNumber":"49","ShardId":""}"#,
    r#"{"SequenceNumber":"49"}"#,
    "{}",
];
const TRUTH: &str = r#"{"SequenceNumber":"50","ShardId":"shardId-000000000000"}"#;

#[tokio::test]
async fn an_entry_that_is_stored_and_refused_at_once_is_sent_again() {
    for lie in LIES {
        let calls = AtomicUsize::new(0);
        let server = ScriptedServer::start(move |request| match request.operation() {
            "PutRecords" if calls.fetch_add(1, Ordering::Relaxed) < 3 => request.with_results(lie),
            "PutRecords" => request.with_results(TRUTH),
            _ => request.of_one_shard(),
        })
        .await;
        let producer = Producer::builder(transport(&server)).config(many_calls()).start().expect("started");
        for delivery in soon(send(&producer, 30)).await {
            let stored = soon(delivery).await.expect("the truth comes in the end");
            assert_eq!(stored.sequence_number().as_str(), "50", "{lie}");
        }
        soon(producer.close()).await;
    }
}

fn short_lived() -> Config {
    let mut config = many_calls();
    config.aggregation_enabled = false;
    config.record_ttl = Some(Duration::from_millis(300));
    config
}

#[tokio::test]
async fn a_record_of_which_only_lies_are_told_fails_and_may_have_been_written() {
    let server = ScriptedServer::start(|request| match request.operation() {
        "PutRecords" => request.with_results(LIES[0]),
        _ => request.of_one_shard(),
    })
    .await;
    let producer = Producer::builder(transport(&server)).config(short_lived()).start().expect("started");
    for delivery in soon(send(&producer, 10)).await {
        let failed = soon(delivery).await.expect_err("nobody says that it is stored");
        assert!(failed.may_have_been_written(), "{failed}");
        assert!(failed.to_string().contains("InternalFailure"), "the service's own word is kept: {failed}");
    }
    soon(producer.close()).await;
}

#[tokio::test]
async fn a_long_error_text_is_cut_and_shared_by_the_records_of_a_call() {
    let message = format!("secret \\u001b[2J{}", "é".repeat(50_000));
    let result = format!("{{\"ErrorCode\":\"InternalFailure\",\"ErrorMessage\":\"{message}\"}}");
    let server = ScriptedServer::start(move |request| match request.operation() {
        "PutRecords" => request.with_results(&result),
        _ => request.of_one_shard(),
    })
    .await;
    let mut config = short_lived();
    config.collection_max_count = 500;
    let producer = Producer::builder(transport(&server)).config(config).start().expect("started");
    let mut messages = Vec::<ServiceText>::new();
    for delivery in soon(send(&producer, 500)).await {
        let failed = soon(delivery).await.expect_err("everything is refused");
        let (_, message) = failed.attempts()[0].error.clone().expect("an error");
        assert!(
            message.len() <= ServiceText::MAX_BYTES && !message.contains(char::is_control),
            "{message:?}"
        );
        messages.push(message);
    }
    messages.sort_unstable_by_key(|message| message.as_str().as_ptr());
    messages.dedup_by_key(|message| message.as_str().as_ptr());
    assert!(messages.len() < 50, "{} copies of one text", messages.len());
    soon(producer.close()).await;
}

#[tokio::test]
async fn the_error_text_of_a_call_is_cut_and_shared() {
    let body = format!(r#"{{"__type":"InternalFailure","message":"{}"}}"#, "x".repeat(100_000));
    let server = ScriptedServer::start(move |request| match request.operation() {
        "PutRecords" => Reply::Answer(500, body.clone()),
        _ => request.of_one_shard(),
    })
    .await;
    let error = soon(transport(&server).put_records(request())).await.expect_err("refused");
    assert_eq!((error.code.as_str(), error.message.len()), ("InternalFailure", ServiceText::MAX_BYTES));
}

#[tokio::test]
async fn results_for_more_or_fewer_entries_than_were_sent_store_nothing() {
    for results in [0, 1, 3, 501, 20_000] {
        let body = format!("{{\"Records\":[{}]}}", vec![TRUTH; results].join(","));
        let server = ScriptedServer::start(move |request| match request.operation() {
            "PutRecords" => Reply::Answer(200, body.clone()),
            _ => request.of_one_shard(),
        })
        .await;
        let mut config = short_lived();
        config.collection_max_count = 2;
        let producer = Producer::builder(transport(&server)).config(config).start().expect("started");
        let deliveries = soon(send(&producer, 2)).await;
        producer.flush().await;
        for delivery in deliveries {
            let failed = soon(delivery).await.expect_err("the answer is about other entries");
            assert!(failed.may_have_been_written(), "{results} results: {failed}");
        }
        soon(producer.close()).await;
    }
}

#[tokio::test]
async fn a_shard_that_cannot_be_is_no_listing() {
    for (id, start, end) in [("", "0", "9"), ("s0", "9", "0"), ("s0", "-1", "9"), ("s0", "0", "1e99")] {
        let shard = format!(
            r#"{{"ShardId":"{id}","HashKeyRange":{{"StartingHashKey":"{start}","EndingHashKey":"{end}"}},"SequenceNumberRange":{{"StartingSequenceNumber":"1"}}}}"#
        );
        let server = ScriptedServer::start(move |request| match request.operation() {
            "ListShards" => Reply::Answer(200, format!("{{\"Shards\":[{shard}]}}")),
            _ => request.of_one_shard(),
        })
        .await;
        let error = soon(transport(&server).list_shards(stream())).await.expect_err("no such shard");
        assert_eq!(error.code, "ResponseUnreadable", "{id:?} {start} {end}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn deep_nesting_is_refused_or_skipped() {
    for status in [200, 400] {
        for opening in ["[", "{\"a\":"] {
            let body = format!("{{\"New\":{}", opening.repeat(500_000));
            let server = ScriptedServer::start(move |_| Reply::Answer(status, body.clone())).await;
            let transport = transport(&server);
            let _ = soon(transport.put_records(request())).await;
            let _ = soon(transport.list_shards(stream())).await;
            #[cfg(feature = "firehose")]
            {
                let firehose =
                    kpl::FirehoseTransport::from_builder(builder!(aws_sdk_firehose, server), patient());
                let _ = soon(firehose.put_records(request())).await;
            }
        }
    }
}
