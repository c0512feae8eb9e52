//! The KPL's tests of its accumulator, metric tree and metrics manager, and the window's bounds.

use super::*;
use crate::config::Config;
use crate::config::choices::{AdditionalMetricDimension, MetricsLevel};
use crate::metric::datum::MetricDatum;
use MetricsGranularity::{Global, Shard, Stream};

mod conformance;

/// A datum in short: name, dimensions as `name=value`, and count, sum, minimum and maximum.
type Short = (&'static str, String, [f64; 4]);

fn short(datum: &MetricDatum) -> Short {
    let dimensions: Vec<_> =
        datum.dimensions.iter().map(|own| format!("{}={}", own.name, own.value)).collect();
    let values = datum.values;
    let numbers = [values.sample_count() as f64, values.sum(), values.minimum(), values.maximum()];
    (datum.name.as_str(), dimensions.join(" "), numbers)
}

/// What would be uploaded.
fn uploaded(window: &MetricWindow, options: &MetricsOptions) -> Vec<Short> {
    let mut data = MetricData::default();
    window.add_to(&mut data, options);
    let mut uploaded = Vec::new();
    loop {
        let batch = data.next_batch();
        if batch.is_empty() {
            return uploaded;
        }
        data.forget(&batch);
        uploaded.extend(batch.iter().map(short));
    }
}

fn dimensions(uploaded: &[Short]) -> Vec<&str> {
    uploaded.iter().map(|(_, dimensions, _)| dimensions.as_str()).collect()
}

fn add(window: &mut MetricWindow, options: &MetricsOptions, place: (&str, &str), value: f64) {
    add_named(window, options, MetricName::BufferingTime, place, None, value);
}

/// Adds a value for a stream and a shard, or for the stream alone if the shard's name is empty.
fn add_named(
    window: &mut MetricWindow,
    options: &MetricsOptions,
    name: MetricName,
    (stream, shard): (&str, &str),
    error_code: Option<&str>,
    value: f64,
) {
    let stream = &StreamName::new(stream).expect("a lawful name");
    let shard = Some(ShardId::from(shard));
    let values = StatisticSet::of(value);
    window.add_sample(&Sample { name, stream, shard: shard.as_ref(), error_code, values }, options);
}

fn with(level: MetricsLevel, granularity: MetricsGranularity) -> MetricsOptions {
    MetricsOptions {
        metrics_level: level,
        metrics_granularity: granularity,
        ..MetricsOptions::from(&Config::default())
    }
}

#[test]
fn metrics_manager_request_generation() {
    let (mut window, options) = (MetricWindow::default(), MetricsOptions::from(&Config::default()));
    for value in 0..100 {
        for place in [("MyStream", ""), ("MyStream2", "shard-0"), ("MyStream2", "shard-1")] {
            add(&mut window, &options, place, f64::from(value));
        }
    }
    let row =
        |dimensions: &str, count, sum| ("BufferingTime", dimensions.to_owned(), [count, sum, 0.0, 99.0]);
    assert_eq!(
        uploaded(&window, &options),
        [
            row("", 300.0, 14850.0),
            row("StreamName=MyStream", 100.0, 4950.0),
            row("StreamName=MyStream2", 200.0, 9900.0),
            row("StreamName=MyStream2 ShardId=shard-0", 100.0, 4950.0),
            row("StreamName=MyStream2 ShardId=shard-1", 100.0, 4950.0),
        ]
    );
}

#[test]
fn metric_tree() {
    let (mut window, options) = (MetricWindow::default(), MetricsOptions::from(&Config::default()));
    for (place, value) in [(("b", "c"), 1.0), (("b", "d"), 2.0), (("e", "f"), 3.0), (("e", "g"), 4.0)] {
        add(&mut window, &options, place, value);
    }
    let sums: Vec<_> = uploaded(&window, &options).iter().map(|(.., numbers)| numbers[1]).collect();
    assert_eq!(sums, [10.0, 3.0, 7.0, 1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn metrics_manager_extra_dimensions() {
    for (dims, by_granularity) in [
        (vec![("a", Global), ("b", Stream), ("c", Shard)], [2, 4, 6]),
        (
            vec![
                ("b1", Stream),
                ("a1", Global),
                ("c1", Shard),
                ("a2", Global),
                ("c2", Shard),
                ("b2", Stream),
            ],
            [3, 6, 9],
        ),
    ] {
        for (granularity, count) in [Global, Stream, Shard].into_iter().zip(by_granularity) {
            let mut options = with(MetricsLevel::Detailed, granularity);
            options.additional_metric_dims = dims
                .iter()
                .map(|(name, granularity)| AdditionalMetricDimension {
                    name: (*name).to_owned(),
                    value: "v".to_owned(),
                    granularity: *granularity,
                })
                .collect();
            let mut window = MetricWindow::default();
            add(&mut window, &options, ("MyStream", "shard-0"), 1.0);
            let uploaded = uploaded(&window, &options);
            let dimensions = dimensions(&uploaded);
            assert_eq!(dimensions.len(), count, "{granularity:?}: {dimensions:?}");
            let full = match dims.len() {
                3 => "a=v StreamName=MyStream b=v ShardId=shard-0 c=v",
                _ => "a1=v a2=v StreamName=MyStream b1=v b2=v ShardId=shard-0 c1=v c2=v",
            };
            assert!(dimensions.iter().all(|prefix| full.starts_with(prefix)), "{dimensions:?}");
        }
    }
}

#[test]
fn errors_are_told_apart_by_code_before_the_stream() {
    let (mut window, options) = (MetricWindow::default(), MetricsOptions::from(&Config::default()));
    for (place, code) in [(("s", ""), "Timeout"), (("s", "x"), "Throttled"), (("s", "x"), "Throttled")] {
        add_named(&mut window, &options, MetricName::ErrorsByCode, place, Some(code), 1.0);
    }
    let uploaded = uploaded(&window, &options);
    let counts: Vec<_> =
        uploaded.iter().map(|(_, dimensions, numbers)| (dimensions.as_str(), numbers[0])).collect();
    assert_eq!(
        counts,
        [
            ("", 3.0),
            ("ErrorCode=Throttled", 2.0),
            ("ErrorCode=Timeout", 1.0),
            ("ErrorCode=Throttled StreamName=s", 2.0),
            ("ErrorCode=Timeout StreamName=s", 1.0),
            ("ErrorCode=Throttled StreamName=s ShardId=x", 2.0),
        ]
    );
}

#[test]
fn no_dimension_is_ever_blank() {
    let (mut window, options) = (MetricWindow::default(), MetricsOptions::from(&Config::default()));
    for code in ["", " ", "é\u{7}"] {
        add_named(&mut window, &options, MetricName::ErrorsByCode, ("s", ""), Some(code), 1.0);
    }
    let mut data = MetricData::default();
    window.add_to(&mut data, &options);
    let batch = data.next_batch();
    let values: Vec<_> = batch.iter().flat_map(|datum| &datum.dimensions).map(|own| &*own.value).collect();
    assert_eq!(values, ["??", "Unknown", "??", "s", "Unknown", "s"]);
}

#[test]
fn levels_and_granularities() {
    use MetricName::{BufferingTime, RequestTime};
    for (level, granularity, expected) in [
        (MetricsLevel::None, Shard, vec![]),
        (MetricsLevel::Summary, Shard, vec!["BufferingTime", "BufferingTime s", "BufferingTime s x"]),
        (
            MetricsLevel::Detailed,
            Stream,
            vec!["BufferingTime", "RequestTime", "BufferingTime s", "RequestTime s"],
        ),
        (MetricsLevel::Detailed, Global, vec!["BufferingTime", "RequestTime"]),
    ] {
        let (mut window, options) = (MetricWindow::default(), with(level, granularity));
        for name in [BufferingTime, RequestTime] {
            add_named(&mut window, &options, name, ("s", "x"), None, 1.0);
        }
        let names: Vec<_> = uploaded(&window, &options)
            .iter()
            .map(|(name, dimensions, _)| format!("{name} {dimensions}").trim().to_owned())
            .map(|line| line.replace("StreamName=", "").replace("ShardId=", ""))
            .collect();
        assert_eq!(names, expected, "{level:?} {granularity:?}");
        assert_eq!(window.is_empty(), expected.is_empty());
    }
}

#[test]
fn what_comes_beyond_the_bounds_is_counted_all_the_same() {
    let (mut window, options) = (MetricWindow::default(), MetricsOptions::from(&Config::default()));
    for shard in 0..MAX_SHARDS + 5 {
        add(&mut window, &options, ("s", &format!("shard-{shard}")), 1.0);
    }
    add(&mut window, &options, ("s", "shard-0"), 1.0);
    let shards = uploaded(&window, &options);
    let sum = (MAX_SHARDS + 6) as f64;
    assert_eq!(shards[0], ("BufferingTime", String::new(), [sum, sum, 1.0, 1.0]));
    assert_eq!(shards.len(), MAX_SHARDS + 2);

    let mut window = MetricWindow::default();
    for code in 0..MAX_ERROR_CODES + 5 {
        let code = format!("Code{code}");
        add_named(&mut window, &options, MetricName::ErrorsByCode, ("s", ""), Some(&code), 1.0);
    }
    let codes = uploaded(&window, &options);
    assert_eq!(codes.len(), 1 + 2 * (MAX_ERROR_CODES + 1));
    assert!(codes.contains(&("ErrorsByCode", "ErrorCode=Other".to_owned(), [5.0, 5.0, 1.0, 1.0])));
}
