//! What the clients of the AWS SDK share: time limits, and the SDK's errors in this crate's words.
//!
//! Invariant: one call to the SDK is one request to the service (its retries are off), and every call has a time
//! limit: without one a silent server would hang PutRecords for ever.

use std::time::Duration;

use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_kinesis::config::retry::RetryConfig;
use aws_sdk_kinesis::config::timeout::TimeoutConfig;
use aws_sdk_kinesis::error::{ProvideErrorMetadata, SdkError};

use crate::config::connection::ConnectionConfig;
use crate::config::{Config, ConfigError};
use crate::put_records::{CallError, Doubt, RESPONSE_UNREADABLE};

pub(crate) mod answer_limit;
#[cfg(feature = "cloudwatch")]
pub(crate) mod cloudwatch;
mod connection;
pub(crate) mod credentials_refresh;
mod entry_results;
#[cfg(feature = "firehose")]
pub(crate) mod firehose;
#[cfg(feature = "glue")]
pub(crate) mod glue;
pub(crate) mod kinesis;
pub(crate) mod reloaded_credentials;
mod seen_endpoint;

use entry_results::{EntryResults, Received};
pub(crate) use reloaded_credentials::ReloadedCredentials;
pub(crate) use seen_endpoint::SeenEndpoint;

/// The SDK behaviour that this crate is tested with.
pub(crate) const BEHAVIOR: fn() -> BehaviorVersion = BehaviorVersion::v2026_01_12;

/// Time limits of a call to the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallTimeouts {
    /// To establish a connection. Default 6 s, as the KPL's.
    pub connect: Duration,
    /// For a call, besides the time that the line needs for its bytes
    /// ([`PutRecordsRequest::transfer_time`](crate::PutRecordsRequest::transfer_time)). Default 6 s, as the KPL's request
    /// timeout. A listing of shards that had no answer in this time has twice as long the next time, up to eight times.
    pub request: Duration,
}

impl CallTimeouts {
    /// Those of a configuration.
    #[must_use]
    pub fn of(connection: &ConnectionConfig) -> Self {
        Self { connect: connection.connect_timeout, request: connection.request_timeout }
    }
}

impl Default for CallTimeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(6), request: Duration::from_secs(6) }
    }
}

/// Region, credentials and HTTP client as a configuration wants them; endpoints are each service's own affair.
pub(crate) async fn connect(config: &Config, loader: ConfigLoader) -> Result<SdkConfig, ConfigError> {
    config.check()?;
    connection::sdk_config(&config.connection, loader).await
}

/// The same with the credentials of the environment, which are found anew when the service refuses them.
pub(crate) async fn connect_by_environment(config: &Config) -> Result<SdkConfig, ConfigError> {
    config.check()?;
    connection::sdk_config_of_environment(&config.connection).await
}

impl CallTimeouts {
    /// Those of a call whose bytes take the line so long.
    pub(crate) fn with_transfer(self, transfer_time: Duration) -> Self {
        Self { request: self.request.saturating_add(transfer_time), ..self }
    }
}

pub(crate) fn timeout_config(timeouts: CallTimeouts) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(timeouts.connect)
        .operation_attempt_timeout(timeouts.request)
        .build()
}

/// Retries are the pipeline's to decide, so the SDK makes none.
pub(crate) fn no_retries() -> RetryConfig {
    RetryConfig::disabled()
}

/// The configuration of a client, from the builder of whichever service. The builders are types of their own.
macro_rules! client_config {
    ($builder:expr, $timeouts:expr) => {{
        let config = $builder
            .behavior_version($crate::transport::aws::BEHAVIOR())
            .retry_config($crate::transport::aws::no_retries())
            .timeout_config($crate::transport::aws::timeout_config($timeouts))
            .stalled_stream_protection(aws_sdk_kinesis::config::StalledStreamProtectionConfig::disabled())
            .interceptor($crate::transport::aws::answer_limit::AnswerLimit::DEFAULT)
            .build();
        // The cache of the builder's owner can only be read from what was built.
        let refresh =
            $crate::transport::aws::credentials_refresh::CredentialsRefresh::of(config.identity_cache());
        config.to_builder().identity_cache(refresh.clone()).interceptor(refresh).build()
    }};
}
pub(crate) use client_config;

/// An SDK error in this crate's words.
pub(crate) fn call_error<E, R>(error: &SdkError<E, R>) -> CallError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: HttpStatus + std::fmt::Debug,
{
    let (code, doubt) = match error {
        SdkError::ConstructionFailure(_) => ("ConstructionFailure", Doubt::NotWritten),
        SdkError::TimeoutError(_) => ("Timeout", Doubt::MayHaveBeenWritten),
        SdkError::DispatchFailure(failure) => {
            let cause = failure.as_connector_error().map(|error| error as _);
            ("DispatchFailure", doubt_of_unanswered(cause))
        }
        SdkError::ServiceError(service) => {
            let code = service.err().code().unwrap_or("UnknownError");
            (code, doubt_of_status(service.raw().http_status()))
        }
        SdkError::ResponseError(response) => {
            (RESPONSE_UNREADABLE, doubt_of_status(response.raw().http_status()))
        }
        _ => (RESPONSE_UNREADABLE, Doubt::MayHaveBeenWritten),
    };
    let message = match error {
        SdkError::ServiceError(service) => service.err().message().unwrap_or_default().into(),
        SdkError::ResponseError(response) => {
            format!("HTTP status {}: {}", response.raw().http_status(), chain(error)).into()
        }
        _ => chain(error).into(),
    };
    CallError { code: code.into(), message, doubt }
}

/// An entry that the SDK does not make a request of.
#[cfg(any(feature = "cbor", feature = "firehose"))]
fn construction_failure(error: &dyn std::error::Error) -> CallError {
    CallError {
        code: "ConstructionFailure".into(),
        message: error.to_string().into(),
        doubt: Doubt::NotWritten,
    }
}

/// From 400 to 499 somebody looked at the call and refused it: the service, or a proxy on the way, whose words nobody
/// can read.
fn doubt_of_status(status: u16) -> Doubt {
    if (400..500).contains(&status) { Doubt::NotWritten } else { Doubt::MayHaveBeenWritten }
}

/// Whether a request that got no answer can have reached the service.
///
/// Two causes tell for certain that no byte of it left: the credentials to sign it with could not be had, and the HTTP
/// client failed while it connected (name, TCP or TLS, its time limit included). A connection that broke later, or a
/// kept one that turned out to be closed, may have carried the request: the SDK's own distinctions (input or output,
/// user, other) do not tell when, so they are not asked.
fn doubt_of_unanswered(mut cause: Option<&(dyn std::error::Error + 'static)>) -> Doubt {
    while let Some(error) = cause {
        if error.is::<CredentialsError>() {
            return Doubt::NotWritten;
        }
        if let Some(client) = error.downcast_ref::<hyper_util::client::legacy::Error>() {
            return if client.is_connect() { Doubt::NotWritten } else { Doubt::MayHaveBeenWritten };
        }
        cause = error.source();
    }
    Doubt::MayHaveBeenWritten
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
