//! What is stuck stops only itself: a throttled shard, and a producer among others that share a budget.

use std::time::Duration;

use kpl::{BudgetPart, Producer, RecordRef, StreamProducer};

use crate::fake::{Fake, Reply};
use crate::support::{ORDERS, assert_empty, beside, config, now, pause, quarter, settle, start};

/// Bytes of one record.
const RECORD: usize = 20_000;

/// Draws a partition key.
fn draw(random: &mut fastrand::Rng) -> String {
    random.u64(..).to_string()
}

/// Of so many keys the one with the shortest wait.
fn choose(stream: &StreamProducer, draws: usize, random: &mut fastrand::Rng) -> String {
    let keys = std::iter::repeat_with(|| draw(random)).take(draws);
    keys.min_by_key(|key| stream.expected_wait(key)).expect("one at least")
}

/// Sends for a minute as fast as it goes to four shards, the first of which throttles; answers the bytes stored in the
/// last half of it, in units of what one shard takes.
async fn shards_in_use(draws: usize) -> f64 {
    let fake = Fake::new(4).always(Reply::ThrottleShard(0));
    let producer = start(&fake, |config| {
        config.max_outstanding_bytes = 8 << 20;
        config.aggregation_enabled = false;
        config.record_ttl = None;
        config.rate_limit = 100;
    });
    let stream = producer.stream(&ORDERS);
    let (data, mut random) = (vec![7; RECORD], fastrand::Rng::with_seed(1));
    let (begin, mut half) = (now(), None);
    while now() - begin < Duration::from_secs(60) {
        let key = choose(&stream, draws, &mut random);
        if stream.try_send_tagged(RecordRef::new(&key, &data), 0).is_err() {
            let room = stream.wait_for_room(RECORD + key.len());
            let _ = tokio::time::timeout(Duration::from_secs(1), room).await;
        }
        if now() - begin >= Duration::from_secs(30) {
            half.get_or_insert_with(|| fake.stored().len());
        }
    }
    let stored = fake.stored().len() - half.expect("half of the time is over");
    producer.close_within(Duration::ZERO).await;
    (stored * RECORD) as f64 / 30.0 / f64::from(1 << 20)
}

#[tokio::test(start_paused = true)]
async fn a_throttled_shard_leaves_the_others_to_keys_that_are_drawn() {
    let blind = shards_in_use(1).await;
    assert!(blind > 2.7, "the throttled shard has only its part of the room: {blind} shards' worth");
    let choosing = shards_in_use(8).await;
    assert!(choosing > 2.7, "the other three are used: {choosing} shards' worth");
}

#[tokio::test(start_paused = true)]
async fn nothing_waits_where_nothing_is_throttled() {
    let producer = start(&Fake::new(4), |_| {});
    let stream = producer.stream(&ORDERS);
    assert_eq!(stream.expected_wait("key"), Duration::ZERO);
    producer.send(quarter(0)).await.expect("room").await.expect("stored");
    assert_eq!(stream.expected_wait("key"), Duration::ZERO);
    producer.close().await;
}

/// Producers over one budget of 16 MiB, with one call under way each.
fn sharing(fakes: &[Fake]) -> Vec<Producer> {
    let parts = BudgetPart::split(16 << 20, fakes.len());
    let config = || config(|config| (config.max_connections, config.collection_max_size) = (1, 1 << 20));
    let start = |(fake, part): (&Fake, _)| Producer::builder(fake.clone()).budget(part);
    let builders = fakes.iter().zip(parts).map(start);
    builders.map(|builder| builder.config(config()).start().expect("lawful")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_producer_that_is_stuck_leaves_room_for_the_others() {
    let (stuck, well) = (Fake::new(1).always(Reply::Hold), Fake::new(1));
    let producers = sharing(&[stuck.clone(), well.clone()]);
    let held = std::iter::repeat_with(|| producers[0].try_send(quarter(0))).take_while(Result::is_ok).count();
    assert!((30..=32).contains(&held), "its own quarter of the budget, and half of what is common: {held}");
    settle().await;
    for number in 0..100 {
        producers[1].send(quarter(number)).await.expect("room").await.expect("stored");
    }
    assert_eq!(well.stored().len(), 100);
    stuck.release();
    for producer in &producers {
        producer.close().await;
        assert_empty(producer);
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_told_when_another_producer_gives_back() {
    let (first, second) = (Fake::new(1).always(Reply::Hold), Fake::new(1).always(Reply::Hold));
    let producers = sharing(&[first.clone(), second.clone()]);
    for producer in &producers {
        while producer.try_send(quarter(0)).is_ok() {}
        settle().await;
    }
    let waiting = beside({
        let producer = producers[1].clone();
        async move { producer.send(quarter(1)).await.map(drop) }
    });
    pause(Duration::from_secs(3)).await;
    assert!(!waiting.is_finished(), "there is no room yet");
    first.release();
    waiting.await.expect("no panic").expect("taken when there was room");
    second.release();
    for producer in &producers {
        producer.close().await;
        assert_empty(producer);
    }
}
