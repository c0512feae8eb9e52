//! Records on their way to a stream or delivery stream, through `kpl`.
//!
//! Invariant: a record is accepted when there is room for it, or handed back; every accepted record's outcome comes
//! to the flow's inbox.

use std::time::Duration;

use kpl::{
    BudgetPart, Config, MetricsSink, OutcomeSink, Producer, RecordRef, SendError, StreamName, StreamProducer,
};
use tokio::runtime::Handle;

use crate::config::{Destination, FlowConfig};
use crate::status_report::LineReport;

/// The most bytes of records that one flow may hold, however much of the budget is free.
const FLOW_BYTES: usize = 10 << 20;

/// The most records that one flow may hold where each is an entry of a call: 16 calls. More would only wait, and no
/// processor's cache holds them, which costs a fifth of the CPU time.
const FLOW_ENTRIES: usize = 8_000;

/// One flow's way out.
#[derive(Debug)]
pub struct Publisher {
    producer: Producer,
    stream: StreamProducer,
    runtime: Handle,
    max_buffer_age: Duration,
}

/// Records that are handed over together.
#[derive(Debug)]
pub struct Batch(kpl::TaggedBatch);

/// A record that found no room.
#[derive(Debug)]
pub enum WantsRoom {
    /// One of so many bytes, whose partition key can be drawn again: any shard will do.
    OfAnyShard(usize),
    /// This one.
    Of {
        /// Its partition key, which decides the shard.
        partition_key: Option<String>,
        /// Its data.
        data: Vec<u8>,
        /// Its dedup id.
        dedup_id: Option<String>,
    },
}

/// Where a flow's calls go.
#[derive(Debug)]
pub enum Transports {
    /// Kinesis Data Streams.
    Kinesis(kpl::AwsTransport),
    /// Firehose.
    Firehose(kpl::FirehoseTransport),
}

/// What became of a record that was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// It is on its way.
    Accepted,
    /// There is no room now.
    Full,
    /// It can never be sent.
    Invalid(kpl::InvalidUserRecord),
    /// The producer has ended, which it does only after a defect in itself.
    Ended,
}

/// Why a publisher could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PublisherError {
    /// The stream's name.
    #[error(transparent)]
    Name(#[from] kpl::InvalidStreamName),
    /// The producer.
    #[error(transparent)]
    Start(#[from] kpl::StartError),
}

impl Publisher {
    /// Starts a flow's producer on the present runtime. It has this part of the agent's budget.
    ///
    /// # Errors
    ///
    /// The stream's name or the flow's limits are not what the producer takes.
    pub fn start(
        flow: &FlowConfig,
        transport: Transports,
        budget: BudgetPart,
        outcomes: impl OutcomeSink,
        metrics: impl MetricsSink,
    ) -> Result<Self, PublisherError> {
        let name = StreamName::new(flow.destination.name())?;
        let builder = match transport {
            Transports::Kinesis(transport) => Producer::builder(transport),
            Transports::Firehose(transport) => Producer::builder(transport).delivery_streams(),
        };
        let producer = builder
            .config(producer_config(flow))
            .budget(budget)
            .outcomes(outcomes)
            .metrics(metrics)
            .start()?;
        let stream = producer.stream(&name);
        Ok(Self { producer, stream, runtime: Handle::current(), max_buffer_age: flow.max_buffer_age })
    }

    /// Hands a record over.
    #[must_use]
    pub fn publish(&self, tag: u64, record: RecordRef<'_>) -> Published {
        Published::from(self.stream.try_send_tagged(record, tag))
    }

    /// Gathers records, to hand many over at a time.
    #[must_use]
    pub fn batch(&self) -> Batch {
        Batch(self.stream.batch())
    }

    /// How long a record with this partition key would wait for its shard.
    #[must_use]
    pub fn expected_wait(&self, partition_key: &str) -> Duration {
        self.stream.expected_wait(partition_key)
    }

    /// What is known of the line to the service.
    #[must_use]
    pub fn line(&self) -> LineReport {
        let snapshot = self.producer.snapshot();
        let stream = snapshot.streams.first();
        LineReport {
            bytes_per_second: stream.and_then(|stream| stream.line_bytes_per_second),
            is_limit: stream.is_some_and(|stream| stream.is_limited_by_line),
        }
    }

    /// When the oldest record leaves, if it waits for no answer but for others to share its request.
    #[must_use]
    pub fn buffered_for(&self) -> Option<Duration> {
        let snapshot = self.producer.snapshot();
        let stream = snapshot.streams.first().filter(|stream| stream.calls_in_flight == 0)?;
        self.max_buffer_age.checked_sub(stream.oldest_record_age?)
    }

    /// Calls `tell` when there is room for what found none.
    pub fn when_room(&self, wants_room: WantsRoom, tell: impl FnOnce() + Send + 'static) {
        let stream = self.stream.clone();
        self.runtime.spawn(async move {
            match &wants_room {
                WantsRoom::OfAnyShard(bytes) => stream.wait_for_room(*bytes).await,
                WantsRoom::Of { partition_key, data, dedup_id } => {
                    let (partition_key, dedup_id) = (partition_key.as_deref(), dedup_id.as_deref());
                    let record = RecordRef::without_partition_key(data);
                    stream.wait_for_room_for(RecordRef { partition_key, dedup_id, ..record }).await;
                }
            }
            tell();
        });
    }

    /// Sends what was accepted without waiting for company.
    pub fn flush(&self) {
        let stream = self.stream.clone();
        self.runtime.spawn(async move { stream.flush().await });
    }

    /// Ends the producer; what has no outcome by `patience` is left to the next start.
    pub async fn close(&self, patience: Duration) {
        self.producer.close_within(patience).await;
    }
}

impl From<RecordRef<'_>> for WantsRoom {
    fn from(record: RecordRef<'_>) -> Self {
        Self::Of {
            partition_key: record.partition_key.map(str::to_owned),
            data: record.data.to_vec(),
            dedup_id: record.dedup_id.map(str::to_owned),
        }
    }
}

impl Batch {
    /// Takes a record in; it is handed over when the batch is full or dropped.
    #[must_use]
    pub fn publish(&mut self, tag: u64, record: RecordRef<'_>) -> Published {
        Published::from(self.0.try_send(record, tag))
    }
}

impl From<Result<(), SendError<()>>> for Published {
    fn from(sent: Result<(), SendError<()>>) -> Self {
        match sent {
            Ok(()) => Self::Accepted,
            Err(SendError::Invalid((), problem)) => Self::Invalid(problem),
            Err(SendError::Full(())) => Self::Full,
            Err(_) => Self::Ended,
        }
    }
}

fn producer_config(flow: &FlowConfig) -> Config {
    let mut config = Config::default();
    config.aggregation_enabled =
        flow.aggregation && matches!(flow.destination, Destination::KinesisStream(_));
    config.record_max_buffered_time = flow.max_buffer_age;
    config.collection_max_count = flow.max_buffer_size_records;
    config.collection_max_size = flow.max_buffer_size_bytes;
    // The file is the buffer and loses nothing by waiting.
    config.record_ttl = None;
    // The flow retries by itself, and shows meanwhile why.
    config.fail_if_refused = true;
    config.max_outstanding_bytes = FLOW_BYTES;
    if !config.aggregation_enabled {
        config.max_outstanding_records = FLOW_ENTRIES;
    }
    config
}
