//! How a producer behaves: the KPL's options under their own names, with their defaults.
//!
//! The options stand in one table, `table`, by which they are parsed, checked and documented.
//!
//! Invariant: a [`Config`] that passed [`Config::check`] holds no value that a stage would have to refuse.

use std::fmt;
use std::time::Duration;

use crate::limits;

pub(crate) mod choices;
pub(crate) mod connection;
#[cfg(feature = "serde")]
mod deserialize;
mod dimensions;
mod idle;
mod lawful;
#[cfg(test)]
mod markdown;
mod option;
pub(crate) mod properties;
pub(crate) mod secret;
mod suggest;
mod table;
#[cfg(test)]
mod tests;
mod value;

use choices::{
    AdditionalMetricDimension, Compression, MetricsGranularity, MetricsLevel,
    RecordDistributionStrategyDefault,
};
use connection::ConnectionConfig;

/// The options of a producer. Start from [`Config::default`] and change fields, or read them with
/// [`Config::from_properties`] or (cargo feature `serde`) from any format that serde knows.
///
/// All problems of a configuration are reported at once, when it is read and when the producer is started.
///
#[doc = include_str!("../CONFIGURATION.md")]
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// Pack user records into aggregated records. Consumers must then take them apart (the KCL does). Default true.
    pub aggregation_enabled: bool,
    /// User records in one aggregated record. 1 or more, default 4294967295.
    pub aggregation_max_count: usize,
    /// Bytes of one aggregated record; a larger user record is sent alone. 64 to 10485760, default 51200. Never more
    /// than fits under `max_user_record_size`.
    pub aggregation_max_size: usize,
    /// Entries in one PutRecords call. 1 to 500, default 500.
    pub collection_max_count: usize,
    /// Bytes of one PutRecords call, keys included. 1 to 10485760, default 5242880 (for delivery streams at most
    /// 4194304, which also is their default).
    pub collection_max_size: usize,
    /// How long a record may wait for others, from `send` to the start of the call. Default 100 ms. Half of
    /// `record_ttl` at most counts, or a record could expire waiting for company.
    ///
    /// What waits for something else leaves later: for its shard's pace, after a failure, or for one of
    /// `max_connections`.
    pub record_max_buffered_time: Duration,
    /// How long a record is worth sending; `None` is for ever. At least 100 ms, default 30 s.
    ///
    /// A call in flight is never cut short by it: such a record gets its outcome with the call's answer.
    pub record_ttl: Option<Duration>,
    /// Give a record up when it is throttled instead of sending it again. Default false.
    pub fail_if_throttled: bool,
    /// Give a record up at the first answer that says that the service refuses the call: a missing permission or stream, a
    /// wrong signature, credentials that expired, a key of KMS in the wrong state. By default such calls are made again
    /// with growing pauses until `record_ttl` is over, as the KPL does, because they can heal. Default false.
    ///
    /// What is wrong with a record itself is given up at once either way.
    pub fail_if_refused: bool,
    /// Percent of a shard's limits (1,000 records and 1 MiB a second) that this producer may use. 1 or more, default
    /// 150: over the limit, because several producers seldom burst together and the service answers the rest.
    pub rate_limit: u32,
    /// Give a shard that throttles less for a while. A shard's pace begins with 90 % of its limits, or with 60 % of
    /// `rate_limit` if that is more, and grows by 5 % of the limits a second up to `rate_limit`. When the shard throttles,
    /// its pace falls to 90 % of the limits if it was above them, and else, at most once a second, to 70 % of what it was.
    /// From then on it grows by 0.5 % a second beyond 90 %. Other producers may write to the shard, too, and all of them
    /// have to fit. And a burst after a pause counts for the second that begins with it, as the service counts. Without
    /// this option the pace is `rate_limit` all the time. Default true.
    pub adaptive_rate: bool,
    /// Keep the order of the records of one partition key (of one hash key, where records carry explicit ones), through
    /// throttling, partial failures, retries and resharding: a reader that finishes a shard before its children sees
    /// them in the order of `send`; a record whose answer was lost may come again. Default false: calls run side by
    /// side, and what failed is sent again later.
    ///
    /// It costs throughput for each shard, not CPU: a record waits while another one that shares a hash key with it is
    /// in flight. Of aggregates that is one for each shard and round trip, so `aggregation_max_size` over the round
    /// trip time bounds a shard's rate (51,200 bytes and 20 ms: 2.5 MB a second, more than a shard takes). Without
    /// aggregation it is one record for each key and round trip. While the shards are listed anew after a record was
    /// misplaced, the stream stands still. Streams under AUTO and delivery streams have no order to keep.
    pub strict_order: bool,
    /// How often the service is asked anew for a stream's record distribution strategy, while records are sent. 1 ms or
    /// more, default 5 minutes, as in the KPL. The question goes with the listing of the shards (ListShards and
    /// DescribeStreamSummary together), which is at least a second and at most 15 minutes apart, whatever this says;
    /// each interval is drawn anew from three quarters of it to five quarters.
    pub describe_stream_summary_interval: Duration,
    /// How a stream is taken to place its records until the service has said so. Default
    /// [`RecordDistributionStrategyDefault::Unset`].
    pub record_distribution_strategy_default: RecordDistributionStrategyDefault,
    /// How the data of each Kinesis record is compressed, after aggregation. Only consumers that undo it can read the
    /// stream then ([`aggregation_format::decode_in_shard`](crate::aggregation_format::decode_in_shard) does); the KCL does not. See
    /// [`crate::compression`]. Not for delivery streams. Default [`Compression::None`].
    pub compression: Compression,
    /// Give each record an id by which consumers drop repeats ([`crate::dedup`]); a record that brings one of its own
    /// keeps it. About 32 bytes for each record. Records of streams under AUTO, of delivery streams, and those that
    /// leave because no shards could be listed for 15 seconds, or half of `record_ttl`, carry none. Default false.
    pub dedup_ids: bool,
    /// Names this producer in those ids: 1 to 64 of `A`-`Z`, `a`-`z`, `0`-`9`, `_` and `-`, unlike every other
    /// producer's. A part that differs at every start is added, or a producer that starts again would use its numbers
    /// again. Default `None`: the added part alone.
    pub producer_id: Option<String>,
    /// Bytes of data and partition key of one user record: the stream's limit. 64 to 10485760, default 1048576 (for
    /// delivery streams at most 1024000, which also is their default).
    ///
    /// The KPL's option of this name counts the data alone; here the key's bytes count too, because the service
    /// counts them.
    pub max_user_record_size: usize,
    /// PutRecords calls in flight at once, for each stream. 1 to 256, default 24.
    pub max_connections: usize,
    /// Bytes of user records that the producer holds at once; at this bound `send` waits. 1048576 or more, default
    /// 67108864.
    ///
    /// Half of it is divided evenly among the producer's streams, and each stream's part among its shards: of
    /// `max_outstanding_bytes / 2 / streams / shards` each shard is sure, whatever the others hold. The other half is
    /// common, first come first served. Streams count that hold records, or held some since the last stream was first
    /// used; shards count that had records since the last listing (records without a predicted shard count as one more).
    /// So one stream with one shard has all of it.
    ///
    /// A stream or shard that comes when the others hold everything gets room beyond the bound, at most half of what is
    /// left of an eighth of it. And one record always passes for a stream that holds nothing, be it larger than its part.
    pub max_outstanding_bytes: usize,
    /// User records that the producer holds at once; at this bound `send` waits. 1 to 4294967295, default 1000000.
    /// Divided among streams and shards as [`Config::max_outstanding_bytes`] is, into parts of one record at least.
    pub max_outstanding_records: usize,
    /// Seed of the generator behind the retries' jitter; `None`, the default, takes one from the operating system.
    pub seed: Option<u64>,
    /// Which metrics are uploaded. Default [`MetricsLevel::Detailed`].
    pub metrics_level: MetricsLevel,
    /// The finest dimension of uploaded metrics. Default [`MetricsGranularity::Shard`].
    pub metrics_granularity: MetricsGranularity,
    /// CloudWatch's namespace for them: 1 to 255 characters, not beginning with `AWS/`. Default
    /// `KinesisProducerLibrary`.
    pub metrics_namespace: String,
    /// Time between two uploads. 1 ms to 60 s, default 60 s.
    pub metrics_upload_delay: Duration,
    /// Dimensions that every uploaded metric of a granularity also carries, at most 27. Default none.
    pub additional_metric_dims: Vec<AdditionalMetricDimension>,
    /// Where the services are and how they are reached.
    pub connection: ConnectionConfig,
}

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// One line for each problem.
    pub problems: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the producer's configuration is not valid: {}", self.problems.join("; "))
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            aggregation_enabled: true,
            aggregation_max_count: u32::MAX as usize,
            aggregation_max_size: 51_200,
            collection_max_count: limits::ENTRIES_PER_REQUEST,
            collection_max_size: limits::PUT_RECORDS_BYTES,
            record_max_buffered_time: Duration::from_millis(100),
            record_ttl: Some(Duration::from_secs(30)),
            fail_if_throttled: false,
            fail_if_refused: false,
            rate_limit: 150,
            adaptive_rate: true,
            strict_order: false,
            describe_stream_summary_interval: Duration::from_secs(5 * 60),
            record_distribution_strategy_default: RecordDistributionStrategyDefault::Unset,
            compression: Compression::None,
            dedup_ids: false,
            producer_id: None,
            max_user_record_size: limits::KINESIS_RECORD_BYTES,
            max_connections: 24,
            max_outstanding_bytes: 64 << 20,
            max_outstanding_records: 1_000_000,
            seed: None,
            metrics_level: MetricsLevel::Detailed,
            metrics_granularity: MetricsGranularity::Shard,
            metrics_namespace: "KinesisProducerLibrary".to_owned(),
            metrics_upload_delay: Duration::from_secs(60),
            additional_metric_dims: Vec::new(),
            connection: ConnectionConfig::default(),
        }
    }
}

impl Config {
    /// Looks at every option.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with all problems.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::unless_empty(self.problems().collect())
    }

    /// All problems, one line each.
    pub(crate) fn problems(&self) -> impl Iterator<Item = String> {
        table::options().filter_map(|option| {
            let problem = option.check(self).err()?;
            Some(format!("{} {problem}", option.name))
        })
    }

    /// This configuration of one stream, with what belongs to the whole producer taken from the producer's own.
    pub(crate) fn of_stream(self, producer: &Self) -> Self {
        let producer = producer.clone();
        Self {
            producer_id: producer.producer_id,
            max_outstanding_bytes: producer.max_outstanding_bytes,
            max_outstanding_records: producer.max_outstanding_records,
            metrics_level: producer.metrics_level,
            metrics_granularity: producer.metrics_granularity,
            metrics_namespace: producer.metrics_namespace,
            metrics_upload_delay: producer.metrics_upload_delay,
            additional_metric_dims: producer.additional_metric_dims,
            connection: producer.connection,
            ..self
        }
    }

    /// What counts of `record_max_buffered_time`.
    pub(crate) fn buffered_time(&self) -> Duration {
        self.record_ttl
            .map_or(self.record_max_buffered_time, |ttl| self.record_max_buffered_time.min(ttl / 2))
    }

    /// Time that the collector gets out of `record_max_buffered_time`, to gather aggregates of many shards into one
    /// call: a fifth of it, at most 50 ms.
    pub(crate) fn collection_time(&self) -> Duration {
        if !self.aggregation_enabled {
            return self.buffered_time();
        }
        (self.buffered_time() / 5).min(Duration::from_millis(50))
    }
}

impl ConfigError {
    pub(crate) fn unless_empty(problems: Vec<String>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self { problems }) }
    }
}
