//! Room that is taken before the record is there.

use std::time::Duration;

use kpl::SendError;

use crate::fake::{Fake, Reply};
use crate::support::{
    ORDERS, assert_empty, beside, borrowed, pause, quarter, quarter_data, small_budget, start,
};

#[tokio::test(start_paused = true)]
async fn a_permit_holds_room_for_one_record() {
    let fake = Fake::new(1).always(Reply::Hold);
    let producer = start(&fake, small_budget);
    let stream = producer.stream(&ORDERS);
    let permit = stream.reserve(1 << 19).await.expect("room");
    let (first, second) = (producer.try_send(quarter(0)), producer.try_send(quarter(1)));
    assert!(first.is_ok() && producer.try_send(quarter(2)).is_err(), "half is reserved");
    let delivery = permit.send(borrowed(&quarter_data(2))).expect("its own room");
    assert!(producer.try_send(quarter(3)).is_ok(), "the rest was given back");
    fake.release();
    drop(second);
    assert!(delivery.await.is_ok());
    producer.close().await;
    assert_empty(&producer);
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_is_not_used_gives_its_room_back() {
    let fake = Fake::new(1);
    let producer = start(&fake, small_budget);
    let stream = producer.stream(&ORDERS);
    drop(stream.reserve(1 << 19).await.expect("room"));
    assert_empty(&producer);
    let permit = stream.reserve(10).await.expect("room");
    assert!(
        matches!(permit.send(borrowed(&[0; 2 << 20])), Err(SendError::Invalid(..))),
        "over the record limit"
    );
    let permit = stream.reserve(10).await.expect("room");
    producer.close().await;
    assert!(matches!(permit.send(borrowed(b"late")), Err(SendError::Closed(()))));
    assert_empty(&producer);
    assert!(matches!(stream.reserve(10).await, Err(SendError::Closed(()))));
}

#[tokio::test(start_paused = true)]
async fn reserving_waits_for_room_and_a_larger_record_needs_the_rest() {
    let fake = Fake::new(1).always(Reply::Hold);
    let producer = start(&fake, small_budget);
    let stream = producer.stream(&ORDERS);
    let permit = stream.reserve(100).await.expect("room");
    let full: Vec<_> = (0..3).map(|number| producer.try_send(quarter(number)).expect("room")).collect();
    let fourth = producer.try_send(quarter(3));
    let waiting = beside({
        let stream = stream.clone();
        async move { stream.reserve(1 << 18).await.map(drop) }
    });
    pause(Duration::from_secs(2)).await;
    assert!(!waiting.is_finished());
    assert!(
        matches!(permit.send(borrowed(&quarter_data(4))), Err(SendError::Full(()))),
        "no room for the rest"
    );
    fake.release();
    waiting.await.expect("no panic").expect("room in the end");
    drop((full, fourth));
    producer.close().await;
    assert_empty(&producer);
}
