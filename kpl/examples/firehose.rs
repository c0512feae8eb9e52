//! A hundred lines into a Firehose delivery stream, and what became of each.
//!
//! `cargo run -p kpl --features firehose --example firehose -- logs` sends to AWS with your usual credentials; with a
//! second argument, such as `http://127.0.0.1:4567`, to an endpoint of your own (`kinesis-agent sandbox
//! --delivery-stream logs` is one).

use kpl::{Config, FirehoseTransport, Producer, StreamName, UserRecord};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let delivery_stream = StreamName::new(&arguments.next().ok_or("give the name of a delivery stream")?)?;
    let mut config = Config::default();
    config.connection.firehose_endpoint = arguments.next();
    let transport = FirehoseTransport::from_config(&config).await?;
    let producer = Producer::builder(transport).config(config).delivery_streams().start()?;

    let mut deliveries = Vec::new();
    for number in 0..100 {
        // Firehose puts nothing between records, so each line brings its newline. The partition key is not sent.
        let record = UserRecord::new(delivery_stream.clone(), "-", format!("line {number}\n"));
        deliveries.push(producer.send(record).await?); // waits only for room
    }
    producer.flush().await; // or let them leave within Config::record_max_buffered_time

    for (number, delivery) in deliveries.into_iter().enumerate() {
        match delivery.await {
            Ok(stored) => println!("line {number}: {}", stored.sequence_number()),
            Err(failed) => println!("line {number}: {failed}"),
        }
    }
    producer.close().await;
    Ok(())
}
