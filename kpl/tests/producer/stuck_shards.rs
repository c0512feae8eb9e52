//! One shard of a stream that is stuck leaves the others their room, and so their rate.

use std::time::Duration;

use kpl::{HashKey, Producer, RecordRef, SendError, UserRecord};
use tokio::task::JoinHandle;

use crate::fake::{Fake, Reply};
use crate::support::{ORDERS, assert_empty, beside, now, pause, settle, start};

const SHARDS: u128 = 4;
const HOT: u128 = 0;
const PACE: Duration = Duration::from_millis(10);
const RECORDS: usize = 300;

/// A partition key of this shard.
fn key(shard: u128, number: usize) -> String {
    let keys = (0..).map(|draw| format!("key-{number}-{draw}"));
    let width = u128::MAX / SHARDS;
    let mut keys = keys.filter(|key| HashKey::of_partition_key(key).0 / width == shard);
    keys.next().expect("one in four")
}

fn record(shard: u128, number: usize, bytes: usize) -> UserRecord {
    UserRecord::new(ORDERS.clone(), key(shard, number), vec![7; bytes])
}

/// A producer over four shards, the first of which throttles for ever, whose map is known.
async fn with_a_hot_shard(ttl: Option<Duration>, aggregation: bool) -> Producer {
    let producer = start(&Fake::new(SHARDS).always(Reply::ThrottleShard(HOT)), |config| {
        config.max_outstanding_bytes = 4 << 20;
        config.record_ttl = ttl;
        config.aggregation_enabled = aggregation;
    });
    producer.send(record(1, 0, 10)).await.expect("room").await.expect("stored");
    producer
}

/// Sends to the hot shard from four tasks, for as long as they are there.
fn flood(producer: &Producer) -> Vec<JoinHandle<()>> {
    let task = |number| {
        let producer = producer.clone();
        beside(async move {
            while let Ok(delivery) = producer.send(record(HOT, number, 10_000)).await {
                drop(delivery);
                tokio::task::yield_now().await;
            }
        })
    };
    (0..4).map(task).collect()
}

async fn end(producer: Producer, flood: Vec<JoinHandle<()>>) {
    producer.close_within(Duration::ZERO).await;
    for task in flood {
        task.await.expect("no panic");
    }
    assert_empty(&producer);
}

/// How long the slowest `send` to the other three shards waited.
async fn slowest_beside_a_hot_shard(ttl: Option<Duration>, aggregation: bool) -> Duration {
    let producer = with_a_hot_shard(ttl, aggregation).await;
    let flood = flood(&producer);
    pause(Duration::from_secs(2)).await;
    let paced: Vec<_> = (1..SHARDS)
        .map(|shard| {
            let producer = producer.clone();
            beside(async move {
                let (mut slowest, mut deliveries) = (Duration::ZERO, Vec::new());
                for number in 0..RECORDS {
                    let begin = now();
                    deliveries.push(producer.send(record(shard, number, 500)).await.expect("open"));
                    slowest = slowest.max(now() - begin);
                    pause(PACE).await;
                }
                for delivery in deliveries {
                    delivery.await.expect("stored");
                }
                slowest
            })
        })
        .collect();
    let mut slowest = Duration::ZERO;
    for paced in paced {
        slowest = slowest.max(paced.await.expect("no panic"));
    }
    end(producer, flood).await;
    slowest
}

#[tokio::test(start_paused = true)]
async fn the_other_shards_keys_keep_their_rate_beside_a_hot_shard() {
    for ttl in [None, Some(Duration::from_secs(30))] {
        for aggregation in [true, false] {
            let scene = slowest_beside_a_hot_shard(ttl, aggregation);
            let slowest = tokio::time::timeout(Duration::from_secs(100), scene).await;
            let slowest = slowest.expect("the other shards are held up");
            assert!(slowest < Duration::from_millis(50), "{ttl:?} {aggregation}: a send waited {slowest:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn try_send_refuses_the_hot_shards_keys_alone() {
    let producer = with_a_hot_shard(None, true).await;
    let mut refused = [0; SHARDS as usize];
    for number in 0..2000 {
        for shard in 0..SHARDS {
            match producer.try_send(record(shard, number, 2000)) {
                Ok(delivery) => drop(delivery),
                Err(SendError::Full(_)) => refused[shard as usize] += 1,
                Err(error) => panic!("{error}"),
            }
        }
        pause(PACE).await;
    }
    assert!(refused[0] > 500 && refused[1..] == [0, 0, 0], "{refused:?}");
    end(producer, Vec::new()).await;
}

#[tokio::test(start_paused = true)]
async fn a_batch_refuses_the_hot_shards_keys_alone() {
    let producer = with_a_hot_shard(None, true).await;
    let mut batch = producer.stream(&ORDERS).batch();
    let (data, mut refused) = ([7; 500], [0; SHARDS as usize]);
    for number in 0..10_000 {
        for shard in 0..SHARDS {
            match batch.try_send(RecordRef::new(&key(shard, number % 50), &data), 0) {
                Ok(()) => {}
                Err(SendError::Full(())) => refused[shard as usize] += 1,
                Err(error) => panic!("{error}"),
            }
        }
        if number % 15 == 0 {
            batch.hand_over();
            pause(PACE).await;
        }
    }
    assert!(refused[0] > 5000 && refused[1..] == [0, 0, 0], "{refused:?}");
    drop(batch);
    end(producer, Vec::new()).await;
}

#[tokio::test(start_paused = true)]
async fn permits_are_refused_to_the_hot_shards_keys_alone() {
    let producer = with_a_hot_shard(None, true).await;
    let stream = producer.stream(&ORDERS);
    let (data, mut refused) = ([7; 5000], [0; SHARDS as usize]);
    for number in 0..1000 {
        for shard in 0..SHARDS {
            let permit = stream.reserve(data.len() + 20);
            let permit =
                tokio::time::timeout(Duration::from_secs(1), permit).await.expect("room").expect("open");
            match permit.send(RecordRef::new(&key(shard, number % 50), &data)) {
                Ok(delivery) => drop(delivery),
                Err(SendError::Full(())) => refused[shard as usize] += 1,
                Err(error) => panic!("{error}"),
            }
        }
        pause(PACE).await;
    }
    assert!(refused[0] > 200 && refused[1..] == [0, 0, 0], "{refused:?}");
    end(producer, Vec::new()).await;
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_room_without_a_key_does_not_spin() {
    let producer = with_a_hot_shard(None, true).await;
    let stream = producer.stream(&ORDERS);
    let key = key(HOT, 0);
    let hot = RecordRef::new(&key, &[7; 5000]);
    let (begin, mut refused) = (now(), 0);
    while now() - begin < Duration::from_secs(20) {
        match stream.try_send_tagged(hot, 0) {
            Ok(()) => {}
            Err(SendError::Full(())) => {
                refused += 1;
                assert!(refused < 20_000, "it spins");
                let _ = tokio::time::timeout(Duration::from_secs(1), stream.wait_for_room(5000)).await;
            }
            Err(error) => panic!("{error}"),
        }
        // The other shards' traffic makes parts for them.
        if refused % 10 == 0 {
            drop(producer.try_send(record(1, refused, 10)).expect("a healthy shard"));
        }
    }
    assert!(refused > 0);
    end(producer, Vec::new()).await;
}

#[tokio::test(start_paused = true)]
async fn callers_of_one_shard_are_served_in_their_order() {
    let fake = Fake::new(SHARDS).always(Reply::Hold);
    let producer = start(&fake, |config| config.max_outstanding_bytes = 1 << 20);
    drop(producer.stream(&ORDERS));
    pause(Duration::from_secs(1)).await;
    drop(producer.try_send(record(1, 0, 10)).expect("room"));
    while producer.try_send(record(HOT, 0, 50_000)).is_ok() {}
    let callers: Vec<_> = (0..5)
        .map(|number| {
            let producer = producer.clone();
            beside(async move {
                let bytes = if number == 0 { 400_000 } else { 10 };
                drop(producer.send(record(HOT, number, bytes)).await.expect("open"));
                number
            })
        })
        .collect();
    settle().await;
    assert!(callers.iter().all(|caller| !caller.is_finished()), "the large one is first");
    let other = tokio::time::timeout(Duration::from_secs(5), producer.send(record(2, 0, 10))).await;
    drop(other.expect("not its queue").expect("open"));
    fake.release();
    for (number, caller) in callers.into_iter().enumerate() {
        assert_eq!(caller.await.expect("no panic"), number);
    }
    producer.close().await;
    assert_empty(&producer);
}

/// Random records for five shards, of which some hang: within its part each shard finds room, whatever the others hold,
/// and in the end all room is there again.
#[tokio::test(start_paused = true)]
async fn every_shard_finds_its_part_in_every_order_of_events() {
    for seed in 0..40 {
        let mut random = fastrand::Rng::with_seed(seed);
        let fake = Fake::new(SHARDS).always(Reply::Hold);
        let producer = start(&fake, |config| config.max_outstanding_bytes = 1 << 20);
        // The map is there, and all shards have traffic, before one takes what is common.
        drop(producer.stream(&ORDERS));
        pause(Duration::from_secs(1)).await;
        let mut held = [0; SHARDS as usize];
        let key_bytes = |record: &UserRecord| record.partition_key.as_deref().map_or(0, str::len);
        let bytes_of = |record: &UserRecord| record.data.len() + key_bytes(record) + 192;
        for shard in 0..SHARDS {
            let first = record(shard, 0, 10);
            held[shard as usize] += bytes_of(&first);
            drop(producer.try_send(first).expect("the first"));
        }
        let (part, favourite) = ((1 << 20) / 2 / SHARDS as usize, random.u128(0..SHARDS));
        for number in 0..400 {
            let shard = if random.bool() { favourite } else { random.u128(0..SHARDS) };
            let sent = record(shard, number, random.usize(10..20_000));
            let (bytes, held) = (bytes_of(&sent), &mut held[shard as usize]);
            match producer.try_send(sent) {
                Ok(delivery) => {
                    *held += bytes;
                    drop(delivery);
                }
                Err(_) => assert!(*held + bytes > part, "seed {seed}: {held} of {part}, and {bytes}"),
            }
            if number % 50 == 0 {
                settle().await;
            }
            assert_eq!(producer.outstanding_bytes(), held_by_all(&producer));
            assert!(producer.outstanding_bytes() <= 1 << 20, "seed {seed}");
        }
        fake.release();
        producer.close().await;
        assert_empty(&producer);
    }
}

fn held_by_all(producer: &Producer) -> usize {
    producer.snapshot().streams.iter().map(|stream| stream.outstanding_bytes).sum()
}
