//! The table of all options: every name, its type, range, meaning and place; or why it does nothing here.
//!
//! Invariant: this is the only place that knows names and ranges. Parsing, checking and the documentation are driven
//! by it; "unknown" means "not in here". Defaults are those of `Config::default`.

use std::time::Duration;

use crate::config::choices::{
    Choice, Compression, MetricsGranularity, MetricsLevel, RecordDistributionStrategyDefault,
};
use crate::config::lawful;
use crate::config::option::{Access, ConfigOption, Effect, Origin, Shape, Visible};
use crate::config::secret::Secret;
use crate::limits;
use without_effect::WITHOUT_EFFECT;

mod without_effect;

/// All options, in the order in which the documentation lists them.
pub(super) fn options() -> impl Iterator<Item = &'static ConfigOption> {
    OBEYED.iter().chain(WITHOUT_EFFECT)
}

/// The row of the option that has the name `name` in serde's formats.
#[cfg(feature = "serde")]
pub(super) fn named(name: &str) -> Option<&'static ConfigOption> {
    options().find(|option| option.name == name)
}

/// The row of the option that has the name `property` in a `.properties` file.
pub(super) fn of_property(property: &str) -> Option<&'static ConfigOption> {
    options().find(|option| option.property == property)
}

/// How a field is read and written.
macro_rules! field {
    ($($field:ident).+) => {
        Access { get: |config| config.$($field).+.clone(), set: |config, value| config.$($field).+ = value }
    };
}

macro_rules! boolean {
    ($($field:ident).+) => {
        Shape::Boolean(field!($($field).+))
    };
}

macro_rules! integer {
    ($($field:ident).+ : $number:ty, $range:expr) => {
        Shape::Integer {
            range: $range,
            access: Access {
                get: |config| config.$($field).+ as u64,
                // Where the range goes beyond the number, its largest value is as good as any larger one.
                set: |config, value| {
                    config.$($field).+ = <$number>::try_from(value).unwrap_or(<$number>::MAX);
                },
            },
        }
    };
}

macro_rules! time {
    ($($field:ident).+, $least:expr, $most:expr) => {
        Shape::Time {
            range: Duration::from_millis($least)..=$most,
            access: field!($($field).+),
        }
    };
}

macro_rules! choice {
    ($($field:ident).+ : $choice:ty) => {
        Shape::Choice {
            names: || <$choice>::NAMES.iter().map(|(name, _)| *name).collect(),
            get: |config| config.$($field).+.name(),
            set: |config, name| {
                if let Some(value) = <$choice>::named(name) {
                    config.$($field).+ = value;
                }
            },
        }
    };
}

macro_rules! optional_text {
    ($($field:ident).+, $rule:expr) => {
        Shape::OptionalText { lawful: $rule, access: field!($($field).+), visible: Visible::Yes }
    };
}

const fn kpl(name: &'static str, property: &'static str, shape: Shape, doc: &'static str) -> ConfigOption {
    ConfigOption { name, property, origin: Origin::Kpl, effect: Effect::Obeyed(shape), doc }
}

const fn ours(name: &'static str, property: &'static str, shape: Shape, doc: &'static str) -> ConfigOption {
    ConfigOption { name, property, origin: Origin::Ours, effect: Effect::Obeyed(shape), doc }
}

const ANY_NUMBER_FROM_1: std::ops::RangeInclusive<u64> = 1..=u64::MAX;
const PORT: std::ops::RangeInclusive<u64> = 1..=65_535;
const RAISED: u64 = limits::KINESIS_RECORD_BYTES_RAISED as u64;

/// What is obeyed, in the order in which the documentation lists it.
static OBEYED: &[ConfigOption] = &[
    // --- packing ---
    kpl(
        "aggregation_enabled",
        "AggregationEnabled",
        boolean!(aggregation_enabled),
        "Pack user records into aggregated records.",
    ),
    kpl(
        "aggregation_max_count",
        "AggregationMaxCount",
        integer!(aggregation_max_count: usize, ANY_NUMBER_FROM_1),
        "User records in one aggregated record.",
    ),
    kpl(
        "aggregation_max_size",
        "AggregationMaxSize",
        integer!(aggregation_max_size: usize, 64..=RAISED),
        "Bytes of one aggregated record.",
    ),
    kpl(
        "collection_max_count",
        "CollectionMaxCount",
        integer!(collection_max_count: usize, 1..=limits::ENTRIES_PER_REQUEST as u64),
        "Entries in one PutRecords call.",
    ),
    kpl(
        "collection_max_size",
        "CollectionMaxSize",
        integer!(collection_max_size: usize, 1..=RAISED),
        "Bytes of one PutRecords call, keys included. The KPL takes 52224 and more, also more than the service does.",
    ),
    kpl(
        "max_user_record_size",
        "MaxUserRecordSize",
        integer!(max_user_record_size: usize, 64..=RAISED),
        "Bytes of one user record: the stream's limit. Here the partition key's bytes count too.",
    ),
    ours(
        "compression",
        "Compression",
        choice!(compression: Compression),
        "How each Kinesis record is compressed; only consumers that undo it can read it.",
    ),
    // --- time ---
    kpl(
        "record_max_buffered_time",
        "RecordMaxBufferedTime",
        time!(record_max_buffered_time, 0, Duration::MAX),
        "How long a record may wait for others; half of record_ttl at most counts.",
    ),
    kpl(
        "record_ttl",
        "RecordTtl",
        Shape::OptionalTime { least: Duration::from_millis(100), access: field!(record_ttl) },
        "How long a record is worth sending; none is for ever.",
    ),
    // --- pace and order ---
    kpl(
        "rate_limit",
        "RateLimit",
        integer!(rate_limit: u32, ANY_NUMBER_FROM_1),
        "Percent of a shard's limits that this producer may use.",
    ),
    ours(
        "adaptive_rate",
        "AdaptiveRate",
        boolean!(adaptive_rate),
        "Give a shard that throttles less for a while.",
    ),
    kpl(
        "fail_if_throttled",
        "FailIfThrottled",
        boolean!(fail_if_throttled),
        "Give a record up when it is throttled instead of sending it again.",
    ),
    ours(
        "fail_if_refused",
        "FailIfRefused",
        boolean!(fail_if_refused),
        "Give a record up when the service refuses its call for something that can heal (permissions, signature, stream, KMS) instead of sending it again.",
    ),
    kpl(
        "max_connections",
        "MaxConnections",
        integer!(max_connections: usize, 1..=256),
        "PutRecords calls in flight at once, for each stream (in the KPL: for all).",
    ),
    ours(
        "strict_order",
        "StrictOrder",
        boolean!(strict_order),
        "Keep the order of records of one partition key.",
    ),
    kpl(
        "describe_stream_summary_interval_ms",
        "DescribeStreamSummaryIntervalMs",
        time!(describe_stream_summary_interval, 1, Duration::MAX),
        "Time between two questions for a stream's record distribution strategy (field describe_stream_summary_interval).",
    ),
    kpl(
        "record_distribution_strategy_default",
        "RecordDistributionStrategyDefault",
        choice!(record_distribution_strategy_default: RecordDistributionStrategyDefault),
        "How a stream is taken to place its records until the service has said so.",
    ),
    ours(
        "dedup_ids",
        "DedupIds",
        boolean!(dedup_ids),
        "Give each record an id by which consumers drop repeats.",
    ),
    ours(
        "producer_id",
        "ProducerId",
        optional_text!(producer_id, lawful::PRODUCER_ID),
        "Names this producer in those ids; a part that differs at every start is added.",
    ),
    ours(
        "seed",
        "Seed",
        Shape::OptionalInteger(field!(seed)),
        "Seed of the retries' jitter; none takes one from the operating system.",
    ),
    // --- bounds ---
    ours(
        "max_outstanding_bytes",
        "MaxOutstandingBytes",
        integer!(max_outstanding_bytes: usize, 1_048_576..=u64::MAX),
        "Bytes of user records that the producer holds at once; at this bound `send` waits. Each stream and shard has a part.",
    ),
    ours(
        "max_outstanding_records",
        "MaxOutstandingRecords",
        integer!(max_outstanding_records: usize, 1..=u32::MAX as u64),
        "User records that the producer holds at once; at this bound `send` waits. Each stream and shard has a part.",
    ),
    // --- metrics ---
    kpl("metrics_level", "MetricsLevel", choice!(metrics_level: MetricsLevel), "Which metrics are uploaded."),
    kpl(
        "metrics_granularity",
        "MetricsGranularity",
        choice!(metrics_granularity: MetricsGranularity),
        "The finest dimension of uploaded metrics.",
    ),
    kpl(
        "metrics_namespace",
        "MetricsNamespace",
        Shape::Text { lawful: lawful::NAMESPACE, access: field!(metrics_namespace) },
        "CloudWatch's namespace for them.",
    ),
    kpl(
        "metrics_upload_delay",
        "MetricsUploadDelay",
        time!(metrics_upload_delay, 1, Duration::from_secs(60)),
        "Time between two uploads.",
    ),
    kpl(
        "additional_metric_dims",
        "AdditionalMetricDims",
        Shape::Dimensions(field!(additional_metric_dims)),
        "Dimensions that every uploaded metric of a granularity also carries. Not in a `.properties` file, as in the KPL.",
    ),
    // --- connection ---
    kpl(
        "region",
        "Region",
        optional_text!(connection.region, lawful::REGION),
        "The region; none takes it from where every AWS tool does.",
    ),
    kpl(
        "kinesis_endpoint",
        "KinesisEndpoint",
        optional_text!(connection.kinesis_endpoint, lawful::ENDPOINT),
        "Where Kinesis Data Streams is; none is the region's public endpoint.",
    ),
    kpl(
        "kinesis_port",
        "KinesisPort",
        integer!(connection.kinesis_port: u16, PORT),
        "Port of kinesis_endpoint where that is a host name.",
    ),
    ours(
        "firehose_endpoint",
        "FirehoseEndpoint",
        optional_text!(connection.firehose_endpoint, lawful::ENDPOINT),
        "Where Firehose is; none is the region's public endpoint.",
    ),
    ours(
        "firehose_port",
        "FirehosePort",
        integer!(connection.firehose_port: u16, PORT),
        "Port of firehose_endpoint where that is a host name.",
    ),
    kpl(
        "cloudwatch_endpoint",
        "CloudwatchEndpoint",
        optional_text!(connection.cloudwatch_endpoint, lawful::ENDPOINT),
        "Where CloudWatch is; none is the region's public endpoint.",
    ),
    kpl(
        "cloudwatch_port",
        "CloudwatchPort",
        integer!(connection.cloudwatch_port: u16, PORT),
        "Port of cloudwatch_endpoint where that is a host name.",
    ),
    kpl(
        "connect_timeout",
        "ConnectTimeout",
        time!(connection.connect_timeout, 100, Duration::from_secs(300)),
        "Time to establish a connection, TLS included.",
    ),
    kpl(
        "request_timeout",
        "RequestTimeout",
        time!(connection.request_timeout, 100, Duration::from_secs(600)),
        "Time for the service to answer a call, besides the time that its bytes need on the line, which is measured; \
         a listing of shards that had no answer has twice as long the next time, up to eight times.",
    ),
    kpl(
        "proxy_host",
        "ProxyHost",
        optional_text!(connection.proxy_host, lawful::ENDPOINT),
        "The proxy for calls to the services; none leaves it to the environment (`HTTPS_PROXY` and so on).",
    ),
    kpl(
        "proxy_port",
        "ProxyPort",
        integer!(connection.proxy_port: u16, PORT),
        "Port of proxy_host where that is a host name.",
    ),
    kpl(
        "proxy_user_name",
        "ProxyUserName",
        optional_text!(connection.proxy_user_name, lawful::ANY),
        "User for the proxy.",
    ),
    kpl(
        "proxy_password",
        "ProxyPassword",
        Shape::OptionalText {
            lawful: lawful::ANY,
            access: Access {
                get: |config| {
                    config.connection.proxy_password.as_ref().map(|secret| secret.reveal().to_owned())
                },
                set: |config, text| config.connection.proxy_password = text.map(Secret::from),
            },
            visible: Visible::No,
        },
        "Password for the proxy.",
    ),
];
