//! What the clients of the AWS SDK share: time limits, and the SDK's errors in this crate's words.
//!
//! Invariant: one call to the SDK is one request to the service (its retries are off), and every call has a time
//! limit: without one a silent server would hang PutRecords for ever.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_sdk_kinesis::config::retry::RetryConfig;
use aws_sdk_kinesis::config::timeout::TimeoutConfig;
use aws_sdk_kinesis::error::{ProvideErrorMetadata, SdkError};

use crate::put_records::{CallError, Doubt};

#[cfg(feature = "cloudwatch")]
pub(crate) mod cloudwatch;
#[cfg(feature = "firehose")]
pub(crate) mod firehose;
pub(crate) mod kinesis;

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
