//! Firehose through the AWS SDK: PutRecordBatch behind the same seam as PutRecords.
//!
//! Invariant: that of [`aws`](crate::transport::aws).

use aws_config::{ConfigLoader, SdkConfig};
use aws_sdk_firehose::Client;
use aws_sdk_firehose::config::Builder as Override;
use aws_sdk_firehose::types::{PutRecordBatchResponseEntry, Record};
use aws_smithy_types::Blob;

use crate::config::{Config, ConfigError};
use crate::put_records::{PutRecordsRequest, PutRecordsResponse, ShardListing};
use crate::transport::aws::{
    CallTimeouts, SeenEndpoint, call_error, client_config, connect, connect_by_environment,
    construction_failure, timeout_config,
};
use crate::transport::aws::{EntryResults, Received};
use crate::transport::{Answer, Transport};
use crate::types::StreamName;

/// A [`Transport`] to Firehose delivery streams.
///
/// A producer over it is built with [`ProducerBuilder::delivery_streams`](crate::ProducerBuilder::delivery_streams):
/// there are no shards, no keys and no aggregation.
#[derive(Debug, Clone)]
pub struct FirehoseTransport {
    client: Client,
    timeouts: CallTimeouts,
    endpoint: SeenEndpoint,
}

impl FirehoseTransport {
    /// As `config` says in [`Config::connection`]; what it leaves open, and the credentials, as every AWS tool
    /// resolves them: environment, profile, web identity, container and instance role.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with all problems of the configuration.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn from_config(config: &Config) -> Result<Self, ConfigError> {
        Ok(Self::connected(&connect_by_environment(config).await?, config))
    }

    /// The same with a loader of your own, for credentials of your own; what `config` says goes before it.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with all problems of the configuration.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn from_config_with(config: &Config, loader: ConfigLoader) -> Result<Self, ConfigError> {
        Ok(Self::connected(&connect(config, loader).await?, config))
    }

    fn connected(sdk: &SdkConfig, config: &Config) -> Self {
        let mut builder = aws_sdk_firehose::config::Builder::from(sdk);
        if let Some(url) = config.connection.firehose_url() {
            builder = builder.endpoint_url(url);
        }
        Self::from_builder(builder, CallTimeouts::of(&config.connection))
    }

    /// Uses the region, credentials and endpoint of `config`.
    #[must_use]
    pub fn new(config: &SdkConfig, timeouts: CallTimeouts) -> Self {
        Self::from_builder(aws_sdk_firehose::config::Builder::from(config), timeouts)
    }

    /// The same from a builder of the SDK.
    #[must_use]
    pub fn from_builder(builder: aws_sdk_firehose::config::Builder, timeouts: CallTimeouts) -> Self {
        let config = client_config!(builder, timeouts);
        let endpoint = SeenEndpoint::new(config.region());
        let config = config.to_builder().interceptor(endpoint.clone()).build();
        Self { client: Client::from_conf(config), timeouts, endpoint }
    }
}

impl Transport for FirehoseTransport {
    fn endpoint(&self) -> String {
        self.endpoint.to_string()
    }

    fn put_records(&self, request: PutRecordsRequest) -> Answer<PutRecordsResponse> {
        let client = self.client.clone();
        let timeouts = self.timeouts.with_transfer(request.transfer_time);
        Box::pin(async move {
            let mut call = client.put_record_batch().delivery_stream_name(request.stream.as_str());
            for entry in request.entries {
                let record = Record::builder().data(Blob::from_maybe_shared(entry.data)).build();
                call = call.records(record.map_err(|error| construction_failure(&error))?);
            }
            let limits = Override::new().timeout_config(timeout_config(timeouts));
            let output =
                call.customize().config_override(limits).send().await.map_err(|error| call_error(&error))?;
            let mut results = EntryResults::of_put_record_batch();
            let entries = output.request_responses.into_iter().map(|entry| results.read(received(entry)));
            Ok(PutRecordsResponse { entries: entries.collect() })
        })
    }

    fn list_shards(&self, _stream: StreamName) -> Answer<ShardListing> {
        Box::pin(std::future::ready(Ok(ShardListing::default())))
    }
}

fn received(entry: PutRecordBatchResponseEntry) -> Received {
    Received {
        sequence_number: entry.record_id.map(Into::into),
        shard_id: None,
        error_code: entry.error_code.map(Into::into),
        error_message: entry.error_message.map(Into::into),
    }
}
