//! Lives of streams in weather of all kinds, more than a million records in all.

use super::*;

fn all_stored(world: &World) {
    let failed = world.outcomes.iter().find(|(_, stored)| !**stored);
    assert_eq!(failed, None, "seed {}", world.seed);
    assert_eq!(world.kinesis.seen.len() as u64, world.weather.records, "seed {}", world.seed);
    assert!(world.flushes.is_empty(), "seed {}: a flush never ended", world.seed);
}

#[test]
fn in_calm_weather_every_record_is_stored_once() {
    for seed in 0..10 {
        let world = World::new(seed, CALM).run();
        all_stored(&world);
        assert!(world.kinesis.stored.values().all(|copies| *copies == 1), "seed {seed}: duplicates");
        let ids = if world.kinesis.expects_ids { world.kinesis.seen.len() } else { 0 };
        assert_eq!(world.kinesis.ids.len(), ids, "seed {seed}: ids of all records or of none");
        assert_eq!(
            world.pipeline.next_wakeup(),
            Moment::NEVER,
            "seed {seed}: a quiet machine asks for nothing"
        );
    }
}

#[test]
fn in_a_storm_nothing_is_lost() {
    for seed in 100..130 {
        all_stored(&World::new(seed, STORM).run());
        all_stored(&World::new(seed, Weather { aggregation: false, records: 5_000, ..STORM }).run());
    }
}

#[test]
fn in_a_storm_the_order_of_each_key_is_kept() {
    // Those that end in 1 are compressed.
    for seed in (400..420).chain([421, 431, 441]) {
        let storm = Weather { strict_order: true, records: 10_000, reshards: 12, ..STORM };
        all_stored(&World::new(seed, storm).run());
        all_stored(&World::new(seed, Weather { aggregation: false, records: 2_500, ..storm }).run());
        let ttl = Some(Duration::from_secs(1));
        let mortal = World::new(seed, Weather { ttl, refusals: 0.02, records: 5_000, ..storm }).run();
        assert_eq!(mortal.outcomes.len(), 5_000, "seed {seed}");
    }
}

#[test]
fn one_refused_entry_takes_no_neighbour_with_it() {
    // Compressed they would be small.
    for seed in (500..512).filter(|seed| seed % 10 != 1) {
        let weather = Weather { refuses_large: true, records: 5_000, entry_failures: 0.05, ..CALM };
        let weather = Weather { strict_order: seed % 2 == 0, ..weather };
        let world = World::new(seed, weather).run();
        assert_eq!(world.outcomes.len(), 5_000, "seed {seed}");
        for (number, stored) in &world.outcomes {
            assert_eq!(*stored, !world.large.contains(number), "seed {seed}: record {number}");
        }
        assert!(!world.large.is_empty(), "seed {seed}");
    }
}

#[test]
fn a_stream_that_goes_to_auto_and_back_loses_nothing() {
    for seed in 300..310 {
        let weather = Weather { strategy_changes: 5, records: 4_000, ..STORM };
        all_stored(&World::new(seed, weather).run());
        let weather = Weather { strategy_changes: 5, records: 4_000, ..CALM };
        all_stored(&World::new(seed, weather).run());
    }
}

#[test]
fn nor_does_one_that_does_not_say_so() {
    for seed in 310..320 {
        let weather = Weather { strategy_changes: 3, says_strategy: false, records: 3_000, ..STORM };
        all_stored(&World::new(seed, weather).run());
        let weather =
            Weather { reshards: 3, strategy_changes: 1, says_strategy: false, records: 3_000, ..CALM };
        all_stored(&World::new(seed, weather).run());
    }
}

#[test]
fn mortal_records_get_honest_outcomes() {
    let weather = Weather {
        ttl: Some(Duration::from_secs(1)),
        refusals: 0.02,
        records: 10_000,
        entry_failures: 0.5,
        ..STORM
    };
    for seed in 200..220 {
        let world = World::new(seed, weather).run();
        assert_eq!(world.outcomes.len() as u64, weather.records, "seed {seed}");
        assert!(
            world.outcomes.values().any(|stored| !stored),
            "seed {seed}: the weather was too mild to test anything"
        );
    }
}

#[test]
fn over_a_slow_line_every_record_arrives_once_and_soon() {
    for (number, line) in [20_000, 40_000, 200_000, 1_000_000].into_iter().enumerate() {
        for seed in 600 + 10 * number as u64..606 + 10 * number as u64 {
            let weather = Weather { line: Some(line), records: 3_000, ..CALM };
            let weather = Weather { aggregation: seed % 3 > 0, strict_order: seed % 5 == 0, ..weather };
            let world = World::new(seed, weather).run();
            all_stored(&world);
            assert!(world.kinesis.stored.values().all(|copies| *copies == 1), "seed {seed}: duplicates");
            assert_eq!(world.time_outs, 0, "seed {seed}");
        }
    }
}

#[test]
fn over_a_slow_line_throttling_and_refusals_lose_nothing_either() {
    for seed in 650..660 {
        let storm = Weather { line: Some(100_000), records: 3_000, reshards: 3, entry_failures: 0.1, ..CALM };
        all_stored(&World::new(seed, storm).run());
    }
}

#[test]
fn a_run_replays_from_its_seed() {
    let fingerprint = |world: World| (world.now, world.flushed, world.kinesis.stored.values().sum::<u32>());
    assert_eq!(fingerprint(World::new(7, STORM).run()), fingerprint(World::new(7, STORM).run()));
}

#[test]
fn abort_tells_everybody() {
    let mut world = World::new(3, STORM);
    for number in 0..3000 {
        world.accept(number);
        if number % 100 == 0 {
            world.pass(world.now.plus(Duration::from_millis(10)));
        }
    }
    world.pipeline.abort(world.now);
    world.settle();
    assert_eq!((world.outcomes.len(), world.pipeline.outstanding()), (3000, 0));
}
