//! What a program does that must not wait: it offers records, keeps what finds no room, and waits for room only when it
//! has nothing better to do.
//!
//! `cargo run -p kpl --example back_pressure -- orders` sends to AWS with your usual credentials; with a second
//! argument, such as `http://127.0.0.1:4567`, to an endpoint of your own (`kinesis-agent sandbox --stream orders
//! --fault delay:ms=300` is a slow one).

use bytes::Bytes;
use kpl::{AwsTransport, Config, Producer, SendError, StreamName, UserRecord};

/// 16 times what the producer may hold.
const RECORDS: usize = 16 * 1024;
const RECORD_BYTES: usize = 1024;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let stream = StreamName::new(&arguments.next().ok_or("give the name of a stream")?)?;
    let mut config = Config::default();
    config.max_outstanding_bytes = 1 << 20; // so little that the limit is met
    config.connection.kinesis_endpoint = arguments.next();
    let transport = AwsTransport::from_config(&config).await?;
    let producer = Producer::builder(transport).config(config).start()?;

    let data = Bytes::from(vec![b'x'; RECORD_BYTES]);
    let (mut refusals, mut largest, mut deliveries) = (0, 0, Vec::with_capacity(RECORDS));
    for number in 0..RECORDS {
        let record = UserRecord::new(stream.clone(), format!("customer-{}", number % 1000), data.clone());
        let delivery = match producer.try_send(record) {
            Ok(delivery) => delivery,
            Err(SendError::Full(record)) => {
                refusals += 1; // the record is back: drop it, write it to a file, or wait
                producer.send(record).await?
            }
            Err(other) => return Err(other.into()),
        };
        deliveries.push(delivery);
        largest = largest.max(producer.outstanding_bytes());
    }
    producer.close().await;

    let mut failed = 0;
    for delivery in deliveries {
        failed += usize::from(delivery.await.is_err());
    }
    println!("{RECORDS} records of {RECORD_BYTES} bytes, {failed} not stored");
    println!("{refusals} found no room at once; the producer held {largest} bytes at most");
    Ok(())
}
