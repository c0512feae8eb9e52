//! Kinesis Data Streams through the AWS SDK.
//!
//! Invariant: one call to the SDK is one request to the service (its retries are off), and every call has a time
//! limit: without one a silent server would hang PutRecords for ever.

use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::config::StalledStreamProtectionConfig;
use aws_sdk_kinesis::config::retry::RetryConfig;
use aws_sdk_kinesis::config::timeout::TimeoutConfig;
use aws_sdk_kinesis::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kinesis::operation::list_shards::ListShardsInput;
use aws_sdk_kinesis::types::{
    PutRecordsRequestEntry, PutRecordsResultEntry, Shard, ShardFilter, ShardFilterType,
};
use aws_smithy_types::Blob;

use crate::limits::SHARDS_PER_PAGE;
use crate::put_records::{
    CallError, Doubt, EntryError, EntryPlaced, PutRecordsEntry, PutRecordsRequest, PutRecordsResponse,
    ShardDescription,
};
use crate::transport::{Answer, Transport};
use crate::types::{ShardId, StreamName};

/// The SDK behaviour that this crate is tested with.
pub(crate) const BEHAVIOR: fn() -> BehaviorVersion = BehaviorVersion::v2026_01_12;

/// Time limits of a call to the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallTimeouts {
    /// To establish a connection. Default 6 s, as the KPL's.
    pub connect: Duration,
    /// For a whole call, from the first byte sent to the last byte read. Default 6 s, as the KPL's request timeout.
    pub request: Duration,
}

impl Default for CallTimeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(6), request: Duration::from_secs(6) }
    }
}

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
            .retry_config(RetryConfig::disabled())
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

pub(crate) fn timeout_config(timeouts: CallTimeouts) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(timeouts.connect)
        .operation_attempt_timeout(timeouts.request)
        .build()
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

/// An SDK error in this crate's words.
pub(crate) fn call_error<E, R>(error: &SdkError<E, R>) -> CallError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: HttpStatus + std::fmt::Debug,
{
    let (code, doubt) = match error {
        SdkError::ConstructionFailure(_) => ("ConstructionFailure".to_owned(), Doubt::NotWritten),
        SdkError::TimeoutError(_) => ("Timeout".to_owned(), Doubt::MayHaveBeenWritten),
        SdkError::DispatchFailure(_) => ("DispatchFailure".to_owned(), Doubt::MayHaveBeenWritten),
        SdkError::ServiceError(service) => {
            let code = service.err().code().unwrap_or("UnknownError").to_owned();
            // Below 500 the service looked at the call and refused it.
            let refused = service.raw().http_status() < 500;
            (code, if refused { Doubt::NotWritten } else { Doubt::MayHaveBeenWritten })
        }
        _ => ("ResponseUnreadable".to_owned(), Doubt::MayHaveBeenWritten),
    };
    let message = match error {
        SdkError::ServiceError(service) => service.err().message().unwrap_or_default().to_owned(),
        _ => chain(error),
    };
    CallError { code, message, doubt }
}

/// Where the SDK keeps the status of an answer.
pub(crate) trait HttpStatus {
    fn http_status(&self) -> u16;
}

impl HttpStatus for aws_sdk_kinesis::config::http::HttpResponse {
    fn http_status(&self) -> u16 {
        self.status().as_u16()
    }
}

/// An error and its causes in one line; the SDK says the telling part last.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
