//! A hundred records into a stream, and what became of each.
//!
//! `cargo run -p kpl --example quick_start -- orders` sends to AWS with your usual credentials; with a second argument,
//! such as `http://127.0.0.1:4567`, to an endpoint of your own.

use kpl::{AwsTransport, Config, Producer, StreamName, UserRecord};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let stream = StreamName::new(&arguments.next().ok_or("give the name of a stream")?)?;
    let mut config = Config::default();
    config.connection.kinesis_endpoint = arguments.next();
    let transport = AwsTransport::from_config(&config).await?;
    let producer = Producer::builder(transport).config(config).start()?;

    let mut deliveries = Vec::new();
    for number in 0..100 {
        let record =
            UserRecord::new(stream.clone(), format!("customer-{}", number % 7), format!("order {number}"));
        deliveries.push(producer.send(record).await?); // waits only for room
    }
    producer.flush().await; // or let them leave within Config::record_max_buffered_time

    for (number, delivery) in deliveries.into_iter().enumerate() {
        match delivery.await {
            Ok(stored) => println!("order {number}: {} at {}", stored.shard_id(), stored.sequence_number()),
            Err(failed) => println!("order {number}: {failed}"),
        }
    }
    producer.close().await;
    Ok(())
}
