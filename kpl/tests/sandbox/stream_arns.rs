//! Streams given by ARN.

use kpl::{AwsTransport, Producer, StreamName, Transport};

use crate::kinesis::transport;
use crate::reader::read_back;
use crate::scripted_server::{Reply, Request, ScriptedServer};
use crate::support::{
    STREAM, assert_all_stored, assert_all_there, builder, many_calls, patient, sandbox, send_range, soon,
};

fn arn(account: &str) -> StreamName {
    let arn = format!("arn:aws:kinesis:us-east-1:{account}:stream/{STREAM}");
    StreamName::from_arn(&arn).expect("lawful")
}

/// Of an account, the sandbox sees the name alone; what matters is that the producer keeps the streams apart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_producer_serves_a_name_in_several_accounts() {
    let sandbox = sandbox(&["throttle:share=0.1,op=PutRecords"]).await;
    sandbox.create_stream(STREAM, 2).await.expect("created");
    let config = many_calls();
    let producer = Producer::builder(transport(&sandbox, patient())).config(config).start().expect("lawful");
    let streams = [arn("111111111111"), arn("222222222222"), StreamName::new(STREAM).expect("lawful")];
    let mut deliveries = Vec::new();
    for (part, stream) in streams.iter().enumerate() {
        deliveries.extend(soon(send_range(&producer, stream, part * 1_000..(part + 1) * 1_000)).await);
    }
    soon(producer.close()).await;
    soon(assert_all_stored(deliveries)).await;
    assert_eq!(sandbox.counters().calls["kinesis:ListShards"], 3, "each stream has shards of its own");
    sandbox.set_faults(Vec::new());
    let arrived = read_back(&sandbox).await;
    assert_all_there(arrived.into_iter().map(|arrived| arrived.data), 3_000);
}

#[tokio::test]
async fn every_call_names_the_stream_one_way() {
    let answer = |request: &Request| match request.operation() {
        "ListShards" if request.text().contains("NextToken") => {
            Reply::Answer(200, r#"{"Shards":[]}"#.to_owned())
        }
        "ListShards" => Reply::Answer(200, r#"{"Shards":[],"NextToken":"more"}"#.to_owned()),
        "DescribeStreamSummary" => {
            Reply::Answer(400, r#"{"__type":"AccessDeniedException","message":"not yours"}"#.to_owned())
        }
        _ => Reply::Answer(200, r#"{"FailedRecordCount":0,"Records":[]}"#.to_owned()),
    };
    let by_arn = arn("111111111111");
    let by_name = StreamName::new(STREAM).expect("lawful");
    for (stream, names_it, never) in [
        (by_arn, r#""StreamARN":"arn:aws:kinesis:us-east-1:111111111111:stream/orders""#, "StreamName"),
        (by_name, r#""StreamName":"orders""#, "StreamARN"),
    ] {
        let server = ScriptedServer::start(answer).await;
        let transport = AwsTransport::from_builder(builder!(aws_sdk_kinesis, server), patient());
        let listing = soon(transport.list_shards(stream.clone())).await.expect("listed");
        assert_eq!(listing.record_distribution_strategy, None, "nobody could tell");
        let request =
            kpl::PutRecordsRequest { stream, entries: Vec::new(), transfer_time: std::time::Duration::ZERO };
        soon(transport.put_records(request)).await.expect("answered");
        let requests = server.requests();
        assert_eq!(requests.len(), 4);
        for request in requests {
            let text = request.text();
            let is_next_page = text.contains("NextToken");
            assert_eq!(text.contains(names_it), !is_next_page, "{text}");
            assert!(!text.contains(never), "{text}");
            assert!(!(is_next_page && text.contains("ShardFilter")), "{text}");
        }
    }
}
