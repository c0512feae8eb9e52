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
//! Everything is bounded: at the limit of [`Config::max_outstanding_bytes`], [`Producer::send`] waits and
//! [`Producer::try_send`] hands the record back.
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
//! # Options
//!
//! They are the KPL's, under its names and with its defaults: see [`Config`]. They come from code, from a KPL
//! `.properties` file ([`Config::from_properties`]), or with the cargo feature `serde` from any format of serde's.
//! `AwsTransport::from_config` obeys those of the connection, and [`ProducerBuilder::stream_config`] gives a stream
//! options of its own.
//!
//! # What is promised
//!
//! * At least once: a record is sent again until it is stored, refused for good, or expired
//!   ([`Config::record_ttl`]). Duplicates arise when an answer was lost; with [`Config::dedup_ids`] consumers can drop
//!   them ([`dedup`]).
//! * No order across records: calls run side by side, and what failed is sent again later.
//! * An aggregate counts as stored only in a shard that holds all its members' hash keys; elsewhere the KCL would
//!   drop it silently.

//! # Watching it
//!
//! [`Producer::snapshot`] shows each stream's state. The KPL's metrics go to CloudWatch with
//! [`ProducerBuilder::cloudwatch_metrics`] (cargo feature `cloudwatch`), to the facade of the crate `metrics` with
//! `MetricsFacade` (cargo feature `metrics`), or to a [`MetricsSink`] of your own, for which [`Metric::samples`] says
//! what each event means in the KPL's terms.

pub mod aggregation_format;
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
mod snapshot;
mod transport;
mod types;
mod user_record;

pub use config::choices::{AdditionalMetricDimension, Compression, MetricsGranularity, MetricsLevel};
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
pub use producer::{Permit, Producer, ProducerBuilder, SendError, StartError, StreamProducer};
pub use put_records::{
    CallError, Doubt, EntryError, EntryPlaced, PutRecordsEntry, PutRecordsRequest, PutRecordsResponse,
    RecordDistributionStrategy, ShardDescription, ShardListing,
};
pub use snapshot::{ProducerSnapshot, StreamSnapshot};
#[cfg(feature = "aws")]
pub use transport::aws::CallTimeouts;
#[cfg(feature = "cloudwatch")]
pub use transport::aws::cloudwatch::CloudWatchTransport;
#[cfg(feature = "firehose")]
pub use transport::aws::firehose::FirehoseTransport;
#[cfg(feature = "aws")]
pub use transport::aws::kinesis::AwsTransport;
#[cfg(feature = "cbor")]
pub use transport::aws::kinesis::Wire;
pub use transport::{Answer, MetricDataTransport, Transport};
pub use types::{
    HashKey, InvalidHashKey, InvalidStreamArn, InvalidStreamName, Moment, SequenceNumber, ShardId, StreamName,
};
pub use user_record::{InvalidUserRecord, RecordRef, UserRecord};
