//! What the consumer of `examples/dedup_consumer` sees of a simulated stream after any sequence of reshards.

#[path = "../../../examples/dedup_consumer/consumer.rs"]
mod consumer;

use std::collections::HashMap;

use proptest::prelude::*;

use self::consumer::{Consumer, ListedShard};
use super::kinesis::KeptShard;
use super::*;

/// What became of one record at the consumer.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Seen {
    with_id: u32,
    without_id: u32,
}

fn listed(shard: &KeptShard) -> ListedShard {
    ListedShard {
        id: shard.description.shard_id.to_string(),
        parents: shard.parents.iter().map(ToString::to_string).collect(),
        range: shard.description.hash_key_range().expect("in order"),
    }
}

/// Reads everything that was stored. `handle` gets each record's number.
fn read_back(world: &World) -> (HashMap<u64, Seen>, usize) {
    let (mut consumer, mut seen, mut repeats) = (Consumer::default(), HashMap::<u64, Seen>::new(), 0);
    // Newest first, so that only the rule keeps children behind their parents.
    consumer.list(world.kinesis.shards.iter().rev().map(listed));
    while let Some(mut reader) = consumer.next_shard() {
        let is_read = |shard: &&KeptShard| shard.description.shard_id.as_str() == reader.shard_id;
        let shard = world.kinesis.shards.iter().find(is_read).expect("listed");
        for data in &shard.records {
            reader.take(data, |data, id| {
                let number = u64::from_be_bytes(data[..8].try_into().expect("a number first"));
                let seen = seen.entry(number).or_default();
                seen.with_id += u32::from(id.is_some());
                seen.without_id += u32::from(id.is_none());
            });
        }
        repeats += reader.repeats;
        consumer.finish(reader);
    }
    (seen, repeats)
}

fn weather(records: u64, reshards: u32) -> Weather {
    Weather { records, reshards, entry_failures: 0.1, call_failures: 0.05, ..CALM }
}

#[test]
fn lost_answers_and_merges_are_told_by_the_windows_of_both_parents() {
    let mut repeats_dropped = 0;
    for seed in (601..621).step_by(2) {
        let world = World::new(seed, Weather { lost_answers: 0.2, ..weather(5_000, 20) }).run();
        let (seen, repeats) = read_back(&world);
        assert_eq!(seen.len(), 5_000, "seed {seed}");
        let twice = seen.iter().find(|(_, seen)| seen.with_id > 1);
        assert_eq!(twice, None, "seed {seed}");
        repeats_dropped += repeats;
    }
    assert!(repeats_dropped > 1_000, "{repeats_dropped} repeats: too few to test anything");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// Any number of shards, of reshards and of failures.
    #[test]
    fn each_id_is_seen_once_after_any_reshards(
        half_seed in 0..u64::from(u32::MAX), reshards in 0..40_u32, lost in 0..4_u8, failing in 0..4_u8,
    ) {
        let failures = f64::from(failing) / 10.0;
        let weather = Weather { lost_answers: f64::from(lost) / 10.0, entry_failures: failures, ..weather(1_500, reshards) };
        // Odd seeds have ids.
        let world = World::new(half_seed * 2 + 1, weather).run();
        let (seen, _) = read_back(&world);
        prop_assert_eq!(seen.len(), 1_500);
        for (number, seen) in seen {
            prop_assert!(seen.with_id <= 1, "record {}: {:?}", number, seen);
            prop_assert!(lost > 0 || seen.with_id + seen.without_id == 1, "record {}: {:?}", number, seen);
        }
    }
}
