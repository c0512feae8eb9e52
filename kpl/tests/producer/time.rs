//! Promises about time, kept in virtual time: the buffered time, the listing's absence, and quiet.

use std::time::Duration;

use kpl::aggregation_format::{Decoded, decode};
use kpl::{StreamName, UserRecord};

use crate::fake::{Fake, Listing};
use crate::support::{all_data, assert_empty, data, now, outcomes, pause, record, start};

/// When each record was handed over, and when the call that carried it started, by its number.
fn waits(fake: &Fake, handed_over: &[Duration]) -> Vec<Duration> {
    let mut waits = vec![None; handed_over.len()];
    for call in fake.calls() {
        for entry in &call.entries {
            let data = match decode(&entry.data) {
                Decoded::Plain => vec![entry.data.clone()],
                Decoded::Decompressed(data) => vec![data],
                Decoded::Aggregated(records) => records.into_iter().map(|record| record.data).collect(),
            };
            for data in data {
                let number: usize = std::str::from_utf8(&data).expect("digits").parse().expect("digits");
                waits[number] = Some(call.at - handed_over[number]);
            }
        }
    }
    waits.into_iter().map(|wait| wait.expect("every record was sent")).collect()
}

#[tokio::test(start_paused = true)]
async fn no_record_waits_longer_than_the_buffered_time() {
    for aggregation in [true, false] {
        let fake = Fake::new(7);
        let producer = start(&fake, |config| {
            config.aggregation_enabled = aggregation;
            config.aggregation_max_size = 200;
        });
        let mut random = fastrand::Rng::with_seed(4);
        let (mut handed_over, mut deliveries) = (Vec::new(), Vec::new());
        for number in 0..500 {
            pause(Duration::from_millis(random.u64(0..6))).await;
            handed_over.push(now());
            deliveries.push(producer.try_send(record(number)).expect("room"));
        }
        assert!(outcomes(deliveries).await.iter().all(Result::is_ok));
        // A timer of tokio fires up to a millisecond late.
        let most = Duration::from_millis(101);
        for (number, wait) in waits(&fake, &handed_over).into_iter().enumerate() {
            assert!(wait <= most, "record {number} waited {wait:?}: aggregation {aggregation}");
        }
        assert_empty(&producer);
    }
}

#[tokio::test(start_paused = true)]
async fn records_wait_for_a_listing_that_fails_and_are_aggregated_by_the_next() {
    for trouble in [Listing::Fail("InternalFailure"), Listing::Panic] {
        let fake = Fake::new(1).listings([trouble; 2]);
        let producer = start(&fake, |_| {});
        let send = |numbers: std::ops::Range<usize>| {
            outcomes(
                numbers.map(|number| producer.try_send(record(number)).expect("room")).collect::<Vec<_>>(),
            )
        };
        assert!(send(0..10).await.iter().all(Result::is_ok));
        assert_eq!(fake.calls()[0].entries.len(), 1, "{trouble:?}: one entry for all");
        pause(Duration::from_secs(10)).await;
        assert_eq!(fake.listed().len(), 3, "{trouble:?}");
        assert!(send(10..20).await.iter().all(Result::is_ok));
        assert_eq!(fake.calls()[1].entries.len(), 1, "{trouble:?}: one entry for all");
        assert_eq!(fake.stored(), all_data(20));
        assert_empty(&producer);
    }
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_is_never_answered_is_waited_for_half_of_a_records_life() {
    for (ttl, patience) in [(4, 2), (30, 15), (300, 15)] {
        let fake = Fake::new(2).listings([Listing::Hang]);
        let producer = start(&fake, |config| config.record_ttl = Some(Duration::from_secs(ttl)));
        let started = now();
        assert!(producer.try_send(record(0)).expect("room").await.is_ok());
        let waited = (now() - started).as_secs();
        assert_eq!(waited, patience, "time to live {ttl} s");
        assert_empty(&producer);
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_producer_does_not_wake_up() {
    let fake = Fake::new(4);
    let producer = start(&fake, |_| {});
    assert!(producer.try_send(record(0)).expect("room").await.is_ok());
    for round in 1..4 {
        // Virtual time stands still while anything is to be done, so each wake-up parks the thread once more.
        let parks = || tokio::runtime::Handle::current().metrics().worker_park_count(0);
        let before = parks();
        pause(Duration::from_secs(24 * 3600)).await;
        let woken = parks() - before;
        // The timer wheel parks a handful of times on its way to a day's end, with or without a producer.
        assert!(woken <= 10, "round {round}: woken {woken} times in a day without work");
        let delivery = producer.try_send(record(round)).expect("room");
        assert!(delivery.await.is_ok());
        let listed = fake.listed().len();
        assert_eq!(listed, 1 + round, "a day old map is listed anew, once");
    }
    assert_empty(&producer);
}

#[tokio::test(start_paused = true)]
async fn many_streams_share_a_producer() {
    let fake = Fake::new(3);
    let producer = start(&fake, |_| {});
    let names: Vec<_> =
        (0..100).map(|name| StreamName::new(&format!("stream-{name}")).expect("lawful")).collect();
    let (started, mut deliveries) = (now(), Vec::new());
    for number in 0..2000 {
        let stream = names[number % names.len()].clone();
        deliveries.push(producer.try_send(UserRecord::new(stream, "key", data(number))).expect("room"));
    }
    assert!(outcomes(deliveries).await.iter().all(Result::is_ok));
    assert!(now() - started < Duration::from_millis(300), "listings at their pace hold nobody up");
    assert_eq!(fake.stored(), all_data(2000));
    for call in fake.calls() {
        let number = names.iter().position(|name| *name == call.stream).expect("one of them");
        for data in call.entries.iter().filter(|entry| decode(&entry.data) == Decoded::Plain) {
            let text = String::from_utf8(data.data.to_vec()).expect("digits");
            assert_eq!(text.parse::<usize>().expect("digits") % names.len(), number, "its own records only");
        }
    }
    pause(Duration::from_secs(60)).await;
    let mut listed = fake.listed();
    listed.sort_unstable();
    listed.dedup();
    assert_eq!((fake.listed().len(), listed.len()), (100, 100), "each stream once");
    producer.close().await;
    assert_empty(&producer);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_keeps_surprising_is_not_listed_without_pause() {
    // Every call contradicts the map.
    let fake = Fake::new(4);
    let liar = Liar(fake.clone());
    let producer = kpl::Producer::builder(liar).start().expect("lawful");
    for number in 0..200 {
        assert!(producer.send(record(number)).await.expect("room").await.is_ok());
    }
    let (seconds, listings) = (now().as_secs() as usize, fake.listed().len());
    assert!(seconds < 60, "200 records took {seconds} s");
    assert!(listings > 2 && listings <= seconds + 3, "{listings} listings in {seconds} s");
    assert_empty(&producer);
}

/// Lists shards that have other names than those that take the records.
struct Liar(Fake);

impl kpl::Transport for Liar {
    fn put_records(&self, request: kpl::PutRecordsRequest) -> kpl::Answer<kpl::PutRecordsResponse> {
        self.0.put_records(request)
    }

    fn list_shards(&self, stream: StreamName) -> kpl::Answer<kpl::ShardListing> {
        let listing = self.0.list_shards(stream);
        Box::pin(async move {
            let mut shards = listing.await?;
            for shard in &mut shards.shards {
                shard.shard_id = format!("other-{}", shard.shard_id).into();
            }
            Ok(shards)
        })
    }
}
