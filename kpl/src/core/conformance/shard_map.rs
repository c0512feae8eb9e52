//! What the KPL's `ShardMap` suite says of failing listings; the map's own cases are in `shard_map/tests.rs`.

use super::scene::Scene;
use super::support::{HALF_END, Original, QUARTER_END, THREE_SHARDS};
use crate::aggregation_format::{Decoded, decode};
use crate::config::Config;
use crate::types::HashKey;

#[test]
fn retry_after_initial_failure() {
    let mut scene = Scene::new(Config::default());
    scene.fail_listing();
    assert_eq!(scene.listings_asked, 2);
    scene.list(&THREE_SHARDS);
    let keys = [0, QUARTER_END, QUARTER_END + 1, HALF_END, HALF_END + 1, u128::MAX];
    keys.map(Original::at_key).iter().for_each(|original| scene.accept(original));
    scene.flush();
    let together = scene.calls[0].entries.iter().map(|entry| {
        let Decoded::Aggregated(records) = decode(&entry.data) else { panic!("not aggregated") };
        records.iter().map(|record| record.explicit_hash_key.expect("given")).collect::<Vec<_>>()
    });
    let mut together: Vec<_> = together.collect();
    together.sort_unstable();
    let by_shard: Vec<_> = keys.chunks(2).map(|keys| keys.iter().copied().map(HashKey).collect()).collect();
    let by_shard: Vec<Vec<HashKey>> = by_shard;
    assert_eq!(together, by_shard);
    assert_eq!(scene.listings_asked, 2);
}
