//! Where the services are and how they are reached.
//!
//! Invariant: a host name becomes an `https` URL with the port beside it; a URL is taken as it stands.

use std::time::Duration;

use crate::config::secret::Secret;

/// The port of HTTPS.
pub(crate) const HTTPS_PORT: u16 = 443;

/// Where the services are and how they are reached.
///
/// `AwsTransport::from_config` and `FirehoseTransport::from_config` obey it; a transport made otherwise, and
/// [`Producer`](crate::Producer) itself, do not look at it.
///
/// An endpoint is a host name, as in the KPL, reached over HTTPS at the port beside it; or a URL with a scheme, such
/// as `http://127.0.0.1:4567` for a stand-in on this machine, and then the port beside it does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionConfig {
    /// The region, such as `eu-west-1`. `None`, the default, takes it from where every AWS tool does.
    pub region: Option<String>,
    /// Where Kinesis Data Streams is. `None`, the default, is the region's public endpoint.
    pub kinesis_endpoint: Option<String>,
    /// Port of `kinesis_endpoint` where that is a host name. 1 to 65535, default 443.
    pub kinesis_port: u16,
    /// Where Firehose is. `None`, the default, is the region's public endpoint. Not an option of the KPL.
    pub firehose_endpoint: Option<String>,
    /// Port of `firehose_endpoint` where that is a host name. 1 to 65535, default 443. Not an option of the KPL.
    pub firehose_port: u16,
    /// Where CloudWatch is. `None`, the default, is the region's public endpoint.
    pub cloudwatch_endpoint: Option<String>,
    /// Port of `cloudwatch_endpoint` where that is a host name. 1 to 65535, default 443.
    pub cloudwatch_port: u16,
    /// Time to establish a connection, TLS included. 100 ms to 300 s, default 6 s.
    pub connect_timeout: Duration,
    /// Time for the service to answer a call, besides the time that its bytes need on the line, which is measured: a slow
    /// line does not make calls fail. 100 ms to 600 s, default 6 s.
    ///
    /// A service that is silent is noticed after this time, and at most six seconds more when the line was full; later
    /// on a slow line. A listing of shards that had no answer has twice as long the next time, up to eight times.
    pub request_timeout: Duration,
    /// The proxy for calls to the services, reached over HTTP at `proxy_port`, or a URL with a scheme and port of its
    /// own. `None`, the default, leaves it to the environment: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
    /// `NO_PROXY`.
    ///
    /// Credentials are always fetched as the environment says.
    pub proxy_host: Option<String>,
    /// Port of the proxy where `proxy_host` is a host name. 1 to 65535, default 443.
    pub proxy_port: u16,
    /// User for the proxy. `None`, the default, is without authentication.
    pub proxy_user_name: Option<String>,
    /// Password for the proxy; counts only with `proxy_user_name`. Default `None`.
    pub proxy_password: Option<Secret>,
}

impl Default for ConnectionConfig {
    fn default() -> Self {
        Self {
            region: None,
            kinesis_endpoint: None,
            kinesis_port: HTTPS_PORT,
            firehose_endpoint: None,
            firehose_port: HTTPS_PORT,
            cloudwatch_endpoint: None,
            cloudwatch_port: HTTPS_PORT,
            connect_timeout: Duration::from_secs(6),
            request_timeout: Duration::from_secs(6),
            proxy_host: None,
            proxy_port: HTTPS_PORT,
            proxy_user_name: None,
            proxy_password: None,
        }
    }
}

impl ConnectionConfig {
    /// The URL of `kinesis_endpoint`, with its port; `None` is the region's public endpoint.
    #[must_use]
    pub fn kinesis_url(&self) -> Option<String> {
        Some(url("https", self.kinesis_endpoint.as_deref()?, self.kinesis_port))
    }

    /// The URL of `firehose_endpoint`, with its port; `None` is the region's public endpoint.
    #[must_use]
    pub fn firehose_url(&self) -> Option<String> {
        Some(url("https", self.firehose_endpoint.as_deref()?, self.firehose_port))
    }

    /// The URL of `cloudwatch_endpoint`, with its port; `None` is the region's public endpoint.
    #[must_use]
    pub fn cloudwatch_url(&self) -> Option<String> {
        Some(url("https", self.cloudwatch_endpoint.as_deref()?, self.cloudwatch_port))
    }

    /// The URL of the proxy, with its port; `None` leaves it to the environment.
    #[must_use]
    pub fn proxy_url(&self) -> Option<String> {
        Some(url("http", self.proxy_host.as_deref()?, self.proxy_port))
    }
}

/// Whether an endpoint brings its scheme, and with it its port.
pub(super) fn is_url(endpoint: &str) -> bool {
    endpoint.contains("://")
}

fn url(scheme: &str, endpoint: &str, port: u16) -> String {
    if is_url(endpoint) { endpoint.to_owned() } else { format!("{scheme}://{endpoint}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_get_scheme_and_port_and_urls_are_left_alone() {
        let mut connection = ConnectionConfig::default();
        assert_eq!((connection.kinesis_url(), connection.proxy_url()), (None, None));
        connection.kinesis_endpoint = Some("kinesis.internal.example".to_owned());
        connection.kinesis_port = 8443;
        connection.cloudwatch_endpoint = Some("http://127.0.0.1:4567".to_owned());
        connection.cloudwatch_port = 1;
        connection.proxy_host = Some("proxy.example".to_owned());
        connection.proxy_port = 3128;
        assert_eq!(connection.kinesis_url().as_deref(), Some("https://kinesis.internal.example:8443"));
        assert_eq!(connection.cloudwatch_url().as_deref(), Some("http://127.0.0.1:4567"));
        assert_eq!(connection.proxy_url().as_deref(), Some("http://proxy.example:3128"));
        assert_eq!(connection.firehose_url(), None);
    }
}
