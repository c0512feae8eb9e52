//! Moments in the CBOR that Java's SDK speaks to Kinesis: whole milliseconds, in answers and in requests.

use ciborium::Value as Cbor;
use ferrokinesis::util::current_time_ms as now;
use kinesis_sandbox::Sandbox;

use crate::http;
use crate::support::{ARN, STREAM, entries, kinesis, sandbox};

fn text(value: &str) -> Cbor {
    Cbor::Text(value.to_owned())
}

fn map(fields: Vec<(&str, Cbor)>) -> Cbor {
    Cbor::Map(fields.into_iter().map(|(name, value)| (text(name), value)).collect())
}

async fn call(sandbox: &Sandbox, operation: &str, fields: Vec<(&str, Cbor)>) -> (u16, Vec<u8>) {
    let mut body = Vec::new();
    ciborium::into_writer(&map(fields), &mut body).unwrap();
    let target = format!("Kinesis_20131202.{operation}");
    let headers = [("content-type", "application/x-amz-cbor-1.1"), ("x-amz-target", target.as_str())];
    let raw = http::post(sandbox, "/", &headers, &body).await;
    (raw.status, raw.body)
}

async fn answer(sandbox: &Sandbox, operation: &str, fields: Vec<(&str, Cbor)>) -> Cbor {
    let (status, body) = call(sandbox, operation, fields).await;
    assert_eq!(status, 200, "{operation}: {}", String::from_utf8_lossy(&body));
    ciborium::from_reader(&body[..]).unwrap()
}

fn field<'a>(tree: &'a Cbor, name: &str) -> &'a Cbor {
    let found = tree.as_map().unwrap().iter().find(|(key, _)| key.as_text() == Some(name));
    &found.unwrap_or_else(|| panic!("{name} is missing in {tree:?}")).1
}

/// Java's SDK cannot read anything but a whole number here.
fn milliseconds(moment: &Cbor) -> u64 {
    let number = moment.as_integer().unwrap_or_else(|| panic!("{moment:?} is not a whole number"));
    u64::try_from(number).unwrap()
}

fn assert_recent(moment: &Cbor) {
    let distance = milliseconds(moment).abs_diff(now());
    assert!(distance < 600_000, "{moment:?} is not now in milliseconds");
}

#[tokio::test]
async fn moments_of_answers_are_whole_milliseconds() {
    let sandbox = sandbox(&[]).await;
    let put = kinesis(&sandbox).put_records().stream_name(STREAM).set_records(Some(entries(1)));
    let shard = put.send().await.unwrap().records()[0].shard_id().unwrap().to_owned();
    let summary = answer(&sandbox, "DescribeStreamSummary", vec![("StreamName", text(STREAM))]).await;
    assert_recent(field(field(&summary, "StreamDescriptionSummary"), "StreamCreationTimestamp"));
    let streams = answer(&sandbox, "ListStreams", vec![]).await;
    assert_recent(field(
        &field(&streams, "StreamSummaries").as_array().unwrap()[0],
        "StreamCreationTimestamp",
    ));
    let consumer = vec![("StreamARN", text(ARN)), ("ConsumerName", text("app"))];
    let consumer = answer(&sandbox, "RegisterStreamConsumer", consumer).await;
    assert_recent(field(field(&consumer, "Consumer"), "ConsumerCreationTimestamp"));
    let iterator = vec![
        ("StreamName", text(STREAM)),
        ("ShardId", text(&shard)),
        ("ShardIteratorType", text("TRIM_HORIZON")),
    ];
    let iterator = answer(&sandbox, "GetShardIterator", iterator).await;
    let iterator = field(&iterator, "ShardIterator").clone();
    let records = answer(&sandbox, "GetRecords", vec![("ShardIterator", iterator)]).await;
    assert_recent(field(&field(&records, "Records").as_array().unwrap()[0], "ApproximateArrivalTimestamp"));
}

#[tokio::test]
async fn moments_of_requests_are_milliseconds() {
    let sandbox = sandbox(&[]).await;
    let put = kinesis(&sandbox).put_records().stream_name(STREAM).set_records(Some(entries(1)));
    let shard = put.send().await.unwrap().records()[0].shard_id().unwrap().to_owned();
    let first_record_at = async |moment: Cbor| {
        let iterator = vec![
            ("StreamName", text(STREAM)),
            ("ShardId", text(&shard)),
            ("ShardIteratorType", text("AT_TIMESTAMP")),
            ("Timestamp", moment),
        ];
        let (status, body) = call(&sandbox, "GetShardIterator", iterator).await;
        if status != 200 {
            return Err(status);
        }
        let iterator: Cbor = ciborium::from_reader(&body[..]).unwrap();
        let iterator = field(&iterator, "ShardIterator").clone();
        let records = answer(&sandbox, "GetRecords", vec![("ShardIterator", iterator)]).await;
        Ok(field(&records, "Records").as_array().unwrap().len())
    };
    assert_eq!(first_record_at(Cbor::from(now() - 60_000)).await, Ok(1));
    // As Java's SDK writes it: with CBOR's tag for moments.
    assert_eq!(first_record_at(Cbor::Tag(1, Box::new(Cbor::from(now() - 60_000)))).await, Ok(1));
    assert_eq!(first_record_at(Cbor::from(now() + 60_000)).await, Err(400), "the future");

    let filter = map(vec![("Type", text("AT_TIMESTAMP")), ("Timestamp", Cbor::from(now()))]);
    let shards = vec![("StreamName", text(STREAM)), ("ShardFilter", filter)];
    let shards = answer(&sandbox, "ListShards", shards).await;
    assert_eq!(field(&shards, "Shards").as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn moments_of_a_subscription_are_whole_milliseconds() {
    let sandbox = sandbox(&[]).await;
    let client = kinesis(&sandbox);
    client.put_records().stream_name(STREAM).set_records(Some(entries(20))).send().await.unwrap();
    let merge = client.merge_shards().stream_name(STREAM).shard_to_merge("shardId-000000000000");
    merge.adjacent_shard_to_merge("shardId-000000000001").send().await.unwrap();
    let consumer = vec![("StreamARN", text(ARN)), ("ConsumerName", text("app"))];
    let consumer = answer(&sandbox, "RegisterStreamConsumer", consumer).await;
    let arn = field(field(&consumer, "Consumer"), "ConsumerARN").clone();
    loop {
        let described = answer(&sandbox, "DescribeStreamConsumer", vec![("ConsumerARN", arn.clone())]).await;
        if *field(field(&described, "ConsumerDescription"), "ConsumerStatus") == text("ACTIVE") {
            break;
        }
    }
    let subscription = vec![
        ("ConsumerARN", arn),
        ("ShardId", text("shardId-000000000000")),
        ("StartingPosition", map(vec![("Type", text("TRIM_HORIZON"))])),
    ];
    // The shard is closed, so the subscription ends by itself.
    let (status, body) = call(&sandbox, "SubscribeToShard", subscription).await;
    assert_eq!(status, 200);
    let name = b"ApproximateArrivalTimestamp";
    let places = body.windows(name.len()).enumerate().filter(|(_, window)| window == name);
    let moments: Vec<Cbor> =
        places.map(|(place, _)| ciborium::from_reader(&body[place + name.len()..]).unwrap()).collect();
    assert!(!moments.is_empty());
    moments.iter().for_each(assert_recent);
}
