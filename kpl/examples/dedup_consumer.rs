//! Reads a stream from its beginning, takes the records apart and drops what came twice.
//!
//! `cargo run -p kpl --example dedup_consumer -- orders` reads from AWS with your usual credentials; with a second
//! argument, such as `http://127.0.0.1:4567`, from an endpoint of your own. It ends where the stream ends for now.
//!
//! A third argument lets it first send so many records, with dedup ids. To see repeats, let a sandbox lose answers:
//!
//! ```sh
//! cargo run -p kinesis-sandbox --example serve -- 127.0.0.1:4567 drop-after:share=0.3,op=PutRecords &
//! cargo run -p kpl --example dedup_consumer -- orders http://127.0.0.1:4567 10000
//! ```

use std::collections::HashMap;

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::types::{Shard, ShardIteratorType};
use bytes::Bytes;
use kpl::aggregation_format::{Decoded, decode};
use kpl::dedup::{DedupWindow, DedupWindowSize};
use kpl::{AwsTransport, CallTimeouts, Config, Producer, StreamName, UserRecord};

type Failure = Box<dyn std::error::Error>;

#[derive(Default)]
struct Totals {
    records: usize,
    repeats: usize,
    without_id: usize,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let stream = arguments.next().ok_or("give the name of a stream")?;
    let mut environment = aws_config::defaults(aws_config::BehaviorVersion::latest());
    if let Some(endpoint) = arguments.next() {
        environment = environment.endpoint_url(endpoint);
    }
    let environment = environment.load().await;
    let client = Client::new(&environment);
    if let Some(records) = arguments.next() {
        let transport = AwsTransport::new(&environment, CallTimeouts::default());
        send(transport, &StreamName::new(&stream)?, records.parse()?).await?;
    }

    let mut totals = Totals::default();
    let mut windows: HashMap<String, DedupWindow> = HashMap::new();
    // Parents are listed before their children. (More than 1,000 shards would need the next page.)
    for shard in client.list_shards().stream_name(&stream).send().await?.shards() {
        let window = read_shard(&client, &stream, shard, &windows, &mut totals).await?;
        windows.insert(shard.shard_id().to_owned(), window);
    }
    let Totals { records, repeats, without_id } = totals;
    println!("{records} records, {repeats} repeats dropped, {without_id} records without an id");
    Ok(())
}

/// Sends records that can be told apart, in many small calls.
async fn send(transport: AwsTransport, stream: &StreamName, records: usize) -> Result<(), Failure> {
    let mut config = Config::default();
    config.dedup_ids = true;
    config.aggregation_max_count = 50;
    config.collection_max_count = 4;
    let producer = Producer::builder(transport).config(config).start()?;
    let mut deliveries = Vec::new();
    for number in 0..records {
        let record = UserRecord::new(stream.clone(), format!("key-{number}"), format!("record {number}"));
        deliveries.push(producer.send(record).await?);
    }
    producer.close().await;
    for delivery in deliveries {
        delivery.await?;
    }
    println!("{records} records sent");
    Ok(())
}

/// Reads a shard to its present end. What was stored in its parent may come again in it.
async fn read_shard(
    client: &Client,
    stream: &str,
    shard: &Shard,
    windows: &HashMap<String, DedupWindow>,
    totals: &mut Totals,
) -> Result<DedupWindow, Failure> {
    let parent = shard.parent_shard_id().and_then(|parent| windows.get(parent));
    let mut window = parent.cloned().unwrap_or_else(|| DedupWindow::new(DedupWindowSize::default()));
    let start = client.get_shard_iterator().stream_name(stream).shard_id(shard.shard_id());
    let start = start.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await?;
    let mut iterator = start.shard_iterator;
    while iterator.is_some() {
        let page = client.get_records().set_shard_iterator(iterator).send().await?;
        let at_end = page.records.is_empty() && page.millis_behind_latest.unwrap_or(0) == 0;
        for record in page.records {
            handle(&record.data.into_inner().into(), &mut window, totals);
        }
        iterator = page.next_shard_iterator.filter(|_| !at_end);
    }
    Ok(window)
}

fn handle(data: &Bytes, window: &mut DedupWindow, totals: &mut Totals) {
    let Decoded::Aggregated(records) = decode(data) else {
        // A plain record, or a lone one that was compressed: neither has an id.
        totals.records += 1;
        totals.without_id += 1;
        return;
    };
    for record in records {
        totals.without_id += usize::from(record.dedup_id.is_none());
        if window.is_repeat(record.dedup_id.as_ref()) {
            totals.repeats += 1;
        } else {
            totals.records += 1; // here a consumer would do its work
        }
    }
}
