//! Records that are stored where no reader would see them, again and again.

use super::*;

#[test]
fn a_service_that_places_records_by_a_rule_of_its_own_gets_them_alone_in_the_end() {
    let shards = [("s0", 0, 9), ("s1", 10, u128::MAX)];
    let mut scene = Scene::new(Config { record_ttl: None, ..Config::default() });
    scene.list(&shards);
    scene.accept(1);
    scene.accept(2);
    for round in 0..2 {
        scene.pass_to(1000 * (round + 1));
        let place = scene.calls.len() - 1;
        assert_eq!(scene.calls[place].2.entries.len(), 1, "round {round}: aggregated");
        scene.answer(place, Ok("s1"));
        scene.list(&shards);
    }
    scene.pass_to(10_000);
    assert_eq!(scene.calls.len(), 3);
    assert_eq!(scene.calls[2].2.entries.len(), 2);
    scene.answer(2, Ok("s1"));
    assert_eq!(scene.stored, 2);
}

#[test]
fn records_in_a_shard_that_no_listing_shows_go_alone_in_the_end() {
    for (strict_order, dedup_ids) in [(false, false), (true, false), (true, true)] {
        let config = Config { strict_order, dedup_ids, record_ttl: None, ..Config::default() };
        let mut scene = Scene::listed(config);
        scene.accept(1);
        scene.accept(2);
        for round in 0..20 {
            scene.pass_to(1000 * (round + 1));
            let place = scene.calls.len() - 1;
            scene.answer(place, Ok("hidden"));
            scene.list(&[("s0", 0, u128::MAX)]);
            scene.list(&[("s0", 0, u128::MAX)]);
        }
        assert_eq!(scene.stored, 2, "order {strict_order}, ids {dedup_ids}");
        assert!(scene.calls.len() <= 5, "order {strict_order}, ids {dedup_ids}: {}", scene.calls.len());
    }
}
