//! STS, the CBOR protocols of Kinesis, and requests that nobody understands.

use ciborium::Value as Cbor;
use serde_json::json;

use crate::http;
use crate::support::{STREAM, kinesis, read_stream, sandbox};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// Path, headers, body; the status and the code that they are answered with.
type Case = (&'static str, &'static [(&'static str, &'static str)], &'static [u8], u16, &'static str);

fn cbor(fields: Vec<(&str, Cbor)>) -> Vec<u8> {
    let fields = fields.into_iter().map(|(name, value)| (Cbor::Text(name.to_owned()), value)).collect();
    let mut body = Vec::new();
    ciborium::into_writer(&Cbor::Map(fields), &mut body).unwrap();
    body
}

fn put_record(data: &[u8]) -> Vec<u8> {
    cbor(vec![
        ("StreamName", Cbor::Text(STREAM.to_owned())),
        ("PartitionKey", Cbor::Text("k".to_owned())),
        ("Data", Cbor::Bytes(data.to_vec())),
    ])
}

#[tokio::test]
async fn roles_are_assumed_and_callers_identified() {
    let sandbox = sandbox(&[]).await;
    let role = b"Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fp%2Fwriter&RoleSessionName=me";
    let assumed = http::post(&sandbox, "/", &[FORM], role).await;
    assert_eq!(assumed.status, 200);
    assert!(assumed.text().contains(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>"
    ));
    assert!(assumed.text().contains("assumed-role/writer/me</Arn>"), "{}", assumed.text());
    assert!(assumed.text().contains("<SessionToken>sandbox-session-token</SessionToken>"));
    let caller = http::post(&sandbox, "/", &[FORM], b"Action=GetCallerIdentity&Version=2011-06-15").await;
    assert!(caller.text().contains("<Account>000000000000</Account>"));
    let nameless = http::post(&sandbox, "/", &[FORM], b"Action=AssumeRole&Version=2011-06-15").await;
    assert!(nameless.status == 400 && nameless.text().contains("<Code>ValidationError</Code>"));
}

#[tokio::test]
async fn kinesis_speaks_both_cbor_protocols() {
    let sandbox = sandbox(&[]).await;
    let headers =
        [("content-type", "application/x-amz-cbor-1.1"), ("x-amz-target", "Kinesis_20131202.PutRecord")];
    let put = http::post(&sandbox, "/", &headers, &put_record(b"cbor 1.1")).await;
    assert_eq!(put.status, 200, "{}", put.text());
    let headers = [("content-type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")];
    let put = http::post(
        &sandbox,
        "/service/Kinesis_20131202/operation/PutRecord",
        &headers,
        &put_record(b"rpc v2"),
    )
    .await;
    assert!(put.status == 200 && put.head.contains("smithy-protocol: rpc-v2-cbor"), "{}", put.head);
    let Cbor::Map(fields) = ciborium::from_reader(&put.body[..]).unwrap() else {
        panic!("the answer is a map")
    };
    assert!(fields.iter().any(|(name, _)| name.as_text() == Some("SequenceNumber")));
    assert_eq!(read_stream(&kinesis(&sandbox)).await, ["cbor 1.1", "rpc v2"]);

    let refused =
        http::post(&sandbox, "/service/Kinesis_20131202/operation/Nothing", &headers, &cbor(vec![])).await;
    let Cbor::Map(fields) = ciborium::from_reader(&refused.body[..]).unwrap() else {
        panic!("the error is a map")
    };
    assert_eq!(fields[0].1.as_text(), Some("UnknownOperationException"));
}

#[tokio::test]
async fn what_nobody_understands_is_refused_in_the_protocol_of_the_request() {
    let sandbox = sandbox(&[]).await;
    const JSON: (&str, &str) = ("content-type", "application/x-amz-json-1.1");
    let cases: [Case; 7] = [
        ("/", &[JSON, ("x-amz-target", "Kinesis_20131202.Nothing")], b"{}", 400, "UnknownOperationException"),
        (
            "/",
            &[JSON, ("x-amz-target", "DynamoDB_20120810.GetItem")],
            b"{}",
            400,
            "UnknownOperationException",
        ),
        (
            "/",
            &[JSON, ("x-amz-target", "Kinesis_20131202.PutRecords")],
            b"{\"Rec",
            400,
            "SerializationException",
        ),
        (
            "/",
            &[JSON, ("x-amz-target", "Firehose_20150804.PutRecord")],
            b"{}",
            400,
            "InvalidArgumentException",
        ),
        ("/nothing", &[], b"", 404, "UnknownOperationException"),
        ("/", &[FORM], b"Action=Nothing&Version=2011-06-15", 400, "UnknownOperationException"),
        ("/", &[JSON, ("content-encoding", "gzip")], b"not gzip", 400, "SerializationException"),
    ];
    for (path, headers, body, status, code) in cases {
        let raw = http::post(&sandbox, path, headers, body).await;
        assert_eq!((raw.status, raw.text().contains(code)), (status, true), "{path} {headers:?}: {raw:?}");
        assert!(raw.head.contains(&format!("x-amzn-errortype: {code}")), "{}", raw.head);
    }
    assert_eq!(http::get(&sandbox, "/sandbox/health").await.json(), json!({"status": "ok"}));
}

#[tokio::test]
async fn sixteen_mebibytes_are_read_and_more_is_refused_however_it_is_packed() {
    let sandbox = sandbox(&[]).await;
    let headers =
        [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "Kinesis_20131202.PutRecords")];
    let largest = http::post(&sandbox, "/", &headers, &vec![b' '; 16 << 20]).await;
    assert!(largest.status == 400 && largest.text().contains("SerializationException"), "read, but no JSON");
    let packed = http::gzip(&vec![b' '; (16 << 20) + 1]);
    let refused =
        http::post(&sandbox, "/", &[&headers[..], &[("content-encoding", "gzip")]].concat(), &packed).await;
    assert_eq!(refused.status, 413);
}

#[tokio::test]
async fn hostile_bodies_are_answered_like_any_other() {
    let sandbox = sandbox(&["fail:share=0.5"]).await;
    let operations = "CreateStream DeleteStream DescribeStream DescribeStreamSummary GetRecords GetShardIterator \
        ListShards ListStreams MergeShards PutRecord PutRecords RegisterStreamConsumer SplitShard SubscribeToShard \
        UpdateShardCount UpdateStreamMode UpdateMaxRecordSize PutRecordBatch CreateDeliveryStream PutMetricData \
        ListMetrics ListDeliveryStreams";
    let bodies = [
        json!({}),
        json!({"StreamName": 7, "Records": {}, "DeliveryStreamName": [], "Namespace": null}),
        json!({"StreamName": "clicks", "Records": [7, null, {}], "MetricData": [7, null], "Namespace": "n"}),
        json!({"StreamARN": ":::::", "ShardFilter": "x", "StreamModeDetails": "x", "NextToken": "AAAA"}),
        json!({"StreamName": "clicks", "ShardToSplit": "shardId--00000000001", "NewStartingHashKey": "0"}),
        json!({"StreamName": "clicks", "ShardToMerge": "shardId-000000000001", "AdjacentShardToMerge": "x"}),
        json!({"StreamName": "clicks", "ShardId": "shardId-999999999999", "ShardIteratorType": "LATEST"}),
        json!({"StreamName": "clicks", "TargetShardCount": -1, "ScalingType": "UNIFORM_SCALING", "ShardCount": 0}),
        json!({"ShardIterator": "AAAA", "NextToken": "A", "Limit": -5, "MaxResults": 1e300}),
        json!({"StreamName": "clicks", "PartitionKey": "k", "Data": "not base64!", "ExplicitHashKey": "-1"}),
        json!({"DeliveryStreamName": "no such", "Records": [{"Data": 7}], "Record": {"Data": "=="}}),
    ];
    for operation in operations.split_whitespace() {
        for service in ["Kinesis_20131202", "Firehose_20150804", "GraniteServiceVersion20100801"] {
            for body in &bodies {
                let target = format!("{service}.{operation}");
                let headers =
                    [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
                let raw = http::post(&sandbox, "/", &headers, body.to_string().as_bytes()).await;
                assert_ne!(raw.status, 0, "{target} {body} was not answered");
            }
        }
    }
}
