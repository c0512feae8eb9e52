//! The face of the crate: building a producer, sending through it, flushing and closing it.
//!
//! Invariant: a record is accepted only when there is room for it, and never after `close` began.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::call_log::CallLog;
use crate::clock::Clock;
use crate::control_plane::ControlPlane;
use crate::core::pipeline::{Pipeline, Service};
use crate::dedup_id::NUMBERED_ID_BYTES;
use crate::delivery::{Delivery, OutcomeSink};
use crate::driver::{Driver, StreamShared};
use crate::metrics_upload::CloudWatchMetrics;
use crate::permits::Budget;
use crate::reporter::Reporter;
use crate::snapshot::ProducerSnapshot;
use crate::transport::Transport;
use crate::types::StreamName;
use crate::user_record::{InvalidUserRecord, RecordRef, UserRecord};
use configs::Configs;
use patience::within;
use stream_producer::Refusal;

mod builder;
mod configs;
#[cfg(feature = "glue")]
mod encoded;
mod patience;
mod permit;
mod stream_producer;
mod tagged_batch;

pub use builder::{ProducerBuilder, StartError};
pub use permit::Permit;
pub use stream_producer::StreamProducer;
pub use tagged_batch::TaggedBatch;

/// Takes user records and puts them into streams. Cloning is cheap, and clones are the same producer.
///
/// One producer serves any number of streams; each gets its own pipeline and task when it is first used. When the last
/// clone is dropped the producer drains in the background, as after [`Producer::close`], for as long as its tokio
/// runtime lives; records that the runtime's end cuts off resolve as aborted.
#[derive(Debug, Clone)]
pub struct Producer {
    inner: Arc<Inner>,
}

/// Why a record was not accepted. `R` is the record, handed back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError<R> {
    /// There is no room now for a record of this stream and shard (`try_send` and `Permit::send` only).
    #[error("the producer holds as much as it may: wait for outcomes, or use send, which waits")]
    Full(R),
    /// The producer is closed or closing.
    #[error("the producer is closed")]
    Closed(R),
    /// The record can never be sent.
    #[error("{1}")]
    Invalid(R, InvalidUserRecord),
    /// The record has a schema, and could not be encoded with it.
    #[cfg(feature = "glue")]
    #[error("{1}")]
    Schema(R, Box<crate::glue::GlueError>),
}

/// How long a producer may take to give up what it holds. It takes no time, unless its runtime does not run.
const ABORT_PATIENCE: Duration = Duration::from_secs(5);

struct Inner {
    configs: Configs,
    service: Service,
    transport: Arc<dyn Transport>,
    reporter: Reporter,
    cloudwatch: Option<CloudWatchMetrics>,
    outcomes: Arc<dyn OutcomeSink>,
    budget: Arc<Budget>,
    control_plane: ControlPlane,
    clock: Clock,
    runtime: Handle,
    streams: RwLock<HashMap<StreamName, Arc<StreamShared>>>,
    ends: Mutex<Vec<watch::Receiver<bool>>>,
    closed: std::sync::atomic::AtomicBool,
    /// The process that it was started in: a forked child has none of the runtime's threads.
    process: u32,
    #[cfg(feature = "glue")]
    serializer: Option<crate::glue::GlueSchemaRegistrySerializer>,
}

// === impl Producer ===

impl Producer {
    /// A producer over `transport`: [`AwsTransport`](crate::AwsTransport), or one of your own.
    pub fn builder(transport: impl Transport) -> ProducerBuilder {
        ProducerBuilder::new(Arc::new(transport))
    }

    /// Hands a record over, waiting for room if there is none. The future that it returns resolves to the outcome.
    ///
    /// Callers that wait with records for one shard are served in the order in which they came, so a large record among
    /// small ones gets its turn. Those for other shards and streams do not wait behind them: each has its part of the room,
    /// see [`Config::max_outstanding_bytes`](crate::Config::max_outstanding_bytes).
    ///
    /// # Errors
    ///
    /// [`SendError::Invalid`] or [`SendError::Closed`], with the record inside. A failure of the delivery is not an
    /// error here but the [`Delivery`]'s.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future before it returns drops the record unsent; nothing else is lost.
    #[doc(alias = "addUserRecord")]
    pub async fn send(&self, record: UserRecord) -> Result<Delivery, SendError<UserRecord>> {
        #[cfg(feature = "glue")]
        let record = self.inner.encoded(record).await?;
        let accepted = match self.stream_of(&record) {
            Ok(stream) => stream.accept_waiting((&record).into()).await,
            Err(refusal) => Err(refusal),
        };
        accepted.map_err(|refusal| refusal.with(record))
    }

    /// Hands a record over if there is room for it now.
    ///
    /// # Errors
    ///
    /// [`SendError`], with the record inside.
    pub fn try_send(&self, record: UserRecord) -> Result<Delivery, SendError<UserRecord>> {
        #[cfg(feature = "glue")]
        let record = self.inner.encoded_now(record)?;
        let accepted = self.stream_of(&record).and_then(|stream| stream.accept_now((&record).into()));
        accepted.map_err(|refusal| refusal.with(record))
    }

    /// The stream of a record. One that was not used before is started only for a record that it can take.
    fn stream_of(&self, record: &UserRecord) -> Result<StreamProducer, Refusal> {
        let name = &record.stream;
        let shared = match self.inner.known(name) {
            Some(shared) => shared,
            None if self.inner.is_closed() => return Err(Refusal::Closed),
            None => {
                self.inner.checked(name, record.as_ref()).map_err(Refusal::Invalid)?;
                self.inner.start_stream(name)
            }
        };
        Ok(StreamProducer { shared, inner: Arc::clone(&self.inner) })
    }

    /// One stream of this producer. Its task starts now, and with it the listing of its shards.
    #[must_use]
    pub fn stream(&self, name: &StreamName) -> StreamProducer {
        StreamProducer { shared: self.inner.shared(name), inner: Arc::clone(&self.inner) }
    }

    /// Sends everything accepted so far without waiting for company, and returns when all of it has its outcome.
    /// Records accepted later are not waited for.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the waiting, not the sending.
    pub async fn flush(&self) {
        if self.inner.is_forked() {
            return;
        }
        let flushes: Vec<_> = self.inner.all_streams().iter().map(|stream| stream.flush()).collect();
        for flush in flushes {
            // An error means that the stream's task is gone, and with it everything to wait for.
            let _ = flush.await;
        }
    }

    /// Refuses records from now on, sends what there is and returns when every record has its outcome, and the last
    /// metrics are uploaded if they go to [CloudWatch](ProducerBuilder::cloudwatch_metrics). Idempotent.
    ///
    /// In a forked child process, which has none of the runtime's threads, it refuses records and returns at once: what was
    /// accepted before the fork is the parent's to send.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the waiting, not the closing.
    #[doc(alias = "destroy")]
    pub async fn close(&self) {
        if self.inner.is_forked() {
            return self.inner.refuse();
        }
        self.drained().await;
        self.metrics_uploaded().await;
    }

    async fn drained(&self) {
        self.inner.close();
        let ends = self.inner.ends.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for mut end in ends {
            let _ = end.wait_for(|ended| *ended).await;
        }
    }

    /// As [`Producer::close`], but after `grace` what has no outcome is given up as
    /// [`FailureReason::Aborted`](crate::FailureReason::Aborted); of records in calls in flight that says that they
    /// may have been written. The upload of the last metrics has its own bound, [`CloudWatchMetrics::flush`]'s.
    ///
    /// It returns even if the producer's runtime does not run any more (a current-thread runtime that nobody drives): at
    /// the latest 5 seconds after the grace. A warning then says how many records have no outcome. It may be awaited on
    /// another runtime, and without one.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the waiting and the giving up, not the closing.
    pub async fn close_within(&self, grace: Duration) {
        if self.inner.is_forked() {
            return self.inner.refuse();
        }
        if within(grace, self.drained()).await.is_err() {
            self.inner.all_streams().iter().for_each(|stream| stream.abort());
            if within(ABORT_PATIENCE, self.drained()).await.is_err() {
                tracing::warn!(
                    records = self.outstanding_records(),
                    "the runtime of the producer does not run, so records could not be given their outcome: keep the \
                     runtime running until close_within has returned"
                );
                return;
            }
        }
        self.metrics_uploaded().await;
    }

    async fn metrics_uploaded(&self) {
        if let Some(cloudwatch) = &self.inner.cloudwatch {
            // What could not be uploaded was logged.
            let _ = cloudwatch.flush().await;
        }
    }

    /// The producer's state in numbers, for dashboards and health checks. Takes each stream's lock for a moment, and no
    /// memory for a single record.
    #[must_use]
    #[doc(alias = "getMetrics")]
    pub fn snapshot(&self) -> ProducerSnapshot {
        let (outstanding_records, outstanding_bytes) = self.inner.budget.outstanding();
        let mut streams: Vec<_> = self.inner.all_streams().iter().map(|stream| stream.snapshot()).collect();
        streams.sort_unstable_by(|one, other| one.stream.cmp(&other.stream));
        ProducerSnapshot { outstanding_records, outstanding_bytes, streams }
    }

    /// Records without an outcome yet.
    #[must_use]
    #[doc(alias = "getOutstandingRecordsCount")]
    pub fn outstanding_records(&self) -> usize {
        self.inner.budget.outstanding().0
    }

    /// Bytes of the budget that those records take.
    #[must_use]
    pub fn outstanding_bytes(&self) -> usize {
        self.inner.budget.outstanding().1
    }
}

// === impl Inner ===

impl Inner {
    fn shared(&self, name: &StreamName) -> Arc<StreamShared> {
        self.known(name).unwrap_or_else(|| self.start_stream(name))
    }

    fn known(&self, name: &StreamName) -> Option<Arc<StreamShared>> {
        self.streams.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn start_stream(&self, name: &StreamName) -> Arc<StreamShared> {
        let mut streams = self.streams.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(raced) = streams.get(name) {
            return Arc::clone(raced);
        }
        let config = self.configs.of(name).clone();
        let seed = config.seed.unwrap_or_else(|| fastrand::u64(..));
        let log = CallLog::new(name.clone(), Arc::clone(&self.transport), self.service, config.record_ttl);
        let pipeline = Pipeline::new(name.clone(), self.service, config, seed, self.clock.now());
        let shared = Arc::new(StreamShared::new(name.clone(), self.budget.account(), pipeline, self.clock));
        if self.is_closed() {
            // It never was: no task, no listing, no place in a snapshot.
            shared.end();
            return shared;
        }
        let (ended, end) = watch::channel(false);
        let driver = Driver {
            shared: Arc::clone(&shared),
            transport: Arc::clone(&self.transport),
            lister: self.control_plane.shard_lister(),
            reporter: self.reporter.clone(),
            log,
            outcomes: Arc::clone(&self.outcomes),
            ended,
        };
        self.runtime.spawn(driver.run());
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).push(end);
        streams.insert(name.clone(), Arc::clone(&shared));
        shared
    }

    fn all_streams(&self) -> Vec<Arc<StreamShared>> {
        self.streams.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn is_closed(&self) -> bool {
        self.closed.load(std::sync::atomic::Ordering::Acquire)
    }

    /// Whether this is a child of the process that the producer was started in. Other threads may have held its locks
    /// when it was forked, so that none may be taken here.
    fn is_forked(&self) -> bool {
        self.process != std::process::id()
    }

    fn refuse(&self) {
        self.closed.store(true, std::sync::atomic::Ordering::Release);
    }

    fn close(&self) {
        self.refuse();
        for stream in self.all_streams() {
            stream.close();
        }
        // Who waits for room waits in vain.
        self.budget.wake();
    }

    /// The record as the service will see it, if it can be sent at all.
    fn checked<'a>(
        &self,
        stream: &StreamName,
        record: RecordRef<'a>,
    ) -> Result<RecordRef<'a>, InvalidUserRecord> {
        let config = self.configs.of(stream);
        let limit = config.max_user_record_size;
        match self.service {
            Service::DataStream if config.dedup_ids && record.dedup_id.is_none() => {
                record.check_with_id(limit, NUMBERED_ID_BYTES).map(|()| record)
            }
            Service::DataStream => record.check(limit).map(|()| record),
            Service::DeliveryStream => {
                let bytes = record.data.len();
                if bytes > limit {
                    return Err(InvalidUserRecord::TooLarge { bytes, limit });
                }
                Ok(RecordRef::without_partition_key(record.data))
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if !self.is_forked() {
            self.close();
        }
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Inner").field("configs", &self.configs).finish_non_exhaustive()
    }
}
