//! Delivery streams: no shards, no keys, no aggregation, and Firehose's limits.

use kpl::{InvalidUserRecord, Producer, SendError, UserRecord};

use crate::fake::{Fake, Reply};
use crate::support::{ORDERS, all_data, assert_empty, config, data, outcomes};

fn start(fake: &Fake) -> Producer {
    let builder = Producer::builder(fake.clone()).delivery_streams();
    builder.config(config(|_| {})).start().expect("lawful")
}

#[tokio::test(start_paused = true)]
async fn records_go_as_they_are_and_without_a_listing() {
    let fake = Fake::new(1)
        .replies([Reply::FailEntries(|place| (place % 2 == 0).then_some("ServiceUnavailableException"))]);
    let producer = start(&fake);
    let mut deliveries = Vec::new();
    for number in 0..1200 {
        let key = if number % 3 == 0 { String::new() } else { "k".repeat(1000) };
        deliveries.push(producer.try_send(UserRecord::new(ORDERS.clone(), key, data(number))).expect("room"));
    }
    assert!(outcomes(deliveries).await.iter().all(Result::is_ok), "keys are ignored, lawful or not");
    assert!(fake.listed().is_empty());
    assert_eq!(fake.stored(), all_data(1200));
    for call in fake.calls() {
        assert!(call.entries.len() <= 500);
        assert!(call.entries.iter().all(|entry| entry.data.len() == 8 && entry.partition_key.is_empty()));
    }
    assert_empty(&producer);
}

#[tokio::test(start_paused = true)]
async fn the_limits_are_firehoses() {
    let fake = Fake::new(1);
    let producer = start(&fake);
    let record = |bytes| UserRecord::new(ORDERS.clone(), "a key that does not count", vec![1; bytes]);
    let refused = producer.try_send(record(1_024_001));
    let limit = InvalidUserRecord::TooLarge { bytes: 1_024_001, limit: 1_024_000 };
    assert!(matches!(refused, Err(SendError::Invalid(_, problem)) if problem == limit));
    let deliveries: Vec<_> = (0..9).map(|_| producer.try_send(record(1_024_000)).expect("room")).collect();
    producer.flush().await;
    assert!(outcomes(deliveries).await.iter().all(Result::is_ok));
    for call in fake.calls() {
        let bytes: usize = call.entries.iter().map(|entry| entry.data.len()).sum();
        assert!(bytes <= 4 << 20, "{bytes} bytes in one call");
    }
    assert_empty(&producer);
}
