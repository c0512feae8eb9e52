//! Reads a stream from its beginning, takes the records apart and drops what came twice, also over reshards.
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

mod dedup_consumer {
    pub(crate) mod consumer;
}

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::types::{Shard, ShardIteratorType};
use dedup_consumer::consumer::{Consumer, ListedShard, ShardReader};
use kpl::{AwsTransport, CallTimeouts, Config, HashKeyRange, Producer, StreamName, UserRecord};

type Failure = Box<dyn std::error::Error>;

#[derive(Default)]
struct Totals {
    records: usize,
    repeats: usize,
    without_id: usize,
}

/// Where reading a shard ended.
#[derive(PartialEq)]
enum ShardEnd {
    /// Behind its last record: it is closed.
    Closed,
    /// Behind its newest record: it is open.
    ForNow,
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
    let mut consumer = Consumer::default();
    loop {
        // A shard that ended has children by now, if it was split or merged.
        consumer.list(list_shards(&client, &stream).await?);
        let Some(mut reader) = consumer.next_shard() else { break };
        let end = read_shard(&client, &stream, &mut reader, &mut totals).await?;
        totals.repeats += reader.repeats;
        // The children of a shard that was open when it was read have to wait: it may have got more records.
        if end == ShardEnd::Closed {
            consumer.finish(reader);
        }
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

/// All shards of the stream, closed ones included.
async fn list_shards(client: &Client, stream: &str) -> Result<Vec<ListedShard>, Failure> {
    let mut shards = Vec::new();
    let mut page = client.list_shards().stream_name(stream).send().await?;
    loop {
        for shard in page.shards() {
            shards.push(listed(shard)?);
        }
        // The service refuses a token together with a name.
        let Some(token) = page.next_token else { return Ok(shards) };
        page = client.list_shards().next_token(token).send().await?;
    }
}

fn listed(shard: &Shard) -> Result<ListedShard, Failure> {
    let range = shard.hash_key_range().ok_or("a shard without a hash key range")?;
    let parents = [shard.parent_shard_id(), shard.adjacent_parent_shard_id()];
    Ok(ListedShard {
        id: shard.shard_id().to_owned(),
        parents: parents.into_iter().flatten().map(str::to_owned).collect(),
        range: HashKeyRange::parse(range.starting_hash_key(), range.ending_hash_key())?,
    })
}

/// Reads a shard to its end, or, while it is open, to where it ends for now.
async fn read_shard(
    client: &Client,
    stream: &str,
    reader: &mut ShardReader,
    totals: &mut Totals,
) -> Result<ShardEnd, Failure> {
    let start = client.get_shard_iterator().stream_name(stream).shard_id(&reader.shard_id);
    let start = start.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await?;
    let mut iterator = start.shard_iterator;
    loop {
        let page = client.get_records().set_shard_iterator(iterator).send().await?;
        let is_newest = page.records.is_empty() && page.millis_behind_latest.unwrap_or(0) == 0;
        for record in page.records {
            reader.take(&record.data.into_inner().into(), |_data, id| {
                totals.records += 1; // here a consumer would do its work
                totals.without_id += usize::from(id.is_none());
            });
        }
        iterator = page.next_shard_iterator;
        if iterator.is_none() {
            return Ok(ShardEnd::Closed);
        }
        if is_newest {
            return Ok(ShardEnd::ForNow);
        }
    }
}
