//! Puts records into Amazon Kinesis as the Kinesis Producer Library does, inside your process.
//!
//! Kinesis takes at most 1,000 records a second for each shard, and a call for every small record is slow and dear.
//! This crate packs many *user records* into one *Kinesis record* (the KPL's aggregated format, which the KCL and
//! other consumers take apart again), packs Kinesis records into PutRecords calls, keeps to each shard's pace, sends
//! again what was throttled or failed, and gives every record exactly one outcome.
//!
//! Three types carry it: a [`Producer`] takes [`UserRecord`]s and hands out [`Delivery`] futures. A delivery resolves
//! to a [`UserRecordResult`] (shard id, sequence number, attempts) or to a [`UserRecordFailed`] (reason, attempts,
//! the record itself, and whether it may have been written all the same).
//!
//! There is no child process and no thread of the crate's own: a producer lives on the tokio runtime in which it was
//! started, one task for each stream. Records may come from any thread.
//!
//! # A complete program
//!
//! With [`AwsTransport`] it would talk to AWS; here a transport of a few lines stands in for the service.
//!
//! ```
//! use kpl::{Answer, EntryPlaced, HashKey, Producer, PutRecordsRequest, PutRecordsResponse};
//! use kpl::{ShardDescription, ShardListing, StreamName, Transport, UserRecord};
//!
//! /// A stream with one shard that stores everything.
//! struct OneShard;
//!
//! impl Transport for OneShard {
//!     fn put_records(&self, request: PutRecordsRequest) -> Answer<PutRecordsResponse> {
//!         let placed = EntryPlaced { shard_id: "shardId-000000000000".into(), sequence_number: "1".into() };
//!         let entries = request.entries.iter().map(|_| Ok(placed.clone())).collect();
//!         Box::pin(async move { Ok(PutRecordsResponse { entries }) })
//!     }
//!     fn list_shards(&self, _stream: StreamName) -> Answer<ShardListing> {
//!         let shard = ShardDescription {
//!             shard_id: "shardId-000000000000".into(),
//!             starting_hash_key: HashKey(0),
//!             ending_hash_key: HashKey::MAX,
//!         };
//!         Box::pin(async move { Ok(ShardListing::from(vec![shard])) })
//!     }
//! }
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! // With AWS: Producer::builder(kpl::AwsTransport::from_environment().await)
//! let producer = Producer::builder(OneShard).start()?;
//! let stream = StreamName::new("orders")?;
//!
//! let mut deliveries = Vec::new();
//! for number in 0..1000 {
//!     let record = UserRecord::new(stream.clone(), format!("customer-{}", number % 7), format!("order {number}"));
//!     deliveries.push(producer.send(record).await?); // waits only for room
//! }
//! producer.flush().await; // or let them leave within Config::record_max_buffered_time
//!
//! for delivery in deliveries {
//!     match delivery.await {
//!         Ok(stored) => assert_eq!(stored.shard_id().as_str(), "shardId-000000000000"),
//!         Err(failed) => eprintln!("{failed}; kept for later: {:?}", failed.record()),
//!     }
//! }
//! producer.close().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Sending
//!
//! | call | without room | the outcome goes to |
//! |---|---|---|
//! | [`Producer::send`] | waits, first come first served for each shard | a [`Delivery`] |
//! | [`Producer::try_send`] | hands the record back: [`SendError::Full`] | a [`Delivery`] |
//! | [`StreamProducer::try_send_tagged`] | says [`SendError::Full`] | the [`OutcomeSink`], by a number of yours |
//! | [`StreamProducer::batch`], many at a time | says [`SendError::Full`] | the same |
//!
//! Everything is bounded: room is [`Config::max_outstanding_bytes`] and [`Config::max_outstanding_records`], and a record
//! gives its room back with its outcome. What is stuck stops only itself: half of the room is divided evenly among the
//! streams, and a stream's part among its shards with traffic, so a stream that is refused, hangs or is throttled, or
//! one hot shard, can take the common half and its own part, and leaves all others theirs. Callers that wait for a shard's
//! room do not hold up callers for another one. [`StreamSnapshot`] shows what each stream holds, and its fullest shard.
//! That holds with [`Config::record_ttl`] `None`, too.
//!
//! [`StreamProducer`] is the form for the hot path: the stream is looked up once
//! and records are borrowed ([`RecordRef`]).
//!
//! A record leaves when its aggregate is full, or [`Config::record_max_buffered_time`] after it came; [`Producer::flush`]
//! sends at once what there is. A [`Delivery`] that is dropped takes nothing back.
//!
//! # The end
//!
//! [`Producer::close`] refuses new records, sends what there is and returns after the last outcome (and the last metrics);
//! [`Producer::close_within`] gives up after a grace what has no outcome by then. When the last clone of a producer is
//! dropped it drains in the background, for as long as the runtime lives. Whatever happens, the runtime's end included,
//! every delivery resolves. So end a program with `close().await`.
//!
//! Every future here may be dropped before it is done, in a `select!` or under a time limit; what that means is said under
//! *Cancel safety* in its documentation. In short: a `send` that is dropped has not sent, and of everything else only the
//! waiting stops.
//!
//! # Options
//!
//! They are the KPL's, under its names and with its defaults, and some more: see [`Config`] for the table. They come from
//! code, from a KPL `.properties` file ([`Config::from_properties`], which reports what has no effect here), or with the
//! cargo feature `serde` from any format of serde's. All problems are reported at once. [`ProducerBuilder::stream_config`]
//! gives a stream options of its own.
//!
//! `AwsTransport::from_config` obeys the options of the connection ([`ConnectionConfig`]: region, endpoints, time limits,
//! proxy); credentials are found as every AWS tool finds them. With the cargo feature `cbor` calls can be made in CBOR,
//! which saves base64.
//!
//! # Streams
//!
//! A [`StreamName`] is a name, or an ARN ([`StreamName::from_arn`]) for a stream of another account. Any number of
//! streams share a producer. Resharding needs nothing from you: the old shard map serves until the new one is there.
//!
//! A stream on demand whose [`RecordDistributionStrategy`] is `Auto` places records as it likes. No shard can be predicted
//! there, so its records go one by one, without aggregation. The producer asks for the strategy by itself, if it has the
//! permission `kinesis:DescribeStreamSummary`, and again every [`Config::describe_stream_summary_interval`];
//! [`Config::record_distribution_strategy_default`] says what to assume until there is an answer. Records for such a
//! stream need no partition key: [`UserRecord::without_partition_key`].
//!
//! Firehose delivery streams are served by `FirehoseTransport` (cargo feature `firehose`) and
//! [`ProducerBuilder::delivery_streams`]: the same retries, outcomes and bounds, without shards, keys or aggregation.
//!
//! # What is promised
//!
//! * **At least once**: a record is sent again until it is stored, refused for good, or expired ([`Config::record_ttl`]).
//!   A failed one comes back, with the truth about whether it may be in the stream all the same.
//! * **No order, unless asked for**: calls run side by side, and what failed is sent again later. With
//!   [`Config::strict_order`] the records of one partition key (or explicit hash key) that one producer accepted one after
//!   the other are stored in that order, through throttling, lost answers and resharding: a younger one leaves only when
//!   the older one has its outcome. A record that fails leaves a gap; those behind it are sent. It costs throughput for
//!   keys with much traffic, and means nothing for streams on `Auto`, whose shards no key decides, and for delivery
//!   streams.
//! * **Duplicates can be told**: a record is in the stream twice when the answer to its first call was lost. With
//!   [`Config::dedup_ids`], or [`UserRecord::with_dedup_id`], both carry the same id, and a consumer's
//!   [`DedupWindow`](dedup::DedupWindow) drops the second.
//! * **Stored means readable**: an aggregate counts only in a shard that holds all its members' hash keys; elsewhere the
//!   KCL would drop it silently, so its members are sent again. Readers must follow the same rule: see *Reading* below.
//! * **The KPL's behaviour**: `CONFORMANCE.md` lists the KPL's own test cases, and the test here for each or the reason
//!   why there is none.
//!
//! # Reading
//!
//! Consumers that know the KPL's format need nothing else. In Rust, [`aggregation_format::decode_in_shard`] takes a
//! Kinesis record's data apart, whatever bytes they are. Give it the [`HashKeyRange`] of the shard that the record was
//! read from: as the KCL does, it drops an aggregate that landed in a shard which does not hold all its members, and the
//! producer sends those members again. A reader without that rule sees records twice after a reshard. [`dedup`] has all
//! rules of a reader that sees each record once.
//!
//! [`Config::compression`] makes records smaller; `decode_in_shard` undoes that, and so does every gunzip, but **not the
//! KCL**: see [`compression`].
//!
//! # Watching it
//!
//! **Log.** It speaks through [`tracing`](https://docs.rs/tracing). A producer that is well says nothing above debug
//! level. A call that is refused or fails is a warning with the stream, the endpoint, the code, the service's words, what
//! the producer does about it, and how to mend it: at once, then at most once a minute for each stream, operation and
//! code, with the number since. Its end is a line at info level, and so is a change of the number of shards. At debug level
//! there is a span around each call (PutRecords, PutRecordBatch, ListShards, DescribeStreamSummary, PutMetricData) and an
//! event at its end with entries, bytes, attempt, duration and code, and events for the start, flush and close of a
//! stream. Data and keys of records are never logged, but for the heaviest partition keys of a shard that throttles.
//!
//! **Counters.** [`Producer::snapshot`] shows each stream's state: what is outstanding, how old it is, calls and failed
//! calls by cause, entries and user records by their end, listings, and the newest error.
//!
//! ```
//! # async fn show(producer: kpl::Producer) {
//! for stream in producer.snapshot().streams {
//!     println!("{}: {} of {} calls failed", stream.stream, stream.calls_failed, stream.calls);
//!     if let Some(error) = stream.last_error {
//!         println!("{} failed {:?} ago: {}: {}", error.operation, error.age, error.code, error.message);
//!     }
//! }
//! # }
//! ```
//!
//! **Metrics.** The KPL's metrics go to CloudWatch with [`ProducerBuilder::cloudwatch_metrics`] (cargo feature
//! `cloudwatch`), to the facade of the crate `metrics` with `MetricsFacade` (cargo feature `metrics`), or to a
//! [`MetricsSink`] of your own, for which [`Metric::samples`] says what each event means in the KPL's terms. Without any of
//! the three no event is made.
//!
//! # Cargo features
//!
//! | feature | what |
//! |---|---|
//! | `aws` (default) | `AwsTransport`; without it, a [`Transport`] of your own |
//! | `cbor` | `Wire::Cbor` |
//! | `firehose` | `FirehoseTransport` |
//! | `cloudwatch` | `CloudWatchTransport` |
//! | `metrics` | `MetricsFacade` |
//! | `serde` | `Deserialize` for [`Config`] |
//!
//! # Examples
//!
//! Each says at its top how it is run: against AWS, or against `kinesis-agent sandbox` on this machine.
//!
//! | `examples/` | shows |
//! |---|---|
//! | `quick_start` | a hundred records, and what became of each |
//! | `back_pressure` | `try_send`, what to do without room, and the bound that holds |
//! | `ordered` | order of each key through throttling, read back |
//! | `dedup_consumer` | reading a stream over reshards, taking records apart, dropping what came twice |
//! | `firehose` | lines into a delivery stream |
//! | `metrics` | metrics to CloudWatch, and snapshots |
//! | `load` | how fast it is: a load generator |
//! | `schema_registry` | records with a schema of the Glue Schema Registry (cargo feature `glue`) |
//! | `third_party` | our half of the exchange with other implementations of the format |

// An example's file is tested here, under the name by which it imports this crate.
#[cfg(test)]
extern crate self as kpl;

pub mod aggregation_format;
mod call_failure;
mod call_log;
mod clock;
pub mod compression;
mod config;
mod control_plane;
mod core;
pub mod dedup;
mod dedup_id;
mod delivery;
mod driver;
mod error_class;
#[cfg(feature = "glue")]
pub mod glue;
mod incoming_record;
mod kinesis_record;
pub mod limits;
mod metric;
mod metrics;
mod metrics_upload;
mod outcome;
mod partition_key;
mod permits;
mod producer;
mod put_records;
mod reporter;
mod shared_budget;
mod snapshot;
mod transport;
mod types;
mod user_record;

pub use config::choices::{
    AdditionalMetricDimension, Compression, MetricsGranularity, MetricsLevel,
    RecordDistributionStrategyDefault,
};
pub use config::connection::ConnectionConfig;
pub use config::properties::{IgnoredProperty, PropertiesReport};
pub use config::secret::Secret;
pub use config::{Config, ConfigError};
pub use dedup_id::{DEDUP_ID_BYTES, DedupId, InvalidDedupId, NumberedId};
pub use delivery::{Delivery, OutcomeSink};
pub use error_class::ErrorClass;
pub use metric::datum::{MetricDatum, MetricDimension, PutMetricDataRequest};
pub use metric::name::{MetricName, MetricUnit};
pub use metric::sample::Sample;
pub use metric::statistic_set::StatisticSet;
pub use metric::{EntryOutcome, HeavyPartitionKey, Metric};
#[cfg(feature = "metrics")]
pub use metrics::facade::MetricsFacade;
pub use metrics::{MetricsSink, NoMetrics};
pub use metrics_upload::{CloudWatchMetrics, MetricsStartError};
pub use outcome::{Attempt, FailureReason, Outcome, UserRecordFailed, UserRecordResult};
pub use partition_key::PartitionKey;
pub use producer::{Permit, Producer, ProducerBuilder, SendError, StartError, StreamProducer, TaggedBatch};
pub use put_records::{
    CallError, Doubt, EntryError, EntryPlaced, PutRecordsEntry, PutRecordsRequest, PutRecordsResponse,
    RecordDistributionStrategy, ShardDescription, ShardListing,
};
pub use shared_budget::BudgetPart;
pub use snapshot::{LastError, ProducerSnapshot, ShardHolding, StreamSnapshot};
#[cfg(feature = "aws")]
pub use transport::aws::CallTimeouts;
#[cfg(feature = "aws")]
pub use transport::aws::answer_limit::AnswerLimit;
#[cfg(feature = "cloudwatch")]
pub use transport::aws::cloudwatch::CloudWatchTransport;
#[cfg(feature = "aws")]
pub use transport::aws::credentials_refresh::CredentialsRefresh;
#[cfg(feature = "firehose")]
pub use transport::aws::firehose::FirehoseTransport;
#[cfg(feature = "aws")]
pub use transport::aws::kinesis::AwsTransport;
#[cfg(feature = "cbor")]
pub use transport::aws::kinesis::Wire;
#[cfg(feature = "aws")]
pub use transport::aws::reloaded_credentials::ReloadedCredentials;
pub use transport::{Answer, MetricDataTransport, Transport};
pub use types::{
    HashKey, HashKeyRange, InvalidHashKey, InvalidHashKeyRange, InvalidStreamArn, InvalidStreamName, Moment,
    SequenceNumber, ServiceText, ShardId, StreamName,
};
pub use user_record::{InvalidUserRecord, RecordRef, UserRecord};
