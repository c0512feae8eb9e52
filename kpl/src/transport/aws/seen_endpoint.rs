//! The endpoint that a client's calls really go to, for log messages.
//!
//! Invariant: it is what the SDK resolved, wherever that came from (configuration, environment, profile, rules), and holds
//! no path, query or credentials.

use std::fmt;
use std::sync::{Arc, OnceLock};

use aws_sdk_kinesis::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_kinesis::config::{ConfigBag, Intercept, Region, RuntimeComponents};
use aws_sdk_kinesis::error::BoxError;

/// Looks at the first call of a client. Clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct SeenEndpoint {
    region: Option<Region>,
    url: Arc<OnceLock<String>>,
}

impl SeenEndpoint {
    /// Of a client for this region.
    pub(crate) fn new(region: Option<&Region>) -> Self {
        Self { region: region.cloned(), url: Arc::default() }
    }
}

impl Intercept for SeenEndpoint {
    fn name(&self) -> &'static str {
        "SeenEndpoint"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.url.get_or_init(|| origin(context.request().uri()));
        Ok(())
    }
}

/// Scheme, host and port of a URL.
fn origin(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    match scheme {
        "" => host.to_owned(),
        _ => format!("{scheme}://{host}"),
    }
}

impl fmt::Display for SeenEndpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let region = self.region.as_ref().map_or("no region", |region| region.as_ref());
        match self.url.get() {
            Some(url) => write!(formatter, "{url} ({region})"),
            None => write!(formatter, "not called yet ({region})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_origin_is_kept() {
        for (url, expected) in [
            ("https://kinesis.us-east-1.amazonaws.com/", "https://kinesis.us-east-1.amazonaws.com"),
            ("http://127.0.0.1:4567", "http://127.0.0.1:4567"),
            ("http://user:secret@localhost:1/path?query", "http://localhost:1"),
            ("localhost/x", "localhost"),
            ("", ""),
        ] {
            assert_eq!(origin(url), expected, "{url}");
        }
    }

    #[test]
    fn before_the_first_call_there_is_the_region() {
        let seen = SeenEndpoint::new(Some(&Region::new("eu-west-1")));
        assert_eq!(seen.to_string(), "not called yet (eu-west-1)");
        assert_eq!(SeenEndpoint::new(None).to_string(), "not called yet (no region)");
    }
}
