//! What happens at the bound: callers wait or get their record back, and nothing is taken that is not given back.

use std::time::Duration;

use kpl::{InvalidUserRecord, SendError, StreamName, UserRecord};

use crate::fake::{Fake, Reply};
use crate::support::{
    ORDERS, assert_empty, beside, borrowed, now, pause, quarter, quarter_data, record, settle, small_budget,
    start,
};

#[tokio::test(start_paused = true)]
async fn try_send_hands_the_record_back_and_send_waits_for_room() {
    let fake = Fake::new(1).always(Reply::Hold);
    let producer = start(&fake, small_budget);
    let deliveries: Vec<_> = (0..4).map(|number| producer.try_send(quarter(number)).expect("room")).collect();
    match producer.try_send(quarter(4)) {
        Err(SendError::Full(back)) => assert_eq!(back, quarter(4)),
        other => panic!("{other:?}"),
    }
    let waiting = beside({
        let producer = producer.clone();
        async move { producer.send(quarter(4)).await }
    });
    pause(Duration::from_secs(3)).await;
    assert!(!waiting.is_finished(), "there is no room yet");
    fake.release();
    let fifth = waiting.await.expect("no panic").expect("taken when there was room");
    for delivery in deliveries.into_iter().chain([fifth]) {
        assert!(delivery.await.is_ok());
    }
    assert_eq!(fake.stored(), (0..5).map(quarter_data).collect::<Vec<_>>());
    assert_empty(&producer);
}

#[tokio::test(start_paused = true)]
async fn many_callers_wait_and_all_are_served() {
    let fake = Fake::new(4);
    let producer = start(&fake, |config| config.max_outstanding_records = 7);
    let callers: Vec<_> = (0..50)
        .map(|caller| {
            let producer = producer.clone();
            beside(async move {
                for number in 0..20 {
                    let delivery =
                        producer.send(record(caller * 20 + number)).await.expect("room in the end");
                    assert!(producer.outstanding_records() <= 7);
                    assert!(delivery.await.is_ok());
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.expect("no panic");
    }
    assert_eq!(fake.stored(), crate::support::all_data(1000));
    assert_empty(&producer);
}

#[tokio::test(start_paused = true)]
async fn a_record_larger_than_the_whole_budget_passes_alone() {
    let fake = Fake::new(1);
    let producer = start(&fake, |config| {
        small_budget(config);
        config.max_user_record_size = 4 << 20;
    });
    let large = UserRecord::new(ORDERS.clone(), "key", vec![7; 3 << 20]);
    let small = producer.try_send(record(0)).expect("room");
    assert!(matches!(producer.try_send(large.clone()), Err(SendError::Full(_))), "not beside another");
    let sent = producer.send(large).await.expect("alone");
    assert!(small.await.is_ok(), "it waited until the small one was done");
    assert!(matches!(producer.try_send(record(1)), Err(SendError::Full(_))), "and nothing beside it");
    assert!(sent.await.is_ok());
    assert_empty(&producer);
}

#[tokio::test(start_paused = true)]
async fn a_send_that_is_given_up_takes_nothing() {
    let fake = Fake::new(1).always(Reply::Hold);
    let producer = start(&fake, small_budget);
    for number in 0..4 {
        drop(producer.try_send(quarter(number)).expect("room"));
    }
    let held = (producer.outstanding_records(), producer.outstanding_bytes());
    for _ in 0..10 {
        let given_up = tokio::time::timeout(Duration::from_millis(10), producer.send(quarter(9))).await;
        assert!(given_up.is_err(), "no room");
    }
    assert_eq!((producer.outstanding_records(), producer.outstanding_bytes()), held);
    fake.release();
    assert!(producer.send(quarter(4)).await.expect("room").await.is_ok(), "nobody's turn was lost");
    assert_eq!(fake.stored(), (0..5).map(quarter_data).collect::<Vec<_>>(), "nothing that was given up");
    assert_empty(&producer);
}

#[tokio::test(start_paused = true)]
async fn room_held_by_another_stream_does_not_wait_for_company() {
    let fake = Fake::new(1);
    let hour = Duration::from_secs(3600);
    let producer = start(&fake, |config| {
        small_budget(config);
        config.record_max_buffered_time = hour;
        config.record_ttl = None;
        config.aggregation_max_size = 1 << 20;
    });
    let started = now();
    for number in 0..4 {
        drop(producer.try_send(quarter(number)).expect("room"));
    }
    settle().await;
    let mut other = quarter(4);
    other.stream = StreamName::new("another").expect("lawful");
    let delivery = producer.send(other).await.expect("room");
    assert!(now() - started < Duration::from_secs(10), "waited {:?}", now() - started);
    producer.flush().await;
    assert!(delivery.await.is_ok());
    assert_empty(&producer);
}

#[tokio::test(start_paused = true)]
async fn close_sends_the_waiting_callers_away() {
    let fake = Fake::new(1).always(Reply::Hold);
    let producer = start(&fake, small_budget);
    for number in 0..4 {
        drop(producer.try_send(quarter(number)).expect("room"));
    }
    let callers: Vec<_> = (10..13)
        .map(|number| {
            let producer = producer.clone();
            beside(async move { producer.send(quarter(number)).await })
        })
        .collect();
    let room = beside({
        let stream = producer.stream(&ORDERS);
        async move { stream.wait_for_room(1 << 18).await }
    });
    settle().await;
    let closing = beside({
        let producer = producer.clone();
        async move { producer.close().await }
    });
    for (number, caller) in (10..).zip(callers) {
        match caller.await.expect("no panic") {
            Err(SendError::Closed(back)) => assert_eq!(back, quarter(number)),
            other => panic!("{other:?}"),
        }
    }
    room.await.expect("it hears of the end too");
    assert!(!closing.is_finished(), "the four are still on their way");
    fake.release();
    closing.await.expect("no panic");
    assert_empty(&producer);
}

#[tokio::test(start_paused = true)]
async fn who_waited_for_room_finds_it() {
    let fake = Fake::new(1).always(Reply::Hold);
    let producer = start(&fake, small_budget);
    let stream = producer.stream(&ORDERS);
    let data = quarter_data(0);
    for tag in 0..4 {
        stream.try_send_tagged(borrowed(&data), tag).expect("room");
    }
    assert!(matches!(stream.try_send_tagged(borrowed(&data), 4), Err(SendError::Full(()))));
    let waiting = beside({
        let stream = stream.clone();
        async move { stream.wait_for_room((1 << 18) - 97).await }
    });
    pause(Duration::from_secs(1)).await;
    assert!(!waiting.is_finished());
    fake.release();
    waiting.await.expect("no panic");
    stream.try_send_tagged(borrowed(&data), 4).expect("room for exactly that");
    stream.flush().await;
    assert_empty(&producer);
    let too_large = vec![0; 1 << 20];
    let refused = stream.try_send_tagged(borrowed(&too_large), 5);
    assert!(matches!(refused, Err(SendError::Invalid((), InvalidUserRecord::TooLarge { .. }))));
    assert_empty(&producer);
}
