//! What the pipeline does on slow lines, and how it is seen.

use super::*;

/// A scene with a backlog of entries of 1,000 bytes, of which the first call has left.
fn backlog(records: u32) -> Scene {
    let config =
        Config { aggregation_enabled: false, record_ttl: None, rate_limit: 100_000, ..Config::default() };
    let mut scene = Scene::listed(config);
    for tag in 0..records {
        scene.accept_bytes(tag, 1_000);
    }
    scene
}

#[test]
fn the_first_call_on_an_unknown_line_is_small_and_has_no_company() {
    let mut scene = backlog(2_000);
    assert_eq!(scene.calls.len(), 1);
    assert!(scene.calls[0].2.entries.len() < 50, "{} entries", scene.calls[0].2.entries.len());
    scene.pass_to(50);
    scene.answer(0, Ok("s0"));
    assert!(scene.calls[1].2.entries.len() > 400, "a fast line has large calls after one round trip");
}

#[test]
fn a_call_that_timed_out_is_sent_again_in_halves_one_at_a_time() {
    let mut scene = backlog(200);
    let entries = |scene: &Scene, place: usize| scene.calls[place].2.entries.len();
    for place in 0..3 {
        assert_eq!(scene.calls.len(), place + 1, "only one call is in flight");
        scene.pass_to(10_000 * (place as u64 + 1));
        scene.fail_call(place, "Timeout");
        scene.pass_to(10_000 * (place as u64 + 1) + 2_000);
    }
    let sizes: Vec<usize> = (0..4).map(|place| entries(&scene, place)).collect();
    for pair in sizes.windows(2) {
        assert!(pair[1] <= pair[0].div_ceil(2) && pair[1] > 0, "{sizes:?}");
    }
}

#[test]
fn that_the_line_is_the_limit_is_seen_and_warned_of_once_a_minute() {
    let mut scene = backlog(5_000);
    // One call in three seconds.
    let mut answered = 0;
    for second in 1..=100 {
        scene.pass_to(second * 1_000);
        let busy = |scene: &Scene| scene.pipeline.snapshot(scene.now).is_limited_by_line;
        assert!(second < 3 || busy(&scene), "after {second} s");
        if second % 3 == 0 {
            scene.answer(answered, Ok("s0"));
            answered += 1;
        }
    }
    let times: Vec<u64> =
        scene.line_warnings.iter().map(|(at, _)| at.since(Moment::ORIGIN).as_secs()).collect();
    assert_eq!(times.len(), 2, "{times:?}");
    assert!(times[0] >= 5 && times[1] >= times[0] + 60, "{times:?}");
    assert!((5_000..60_000).contains(&scene.line_warnings[0].1), "{:?}", scene.line_warnings);
}

#[test]
fn a_fast_line_with_little_to_do_is_not_the_limit() {
    let mut scene = backlog(10);
    scene.pass_to(150);
    scene.answer(0, Ok("s0"));
    scene.pass_to(5_000);
    let snapshot = scene.pipeline.snapshot(scene.now);
    assert!(!snapshot.is_limited_by_line && snapshot.line_bytes_per_second.is_some());
}
