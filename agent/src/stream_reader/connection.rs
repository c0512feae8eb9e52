//! The client with which a stream is read.
//!
//! Invariants: every call has time limits, an answer is read to a bound, and a call is repeated with growing pauses when it was throttled or lost; an
//! endpoint on this machine needs neither credentials nor a region.

use std::net::IpAddr;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::config::retry::RetryConfig;
use kpl::{AnswerLimit, CredentialsRefresh, ReloadedCredentials};

use super::ReadError;

/// To establish a connection, as the producer's.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(6);
/// Until the first byte of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(6);
/// For one attempt; a page of 10 MB over a slow line takes a while.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(60);
/// Reading changes nothing, so it may be tried often; with the pauses below it is given up after about ten seconds.
const ATTEMPTS: u32 = 8;
/// The first pause, at most; the SDK doubles it and draws a part of it at random.
const FIRST_BACKOFF: Duration = Duration::from_millis(200);
/// The longest pause.
const LONGEST_BACKOFF: Duration = Duration::from_secs(3);

/// A page has up to 10 MiB of data (Kinesis API reference, `GetRecords`), which base64 makes a third longer.
const PAGE_LIMIT: AnswerLimit = AnswerLimit::bytes(16 << 20);

/// The region that an endpoint on this machine is told; nobody there looks at it.
const LOOPBACK_REGION: &str = "us-east-1";

/// Makes a client for the Kinesis of `endpoint` (a URL; default: the region's own) in `region`. Credentials and,
/// without `region`, the region are what every AWS tool would use here; an endpoint on this machine gets test
/// credentials unless the environment names some.
///
/// # Errors
///
/// [`ReadError::NoRegion`] when nothing names a region.
pub async fn connect(endpoint: Option<&str>, region: Option<&str>) -> Result<Client, ReadError> {
    let is_loopback = endpoint.is_some_and(is_loopback);
    let config = if is_loopback && !has_credentials() {
        test_config(region)
    } else {
        let region = region.map(str::to_owned).or_else(|| is_loopback.then(loopback_region));
        let loader = move || {
            let loader = aws_config::defaults(BehaviorVersion::v2026_01_12());
            match region.clone() {
                Some(region) => loader.region(Region::new(region)),
                None => loader,
            }
        };
        ReloadedCredentials::load(loader).await
    };
    if config.region().is_none() {
        return Err(ReadError::NoRegion);
    }
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build();
    let retries = RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(FIRST_BACKOFF)
        .with_max_backoff(LONGEST_BACKOFF);
    let refresh = CredentialsRefresh::of(config.identity_cache());
    let mut builder = aws_sdk_kinesis::config::Builder::from(&config)
        .timeout_config(timeouts)
        .retry_config(retries)
        .interceptor(PAGE_LIMIT)
        .identity_cache(refresh.clone())
        .interceptor(refresh);
    builder
        .set_endpoint_url(endpoint.map(str::to_owned).or_else(|| config.endpoint_url().map(str::to_owned)));
    Ok(Client::from_conf(builder.build()))
}

fn test_config(region: Option<&str>) -> SdkConfig {
    let region = region.map_or_else(loopback_region, str::to_owned);
    let credentials = Credentials::new("test", "test", None, None, "loopback");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

fn loopback_region() -> String {
    let of_environment =
        ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(|name| std::env::var(name).ok());
    of_environment.unwrap_or_else(|| LOOPBACK_REGION.to_owned())
}

fn has_credentials() -> bool {
    ["AWS_ACCESS_KEY_ID", "AWS_PROFILE"].iter().any(|name| std::env::var_os(name).is_some())
}

/// Whether the host of a URL is this machine.
fn is_loopback(endpoint: &str) -> bool {
    let authority = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn hosts_of_this_machine() {
        for (endpoint, expected) in [
            ("http://127.0.0.1:4567", true),
            ("http://127.0.0.2", true),
            ("http://localhost:4567/path", true),
            ("http://[::1]:4567", true),
            ("127.0.0.1:4567", true),
            ("https://kinesis.eu-west-1.amazonaws.com", false),
            ("http://10.0.0.1:4567", false),
            ("http://127.0.0.1.example.com", false),
            ("", false),
        ] {
            assert_eq!(is_loopback(endpoint), expected, "{endpoint}");
        }
    }
}
