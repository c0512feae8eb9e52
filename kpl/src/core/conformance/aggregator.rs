//! The KPL's `Aggregator` suite: count limit 100, three shards.

use super::scene::Scene;
use super::support::{Original, THREE_SHARDS, at, member, verify};
use crate::aggregation_format::{Decoded, decode};
use crate::config::Config;
use crate::core::aggregator::{Aggregator, Deadlines};
use crate::core::shard_map::ShardMap;
use crate::put_records::ShardDescription;
use crate::types::{HashKey, Moment};

fn shard_map() -> ShardMap {
    let mut map = ShardMap::listing(Moment::ORIGIN);
    let shards = THREE_SHARDS.map(|(id, start, end)| ShardDescription {
        shard_id: id.into(),
        starting_hash_key: HashKey(start),
        ending_hash_key: HashKey(end),
    });
    map.install(&shards.to_vec().into(), &mut fastrand::Rng::with_seed(1));
    map
}

#[test]
fn basic() {
    let map = shard_map();
    let mut aggregator = Aggregator::new(100, usize::MAX);
    for (id, start, end) in THREE_SHARDS {
        let originals = vec![[start, end].map(Original::at_key); 50].concat();
        let mut closed = Vec::new();
        for (tag, original) in originals.iter().enumerate() {
            assert!(closed.is_empty());
            let record = original.as_ref();
            let shard = map.predict(record.hash_key()).expect("all keys are covered");
            assert_eq!(map.id(shard), Some(&id.into()));
            let deadlines = Deadlines { close: at(100_000), send: at(100_000) };
            aggregator.add(
                record.into(),
                record.hash_key(),
                shard,
                member(tag, at(0)),
                deadlines,
                &mut closed,
            );
        }
        assert_eq!(closed.len(), 1, "by the hundredth");
        verify(&closed[0], &originals);
        assert_eq!(closed[0].predicted_shard.and_then(|shard| map.id(shard)), Some(&id.into()));
    }
}

/// A hundred records, and what their calls hold once their time is over.
fn entries_of_a_hundred(mut scene: Scene) -> Vec<Vec<u8>> {
    for _ in 0..100 {
        scene.accept(&Original::usual());
    }
    scene.pass_to(1000);
    let entries = scene.calls.iter().flat_map(|call| &call.entries);
    entries
        .map(|entry| {
            assert_eq!(decode(&entry.data), Decoded::Plain);
            assert_eq!(entry.partition_key.as_str(), "abcd");
            assert_eq!(entry.hash_key(), HashKey::of_partition_key("abcd"));
            entry.data.to_vec()
        })
        .collect()
}

/// Here they wait for the first listing as long as they may be buffered.
#[test]
fn shard_map_down() {
    let mut scene = Scene::new(Config::default());
    scene.fail_listing();
    assert_eq!(entries_of_a_hundred(scene), vec![b"1234"; 100]);
}

#[test]
fn aggregation_disabled() {
    let mut scene = Scene::new(Config { aggregation_enabled: false, ..Config::default() });
    scene.list(&THREE_SHARDS);
    assert_eq!(entries_of_a_hundred(scene), vec![b"1234"; 100]);
}
