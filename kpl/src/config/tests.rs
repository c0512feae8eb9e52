//! The table against the KPL's documented defaults and ranges, and every option at its edges.

use std::collections::BTreeSet;
use std::time::Duration;

use super::choices::{AdditionalMetricDimension, MetricsGranularity};
use super::option::{Effect, Shape};
use super::*;

/// Options with a range, as the KPL documents it: name, default, least, most (`None` is: no bound).
const RANGES: &[(&str, u64, u64, Option<u64>)] = &[
    ("AggregationMaxCount", 4_294_967_295, 1, None),
    ("AggregationMaxSize", 51_200, 64, Some(10_485_760)),
    ("CloudwatchPort", 443, 1, Some(65_535)),
    ("CollectionMaxCount", 500, 1, Some(500)),
    // The KPL's range is 52224 to whatever; below is lawful for the service, above 10 MiB is not.
    ("CollectionMaxSize", 5_242_880, 1, Some(10_485_760)),
    ("ConnectTimeout", 6000, 100, Some(300_000)),
    ("KinesisPort", 443, 1, Some(65_535)),
    ("MaxConnections", 24, 1, Some(256)),
    ("MaxUserRecordSize", 1_048_576, 64, Some(10_485_760)),
    ("MetricsUploadDelay", 60_000, 1, Some(60_000)),
    ("ProxyPort", 443, 1, Some(65_535)),
    ("DescribeStreamSummaryIntervalMs", 300_000, 1, None),
    ("RateLimit", 150, 1, None),
    ("RecordMaxBufferedTime", 100, 0, None),
    ("RecordTtl", 30_000, 100, None),
    ("RequestTimeout", 6000, 100, Some(600_000)),
    // Ours.
    ("FirehosePort", 443, 1, Some(65_535)),
    ("MaxOutstandingBytes", 67_108_864, 1_048_576, None),
    ("MaxOutstandingRecords", 1_000_000, 1, Some(4_294_967_295)),
];

/// Options without a range and their defaults in a file; `None` is: none.
const OTHERS: &[(&str, Option<&str>)] = &[
    ("AggregationEnabled", Some("true")),
    ("CloudwatchEndpoint", None),
    ("FailIfThrottled", Some("false")),
    ("KinesisEndpoint", None),
    ("MetricsGranularity", Some("shard")),
    ("MetricsLevel", Some("detailed")),
    ("MetricsNamespace", Some("KinesisProducerLibrary")),
    ("ProxyHost", None),
    ("ProxyPassword", None),
    ("ProxyUserName", None),
    ("Region", None),
    ("AdditionalMetricDims", None),
    ("RecordDistributionStrategyDefault", Some("UNSET")),
    // Ours.
    ("AdaptiveRate", Some("true")),
    ("Compression", Some("none")),
    ("DedupIds", Some("false")),
    ("FailIfRefused", Some("false")),
    ("FirehoseEndpoint", None),
    ("ProducerId", None),
    ("Seed", None),
    ("StrictOrder", Some("false")),
];

type Change = fn(&mut Config);

fn read(property: &str, value: impl fmt::Display) -> Result<Config, ConfigError> {
    Config::from_properties(&format!("{property} = {value}")).map(|(config, _)| config)
}

#[test]
fn defaults_pass_and_are_the_kpls() {
    let config = Config::default();
    assert_eq!(config.check(), Ok(()));
    let shown = |property: &str| table::of_property(property).expect("an option").shown(&config);
    for (property, default, ..) in RANGES {
        assert_eq!(shown(property), Some(default.to_string()), "{property}");
    }
    for (property, default) in OTHERS {
        assert_eq!(shown(property).as_deref(), *default, "{property}");
    }
    let obeyed = table::options().filter(|option| matches!(option.effect, Effect::Obeyed(_)));
    let tested: BTreeSet<_> =
        RANGES.iter().map(|range| range.0).chain(OTHERS.iter().map(|other| other.0)).collect();
    assert_eq!(obeyed.map(|option| option.property).collect::<BTreeSet<_>>(), tested);
}

#[test]
fn every_range_ends_where_it_should() {
    for &(property, default, least, most) in RANGES {
        let mut lawful = vec![least, default, most.unwrap_or(u64::MAX)];
        // The largest number of the KPL's properties.
        lawful.extend(most.is_none().then_some(i64::MAX as u64));
        for value in lawful {
            let config = read(property, value).unwrap_or_else(|error| panic!("{error}"));
            let shown = table::of_property(property).expect("an option").shown(&config);
            let kept = shown == Some(value.to_string()) || (property == "RateLimit" && value > 0xffff_ffff);
            assert!(kept, "{property} = {value} became {shown:?}");
            assert_eq!(config.check(), Ok(()));
        }
        let mut unlawful = vec![i128::from(least) - 1, -1, i128::MIN, i128::from(u64::MAX) + 1, i128::MAX];
        unlawful.extend(most.map(|most| i128::from(most) + 1));
        for value in unlawful {
            assert!(read(property, value).is_err(), "{property} = {value}");
        }
        for value in ["", "ten", "1.5", "0x10", "1e3", "1_000", "1 000"] {
            assert!(read(property, value).is_err(), "{property} = {value}");
        }
    }
}

#[test]
fn fields_are_checked_as_files_are() {
    let unlawful: &[(&str, Change)] = &[
        ("aggregation_max_count", |config| config.aggregation_max_count = 0),
        ("aggregation_max_size", |config| config.aggregation_max_size = 63),
        ("collection_max_count", |config| config.collection_max_count = 501),
        ("collection_max_size", |config| config.collection_max_size = 0),
        ("rate_limit", |config| config.rate_limit = 0),
        ("max_user_record_size", |config| config.max_user_record_size = 63),
        ("max_connections", |config| config.max_connections = 257),
        ("record_ttl", |config| config.record_ttl = Some(Duration::from_micros(99_999))),
        ("max_outstanding_bytes", |config| config.max_outstanding_bytes = (1 << 20) - 1),
        ("max_outstanding_records", |config| config.max_outstanding_records = 0),
        ("metrics_upload_delay", |config| config.metrics_upload_delay = Duration::from_micros(60_000_001)),
        ("metrics_namespace", |config| config.metrics_namespace = "AWS/Kinesis".into()),
        ("producer_id", |config| config.producer_id = Some(String::new())),
        ("region", |config| config.connection.region = Some("Ireland".into())),
        ("kinesis_endpoint", |config| config.connection.kinesis_endpoint = Some("host:1".into())),
        ("kinesis_port", |config| config.connection.kinesis_port = 0),
        ("connect_timeout", |config| config.connection.connect_timeout = Duration::from_secs(301)),
        ("additional_metric_dims", |config| {
            let dimension = AdditionalMetricDimension::new("ShardId", "x", MetricsGranularity::Shard);
            config.additional_metric_dims.push(dimension);
        }),
    ];
    let mut all = Config::default();
    for (name, spoil) in unlawful {
        let mut config = Config::default();
        spoil(&mut config);
        spoil(&mut all);
        let problems = config.check().expect_err(name).problems;
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with(name), "{problems:?}");
    }
    assert_eq!(all.check().expect_err("all at once").problems.len(), unlawful.len());
}

#[test]
fn no_time_and_no_bound_is_lawful_without_end() {
    let mut config = Config {
        record_ttl: None,
        record_max_buffered_time: Duration::MAX,
        aggregation_max_count: usize::MAX,
        max_outstanding_bytes: usize::MAX,
        ..Config::default()
    };
    assert_eq!(config.check(), Ok(()));
    config.record_ttl = Some(Duration::MAX);
    assert_eq!(config.check(), Ok(()));
}

#[test]
fn names_are_unique_and_the_same_in_both_spellings() {
    let mut seen = BTreeSet::new();
    for option in table::options() {
        assert!(seen.insert(option.name) && seen.insert(option.property), "{}", option.name);
        assert!(!option.doc.is_empty() && !option.doc.contains('|'), "{}", option.name);
        if option.name != "thread_config" {
            let property = option.name.replace('_', "").to_lowercase();
            assert_eq!(property, option.property.to_lowercase());
        }
    }
}

#[test]
fn each_row_reads_and_writes_a_field_of_its_own() {
    for option in table::options() {
        let Effect::Obeyed(shape) = &option.effect else { continue };
        let value = match shape {
            Shape::Boolean(access) => (!(access.get)(&Config::default())).to_string(),
            Shape::Integer { .. } | Shape::OptionalInteger(_) => "500".to_owned(),
            Shape::Time { .. } | Shape::OptionalTime { .. } => "1234".to_owned(),
            Shape::Choice { names, .. } => names()[1].to_owned(),
            Shape::Dimensions(_) => continue,
            Shape::Text { .. } | Shape::OptionalText { .. } => "eu-west-1".to_owned(),
        };
        let value = match option.name {
            "collection_max_count" | "max_connections" => "7".to_owned(),
            "max_outstanding_bytes" => "7000000".to_owned(),
            _ => value,
        };
        let config = read(option.property, &value).expect(option.name);
        let shown = if option.name == "proxy_password" { "***".to_owned() } else { value };
        let changed: Vec<_> = table::options()
            .filter(|other| other.shown(&config) != other.shown(&Config::default()))
            .map(|other| (other.name, other.shown(&config)))
            .collect();
        assert_eq!(changed, [(option.name, Some(shown))]);
    }
}

#[test]
fn a_password_is_not_shown() {
    let config = read("ProxyPassword", "hunter2").expect("lawful");
    assert_eq!(config.connection.proxy_password.as_ref().map(secret::Secret::reveal), Some("hunter2"));
    assert!(!format!("{config:?}").contains("hunter2"));
    let option = table::of_property("ProxyPassword").expect("an option");
    let problem = option.apply(&mut Config::default(), value::Value::Integer(1234)).expect_err("no text");
    assert!(!problem.contains("1234"), "{problem}");
}

/// `KPL_WRITE_CONFIGURATION=1 cargo test -p kpl --lib configuration_md` writes it anew.
#[test]
#[expect(clippy::disallowed_methods, reason = "writes the documentation when asked to")]
fn configuration_md_is_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/CONFIGURATION.md");
    if std::env::var_os("KPL_WRITE_CONFIGURATION").is_some() {
        std::fs::write(path, markdown::document()).expect("written");
    }
    assert!(
        std::fs::read_to_string(path).expect("readable") == markdown::document(),
        "CONFIGURATION.md is not what the table says: run this test with KPL_WRITE_CONFIGURATION=1"
    );
}

#[test]
fn what_belongs_to_the_producer_is_the_producers() {
    let text = table::options()
        .filter_map(|option| match &option.effect {
            Effect::Obeyed(Shape::Integer { .. }) if option.name.ends_with("_port") => Some((option, "7")),
            Effect::Obeyed(Shape::Integer { .. }) if option.name.starts_with("max_outstanding_bytes") => {
                Some((option, "7000000"))
            }
            Effect::Obeyed(Shape::Integer { .. }) => Some((option, "200")),
            Effect::Obeyed(Shape::OptionalInteger(_)) => Some((option, "200")),
            Effect::Obeyed(Shape::Time { .. } | Shape::OptionalTime { .. }) => Some((option, "200")),
            Effect::Obeyed(Shape::Text { .. } | Shape::OptionalText { .. }) => Some((option, "eu-west-1")),
            _ => None,
        })
        .map(|(option, value)| format!("{} = {value}\n", option.property))
        .collect::<String>();
    let (config, _) = Config::from_properties(&text).expect("lawful");
    let of_stream = config.of_stream(&Config::default());
    for option in table::options() {
        let is_producers = option.shown(&of_stream) == option.shown(&Config::default());
        let expected = option.name.starts_with("metrics_")
            || option.name.starts_with("max_outstanding_")
            || option.name.starts_with("proxy_")
            || option.name.contains("endpoint")
            || option.name.contains("_port")
            || ["producer_id", "region", "connect_timeout", "request_timeout"].contains(&option.name);
        let was_changed = text.contains(&format!("{} =", option.property));
        assert!(!was_changed || is_producers == expected, "{}", option.name);
    }
}
