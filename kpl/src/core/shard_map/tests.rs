//! The map's promises; tests named as in the KPL's own suite check what it checks there.

use super::*;

fn at(seconds: u64) -> Moment {
    Moment::after_origin(Duration::from_secs(seconds))
}

fn minutes(minutes: u64) -> Moment {
    at(60 * minutes)
}

fn shard(id: &str, start: u128, end: u128) -> ShardDescription {
    ShardDescription { shard_id: id.into(), starting_hash_key: HashKey(start), ending_hash_key: HashKey(end) }
}

fn install(map: &mut ShardMap, shards: &[ShardDescription]) {
    map.install(&shards.to_vec().into(), &mut fastrand::Rng::with_seed(1));
}

fn install_with(map: &mut ShardMap, strategy: RecordDistributionStrategy, shards: &[ShardDescription]) {
    let listing = ShardListing {
        shards: shards.to_vec(),
        record_distribution_strategy: Some(strategy),
        ..ShardListing::default()
    };
    map.install(&listing, &mut fastrand::Rng::with_seed(1));
}

/// A record was stored in a shard that nobody knows.
fn surprised(map: &mut ShardMap, seen_at: Moment, now: Moment) -> bool {
    map.contradicted((HashKey(0), &"another".into()), seen_at, now)
}

const HALF: u128 = 1 << 127;

/// The KPL's three shards: 1 is the upper half, 2 and 3 are the quarters below.
fn three_shards() -> [ShardDescription; 3] {
    [shard("s1", HALF, u128::MAX), shard("s2", 0, HALF / 2 - 1), shard("s3", HALF / 2, HALF - 1)]
}

/// What they become: 1 and 2 split into 4 to 7, 3 stays.
fn five_shards() -> [ShardDescription; 5] {
    let quarter = HALF / 2;
    [
        shard("s4", HALF, HALF + quarter - 1),
        shard("s5", HALF + quarter, u128::MAX),
        shard("s6", 0, quarter / 2 - 1),
        shard("s7", quarter / 2, quarter - 1),
        shard("s3", quarter, HALF - 1),
    ]
}

fn three() -> ShardMap {
    let mut map = ShardMap::listing(at(0));
    assert!(map.is_awaited());
    install(&mut map, &three_shards());
    map
}

fn predicted(map: &ShardMap, key: u128) -> Option<ShardId> {
    let index = map.predict(HashKey(key))?;
    map.known.iter().find(|(_, known)| known.index == index).map(|(id, _)| id.clone())
}

#[test]
fn basic() {
    let map = three();
    let quarter = HALF / 2;
    for (key, id) in
        [(0, "s2"), (quarter - 1, "s2"), (quarter, "s3"), (HALF - 1, "s3"), (HALF, "s1"), (u128::MAX, "s1")]
    {
        assert_eq!(predicted(&map, key), Some(id.into()), "{key}");
    }
}

/// The transport leaves closed shards out; should one come all the same, every key still has a shard, and its
/// neighbours are not touched.
#[test]
fn closed_shards() {
    let mut map = ShardMap::listing(at(0));
    let quarter = HALF / 2;
    let children = [shard("s4", HALF, HALF + quarter - 1), shard("s5", HALF + quarter, u128::MAX)];
    install(&mut map, &[&three_shards()[..], &children].concat());
    for (key, ids) in [
        (0, &["s2"][..]),
        (quarter - 1, &["s2"]),
        (quarter, &["s3"]),
        (HALF - 1, &["s3"]),
        (HALF, &["s4"]),
        (HALF + quarter, &["s1", "s5"]),
        (u128::MAX, &["s1", "s5"]),
    ] {
        let shard = predicted(&map, key).expect("all keys are covered");
        assert!(ids.contains(&shard.as_str()), "{key}: {shard}");
    }
}

#[test]
fn invalidate() {
    let mut map = ShardMap::listing(at(10));
    install(&mut map, &three_shards());
    assert!(!surprised(&mut map, at(9), at(20)), "seen before the listing was asked for");
    assert!(surprised(&mut map, at(20), at(20)));
    for _ in 0..5 {
        assert!(!surprised(&mut map, at(21), at(21)), "already loading");
    }
    assert!(!map.is_awaited());
    for key in [0, HALF, u128::MAX] {
        assert_eq!(
            map.predict(HashKey(key)),
            three().predict(HashKey(key)),
            "the old map predicts meanwhile"
        );
    }
    install(&mut map, &five_shards());
    assert_eq!(predicted(&map, HALF), Some("s4".into()));
    assert_eq!(predicted(&map, 5), Some("s6".into()));
    assert!(!surprised(&mut map, at(19), at(22)), "seen before the newest listing was asked for");
    assert!(surprised(&mut map, at(22), at(22)));
}

/// The KPL also asks whether the predicted shard is still open; here the moment of the call says the same.
#[test]
fn invalidate_with_shard() {
    let mut map = three();
    assert!(surprised(&mut map, at(5), at(6)));
    install(&mut map, &five_shards());
    assert!(
        !surprised(&mut map, at(5), at(7)),
        "a call of the time of the first map, for a shard that closed since"
    );
    assert!(surprised(&mut map, at(6), at(7)), "a call of the new map's time");
}

#[test]
fn closed_parent_shards_are_removed_after_some_time() {
    let mut map = three();
    let (lower, upper) = ((HashKey(0), HashKey(HALF / 2 - 1)), (HashKey(HALF), HashKey::MAX));
    assert_eq!(map.holds(&"s6".into(), lower), None);
    assert_eq!(map.holds(&"s1".into(), upper), Some(true));
    let old_index = map.index_of(&"s1".into()).expect("open");
    assert!(surprised(&mut map, minutes(1), minutes(1)));
    install(&mut map, &five_shards());
    assert_eq!(map.holds(&"s1".into(), upper), Some(true), "calls under way may still name it");
    assert_eq!(map.holds(&"s2".into(), lower), Some(true));
    assert!(surprised(&mut map, minutes(10), minutes(10)));
    install(&mut map, &five_shards());
    assert!(map.index_of(&"s1".into()).is_some(), "closed for nine minutes");
    assert!(surprised(&mut map, minutes(11), minutes(11)));
    install(&mut map, &five_shards());
    assert_eq!((map.index_of(&"s1".into()), map.index_of(&"s2".into())), (None, None));
    assert_eq!(map.holds(&"s7".into(), (HashKey(HALF / 4), HashKey(HALF / 4))), Some(true));
    assert!(map.known.values().all(|known| known.index != old_index), "an index is not given away again");
}

#[test]
fn many_reshards_need_no_more_memory() {
    let mut map = three();
    let mut indices = std::collections::HashSet::new();
    for round in 1..1000_u64 {
        assert!(surprised(&mut map, minutes(round), minutes(round)));
        let shards =
            [shard(&format!("s{round}a"), 0, HALF - 1), shard(&format!("s{round}b"), HALF, u128::MAX)];
        install(&mut map, &shards);
        for shard in shards {
            assert!(indices.insert(map.index_of(&shard.shard_id)), "round {round}: an index was given again");
        }
        assert!(map.known.len() <= 2 * 11 + 3, "round {round}: {} shards are remembered", map.known.len());
    }
}

#[test]
fn a_span_is_held_whole_or_not() {
    let map = three();
    let end = HALF / 2 - 1;
    assert_eq!(map.holds(&"s2".into(), (HashKey(0), HashKey(end))), Some(true));
    assert_eq!(map.holds(&"s2".into(), (HashKey(0), HashKey(end + 1))), Some(false));
    assert_eq!(map.holds(&"s9".into(), (HashKey(0), HashKey(1))), None);
}

/// A stream made anew begins its shards' numbers anew; the KPL's users met endless retries here.
#[test]
fn a_stream_that_was_lost_has_no_shards_and_new_ones_get_new_indices() {
    let mut map = three();
    let old = map.index_of(&"s1".into());
    assert!(map.lost(at(5)));
    assert!(!map.lost(at(5)), "already loading");
    assert_eq!((map.predict(HashKey(0)), map.index_of(&"s1".into())), (None, None));
    assert!(!map.is_awaited(), "records go alone meanwhile");
    assert!(!map.rest(at(6)), "there is no old map to serve on");
    install(&mut map, &[shard("s1", 0, u128::MAX)]);
    assert_eq!(predicted(&map, 0), Some("s1".into()));
    assert_ne!(map.index_of(&"s1".into()), old);

    let mut off = ShardMap::off();
    assert!(!off.lost(at(1)), "a delivery stream has no shards to list");
}

#[test]
fn an_old_map_is_listed_again_when_there_is_traffic() {
    let mut map = three();
    assert!(!map.is_refreshed(minutes(11)), "fresh enough");
    assert!(map.is_refreshed(minutes(19)));
    assert!(!map.is_refreshed(minutes(19)), "once is enough");
    assert!(map.is_listing() && !map.is_awaited());
    assert!(map.predict(HashKey(0)).is_some(), "and predicts meanwhile");
    install(&mut map, &three_shards());
    assert!(!map.is_refreshed(minutes(20)));
    assert!(map.is_refreshed(minutes(38)));
}

#[test]
fn producers_do_not_list_together() {
    let due = |seed| {
        let mut map = ShardMap::listing(at(0));
        map.install(&three_shards().to_vec().into(), &mut fastrand::Rng::with_seed(seed));
        map.refresh_at
    };
    let moments: std::collections::BTreeSet<_> = (0..100).map(due).collect();
    assert_eq!(moments.len(), 100);
    let (first, last) = (moments.first().expect("100"), moments.last().expect("100"));
    assert!(*first >= at(675) && *last <= at(1125), "{first:?} to {last:?}");
    assert!(*first < at(720) && *last > at(1080), "the range is used: {first:?} to {last:?}");
}

#[test]
fn a_listing_that_nobody_needs_is_given_up_until_there_is_traffic() {
    let mut map = three();
    assert!(map.is_refreshed(minutes(19)));
    assert!(map.rest(minutes(20)));
    assert!(!map.is_listing());
    assert!(map.is_refreshed(minutes(21)), "the next traffic asks again");

    let mut never_listed = ShardMap::listing(at(0));
    assert!(!never_listed.rest(at(1)));
    assert!(never_listed.is_awaited(), "without a map the listing goes on");
}

#[test]
fn under_auto_nothing_is_predicted_and_nothing_surprises() {
    use RecordDistributionStrategy::{Auto, UserPartitionKey};
    let mut map = three();
    assert!(surprised(&mut map, at(5), at(5)));
    install_with(&mut map, Auto, &three_shards());
    assert_eq!(map.predict(HashKey(0)), None);
    assert_eq!(map.holds(&"s2".into(), (HashKey(0), HashKey(9))), Some(true), "ranges stay known");
    assert!(!surprised(&mut map, at(6), at(6)));

    assert!(map.is_refreshed(minutes(60)));
    install(&mut map, &three_shards());
    assert_eq!(map.strategy(), Some(Auto), "a listing that cannot tell changes nothing");

    assert!(map.is_refreshed(minutes(120)));
    install_with(&mut map, UserPartitionKey, &three_shards());
    assert_eq!(predicted(&map, 0), Some("s2".into()));
    assert!(surprised(&mut map, minutes(120), minutes(120)));
}

/// Records of key 0 are stored in s1, which holds the upper half.
#[test]
fn what_lands_where_two_listings_say_that_it_cannot_shows_auto() {
    use RecordDistributionStrategy::{Auto, UserPartitionKey};
    let misplaced = |map: &mut ShardMap, second| {
        assert!(map.contradicted((HashKey(0), &"s1".into()), at(second), at(second)));
        assert!(!map.contradicted((HashKey(0), &"s1".into()), at(second), at(second)), "already loading");
    };
    let mut map = three();
    misplaced(&mut map, 10);
    install(&mut map, &three_shards());
    assert_eq!(map.strategy(), None, "the stream may have been made anew");
    misplaced(&mut map, 20);
    assert_eq!(predicted(&map, 0), Some("s2".into()), "until there is a listing");
    install(&mut map, &three_shards());
    assert_eq!((map.strategy(), predicted(&map, 0)), (Some(Auto), None));
    assert!(map.is_refreshed(minutes(60)));
    install_with(&mut map, UserPartitionKey, &three_shards());
    assert_eq!(map.strategy(), Some(UserPartitionKey), "the service may say so");

    misplaced(&mut map, 7_000);
    install_with(&mut map, UserPartitionKey, &three_shards());
    misplaced(&mut map, 7_010);
    install_with(&mut map, UserPartitionKey, &three_shards());
    assert_eq!(map.strategy(), Some(Auto), "or it does not do what it says");
    assert!(map.is_refreshed(minutes(180)));
    install_with(&mut map, UserPartitionKey, &three_shards());
    assert_eq!(map.strategy(), Some(UserPartitionKey), "until it says so again");
}

#[test]
fn a_service_that_makes_up_shards_is_not_remembered_without_end() {
    let mut map = ShardMap::listing(at(0));
    map.stop_awaiting();
    for number in 0..2 * LEARNED {
        map.learn(HashKey(number as u128), &format!("made up {number}").as_str().into());
    }
    assert_eq!((map.known.len(), map.ids.len()), (LEARNED, LEARNED));
}

#[test]
fn a_shard_that_two_listings_do_not_show_is_hidden() {
    let mut map = three();
    let (new, other) = ("new".into(), "other".into());
    assert!(map.is_news(&new) && map.is_news(&other));
    for (second, is_hidden) in [(10, false), (20, true)] {
        assert!(surprised(&mut map, at(second), at(second)));
        install(&mut map, &three_shards());
        assert_eq!((map.is_hidden(&new), map.is_news(&new)), (is_hidden, false));
    }
    assert!(surprised(&mut map, at(30), at(30)));
    install(&mut map, &[shard("new", 0, u128::MAX)]);
    assert_eq!((map.is_hidden(&new), map.is_hidden(&other)), (false, true));
}

#[test]
fn what_proves_nothing_about_the_strategy() {
    let places = [
        ["s1", "another"], // the second is new
        ["another", "s1"],
        ["s2", "s2"], // it holds the key
    ];
    for [first, second] in places {
        let mut map = three();
        for (shard, second) in [(first, 10), (second, 20)] {
            assert!(map.contradicted((HashKey(0), &shard.into()), at(second), at(second)));
            install(&mut map, &three_shards());
        }
        assert_eq!(map.strategy(), None, "{first}, then {second}");
    }
    let mut map = three();
    for second in [10, 20, 30, 40] {
        let shard = if second % 20 == 10 { "s1" } else { "another" };
        assert!(map.contradicted((HashKey(0), &shard.into()), at(second), at(second)));
        install(&mut map, &three_shards());
    }
    assert_eq!(map.strategy(), None, "not by two listings in a row");
}

#[test]
fn ten_thousand_shards_are_found_at_both_ends() {
    const SHARDS: u128 = 10_000;
    let width = u128::MAX / SHARDS;
    let end = |number| if number + 1 == SHARDS { u128::MAX } else { (number + 1) * width - 1 };
    let shards: Vec<_> =
        (0..SHARDS).rev().map(|number| shard(&format!("s{number}"), number * width, end(number))).collect();
    let mut map = ShardMap::listing(at(0));
    install(&mut map, &shards);
    for number in 0..SHARDS {
        let index = map.index_of(&format!("s{number}").as_str().into());
        assert!(index.is_some());
        assert_eq!(map.predict(HashKey(number * width)), index, "{number}");
        assert_eq!(map.predict(HashKey(end(number))), index, "{number}");
    }
}
