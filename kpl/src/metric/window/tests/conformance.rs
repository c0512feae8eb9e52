//! The rest of the KPL's `Accumulator` and `Metric` suites: windows one after the other, and the tree's levels.

use super::*;

fn facts(window: &MetricWindow, options: &MetricsOptions) -> (f64, f64, f64, f64, f64) {
    let (.., [count, sum, minimum, maximum]) = uploaded(window, options)[0];
    (count, sum / count, minimum, maximum, sum)
}

#[test]
fn accumulator_flush() {
    let options = with(MetricsLevel::Detailed, Global);
    let mut window = MetricWindow::default();
    for (values, expected) in [(1..=5, (5.0, 3.0, 1.0, 5.0, 15.0)), (6..=10, (5.0, 8.0, 6.0, 10.0, 40.0))] {
        values.for_each(|value: u8| add(&mut window, &options, ("s", ""), f64::from(value)));
        let flushed = std::mem::take(&mut window);
        assert_eq!(facts(&flushed, &options), expected);
        assert!(window.is_empty());
    }
}

/// Ten threads, each with values of its own, and their sets as one.
#[test]
fn accumulator_concurrency() {
    let threads: Vec<_> = (0..10)
        .map(|thread| {
            move || {
                StatisticSet::folded(
                    (0..1000).map(|value| StatisticSet::of(f64::from(thread * 1000 + value))),
                )
            }
        })
        .collect();
    let sets = std::thread::scope(|scope| {
        let running: Vec<_> = threads.into_iter().map(|thread| scope.spawn(thread)).collect();
        running.into_iter().filter_map(|thread| thread.join().expect("no panic")).collect::<Vec<_>>()
    });
    let set = StatisticSet::folded(sets).expect("ten sets");
    assert_eq!((set.sample_count(), set.minimum(), set.maximum()), (10_000, 0.0, 9999.0));
    assert_eq!((set.mean(), set.sum()), (4999.5, 49_995_000.0));
}

fn places(granularity: MetricsGranularity, place: (&str, &str)) -> Vec<(String, f64)> {
    let options = with(MetricsLevel::Detailed, granularity);
    let mut window = MetricWindow::default();
    add(&mut window, &options, place, 3.0);
    uploaded(&window, &options).into_iter().map(|(_, place, numbers)| (place, numbers[1])).collect()
}

#[test]
fn metric_add_root() {
    assert_eq!(places(Global, ("a", "b")), [(String::new(), 3.0)]);
}

#[test]
fn metric_add_child() {
    assert_eq!(places(Stream, ("a", "b")), [(String::new(), 3.0), ("StreamName=a".to_owned(), 3.0)]);
}

/// A value told of a shard alone is one of its stream and of the whole, too.
#[test]
fn metric_add_deep_child() {
    let expected = ["", "StreamName=a", "StreamName=a ShardId=b"].map(|place| (place.to_owned(), 3.0));
    assert_eq!(places(Shard, ("a", "b")), expected);
}
