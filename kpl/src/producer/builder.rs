//! Setting a producer up.
//!
//! Invariant: what starts has a configuration without problems.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, RwLock};

use tokio::runtime::Handle;

use super::configs::Configs;
use super::{Inner, Producer};
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::control_plane::ControlPlane;
use crate::core::pipeline::Service;
use crate::delivery::OutcomeSink;
use crate::metrics::MetricsSink;
use crate::metrics_upload::CloudWatchMetrics;
use crate::outcome::{UserRecordFailed, UserRecordResult};
use crate::permits::Budget;
use crate::reporter::Reporter;
use crate::shared_budget::BudgetPart;
use crate::transport::Transport;
use crate::types::StreamName;

/// Sets a producer up; see [`Producer::builder`].
pub struct ProducerBuilder {
    configs: Configs,
    service: Service,
    transport: Arc<dyn Transport>,
    metrics: Option<Arc<dyn MetricsSink>>,
    cloudwatch: Option<CloudWatchMetrics>,
    outcomes: Arc<dyn OutcomeSink>,
    part: BudgetPart,
    #[cfg(feature = "glue")]
    serializer: Option<crate::glue::GlueSchemaRegistrySerializer>,
}

/// Why a producer could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration has problems; all of them are listed.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no tokio runtime to run on.
    #[error("a producer runs on tokio: start it inside a tokio runtime")]
    NoRuntime,
    /// The tokio runtime has no timers, without which nothing leaves in time.
    #[error("a producer needs timers: build the tokio runtime with enable_time or enable_all")]
    NoTimers,
}

struct NoOutcomes;

impl ProducerBuilder {
    pub(super) fn new(transport: Arc<dyn Transport>) -> Self {
        Self {
            configs: Configs::default(),
            service: Service::DataStream,
            transport,
            metrics: None,
            cloudwatch: None,
            outcomes: Arc::new(NoOutcomes),
            part: BudgetPart::unshared(),
            #[cfg(feature = "glue")]
            serializer: None,
        }
    }

    /// How the producer behaves. Default: [`Config::default`].
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.configs.producer = config;
        self
    }

    /// How the producer behaves towards one stream, instead of [`ProducerBuilder::config`]; nothing is mixed but what
    /// belongs to the producer as a whole, and so is always taken from there: `max_outstanding_bytes`,
    /// `max_outstanding_records`, `producer_id`, everything about metrics, and the connection.
    ///
    /// Of two configurations for one stream the last counts.
    ///
    /// ```no_run
    /// # fn start(transport: impl kpl::Transport) -> Result<kpl::Producer, Box<dyn std::error::Error>> {
    /// let mut patient = kpl::Config::default();
    /// patient.record_ttl = None;
    /// let audit = kpl::StreamName::new("audit")?;
    /// let producer = kpl::Producer::builder(transport).stream_config(audit, patient).start()?;
    /// # Ok(producer)
    /// # }
    /// ```
    #[must_use]
    pub fn stream_config(mut self, stream: StreamName, config: Config) -> Self {
        self.configs.streams.insert(stream, config);
        self
    }

    /// Where its metrics go. Default: nowhere, and nothing is computed for them.
    #[must_use]
    pub fn metrics(mut self, sink: impl MetricsSink) -> Self {
        self.metrics = Some(Arc::new(sink));
        self
    }

    /// Uploads its metrics to CloudWatch, the last window on [`Producer::close`]. A sink given to
    /// [`ProducerBuilder::metrics`] hears the same events.
    #[must_use]
    pub fn cloudwatch_metrics(mut self, metrics: CloudWatchMetrics) -> Self {
        self.cloudwatch = Some(metrics);
        self
    }

    /// Who is told the outcomes of records sent with [`StreamProducer::try_send_tagged`](crate::StreamProducer::try_send_tagged). Default: nobody.
    #[must_use]
    pub fn outcomes(mut self, sink: impl OutcomeSink) -> Self {
        self.outcomes = Arc::new(sink);
        self
    }

    /// Shares a budget in bytes with other producers. [`Config::max_outstanding_bytes`] stays the most that this one may
    /// hold. Default: nothing is shared.
    #[must_use]
    pub fn budget(mut self, part: BudgetPart) -> Self {
        self.part = part;
        self
    }

    /// Encodes records that have a schema ([`UserRecord::with_schema`](crate::UserRecord::with_schema)) by a Glue Schema
    /// Registry. Default: none, and such records are refused.
    ///
    /// ```no_run
    /// use kpl::glue::{AwsSchemaRegistry, DataFormat, GlueSchemaRegistryConfiguration, GlueSchemaRegistrySerializer, Schema};
    /// use kpl::{Producer, StreamName, UserRecord};
    ///
    /// # async fn send(transport: impl kpl::Transport) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut configuration = GlueSchemaRegistryConfiguration::default();
    /// configuration.schema_auto_registration_enabled = true;
    /// let registry = AwsSchemaRegistry::from_configuration(&configuration).await;
    /// let serializer = GlueSchemaRegistrySerializer::new(registry, configuration);
    /// let producer = Producer::builder(transport).glue_schema_registry(serializer).start()?;
    ///
    /// let schema = Schema::new(DataFormat::Json, r#"{"type": "object"}"#, "orders")?;
    /// let record = UserRecord::new(StreamName::new("orders")?, "customer-7", r#"{"id": 7}"#).with_schema(schema);
    /// producer.send(record).await?.await?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "glue")]
    #[must_use]
    #[doc(alias = "setGlueSchemaRegistryConfiguration")]
    pub fn glue_schema_registry(mut self, serializer: crate::glue::GlueSchemaRegistrySerializer) -> Self {
        self.serializer = Some(serializer);
        self
    }

    /// The streams are Firehose delivery streams: partition keys are ignored, nothing is aggregated, and Firehose's
    /// limits apply.
    #[must_use]
    pub fn delivery_streams(mut self) -> Self {
        self.service = Service::DeliveryStream;
        self
    }

    /// Starts the producer on the present tokio runtime.
    ///
    /// # Errors
    ///
    /// [`StartError`] when the configuration has problems, or there is no runtime, or one without timers.
    pub fn start(self) -> Result<Producer, StartError> {
        let configs = self.configs.served_by(self.service, fastrand::u64(..))?;
        let config = &configs.producer;
        let runtime = Handle::try_current().map_err(|_| StartError::NoRuntime)?;
        if !Clock::has_timers() {
            return Err(StartError::NoTimers);
        }
        let budget = Budget::new(config.max_outstanding_bytes, config.max_outstanding_records, self.part);
        let clock = Clock::start();
        let inner = Inner {
            configs,
            service: self.service,
            transport: self.transport,
            reporter: Reporter::new(self.metrics, self.cloudwatch.as_ref()),
            cloudwatch: self.cloudwatch,
            outcomes: self.outcomes,
            budget: Arc::new(budget),
            control_plane: ControlPlane::new(clock),
            clock,
            runtime,
            streams: RwLock::new(HashMap::new()),
            ends: Mutex::new(Vec::new()),
            closed: false.into(),
            process: std::process::id(),
            #[cfg(feature = "glue")]
            serializer: self.serializer,
        };
        Ok(Producer { inner: Arc::new(inner) })
    }
}

impl OutcomeSink for NoOutcomes {
    fn stored(&self, _tags: &mut dyn Iterator<Item = u64>, _result: &UserRecordResult) {}
    fn failed(&self, _tag: u64, _failed: UserRecordFailed) {}
}

impl fmt::Debug for ProducerBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ProducerBuilder").field("configs", &self.configs).finish_non_exhaustive()
    }
}
