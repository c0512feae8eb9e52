//! Shard lists that cannot be true, and placements that follow no list: every record is stored within its time to live,
//! with few attempts and few listings.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kpl::{
    Answer, EntryPlaced, HashKey, Producer, PutRecordsEntry, PutRecordsRequest, PutRecordsResponse,
    ShardDescription, ShardListing, StreamName, Transport,
};

use crate::support::{assert_empty, config, now, outcomes, pause, record};

const RECORDS: usize = 2_000;
const LATENCY: Duration = Duration::from_millis(20);

/// Name, first and last hash key of each shard that is listed.
type Listed = &'static [(&'static str, u128, u128)];

/// Where the entry with that number is stored.
type Placement = fn(&PutRecordsEntry, usize) -> String;

#[derive(Clone)]
struct Strange(Arc<State>);

struct State {
    listed: Listed,
    place: Placement,
    entries: AtomicUsize,
    listings: Mutex<Vec<Duration>>,
}

impl Transport for Strange {
    fn put_records(&self, request: PutRecordsRequest) -> Answer<PutRecordsResponse> {
        let place = |entry| {
            let number = self.0.entries.fetch_add(1, Ordering::Relaxed);
            let shard_id = (self.0.place)(entry, number).as_str().into();
            Ok(EntryPlaced { shard_id, sequence_number: "49".into() })
        };
        let entries = request.entries.iter().map(place).collect();
        Box::pin(async move {
            pause(LATENCY).await;
            Ok(PutRecordsResponse { entries })
        })
    }

    fn list_shards(&self, _: StreamName) -> Answer<ShardListing> {
        self.0.listings.lock().expect("no panic under this lock").push(now());
        let description = |(id, first, last): &(&str, u128, u128)| ShardDescription {
            shard_id: (*id).into(),
            starting_hash_key: HashKey(*first),
            ending_hash_key: HashKey(*last),
        };
        let shards: Vec<_> = self.0.listed.iter().map(description).collect();
        Box::pin(async move {
            pause(LATENCY).await;
            Ok(shards.into())
        })
    }
}

const HALF: u128 = 1 << 127;

fn by_halves(entry: &PutRecordsEntry, _: usize) -> String {
    if entry.hash_key().0 < HALF { "low" } else { "high" }.to_owned()
}

#[tokio::test(start_paused = true)]
async fn every_record_is_stored_with_few_attempts() {
    let upper: Listed = &[("high", HALF, u128::MAX)];
    let twice: Listed = &[("low", 0, u128::MAX), ("high", 0, u128::MAX)];
    let swapped: Listed = &[("high", 0, HALF - 1), ("low", HALF, u128::MAX)];
    let halves: Listed = &[("low", 0, HALF - 1), ("high", HALF, u128::MAX)];
    let cases: [(&str, Listed, Placement); 7] = [
        ("no shards", &[], by_halves),
        ("half of the keys", upper, by_halves),
        ("ranges that overlap", twice, by_halves),
        ("the other's ranges", swapped, by_halves),
        ("a new shard each time", halves, |_, number| format!("shard-{number}")),
        ("one shard that is not listed", halves, |_, _| "another".to_owned()),
        ("by turns", halves, |_, number| if number % 2 == 0 { "low" } else { "high" }.to_owned()),
    ];
    for (what, listed, place) in cases {
        // Where order is kept the stream stands still until a listing shows a new shard, again and again.
        let orders: &[bool] = if what == "a new shard each time" { &[false] } else { &[false, true] };
        for &strict_order in orders {
            let state = State { listed, place, entries: AtomicUsize::new(0), listings: Mutex::default() };
            let service = Strange(Arc::new(state));
            let config = config(|config| {
                config.strict_order = strict_order;
                config.aggregation_max_size = 1_000;
            });
            let started = now();
            let producer = Producer::builder(service.clone()).config(config).start().expect("lawful");
            let mut deliveries = Vec::new();
            for number in 0..RECORDS {
                deliveries.push(producer.send(record(number)).await.expect("room"));
            }
            producer.flush().await;
            let failed = outcomes(deliveries).await.into_iter().filter(Result::is_err).count();
            assert_eq!(failed, 0, "{what}, order {strict_order}");
            let entries = service.0.entries.load(Ordering::Relaxed);
            assert!(entries <= 2 * RECORDS, "{what}, order {strict_order}: {entries} entries");
            let listings = service.0.listings.lock().expect("no panic under this lock").clone();
            let seconds = (now() - started).as_secs() as usize;
            println!(
                "{what}, order {strict_order}: {entries} entries, {} listings, {seconds} s",
                listings.len()
            );
            assert!(listings.len() <= seconds + 2, "{what}, order {strict_order}: {listings:?}");
            producer.close().await;
            assert_empty(&producer);
        }
    }
}
