//! Keeps the order of each partition key, and reads the stream back to show it.
//!
//! `cargo run -p kpl --example ordered -- orders` sends to AWS with your usual credentials; with a second argument,
//! such as `http://127.0.0.1:4567`, to an endpoint of your own. A stream of its own shows most: what others wrote is
//! passed over, but read. A third argument of `side-by-side` leaves [`Config::strict_order`] off.
//!
//! To see it hold where a producer without it would not, let a sandbox throttle:
//!
//! ```sh
//! cargo run -p kinesis-agent -- sandbox --stream orders --shards 2 --fault throttle:share=0.3,op=PutRecords &
//! cargo run -p kpl --example ordered -- orders http://127.0.0.1:4567
//! ```

use std::collections::HashMap;

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::types::ShardIteratorType;
use bytes::Bytes;
use kpl::aggregation_format::{Decoded, decode_in_shard};
use kpl::{AwsTransport, CallTimeouts, Config, HashKeyRange, Producer, StreamName, UserRecord};

type Failure = Box<dyn std::error::Error>;

const KEYS: usize = 20;
const RECORDS: usize = 20_000;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let stream = arguments.next().ok_or("give the name of a stream")?;
    let mut environment = aws_config::defaults(aws_config::BehaviorVersion::latest());
    if let Some(endpoint) = arguments.next() {
        environment = environment.endpoint_url(endpoint);
    }
    let environment = environment.load().await;
    let is_strict = arguments.next().as_deref() != Some("side-by-side");

    let run = format!("{:08x}", fastrand::u32(..)); // tells this run's records from those of another
    let transport = AwsTransport::new(&environment, CallTimeouts::default());
    send(transport, &StreamName::new(&stream)?, is_strict, &run).await?;

    let mut last_seen = HashMap::new();
    let (mut seen, mut out_of_order) = (0, 0);
    read(&Client::new(&environment), &stream, |text| {
        let Some((key, number)) = parse(text, &run) else { return };
        seen += 1;
        out_of_order += usize::from(last_seen.insert(key, number).is_some_and(|last| last > number));
    })
    .await?;
    println!("{seen} of {RECORDS} records read back, {out_of_order} of them behind a later one of their key");
    Ok(())
}

/// Sends numbered records in turn to all keys, in small calls.
async fn send(
    transport: AwsTransport,
    stream: &StreamName,
    is_strict: bool,
    run: &str,
) -> Result<(), Failure> {
    let mut config = Config::default();
    config.strict_order = is_strict;
    config.aggregation_max_count = 50;
    config.record_ttl = None;
    let producer = Producer::builder(transport).config(config).start()?;
    let mut deliveries = Vec::new();
    for number in 0..RECORDS {
        let key = format!("customer-{}", number % KEYS);
        let data = format!("{run} {key} {number}");
        deliveries.push(producer.send(UserRecord::new(stream.clone(), key, data)).await?);
    }
    producer.close().await;
    let mut attempts = 0;
    for delivery in deliveries {
        attempts += delivery.await?.attempts().len();
    }
    println!("{RECORDS} records of {KEYS} keys stored after {attempts} attempts");
    Ok(())
}

/// Reads all shards to their present ends. (More than 1,000 shards would need the next page.)
async fn read(client: &Client, stream: &str, mut each: impl FnMut(&Bytes)) -> Result<(), Failure> {
    for shard in client.list_shards().stream_name(stream).send().await?.shards() {
        let start = client.get_shard_iterator().stream_name(stream).shard_id(shard.shard_id());
        let start = start.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await?;
        let range = shard.hash_key_range().ok_or("a shard without a hash key range")?;
        let range = HashKeyRange::parse(range.starting_hash_key(), range.ending_hash_key())?;
        let mut iterator = start.shard_iterator;
        while iterator.is_some() {
            let page = client.get_records().set_shard_iterator(iterator).send().await?;
            let at_end = page.records.is_empty() && page.millis_behind_latest.unwrap_or(0) == 0;
            for record in page.records {
                let data = record.data.into_inner().into();
                match decode_in_shard(&data, &range) {
                    Decoded::Aggregated(records) => records.iter().for_each(|record| each(&record.data)),
                    Decoded::Plain => each(&data),
                    Decoded::Decompressed(data) => each(&data),
                }
            }
            iterator = page.next_shard_iterator.filter(|_| !at_end);
        }
    }
    Ok(())
}

/// Key and number of a record of this run.
fn parse(data: &Bytes, run: &str) -> Option<(String, usize)> {
    let text = std::str::from_utf8(data).ok()?;
    let (key, number) = text.strip_prefix(run)?.trim_start().split_once(' ')?;
    Some((key.to_owned(), number.parse().ok()?))
}
