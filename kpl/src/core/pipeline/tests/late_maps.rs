//! What waits for a shard map, and what the next one changes.

use super::*;

#[test]
fn a_record_waits_for_the_first_listing_for_half_of_its_life() {
    for (ttl, patience) in [(Some(4), 2000), (Some(30), 15_000), (Some(60), 15_000), (None, 15_000)] {
        let record_ttl = ttl.map(Duration::from_secs);
        let mut scene = Scene::new(Config { record_ttl, ..Config::default() });
        scene.accept(1);
        scene.fail_listing();
        scene.flush();
        scene.pass_to(patience - 1);
        assert!(scene.calls.is_empty(), "the listing might still come, and with it the aggregate");
        scene.pass_to(patience);
        assert_eq!(scene.call_times(), [at(patience)], "time to live {ttl:?}");
        scene.accept(2);
        scene.pass_to(patience + 100);
        assert_eq!(scene.call_times(), [at(patience), at(patience + 100)], "nobody waits any more");
    }
}

#[test]
fn what_left_without_a_map_is_predicted_when_it_is_sent_again() {
    let mut scene = Scene::new(Config::default());
    scene.refuse_listing();
    (0..3).for_each(|tag| scene.accept(tag));
    scene.pass_to(100);
    assert_eq!(scene.calls[0].2.entries.len(), 3, "without a map there is no aggregation");
    scene.list(&[("s0", 0, u128::MAX)]);
    scene.answer(0, Err("InternalFailure"));
    scene.pass_to(1000);
    assert_eq!(scene.calls.len(), 2);
    assert_eq!(tags(&scene.calls[1].2.entries[0]), [0, 1, 2], "one aggregate");
}

#[test]
fn what_waits_for_a_closed_shard_waits_for_the_next_listing() {
    let mut scene = Scene::listed(Config::default());
    scene.accept(1);
    scene.accept(2);
    scene.pass_to(100);
    scene.answer(0, Ok("s1"));
    assert_eq!(scene.listings_asked, 2);
    scene.accept(3);
    scene.accept(4);
    scene.pass_to(1000);
    assert_eq!(scene.calls.len(), 1, "shard s0 has closed");
    scene.list(&[("s1", 0, u128::MAX)]);
    assert_eq!(scene.stored, 2, "s1 holds both, so they can be read there");
    scene.pass_to(1100);
    assert_eq!(scene.calls.len(), 2);
    scene.answer(1, Ok("s1"));
    assert_eq!((scene.stored, scene.listings_asked), (4, 2));
}

#[test]
fn an_aggregate_in_an_unknown_shard_is_judged_by_the_listing_that_shows_it() {
    for (first_key, resent) in [(0, 0), (2, 2)] {
        let mut scene = Scene::listed(Config::default());
        scene.accept(1);
        scene.accept(2);
        scene.pass_to(100);
        scene.answer(0, Ok("s1"));
        scene.list(&[("s0", 0, u128::MAX)]);
        assert_eq!(scene.listings_asked, 3, "s1 was open for a moment: those that closed are listed, too");
        scene.list_with_closed(&[("s2", 0, u128::MAX)], &[("s1", first_key, 1000)]);
        assert_eq!(scene.stored, 2 - resent);
        scene.pass_to(2000);
        assert_eq!(scene.calls.len(), 1 + resent.min(1), "keys from {first_key}");
    }
}

#[test]
fn an_aggregate_in_a_shard_that_no_listing_shows_is_sent_again() {
    let mut scene = Scene::listed(Config::default());
    scene.accept(1);
    scene.accept(2);
    scene.pass_to(100);
    scene.answer(0, Ok("s1"));
    (0..2).for_each(|_| scene.list(&[("s0", 0, u128::MAX)]));
    scene.pass_to(2000);
    assert_eq!((scene.stored, scene.calls.len()), (0, 2));
}

#[test]
fn a_late_first_listing_does_not_extend_the_wait() {
    let mut scene = Scene::new(Config::default());
    scene.accept(1);
    scene.accept(2);
    scene.pass_to(90);
    scene.list(&[("s0", 0, u128::MAX)]);
    scene.pass_to(100);
    assert_eq!(scene.calls.len(), 1);
    assert_eq!(scene.calls[0].2.entries.len(), 1, "aggregated");
}

#[test]
fn a_stream_listed_without_shards_is_listed_again() {
    let mut scene = Scene::new(Config::default());
    scene.list(&[]);
    scene.accept(1);
    scene.pass_to(100);
    assert_eq!(scene.listings_asked, 1);
    scene.answer(0, Ok("s0"));
    assert_eq!(scene.listings_asked, 2, "it has a shard after all");
}

#[test]
fn what_waits_for_a_new_map_expires_on_time() {
    let mut scene = Scene::listed(Config { record_ttl: Some(Duration::from_secs(1)), ..Config::default() });
    scene.accept(1);
    scene.accept(2);
    scene.pass_to(100);
    scene.answer(0, Ok("a shard that no listing shows"));
    scene.pass_to(599);
    assert_eq!(scene.calls.len(), 1, "the listing might show it");
    scene.pass_to(600);
    assert_eq!(scene.pipeline.snapshot(scene.now).user_records_retried, 2);
    scene.pass_to(5000);
    let expired = |tag| (at(1000), tag, FailureReason::Expired);
    assert_eq!(scene.failed, [expired(1), expired(2)]);
}
