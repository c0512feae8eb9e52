//! The same rules from JSON, which stands for every format that describes itself.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::config::choices::{AdditionalMetricDimension, Compression, MetricsGranularity};
use crate::config::connection::ConnectionConfig;

fn read(text: &str) -> Config {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}"))
}

/// The problems in the error's words.
fn problem(text: &str) -> String {
    serde_json::from_str::<Config>(text).expect_err(text).to_string()
}

#[test]
fn values_become_fields_and_the_rest_keeps_its_default() {
    assert_eq!(read("{}"), Config::default());
    let config = read(
        r#"{
            "record_ttl": null, "record_max_buffered_time": 250, "aggregation_enabled": false,
            "compression": "gzip", "seed": 18446744073709551615, "region": "eu-west-1", "kinesis_endpoint": "",
            "verify_certificate": true, "ca_cert_file": null, "user_record_timeout_in_millis": 0,
            "additional_metric_dims": [{ "name": "Host", "value": "a", "granularity": "stream" }]
        }"#,
    );
    let host = AdditionalMetricDimension::new("Host", "a", MetricsGranularity::Stream);
    let region = Some("eu-west-1".to_owned());
    let expected = Config {
        record_ttl: None,
        record_max_buffered_time: Duration::from_millis(250),
        aggregation_enabled: false,
        compression: Compression::Gzip,
        seed: Some(u64::MAX),
        connection: ConnectionConfig { region, ..ConnectionConfig::default() },
        additional_metric_dims: vec![host],
        ..Config::default()
    };
    assert_eq!(config, expected);
}

#[test]
fn all_problems_are_told_at_once() {
    let told = problem(
        r#"{
            "record_tll": 1, "rate_limit": 0, "max_connections": "24", "aggregation_enabled": 1,
            "log_level": "info", "verify_certificate": false, "region": 7, "proxy_password": 1234,
            "metrics_level": "all", "xcvfcveu": 1, "record_max_buffered_time": 1.5, "seed": -1,
            "metrics_namespace": null, "kinesis_port": 65536, "collection_max_count": [500],
            "additional_metric_dims": [{ "name": "Host" }, 1, { "name": "ShardId", "granularity": "all" }],
            "dedup_ids": true, "dedup_ids": false
        }"#,
    );
    for problem in [
        "record_tll is no option: did you mean record_ttl?",
        "rate_limit is 0: give 1 or more",
        "max_connections is \"24\": give 1 to 256",
        "aggregation_enabled is 1: give true or false",
        "log_level has no effect: the log goes to your program's tracing subscriber",
        "verify_certificate has no effect: certificates are always verified",
        "region is 7: give a region",
        "proxy_password is not what it has to be",
        "metrics_level is \"all\": give none or summary or detailed",
        "xcvfcveu is no option;",
        "record_max_buffered_time is 1.5: give 0 or more ms",
        "seed is -1",
        "metrics_namespace is empty: give 1 to 255 characters",
        "kinesis_port is 65536: give 1 to 65535",
        "collection_max_count is a list: give 1 to 500",
        "additional_metric_dims [0] is not whole",
        "[1] is 1: give the texts",
        "[2] is not whole",
        "dedup_ids stands there twice",
    ] {
        assert!(told.contains(problem), "{problem} is not in {told}");
    }
    assert!(!told.contains("1234"), "{told}");
}

#[test]
fn what_is_no_map_is_refused() {
    for text in ["1", "[]", "null", "\"\"", "{", "{\"rate_limit\"}"] {
        assert!(serde_json::from_str::<Config>(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn what_passes_is_lawful(
        place in 0..table::options().count(),
        value in prop_oneof![any::<i64>().prop_map(|n| n.to_string()), (0..70_000u32).prop_map(|n| n.to_string()),
            "\"[a-z0-9:/.-]{0,20}\"", Just("true".to_owned()), Just("null".to_owned())],
    ) {
        let text = format!("{{ \"{}\": {value} }}", table::options().nth(place).expect("a place of the table").name);
        if let Ok(config) = serde_json::from_str::<Config>(&text) {
            prop_assert_eq!(config.check(), Ok(()));
        }
    }
}
