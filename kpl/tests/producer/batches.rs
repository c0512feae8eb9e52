//! Records that are handed over many at a time.

use kpl::{FailureReason, Producer, SendError};

use crate::fake::Fake;
use crate::support::{
    Memory, ORDERS, all_data, assert_empty, borrowed, config, data, quarter_data, settle, small_budget,
};

fn start(fake: &Fake, memory: &Memory) -> Producer {
    Producer::builder(fake.clone())
        .config(config(small_budget))
        .outcomes(memory.clone())
        .start()
        .expect("a lawful configuration")
}

#[tokio::test(start_paused = true)]
async fn each_record_of_a_batch_is_told_once() {
    let (fake, memory) = (Fake::new(4), Memory::default());
    let producer = start(&fake, &memory);
    let mut batch = producer.stream(&ORDERS).batch();
    for number in 0..1000 {
        batch.try_send(borrowed(&data(number)), number as u64).expect("room");
    }
    batch.hand_over();
    producer.flush().await;
    assert_eq!(fake.stored(), all_data(1000));
    let told = memory.told();
    assert_eq!(told.len(), 1000);
    assert!(told.values().all(|outcomes| outcomes.len() == 1 && outcomes[0].is_ok()));
    drop(batch);
    producer.close().await;
    assert_empty(&producer);
}

#[tokio::test(start_paused = true)]
async fn what_is_gathered_leaves_when_the_batch_is_dropped_or_full_or_room_is_short() {
    let (fake, memory) = (Fake::new(4), Memory::default());
    let producer = start(&fake, &memory);
    let stream = producer.stream(&ORDERS);
    let mut batch = stream.batch();
    batch.try_send(borrowed(&data(0)), 0).expect("room");
    producer.flush().await;
    assert!(fake.stored().is_empty(), "one record does not fill a batch");
    drop(batch);
    producer.flush().await;
    assert_eq!(fake.stored(), all_data(1));

    let mut batch = stream.batch();
    for number in 1..65 {
        batch.try_send(borrowed(&data(number)), number as u64).expect("room");
    }
    producer.flush().await;
    assert_eq!(fake.stored(), all_data(65), "64 records do");

    batch.try_send(borrowed(&data(65)), 65).expect("room");
    let large = quarter_data(66);
    for tag in 66..69 {
        batch.try_send(borrowed(&large), tag).expect("room");
    }
    let refused = (0..).find_map(|tag| batch.try_send(borrowed(&[7; 4000]), 100 + tag).err());
    assert!(matches!(refused, Some(SendError::Full(()))));
    settle().await;
    producer.flush().await;
    let told = memory.told();
    assert!(told.len() > 100 && told.values().all(|outcomes| outcomes.len() == 1), "nothing stays in it");
    assert_empty(&producer);
}

#[tokio::test(start_paused = true)]
async fn what_was_gathered_when_the_producer_was_closed_is_told() {
    let (fake, memory) = (Fake::new(4), Memory::default());
    let producer = start(&fake, &memory);
    let mut batch = producer.stream(&ORDERS).batch();
    for number in 0..3 {
        batch.try_send(borrowed(&data(number)), number as u64).expect("room");
    }
    producer.close().await;
    batch.hand_over();
    let told = memory.told();
    let reason = |tag: u64| {
        let failed = told[&tag][0].as_ref().expect_err("it was never sent");
        (failed.reason(), failed.record().data.to_vec())
    };
    for number in 0..3 {
        assert_eq!(reason(number as u64), (FailureReason::Aborted, data(number)));
    }
    assert!(matches!(batch.try_send(borrowed(b"x"), 9), Err(SendError::Closed(()))));
    assert_empty(&producer);
}
