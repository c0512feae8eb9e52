//! The KPL's cases that need threads, time or the whole producer, under their names and with their numbers.

use std::time::Duration;

use kpl::{FailureReason, HashKey, Producer, SendError, StreamName, UserRecord};

use crate::fake::{Fake, Listing, Reply};
use crate::support::{Memory, ORDERS, assert_empty, borrowed, config, now, outcomes, pause, record, start};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("a runtime")
}

/// Runs the same on so many threads at once.
fn on_threads(threads: usize, act: impl Fn(usize) + Sync) {
    std::thread::scope(|scope| {
        let act = &act;
        (0..threads).for_each(|thread| {
            scope.spawn(move || act(thread));
        });
    });
}

/// A producer that gives its outcomes to `memory`, with room for everything.
fn roomy(fake: &Fake, memory: &Memory, change: impl FnOnce(&mut kpl::Config)) -> Producer {
    let config = config(|config| {
        config.max_outstanding_bytes = 1 << 30;
        config.record_ttl = None;
        // The service is made up, and its shard's pace is not what is tested.
        config.rate_limit = 100_000;
        change(config);
    });
    Producer::builder(fake.clone()).config(config).outcomes(memory.clone()).start().expect("lawful")
}

/// `ConcurrentHashMap.ConcurrentInsert`: what threads make by the same key is made once. Here it is a stream.
#[test]
fn concurrent_insert() {
    let runtime = runtime();
    let fake = Fake::new(1);
    let producer = runtime.block_on(async { start(&fake, |_| {}) });
    let hello = StreamName::new("hello").expect("lawful");
    on_threads(16, |thread| {
        let record = UserRecord::new(hello.clone(), "key", format!("world {thread:02}"));
        drop(producer.stream(&hello).try_send(record.as_ref()).expect("room"));
    });
    runtime.block_on(producer.close());
    assert_eq!(fake.listed(), [hello], "one stream, and so one listing");
    assert_eq!(fake.stored().len(), 16);
}

/// `Aggregator.Concurrency`.
#[test]
fn aggregator_concurrency() {
    for threads in [2, 8, 16] {
        let (runtime, fake, memory) = (runtime(), Fake::new(1), Memory::default());
        let producer = runtime.block_on(async { roomy(&fake, &memory, |_| {}) });
        let stream = producer.stream(&ORDERS);
        on_threads(threads, |thread| {
            for number in 0..25_000 {
                let tag = (thread * 25_000 + number) as u64;
                stream.try_send_tagged(borrowed(&tag.to_be_bytes()), tag).expect("room");
            }
        });
        runtime.block_on(producer.flush());
        let expected: Vec<_> = (0..threads as u64 * 25_000).map(|tag| tag.to_be_bytes().to_vec()).collect();
        assert!(fake.stored() == expected, "{threads} threads: not every record came out exactly once");
        assert_empty(&producer);
        runtime.block_on(producer.close());
    }
}

/// `Reducer.Concurrency`: 50,000 bytes fill an aggregate, and some flushes come before it is full.
#[test]
fn reducer_concurrency() {
    const IN_A_FLUSH: usize = 100;
    let (runtime, fake, memory) = (runtime(), Fake::new(1), Memory::default());
    let producer =
        runtime.block_on(async { roomy(&fake, &memory, |config| config.aggregation_max_size = 50_000) });
    let stream = producer.stream(&ORDERS);
    on_threads(16, |thread| {
        for flush in 0..32 {
            for number in 0..IN_A_FLUSH {
                let tag = ((thread * 32 + flush) * IN_A_FLUSH + number) as u64;
                let data = [tag.to_be_bytes().to_vec(), vec![7; 500]].concat();
                stream.try_send_tagged(borrowed(&data), tag).expect("room");
            }
            if flush % 4 == thread % 4 {
                runtime.block_on(producer.flush());
            }
        }
    });
    runtime.block_on(producer.close());
    let told = memory.told();
    assert_eq!((told.len(), fake.stored().len()), (16 * 32 * IN_A_FLUSH, 16 * 32 * IN_A_FLUSH));
    assert!(told.values().all(|outcomes| outcomes.len() == 1 && outcomes[0].is_ok()));
    let sizes = fake.calls().into_iter().flat_map(|call| call.entries).map(|entry| entry.data.len());
    assert!(sizes.max().is_some_and(|largest| largest <= 50_000 && largest > 49_000));
}

/// `PutRecordsRequest.StreamName`.
#[tokio::test(start_paused = true)]
async fn stream_name() {
    let fake = Fake::new(1);
    let producer = start(&fake, |_| {});
    let stream = StreamName::new("myStream").expect("lawful");
    let sent = producer.try_send(UserRecord::new(stream, "abcd", "1234")).expect("room");
    assert!(sent.await.is_ok());
    assert_eq!(fake.calls()[0].stream.as_str(), "myStream");
}

/// `ShardMap.Backoff`: 25 failures. The KPL's test begins at 100 ms, its code at 1 s, half as much more each time up to
/// 30 s; so does this, give or take half.
#[tokio::test(start_paused = true)]
async fn backoff() {
    let fake = Fake::new(1).listings([Listing::Fail("InternalFailure"); 25]);
    let producer = start(&fake, |config| config.record_ttl = None);
    let mut listed = Vec::new();
    while listed.len() < 26 {
        // Traffic, without which a stream does not insist.
        drop(producer.try_send(record(0)).expect("room"));
        pause(Duration::from_millis(50)).await;
        listed.resize(fake.listed().len(), now());
    }
    for (attempt, two) in listed.windows(2).enumerate() {
        let expected = (1.5_f64.powi(i32::try_from(attempt).expect("few"))).min(30.0);
        let waited = (two[1] - two[0]).as_secs_f64();
        assert!(
            waited > expected * 0.5 - 0.1 && waited < expected * 1.5 + 0.1,
            "attempt {attempt} came {waited} s after the one before, not {expected} s"
        );
    }
    producer.close().await;
}

/// `KinesisProducerTest.multipleInstances`.
#[tokio::test(start_paused = true)]
async fn multiple_instances() {
    let fake = Fake::new(1);
    let producers: Vec<_> = (0..8).map(|_| start(&fake, |_| {})).collect();
    for (number, producer) in producers.iter().enumerate() {
        assert!(producer.try_send(record(number)).expect("room").await.is_ok());
    }
    for producer in producers {
        let shown = producer.snapshot();
        assert_eq!(shown.streams.iter().map(|stream| stream.user_records_stored).sum::<u64>(), 1);
        producer.close().await;
    }
}

/// The age of the oldest record without an outcome, and how many there are.
fn oldest(producer: &Producer) -> (Duration, usize) {
    let shown = producer.snapshot();
    let ages = shown.streams.iter().filter_map(|stream| stream.oldest_record_age);
    (ages.max().unwrap_or_default(), shown.outstanding_records)
}

/// `KinesisProducerTest.getOldestRecordTimeInMillisShouldReturn0WhenNoFuturesInHeap`.
#[tokio::test(start_paused = true)]
async fn get_oldest_record_time_in_millis_should_return_0_when_no_futures_in_heap() {
    let producer = start(&Fake::new(1), |_| {});
    assert_eq!(oldest(&producer), (Duration::ZERO, 0));
    assert!(producer.try_send(record(0)).expect("room").await.is_ok());
    assert_eq!(oldest(&producer), (Duration::ZERO, 0));
}

/// `KinesisProducerTest.getOldestRecord_ReturnsPendingOldestRecord` and the one for the metrics.
#[tokio::test(start_paused = true)]
async fn get_oldest_record_returns_pending_oldest_record() {
    let fake = Fake::new(1).always(Reply::Hold);
    let producer = start(&fake, |_| {});
    let first = producer.try_send(record(0)).expect("room");
    pause(Duration::from_secs(2)).await;
    let second = producer.try_send(record(1)).expect("room");
    let (age, outstanding) = oldest(&producer);
    assert!(age >= Duration::from_secs(2) && age < Duration::from_millis(2010), "{age:?}");
    assert_eq!(outstanding, 2);
    pause(Duration::from_secs(2)).await;
    assert!(oldest(&producer).0 >= Duration::from_secs(4));
    fake.release();
    assert!(outcomes([first, second]).await.iter().all(Result::is_ok));
    assert_eq!(oldest(&producer), (Duration::ZERO, 0));
}

fn sent() -> UserRecord {
    record(7).with_explicit_hash_key(HashKey(5))
}

/// `KinesisProducerTest.addUserRecordReturnsRecordOnFailureUserRecordFailedException`.
#[tokio::test(start_paused = true)]
async fn add_user_record_returns_record_on_failure_user_record_failed_exception() {
    let fake = Fake::new(1).always(Reply::FailEntries(|_| Some("KMSDisabledException")));
    let producer = start(&fake, |config| config.fail_if_refused = true);
    let failed = producer.try_send(sent()).expect("room").await.expect_err("refused");
    assert_eq!((failed.reason(), failed.record()), (FailureReason::Refused, &sent()));
    assert_eq!(failed.into_record(), sent());
}

/// `KinesisProducerTest.addUserRecordReturnsRecordOnFailureFutureTimedOutException`: 1,000 ms, looked at after 2 s.
#[tokio::test(start_paused = true)]
async fn add_user_record_returns_record_on_failure_future_timed_out_exception() {
    let fake = Fake::new(1).always(Reply::FailCall("InternalFailure"));
    let producer = start(&fake, |config| config.record_ttl = Some(Duration::from_secs(1)));
    let delivery = producer.try_send(sent()).expect("room");
    let outcome = tokio::time::timeout(Duration::from_secs(2), delivery).await.expect("in time");
    let failed = outcome.expect_err("expired");
    assert_eq!((failed.reason(), failed.record()), (FailureReason::Expired, &sent()));
}

/// `KinesisProducerTest.addUserRecordReturnsRecordOnFailureUnexpectedMessageException`: an answer that is not one.
#[tokio::test(start_paused = true)]
async fn add_user_record_returns_record_on_failure_unexpected_message_exception() {
    let fake = Fake::new(1).always(Reply::Miscount);
    let producer = start(&fake, |config| config.record_ttl = Some(Duration::from_secs(1)));
    let failed = producer.try_send(sent()).expect("room").await.expect_err("expired");
    assert_eq!((failed.record(), failed.may_have_been_written()), (&sent(), true));
    let error = failed.attempts()[0].error.as_ref().expect("it failed");
    assert_eq!(error.0, "ResponseUnreadable");
}

/// `KinesisProducerTest.addUserRecordReturnsRecordOnFailureInDaemon`: what sends is gone.
#[tokio::test(start_paused = true)]
async fn add_user_record_returns_record_on_failure_in_daemon() {
    let fake = Fake::new(1).always(Reply::Hold);
    let producer = start(&fake, |_| {});
    let delivery = producer.try_send(sent()).expect("room");
    producer.close_within(Duration::from_secs(1)).await;
    let failed = delivery.await.expect_err("given up");
    assert_eq!((failed.reason(), failed.record()), (FailureReason::Aborted, &sent()));
}

/// `KinesisProducerTest.ensureFutureClearedWhenAddMessageThrows`.
#[tokio::test(start_paused = true)]
async fn ensure_future_cleared_when_add_message_throws() {
    let producer = start(&Fake::new(1), |_| {});
    producer.close().await;
    let refused = producer.try_send(sent());
    assert!(matches!(refused, Err(SendError::Closed(record)) if record == sent()));
    assert_empty(&producer);
}
