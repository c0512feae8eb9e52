//! Kinesis Data Streams through the AWS SDK.
//!
//! Invariant: that of [`aws`](crate::transport::aws); a stream given by ARN is never called by name.

#[cfg(feature = "cbor")]
mod cbor;
mod listing_patience;
mod own_json;
mod shard_listing;

use std::time::Duration;

use aws_config::{ConfigLoader, SdkConfig};
use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::operation::put_records::builders::PutRecordsFluentBuilder;

use crate::config::{Config, ConfigError};
use crate::put_records::{PutRecordsRequest, PutRecordsResponse, ShardListing};
use crate::transport::aws::ReloadedCredentials;
use crate::transport::aws::{
    BEHAVIOR, CallTimeouts, SeenEndpoint, client_config, connect, connect_by_environment,
};
use crate::transport::{Answer, Transport};
use crate::types::StreamName;
use listing_patience::ListingPatience;
use own_json::Bodies;
use shard_listing::{SaidOnce, Scope};

/// A [`Transport`] to Kinesis Data Streams.
///
/// Needs the permissions `kinesis:PutRecords` and `kinesis:ListShards`, and `kinesis:DescribeStreamSummary` for streams
/// whose record distribution strategy is AUTO (without it, records for such a stream are sent up to three times in
/// aggregates that nobody can read before they are sent alone).
#[derive(Debug, Clone)]
pub struct AwsTransport {
    client: Client,
    timeouts: CallTimeouts,
    wire: PutWire,
    bodies: Bodies,
    said: SaidOnce,
    patience: ListingPatience,
    endpoint: SeenEndpoint,
}

/// How long ago a shard may have closed to be listed as recently closed.
const RECENTLY: Duration = Duration::from_secs(10 * 60);

/// The way of PutRecords.
#[derive(Debug, Clone)]
enum PutWire {
    Json,
    /// The client that speaks it.
    #[cfg(feature = "cbor")]
    Cbor(Client),
}

/// How PutRecords is written on the wire.
#[cfg(feature = "cbor")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wire {
    /// `application/x-amz-json-1.1`, as the SDK sends it: blobs as base64.
    #[default]
    Json,
    /// `application/x-amz-cbor-1.1`, as the Java SDK and the KCL speak it: blobs as they are, so a quarter fewer bytes
    /// to write, hash and send.
    ///
    /// Kinesis takes it but does not document it; emulators may not. ListShards and DescribeStreamSummary, which are
    /// rare and carry no blobs, stay JSON.
    Cbor,
}

impl AwsTransport {
    /// Resolves region and credentials as every AWS tool does: environment, profile, web identity, container and
    /// instance role. Profile files are read again when the service refuses the credentials
    /// ([`ReloadedCredentials`]).
    pub async fn from_environment() -> Self {
        let config = ReloadedCredentials::load(|| aws_config::defaults(BEHAVIOR())).await;
        Self::new(&config, CallTimeouts::default())
    }

    /// As `config` says in [`Config::connection`]; what it leaves open, and the credentials, as
    /// [`from_environment`](Self::from_environment) does.
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
        let mut builder = aws_sdk_kinesis::config::Builder::from(sdk);
        if let Some(url) = config.connection.kinesis_url() {
            builder = builder.endpoint_url(url);
        }
        Self::from_builder(builder, CallTimeouts::of(&config.connection))
    }

    /// Uses the region, credentials and endpoint of `config`. Its retries and time limits are replaced: the producer
    /// decides about both.
    ///
    /// Its credentials provider is asked again when the service refuses the credentials
    /// ([`CredentialsRefresh`](crate::CredentialsRefresh)). The SDK's own provider for profile files keeps the file that it
    /// read first: a `config` of [`ReloadedCredentials`] reads it again.
    #[must_use]
    pub fn new(config: &SdkConfig, timeouts: CallTimeouts) -> Self {
        Self::from_builder(aws_sdk_kinesis::config::Builder::from(config), timeouts)
    }

    /// The same from a builder of the SDK, for settings that [`SdkConfig`] has no place for, such as an endpoint for
    /// Kinesis alone.
    #[must_use]
    pub fn from_builder(builder: aws_sdk_kinesis::config::Builder, timeouts: CallTimeouts) -> Self {
        let config = client_config!(builder, timeouts);
        let endpoint = SeenEndpoint::new(config.region());
        let client = Client::from_conf(config.to_builder().interceptor(endpoint.clone()).build());
        Self {
            client,
            timeouts,
            wire: PutWire::Json,
            bodies: Bodies::default(),
            said: SaidOnce::default(),
            patience: ListingPatience::default(),
            endpoint,
        }
    }

    /// The same transport with PutRecords written otherwise. Default: [`Wire::Json`].
    #[cfg(feature = "cbor")]
    #[must_use]
    pub fn with_wire(mut self, wire: Wire) -> Self {
        self.wire = match wire {
            Wire::Json => PutWire::Json,
            Wire::Cbor => {
                let config = self.client.config().to_builder().protocol(cbor::AwsCbor::new()).build();
                PutWire::Cbor(Client::from_conf(config))
            }
        };
        self
    }
}

impl Transport for AwsTransport {
    fn put_records(&self, request: PutRecordsRequest) -> Answer<PutRecordsResponse> {
        let timeouts = self.timeouts.with_transfer(request.transfer_time);
        match &self.wire {
            PutWire::Json => {
                Box::pin(own_json::put_records(self.client.clone(), self.bodies.clone(), timeouts, request))
            }
            #[cfg(feature = "cbor")]
            PutWire::Cbor(client) => Box::pin(cbor::put_records(client.clone(), timeouts, request)),
        }
    }

    fn list_shards(&self, stream: StreamName) -> Answer<ShardListing> {
        self.list(stream, Scope::Open)
    }

    fn list_recent_shards(&self, stream: StreamName) -> Answer<ShardListing> {
        self.list(stream, Scope::ClosedWithin(RECENTLY))
    }

    fn endpoint(&self) -> String {
        self.endpoint.to_string()
    }

    fn rest(&self) {
        self.bodies.rest();
    }
}

impl AwsTransport {
    fn list(&self, stream: StreamName, scope: Scope) -> Answer<ShardListing> {
        let (client, said, patience) = (self.client.clone(), self.said.clone(), self.patience.clone());
        let timeouts = patience.timeouts(self.timeouts);
        Box::pin(async move {
            let listing = shard_listing::list(client, stream, scope, timeouts, said).await;
            patience.note(&listing);
            listing
        })
    }
}

/// A call to a stream, by the ARN if there is one.
fn call_to(client: &Client, stream: &StreamName) -> PutRecordsFluentBuilder {
    match stream.arn() {
        Some(arn) => client.put_records().stream_arn(arn),
        None => client.put_records().stream_name(stream.as_str()),
    }
}
