//! Lists of shards over many pages, and pages that do not end.

use std::collections::BTreeSet;

use kpl::{AwsTransport, HashKey, Producer, StreamName, Transport, UserRecord};

use crate::kinesis::transport;
use crate::scripted_server::{Reply, Request, ScriptedServer};
use crate::support::{STREAM, builder, patient, sandbox, soon};

fn stream() -> StreamName {
    StreamName::new(STREAM).expect("lawful")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_goes_over_pages() {
    const SHARDS: usize = 2_500;
    let sandbox = sandbox(&[]).await;
    sandbox.create_stream(STREAM, SHARDS as u32).await.expect("created");
    let listing = soon(transport(&sandbox, patient()).list_shards(stream())).await.expect("listed");
    let ids: BTreeSet<_> = listing.shards.iter().map(|shard| shard.shard_id.clone()).collect();
    assert_eq!((listing.shards.len(), ids.len()), (SHARDS, SHARDS));
    assert_eq!(sandbox.counters().calls["kinesis:ListShards"], 3);

    let producer = Producer::builder(transport(&sandbox, patient())).start().expect("a lawful configuration");
    let mut deliveries = Vec::new();
    for shard in &listing.shards {
        for key in [shard.starting_hash_key, shard.ending_hash_key] {
            let record = UserRecord::new(stream(), "k", "x").with_explicit_hash_key(key);
            let delivery = producer.send(record).await.expect("an open producer");
            deliveries.push((shard.shard_id.clone(), delivery));
        }
    }
    soon(producer.close()).await;
    for (shard, delivery) in deliveries {
        assert_eq!(*soon(delivery).await.expect("stored").shard_id(), shard);
    }
    assert_eq!(sandbox.counters().calls["kinesis:ListShards"], 6, "every prediction was right");
}

fn page(number: usize, next_token: Option<&str>) -> Reply {
    let token = next_token.map(|token| format!(r#","NextToken":"{token}""#)).unwrap_or_default();
    Reply::Answer(
        200,
        format!(
            r#"{{"Shards":[{{"ShardId":"shardId-{number:012}","HashKeyRange":{{"StartingHashKey":"0","EndingHashKey":"{}"}},"SequenceNumberRange":{{"StartingSequenceNumber":"1"}}}}]{token}}}"#,
            HashKey::MAX
        ),
    )
}

#[tokio::test]
async fn pages_that_lead_back_end_in_an_error() {
    let answer = |request: &Request| match request.operation() {
        "ListShards" if request.text().contains(r#""NextToken":"a""#) => page(1, Some("b")),
        "ListShards" => page(0, Some("a")),
        _ => Reply::Close,
    };
    let server = ScriptedServer::start(answer).await;
    let transport = AwsTransport::from_builder(builder!(aws_sdk_kinesis, server), patient());
    let error = soon(transport.list_shards(stream())).await.expect_err("it does not end");
    assert_eq!(error.code, "ListingEndless", "{error}");
    let listings = server.requests().iter().filter(|request| request.operation() == "ListShards").count();
    assert_eq!(listings, 3);
}

#[tokio::test]
async fn pages_without_end_end_in_an_error() {
    let pages = std::sync::atomic::AtomicUsize::new(0);
    let answer = move |request: &Request| match request.operation() {
        "ListShards" => {
            let number = pages.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            page(number, Some(&format!("token {number}")))
        }
        _ => Reply::Close,
    };
    let server = ScriptedServer::start(answer).await;
    let transport = AwsTransport::from_builder(builder!(aws_sdk_kinesis, server), patient());
    let error = soon(transport.list_shards(stream())).await.expect_err("it does not end");
    assert_eq!(error.code, "ListingEndless", "{error}");
}

/// A listing that fails in the middle is an error whole, and the next one begins with the first page.
#[tokio::test]
async fn retry_with_failure_in_the_middle() {
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let failure =
        || Reply::Answer(400, r#"{"__type":"LimitExceededException","message":"slowly"}"#.to_owned());
    let answer = move |request: &Request| match request.operation() {
        "ListShards" => match calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 | 3 => page(0, Some("second page")),
            4 => page(1, None),
            _ => failure(),
        },
        _ => Reply::Close,
    };
    let server = ScriptedServer::start(answer).await;
    let transport = AwsTransport::from_builder(builder!(aws_sdk_kinesis, server), patient());
    for _ in 0..2 {
        let error = soon(transport.list_shards(stream())).await.expect_err("a page is missing");
        assert_eq!(error.code, "LimitExceededException");
    }
    let listing = soon(transport.list_shards(stream())).await.expect("all pages");
    assert_eq!(listing.shards.len(), 2);
    let is_next_page = |request: &Request| request.text().contains("second page");
    let listings = server.requests().into_iter().filter(|request| request.operation() == "ListShards");
    let next_pages: Vec<_> = listings.map(|request| is_next_page(&request)).collect();
    assert_eq!(next_pages, [false, true, false, false, true]);
}
