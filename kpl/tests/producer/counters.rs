//! The counters of a snapshot: what a dashboard is drawn from.

use std::time::Duration;

use kpl::{Producer, StreamSnapshot};

use crate::fake::{Fake, Listing, Reply};
use crate::support::{outcomes, pause, record, start};

fn state(producer: &Producer) -> StreamSnapshot {
    producer.snapshot().streams.swap_remove(0)
}

/// Sends one record and waits for its outcome.
async fn send_one(producer: &Producer, number: usize) {
    let delivery = producer.send(record(number)).await.expect("open");
    producer.flush().await;
    drop(outcomes([delivery]).await);
}

#[tokio::test(start_paused = true)]
async fn failed_calls_are_counted_by_cause() {
    let replies = [
        Reply::FailCall("ThrottlingException"),
        Reply::FailCall("DispatchFailure"),
        Reply::FailCall("InternalFailure"),
        Reply::LoseAnswer,
        Reply::Miscount,
        Reply::FailCall("ExpiredTokenException"),
    ];
    let producer = start(&Fake::new(1).replies(replies), |_| {});
    send_one(&producer, 1).await;
    let state = state(&producer);
    assert_eq!((state.calls, state.calls_failed), (7, 6), "{state:?}");
    let causes = [
        state.calls_throttled,
        state.calls_refused,
        state.calls_timed_out,
        state.calls_failed_in_transport,
        state.calls_failed_in_service,
    ];
    assert_eq!(causes.iter().sum::<u64>(), state.calls_failed, "{state:?}");
    assert_eq!((causes[0], causes[2], causes[3]), (1, 1, 2), "{state:?}");
    assert_eq!(
        (state.kinesis_records_sent, state.kinesis_records_stored, state.kinesis_records_failed),
        (7, 1, 6),
        "{state:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn refused_records_and_the_last_error_are_shown() {
    let fake = Fake::new(1).always(Reply::FailCall("ValidationException"));
    let producer = start(&fake, |_| {});
    send_one(&producer, 1).await;
    pause(Duration::from_secs(7)).await;
    let shown = state(&producer);
    assert_eq!((shown.user_records_refused, shown.user_records_failed, shown.calls_refused), (1, 1, 1));
    let error = shown.last_error.expect("there was one");
    assert_eq!((error.operation, &*error.code), ("PutRecords", "ValidationException"));
    assert_eq!(error.message, "as the script says");
    assert!(error.age >= Duration::from_secs(7) && error.age < Duration::from_secs(8), "{:?}", error.age);
}

#[tokio::test(start_paused = true)]
async fn throttled_and_aborted_records_are_told_apart() {
    let throttle = |_| Some("ProvisionedThroughputExceededException");
    let fake = Fake::new(1).replies([Reply::FailEntries(throttle)]).always(Reply::Hold);
    let producer = start(&fake, |config| config.fail_if_throttled = true);
    send_one(&producer, 1).await;
    let held = producer.send(record(2)).await.expect("open");
    producer.close_within(Duration::from_secs(5)).await;
    drop(outcomes([held]).await);
    let shown = state(&producer);
    assert_eq!((shown.user_records_throttled, shown.user_records_aborted), (1, 1), "{shown:?}");
    assert_eq!((shown.kinesis_records_throttled, shown.user_records_failed), (1, 2), "{shown:?}");
}

#[tokio::test(start_paused = true)]
async fn listings_are_counted() {
    let listings = [Listing::Fail("LimitExceededException"), Listing::Fail("InternalFailure")];
    let producer = start(&Fake::new(2).listings(listings), |_| {});
    drop(producer.send(record(1)).await.expect("open"));
    pause(Duration::from_secs(30)).await;
    let shown = state(&producer);
    assert_eq!((shown.listings, shown.listings_failed, shown.open_shards), (3, 2, 2), "{shown:?}");
    let error = shown.last_error.expect("there was one");
    assert_eq!((error.operation, &*error.code), ("ListShards", "InternalFailure"));
}
