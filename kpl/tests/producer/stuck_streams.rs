//! One stream of a producer that is stuck leaves the others their room, and so their rate.

use std::time::Duration;

use kpl::{BudgetPart, Config, Producer, SendError, StreamName, UserRecord};
use tokio::task::JoinHandle;

use crate::fake::{Fake, Reply};
use crate::support::{ORDERS, assert_empty, beside, now, pause, quarter, settle, small_budget, start};

/// Between two records of a healthy stream.
const PACE: Duration = Duration::from_millis(10);

/// Records of each healthy stream.
const RECORDS: usize = 300;

const HANGS: Reply = Reply::Hold;
const THROTTLES: Reply = Reply::FailEntries(|_| Some("ProvisionedThroughputExceededException"));
const FAILS: Reply = Reply::FailCall("InternalFailure");
const REFUSES: Reply = Reply::FailCall("AccessDeniedException");

fn stream(number: usize) -> StreamName {
    StreamName::new(&format!("healthy-{number}")).expect("a stream name")
}

fn record(stream: &StreamName, number: usize, bytes: usize) -> UserRecord {
    UserRecord::new(stream.clone(), format!("key-{number}"), vec![7; bytes])
}

/// Sends to a stream from four tasks, for as long as they are there.
fn flood(producer: &Producer, stream: &StreamName) -> Vec<JoinHandle<()>> {
    let task = |_| {
        let (producer, stream) = (producer.clone(), stream.clone());
        beside(async move {
            while let Ok(delivery) = producer.send(record(&stream, 0, 10_000)).await {
                drop(delivery);
                tokio::task::yield_now().await;
            }
        })
    };
    (0..4).map(task).collect()
}

/// Sends at a steady pace and awaits every outcome; answers how long the slowest `send` waited.
fn pace(producer: &Producer, stream: StreamName) -> JoinHandle<Duration> {
    let producer = producer.clone();
    beside(async move {
        let (mut slowest, mut deliveries) = (Duration::ZERO, Vec::new());
        for number in 0..RECORDS {
            let begin = now();
            deliveries.push(producer.send(record(&stream, number, 500)).await.expect("the producer is open"));
            slowest = slowest.max(now() - begin);
            pause(PACE).await;
        }
        for delivery in deliveries {
            delivery.await.expect("stored");
        }
        slowest
    })
}

/// Streams beside a stuck one; answers how long their slowest `send` waited, and how long all of it took.
async fn beside_a_stuck_stream(
    reply: Reply,
    others: usize,
    change: impl FnOnce(&mut Config),
) -> (Duration, Duration) {
    let fake = Fake::new(1).of_stream(&ORDERS, reply);
    let producer = start(&fake, |config| {
        config.max_outstanding_bytes = 4 << 20;
        change(config);
    });
    let flood = flood(&producer, &ORDERS);
    pause(Duration::from_secs(2)).await;
    let begin = now();
    let paced: Vec<_> = (0..others).map(|number| pace(&producer, stream(number))).collect();
    let mut slowest = Duration::ZERO;
    for paced in paced {
        slowest = slowest.max(paced.await.expect("no panic"));
    }
    let took = now() - begin;
    producer.close_within(Duration::ZERO).await;
    for task in flood {
        task.await.expect("no panic");
    }
    assert_empty(&producer);
    (slowest, took)
}

async fn assert_the_others_keep_their_rate(reply: Reply, ttl: Option<Duration>) {
    for others in [1, 3, 20] {
        let scene = beside_a_stuck_stream(reply, others, |config| config.record_ttl = ttl);
        let scene = tokio::time::timeout(Duration::from_secs(100), scene);
        let (slowest, took) =
            scene.await.unwrap_or_else(|_| panic!("{others} streams are held up by {reply:?}"));
        assert!(slowest < Duration::from_millis(50), "{others} beside {reply:?}: a send waited {slowest:?}");
        let at_most = PACE * RECORDS as u32 + Duration::from_secs(1);
        assert!(took < at_most, "{others} beside {reply:?}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn streams_keep_their_rate_beside_one_whose_calls_hang() {
    assert_the_others_keep_their_rate(HANGS, None).await;
    assert_the_others_keep_their_rate(HANGS, Some(Duration::from_secs(30))).await;
}

#[tokio::test(start_paused = true)]
async fn streams_keep_their_rate_beside_one_that_is_throttled() {
    assert_the_others_keep_their_rate(THROTTLES, None).await;
    assert_the_others_keep_their_rate(THROTTLES, Some(Duration::from_secs(30))).await;
}

#[tokio::test(start_paused = true)]
async fn streams_keep_their_rate_beside_one_that_fails_or_is_refused() {
    assert_the_others_keep_their_rate(FAILS, None).await;
    assert_the_others_keep_their_rate(FAILS, Some(Duration::from_secs(30))).await;
    assert_the_others_keep_their_rate(REFUSES, None).await;
}

#[tokio::test(start_paused = true)]
async fn a_callers_queue_is_its_streams() {
    let fake = Fake::new(1).of_stream(&ORDERS, HANGS);
    let producer = start(&fake, small_budget);
    while producer.try_send(quarter(0)).is_ok() {}
    let waiting = beside({
        let producer = producer.clone();
        async move { producer.send(quarter(1)).await.is_ok() }
    });
    settle().await;
    let other = producer.send(record(&stream(0), 0, 1000));
    let other = tokio::time::timeout(Duration::from_secs(5), other).await;
    other.expect("it does not queue behind the stuck stream").expect("open").await.expect("stored");
    assert!(!waiting.is_finished());
    fake.release();
    assert!(waiting.await.expect("no panic"));
    producer.close().await;
    assert_empty(&producer);
}

#[tokio::test(start_paused = true)]
async fn the_room_of_one_busy_stream_is_all_of_it() {
    let producer = start(&Fake::new(1).always(HANGS), |config| config.max_outstanding_records = 100);
    let taken =
        std::iter::repeat_with(|| producer.try_send(record(&ORDERS, 0, 10))).take_while(Result::is_ok);
    assert_eq!(taken.count(), 100);
    producer.close_within(Duration::ZERO).await;
    assert_empty(&producer);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_appears_late_gets_room_beyond_the_bound_but_no_more_than_an_eighth() {
    let producer = start(&Fake::new(1).always(HANGS), |config| config.max_outstanding_bytes = 8 << 20);
    let fill = |stream: StreamName| {
        while producer.try_send(record(&stream, 0, 1000)).is_ok() {}
        producer.outstanding_bytes()
    };
    let alone = fill(ORDERS.clone());
    assert!((8_380_000..=8 << 20).contains(&alone), "{alone}");
    let late = fill(stream(0)) - alone;
    assert!((500_000..=1 << 19).contains(&late), "half of the eighth: {late}");
    let later = fill(stream(1)) - alone - late;
    assert!((250_000..=1 << 18).contains(&later), "half of what is left of it: {later}");
    for number in 2..50 {
        fill(stream(number));
    }
    let one_of_each = 51 * 1_300;
    assert!(producer.outstanding_bytes() <= (9 << 20) + one_of_each, "{}", producer.outstanding_bytes());
    producer.close_within(Duration::ZERO).await;
    assert_empty(&producer);
}

#[tokio::test(start_paused = true)]
async fn streams_that_come_and_go_leave_their_parts() {
    let fake = Fake::new(1);
    let producer = start(&fake, |config| config.max_outstanding_bytes = 4 << 20);
    for number in 0..50 {
        producer.send(record(&stream(number), 0, 100_000)).await.expect("room").await.expect("stored");
    }
    let fake_fill = || std::iter::repeat_with(|| producer.try_send(record(&ORDERS, 0, 100_000)));
    let taken = fake_fill().take_while(Result::is_ok).count();
    assert!(taken >= 30, "those that hold nothing keep no part: {taken} of 41");
    producer.flush().await;
    assert_empty(&producer);
}

#[tokio::test(start_paused = true)]
async fn a_record_larger_than_its_streams_part_passes_when_its_stream_holds_nothing() {
    let fake = Fake::new(1).of_stream(&ORDERS, HANGS);
    let producer = start(&fake, small_budget);
    while producer.try_send(quarter(0)).is_ok() {}
    for number in 0..3 {
        let large = record(&stream(number), 0, 900_000);
        producer.try_send(large.clone()).expect("alone").await.expect("stored");
        let sent = producer.try_send(large).expect("alone");
        assert!(matches!(producer.try_send(record(&stream(number), 1, 300_000)), Err(SendError::Full(_))));
        sent.await.expect("stored");
    }
    producer.close_within(Duration::ZERO).await;
    assert_empty(&producer);
}

#[tokio::test(start_paused = true)]
async fn streams_have_their_parts_of_a_part_that_producers_share() {
    let fake = Fake::new(1).of_stream(&ORDERS, HANGS);
    let producers: Vec<_> = BudgetPart::split(8 << 20, 2)
        .into_iter()
        .map(|part| Producer::builder(fake.clone()).budget(part).start().expect("a configuration"))
        .collect();
    for producer in &producers {
        while producer.try_send(quarter(0)).is_ok() {}
        settle().await;
    }
    for producer in &producers {
        for number in 0..50 {
            let sent = producer.send(record(&stream(0), number, 50_000));
            let sent = tokio::time::timeout(Duration::from_secs(5), sent).await.expect("room in its part");
            sent.expect("open").await.expect("stored");
        }
    }
    fake.release();
    for producer in producers {
        producer.close().await;
        assert_empty(&producer);
    }
}
