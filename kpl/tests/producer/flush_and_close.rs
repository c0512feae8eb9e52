//! Ends: a flush covers what came before it, a close takes nothing more, and both come to an end.

use std::time::Duration;

use kpl::{SendError, StreamName};

use crate::fake::{Fake, LATENCY, Reply};
use crate::support::{ORDERS, all_data, assert_empty, beside, now, outcomes, pause, record, settle, start};

#[tokio::test(start_paused = true)]
async fn a_flush_covers_what_came_before_and_nothing_later() {
    let fake = Fake::new(2).replies([Reply::Store, Reply::Store]).always(Reply::Hold);
    let producer = start(&fake, |config| config.aggregation_enabled = false);
    producer.stream(&ORDERS).flush().await; // and the listing is not in the way
    pause(2 * LATENCY).await;
    let before = [record(0), record(1)].map(|record| producer.try_send(record).expect("room"));
    let flush = beside({
        let producer = producer.clone();
        async move { producer.flush().await }
    });
    settle().await;
    assert_eq!(fake.calls().len(), 1, "the flush waits for nobody");
    pause(LATENCY / 2).await;
    let later: Vec<_> = (2..4).map(|number| producer.try_send(record(number)).expect("room")).collect();
    flush.await.expect("no panic");
    assert!(outcomes(before).await.iter().all(Result::is_ok), "settled by then");
    assert_eq!(producer.outstanding_records(), 2, "the later ones are still here");
    assert_eq!(fake.calls().len(), 1, "and were not hurried");
    fake.release();
    assert!(outcomes(later).await.iter().all(Result::is_ok));
    assert_empty(&producer);
}

#[tokio::test(start_paused = true)]
async fn a_flush_of_one_stream_is_no_business_of_another() {
    let fake = Fake::new(1);
    let hour = Duration::from_secs(3600);
    let producer = start(&fake, |config| {
        config.record_max_buffered_time = hour;
        config.record_ttl = None;
    });
    let mut other = record(1);
    other.stream = StreamName::new("another").expect("lawful");
    let (mine, other) =
        (producer.try_send(record(0)).expect("room"), producer.try_send(other).expect("room"));
    producer.stream(&ORDERS).flush().await;
    assert!(mine.await.is_ok());
    assert_eq!((fake.calls().len(), producer.outstanding_records()), (1, 1));
    producer.flush().await;
    assert!(other.await.is_ok());
    assert_empty(&producer);
}

#[tokio::test(start_paused = true)]
async fn a_flush_with_nothing_outstanding_returns() {
    let fake = Fake::new(1);
    let producer = start(&fake, |_| {});
    let started = now();
    producer.flush().await;
    producer.stream(&ORDERS).flush().await;
    producer.flush().await;
    assert_eq!(now(), started, "at once");
    producer.close().await;
    producer.flush().await;
    producer.stream(&ORDERS).flush().await;
    assert!(fake.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn flushes_that_nobody_awaits_do_no_harm() {
    let fake = Fake::new(1).always(Reply::Hold);
    let producer = start(&fake, |_| {});
    let delivery = producer.try_send(record(0)).expect("room");
    for _ in 0..1000 {
        let given_up = tokio::time::timeout(Duration::from_millis(1), producer.flush()).await;
        assert!(given_up.is_err());
    }
    fake.release();
    producer.flush().await;
    assert!(delivery.await.is_ok());
    assert_empty(&producer);
}

#[tokio::test(start_paused = true)]
async fn close_drains_refuses_and_can_be_repeated() {
    let fake = Fake::new(2).replies([Reply::FailCall("InternalFailure"), Reply::LoseAnswer]);
    let hour = Duration::from_secs(3600);
    let producer = start(&fake, |config| {
        config.record_max_buffered_time = hour;
        config.record_ttl = None;
    });
    let stream = producer.stream(&ORDERS);
    let deliveries: Vec<_> =
        (0..500).map(|number| producer.try_send(record(number)).expect("room")).collect();
    let started = now();
    let closings: Vec<_> = (0..3)
        .map(|_| {
            let producer = producer.clone();
            beside(async move { producer.close().await })
        })
        .collect();
    for closing in closings {
        closing.await.expect("no panic");
    }
    assert!(now() - started < Duration::from_secs(10), "nobody waits for company any more");
    assert!(outcomes(deliveries).await.iter().all(Result::is_ok));
    let mut stored = fake.stored();
    stored.dedup();
    assert_eq!(stored, all_data(500));
    assert_empty(&producer);

    match (producer.try_send(record(1)), producer.send(record(2)).await) {
        (Err(SendError::Closed(first)), Err(SendError::Closed(second))) => {
            assert_eq!((first, second), (record(1), record(2)));
        }
        other => panic!("{other:?}"),
    }
    let mut elsewhere = record(3);
    elsewhere.stream = StreamName::new("never-seen").expect("lawful");
    assert!(matches!(producer.try_send(elsewhere), Err(SendError::Closed(_))), "streams not seen before too");
    let borrowed = crate::support::borrowed(b"x");
    assert!(matches!(stream.try_send_tagged(borrowed, 1), Err(SendError::Closed(()))));
    stream.wait_for_room(10).await;
    stream.flush().await;
    producer.close().await;
    assert_empty(&producer);
}

#[tokio::test(start_paused = true)]
async fn a_close_that_is_not_awaited_still_closes() {
    let fake = Fake::new(1).always(Reply::Hold);
    let producer = start(&fake, |_| {});
    let delivery = producer.try_send(record(0)).expect("room");
    assert!(tokio::time::timeout(Duration::from_millis(1), producer.close()).await.is_err());
    assert!(matches!(producer.try_send(record(1)), Err(SendError::Closed(_))));
    fake.release();
    assert!(delivery.await.is_ok());
    producer.close().await;
    assert_empty(&producer);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_drains_in_the_background() {
    let fake = Fake::new(2);
    let hour = Duration::from_secs(3600);
    let producer = start(&fake, |config| {
        config.record_max_buffered_time = hour;
        config.record_ttl = None;
    });
    let stream = producer.stream(&ORDERS);
    let started = now();
    let deliveries: Vec<_> =
        (0..100).map(|number| producer.try_send(record(number)).expect("room")).collect();
    drop(producer);
    pause(Duration::from_secs(1)).await;
    assert!(fake.calls().is_empty(), "a stream's handle keeps the producer");
    drop(stream);
    assert!(outcomes(deliveries).await.iter().all(Result::is_ok));
    assert!(now() - started < Duration::from_secs(2));
    assert_eq!(fake.stored(), all_data(100));
    settle().await;
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0, "the task is gone");
}

#[tokio::test(start_paused = true)]
async fn a_close_within_a_grace_gives_the_rest_up_and_says_what_is_in_doubt() {
    let fake = Fake::new(1).always(Reply::Hold);
    let producer = start(&fake, |config| {
        config.aggregation_enabled = false;
        config.collection_max_count = 1;
        config.max_connections = 1;
        config.record_ttl = None;
    });
    let deliveries: Vec<_> = (0..2).map(|number| producer.try_send(record(number)).expect("room")).collect();
    let started = now();
    producer.close_within(Duration::from_secs(3)).await;
    assert_eq!(now() - started, Duration::from_secs(3));
    let failures: Vec<_> =
        outcomes(deliveries).await.into_iter().map(|outcome| outcome.expect_err("given up")).collect();
    assert!(failures.iter().all(|failed| failed.reason() == kpl::FailureReason::Aborted));
    let in_doubt: Vec<_> = failures.iter().map(kpl::UserRecordFailed::may_have_been_written).collect();
    assert_eq!(in_doubt, [true, false], "one call was under way");
    assert_empty(&producer);
}

fn names(producer: &kpl::Producer) -> Vec<String> {
    producer.snapshot().streams.iter().map(|stream| stream.stream.as_str().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn nothing_sent_after_close_shows_up_in_the_snapshot() {
    let fake = Fake::new(1);
    let producer = start(&fake, |_| {});
    let delivery = producer.try_send(record(0)).expect("room");
    producer.close().await;
    assert!(delivery.await.is_ok());
    let before = producer.snapshot();
    let late = StreamName::new("late").expect("a name");
    let stream = producer.stream(&late);
    for number in 1..20 {
        let mut elsewhere = record(number);
        elsewhere.stream = late.clone();
        assert!(matches!(producer.try_send(elsewhere.clone()), Err(SendError::Closed(_))));
        assert!(matches!(producer.send(elsewhere.clone()).await, Err(SendError::Closed(_))));
        assert!(matches!(stream.try_send(elsewhere.as_ref()), Err(SendError::Closed(()))));
        assert!(matches!(producer.send(record(number)).await, Err(SendError::Closed(_))));
    }
    stream.flush().await;
    settle().await;
    assert_eq!(format!("{:?}", producer.snapshot()), format!("{before:?}"));
    assert_eq!(fake.listed().len(), 1, "nothing is listed for it");
}

#[tokio::test(start_paused = true)]
async fn an_invalid_record_starts_no_stream_and_no_listing() {
    let fake = Fake::new(1);
    let producer = start(&fake, |_| {});
    for key in [String::new(), "é".repeat(257)] {
        let mut invalid = record(0);
        invalid.partition_key = Some(key.as_str().into());
        assert!(matches!(producer.try_send(invalid.clone()), Err(SendError::Invalid(..))));
        assert!(matches!(producer.send(invalid).await, Err(SendError::Invalid(..))));
    }
    let mut large = record(0);
    large.data = vec![0; 2 << 20].into();
    assert!(matches!(producer.try_send(large), Err(SendError::Invalid(..))));
    settle().await;
    assert!(names(&producer).is_empty(), "{:?}", names(&producer));
    assert_eq!(fake.listed().len(), 0);
}
