//! Kinesis Data Streams through the AWS SDK.
//!
//! Invariant: that of [`aws`](crate::transport::aws); and a listing of shards is complete or an error.

use aws_config::{ConfigLoader, SdkConfig};
use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::config::StalledStreamProtectionConfig;
use aws_sdk_kinesis::operation::list_shards::ListShardsInput;
use aws_sdk_kinesis::types::{
    PutRecordsRequestEntry, PutRecordsResultEntry, Shard, ShardFilter, ShardFilterType,
};
use aws_smithy_types::Blob;

use crate::config::{Config, ConfigError};
use crate::limits::SHARDS_PER_PAGE;
use crate::put_records::{
    CallError, Doubt, EntryError, EntryPlaced, PutRecordsEntry, PutRecordsRequest, PutRecordsResponse,
    ShardDescription,
};
use crate::transport::aws::{BEHAVIOR, CallTimeouts, call_error, connect, no_retries, timeout_config};
use crate::transport::{Answer, Transport};
use crate::types::{ShardId, StreamName};

/// A [`Transport`] to Kinesis Data Streams.
#[derive(Debug, Clone)]
pub struct AwsTransport {
    client: Client,
}

impl AwsTransport {
    /// Resolves region and credentials as every AWS tool does: environment, profile, web identity, container and
    /// instance role.
    pub async fn from_environment() -> Self {
        Self::new(&aws_config::defaults(BEHAVIOR()).load().await, CallTimeouts::default())
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
        Self::from_config_with(config, aws_config::defaults(BEHAVIOR())).await
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
        let sdk = connect(config, loader).await?;
        let mut builder = aws_sdk_kinesis::config::Builder::from(&sdk);
        if let Some(url) = config.connection.kinesis_url() {
            builder = builder.endpoint_url(url);
        }
        Ok(Self::from_builder(builder, CallTimeouts::of(&config.connection)))
    }

    /// Uses the region, credentials and endpoint of `config`. Its retries and time limits are replaced: the producer
    /// decides about both.
    #[must_use]
    pub fn new(config: &SdkConfig, timeouts: CallTimeouts) -> Self {
        Self::from_builder(aws_sdk_kinesis::config::Builder::from(config), timeouts)
    }

    /// The same from a builder of the SDK, for settings that [`SdkConfig`] has no place for, such as an endpoint for
    /// Kinesis alone.
    #[must_use]
    pub fn from_builder(builder: aws_sdk_kinesis::config::Builder, timeouts: CallTimeouts) -> Self {
        let config = builder
            .behavior_version(BEHAVIOR())
            .retry_config(no_retries())
            .timeout_config(timeout_config(timeouts))
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        Self { client: Client::from_conf(config) }
    }
}

impl Transport for AwsTransport {
    fn put_records(&self, request: PutRecordsRequest) -> Answer<PutRecordsResponse> {
        let client = self.client.clone();
        Box::pin(async move {
            let entries = request.entries.into_iter().map(sdk_entry).collect::<Result<_, _>>()?;
            let call = client.put_records().stream_name(request.stream.as_str()).set_records(Some(entries));
            let output = call.send().await.map_err(|error| call_error(&error))?;
            Ok(PutRecordsResponse { entries: output.records.into_iter().map(entry_result).collect() })
        })
    }

    fn list_shards(&self, stream: StreamName) -> Answer<Vec<ShardDescription>> {
        let client = self.client.clone();
        Box::pin(async move {
            let mut shards = Vec::new();
            let mut next_token = None;
            loop {
                let (page, token) = list_page(&client, &stream, next_token).await?;
                shards.extend(page);
                next_token = token;
                if next_token.is_none() {
                    return Ok(shards);
                }
            }
        })
    }
}

async fn list_page(
    client: &Client,
    stream: &StreamName,
    next_token: Option<String>,
) -> Result<(Vec<ShardDescription>, Option<String>), CallError> {
    // The service refuses a token together with anything that names the stream again.
    let input = match next_token {
        Some(token) => ListShardsInput::builder().next_token(token),
        None => ListShardsInput::builder().stream_name(stream.as_str()).set_shard_filter(at_latest()),
    };
    let call = input.max_results(SHARDS_PER_PAGE).send_with(client);
    let output = call.await.map_err(|error| call_error(&error))?;
    let token = output.next_token;
    let open = output.shards.unwrap_or_default().into_iter().filter(is_open);
    Ok((open.map(|shard| description(&shard)).collect::<Result<_, _>>()?, token))
}

fn at_latest() -> Option<ShardFilter> {
    ShardFilter::builder().r#type(ShardFilterType::AtLatest).build().ok()
}

/// Emulators and old endpoints ignore the filter and list closed shards too.
fn is_open(shard: &Shard) -> bool {
    shard.sequence_number_range().is_none_or(|range| range.ending_sequence_number().is_none())
}

fn description(shard: &Shard) -> Result<ShardDescription, CallError> {
    let range = shard.hash_key_range().ok_or_else(|| unreadable("a shard without a hash key range"))?;
    let parse =
        |text: &str| text.parse().map_err(|error| unreadable(&format!("in a shard's range: {error}")));
    Ok(ShardDescription {
        shard_id: shard.shard_id().into(),
        starting_hash_key: parse(range.starting_hash_key())?,
        ending_hash_key: parse(range.ending_hash_key())?,
    })
}

fn sdk_entry(entry: PutRecordsEntry) -> Result<PutRecordsRequestEntry, CallError> {
    PutRecordsRequestEntry::builder()
        .data(Blob::from_maybe_shared(entry.data))
        .explicit_hash_key(entry.explicit_hash_key.to_string())
        .partition_key(entry.partition_key)
        .build()
        .map_err(|error| CallError {
            code: "ConstructionFailure".to_owned(),
            message: error.to_string(),
            doubt: Doubt::NotWritten,
        })
}

fn entry_result(entry: PutRecordsResultEntry) -> Result<EntryPlaced, EntryError> {
    match (entry.sequence_number, entry.shard_id) {
        (Some(sequence_number), shard_id) => Ok(EntryPlaced {
            sequence_number: sequence_number.into(),
            shard_id: ShardId::from(shard_id.unwrap_or_default()),
        }),
        (None, _) => Err(EntryError {
            code: entry.error_code.unwrap_or_default(),
            message: entry.error_message.unwrap_or_default(),
        }),
    }
}

fn unreadable(what: &str) -> CallError {
    CallError {
        code: "ResponseUnreadable".to_owned(),
        message: what.to_owned(),
        doubt: Doubt::MayHaveBeenWritten,
    }
}
