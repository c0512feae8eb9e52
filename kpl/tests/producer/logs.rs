//! What a producer says in the log, in hours of paused time.

use std::time::Duration;

use kpl::Producer;
use tracing::Level;

use crate::fake::{Fake, Listing, Reply};
use crate::log_capture::LogCapture;
use crate::support::{data, pause, record, start};

/// A record every five seconds, for so many seconds.
async fn traffic(producer: &Producer, seconds: usize) {
    for number in 0..seconds / 5 {
        drop(producer.send(record(number)).await.expect("open"));
        pause(Duration::from_secs(5)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn refused_for_an_hour_it_says_so_at_once_then_once_a_minute_and_when_it_ends() {
    let log = LogCapture::begin();
    let fake = Fake::new(2).always(Reply::FailCall("AccessDeniedException"));
    let producer = start(&fake, |_| {});
    traffic(&producer, 10).await;
    let first = log.lines(Level::WARN);
    assert_eq!(first.len(), 1, "{first:?}");
    for text in [
        "stream=orders",
        "AccessDeniedException",
        "a transport of the program's own",
        "as the script says",
        "kinesis:PutRecords",
    ] {
        assert!(first[0].contains(text), "{text:?} is missing: {}", first[0]);
    }
    traffic(&producer, 3_590).await;
    let warnings = log.lines(Level::WARN).len();
    assert!((20..=61).contains(&warnings), "{warnings} warnings in an hour");
    assert_eq!(log.loud().len(), warnings, "nothing else");

    drop(fake.always(Reply::Store));
    traffic(&producer, 120).await;
    let recovered = log.lines(Level::INFO);
    assert_eq!(recovered.len(), 1, "{recovered:?}");
    assert!(recovered[0].contains("PutRecords succeeds again"), "{}", recovered[0]);
    assert!(log.lines(Level::WARN).len() <= warnings + 1);
    producer.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_healthy_one_says_nothing_above_debug() {
    let log = LogCapture::begin();
    let producer = start(&Fake::new(2), |_| {});
    traffic(&producer, 3_600).await;
    producer.flush().await;
    producer.close().await;
    assert_eq!(log.loud(), Vec::<String>::new());
    let debug = log.lines(Level::DEBUG).join("\n");
    for text in
        ["the stream is open", "call ended", "shards were listed", "a flush ended", "the stream is closed"]
    {
        assert!(debug.contains(text), "{text:?} is missing");
    }
    for field in
        ["operation=\"PutRecords\"", "entries=1", "attempt=1", "duration_ms=5", "code=\"ok\"", "bytes="]
    {
        assert!(debug.contains(field), "{field:?} is missing");
    }
}

#[tokio::test(start_paused = true)]
async fn entries_that_fail_are_said_with_their_number() {
    let log = LogCapture::begin();
    let half = |place| (place % 2 == 0).then_some("InternalFailure");
    let producer = start(&Fake::new(1).always(Reply::FailEntries(half)), |config| {
        config.aggregation_enabled = false;
    });
    for round in 0..120 {
        for number in 0..10 {
            drop(producer.send(record(round * 10 + number)).await.expect("open"));
        }
        pause(Duration::from_secs(1)).await;
    }
    let warnings = log.lines(Level::WARN);
    assert!((1..=3).contains(&warnings.len()), "{warnings:?}");
    assert!(warnings[0].contains("entries of PutRecords fail with InternalFailure"), "{}", warnings[0]);
    assert!(warnings[0].contains("sent again until their record_ttl of 30s"), "{}", warnings[0]);
}

#[tokio::test(start_paused = true)]
async fn some_throttled_entries_are_how_the_pace_is_found_and_no_trouble() {
    let log = LogCapture::begin();
    let few = |place| (place == 0).then_some("ProvisionedThroughputExceededException");
    let replies = std::iter::repeat_n(Reply::FailEntries(few), 20);
    let producer = start(&Fake::new(1).replies(replies), |config| config.aggregation_enabled = false);
    for number in 0..400 {
        drop(producer.send(record(number)).await.expect("open"));
    }
    producer.close().await;
    assert_eq!(log.loud(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn listings_that_fail_are_said_once_a_minute() {
    let log = LogCapture::begin();
    let listings = std::iter::repeat_n(Listing::Fail("LimitExceededException"), 30);
    let producer = start(&Fake::new(2).listings(listings), |_| {});
    traffic(&producer, 1_200).await;
    let warnings = log.lines(Level::WARN);
    assert!((2..=15).contains(&warnings.len()), "{} warnings: {warnings:?}", warnings.len());
    assert!(warnings[0].contains("ListShards fails with LimitExceededException"), "{}", warnings[0]);
    assert!(warnings[0].contains("listed again"), "{}", warnings[0]);
    producer.close().await;
}

#[tokio::test(start_paused = true)]
async fn no_data_and_no_key_of_a_record_stands_in_the_log() {
    let log = LogCapture::begin();
    let replies = [Reply::FailCall("ValidationException"), Reply::LoseAnswer, Reply::Miscount];
    let producer = start(&Fake::new(1).replies(replies), |_| {});
    traffic(&producer, 30).await;
    producer.close().await;
    let all = [log.loud(), log.lines(Level::DEBUG), log.lines(Level::TRACE)].concat().join("\n");
    let secret = String::from_utf8(data(1)).expect("digits");
    assert!(!all.contains(&secret) && !all.contains("key-1"), "{all}");
}
