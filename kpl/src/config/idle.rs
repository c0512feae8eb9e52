//! Options that are obeyed only together with another one.
//!
//! Invariant: the answer is about a whole configuration, after everything was read.

use crate::config::Config;
use crate::config::connection::is_url;

/// Why the option `name` does nothing in `config`, if that is so.
pub(super) fn idle(config: &Config, name: &str) -> Option<&'static str> {
    let connection = &config.connection;
    match name {
        "kinesis_port" => idle_port(connection.kinesis_endpoint.as_deref()),
        "firehose_port" => idle_port(connection.firehose_endpoint.as_deref()),
        "cloudwatch_port" => idle_port(connection.cloudwatch_endpoint.as_deref()),
        "proxy_port" => idle_port(connection.proxy_host.as_deref()),
        "proxy_user_name" | "proxy_password" if connection.proxy_host.is_none() => {
            Some("it counts only with a proxy host")
        }
        "proxy_password" if connection.proxy_user_name.is_none() => {
            Some("it counts only with a user name for the proxy")
        }
        "producer_id" if !config.dedup_ids => Some("it counts only with ids to drop repeats by"),
        _ => None,
    }
}

fn idle_port(host: Option<&str>) -> Option<&'static str> {
    match host {
        None => Some("it counts only with a host of its own"),
        Some(host) if is_url(host) => Some("the host is given as a URL, which has a port of its own"),
        Some(_) => None,
    }
}
