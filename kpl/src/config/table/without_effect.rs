//! The KPL's options that do nothing here, each with the reason and what to do instead.
//!
//! Invariant: none of them is passed over in silence, unless its value asks for what is the case anyway.

use crate::config::option::{ConfigOption, Effect, Origin};

const fn without_effect(
    name: &'static str,
    property: &'static str,
    granted: Option<&'static str>,
    because: &'static str,
) -> ConfigOption {
    ConfigOption {
        name,
        property,
        origin: Origin::Kpl,
        effect: Effect::None { because, granted },
        doc: because,
    }
}

/// What has no effect, in the order in which the documentation lists it.
pub(super) static WITHOUT_EFFECT: &[ConfigOption] = &[
    without_effect(
        "verify_certificate",
        "VerifyCertificate",
        Some("true"),
        "certificates are always verified; for an authority of your own set the environment variable SSL_CERT_FILE or add it to the system's, and for a stand-in on this machine give kinesis_endpoint as an http:// URL",
    ),
    without_effect(
        "ca_cert_file",
        "CaCertFile",
        Some(""),
        "the system's certificates are used; set the environment variable SSL_CERT_FILE instead",
    ),
    without_effect(
        "ca_cert_path",
        "CaCertPath",
        Some(""),
        "the system's certificates are used; set the environment variable SSL_CERT_DIR instead",
    ),
    without_effect(
        "min_connections",
        "MinConnections",
        None,
        "connections are opened when they are needed (the KPL checks this option and never uses it)",
    ),
    without_effect(
        "thread_config",
        "ThreadingModel",
        None,
        "calls are tasks of your tokio runtime, not threads; there is nothing to choose",
    ),
    without_effect(
        "thread_pool_size",
        "ThreadPoolSize",
        None,
        "calls are tasks of your tokio runtime; give that the threads that you want",
    ),
    without_effect(
        "log_level",
        "LogLevel",
        None,
        "the log goes to your program's tracing subscriber; filter the target kpl there",
    ),
    without_effect(
        "enable_core_dumps",
        "EnableCoreDumps",
        None,
        "there is no child process; set your own process's limit (ulimit -c, LimitCORE=)",
    ),
    without_effect(
        "native_executable",
        "NativeExecutable",
        Some(""),
        "there is no child process and no binary to run",
    ),
    without_effect(
        "temp_directory",
        "TempDirectory",
        Some(""),
        "there is no child process, and nothing is written to disk",
    ),
    without_effect(
        "enable_daemon_health_check",
        "EnableDaemonHealthCheck",
        Some("false"),
        "there is no child process whose health could be checked",
    ),
    without_effect(
        "daemon_health_check_timeout_ms",
        "DaemonHealthCheckTimeoutMs",
        None,
        "there is no child process whose health could be checked",
    ),
    without_effect(
        "credentials_refresh_delay",
        "CredentialsRefreshDelay",
        None,
        "the provider is asked again before its credentials expire, after 15 minutes if they do not, and when the service refuses them: at once, then after 1, 2, 4 and every 5 s; profile files are then read again",
    ),
    without_effect(
        "credentials_provider",
        "CredentialsProvider",
        None,
        "a provider is code: give it to AwsTransport::from_config_with",
    ),
    without_effect(
        "metrics_credentials_provider",
        "MetricsCredentialsProvider",
        None,
        "a provider is code: give it to the client that uploads the metrics",
    ),
    without_effect(
        "user_record_timeout_in_millis",
        "UserRecordTimeoutInMillis",
        Some("0"),
        "a Delivery is a future: put tokio::time::timeout around it, or set record_ttl",
    ),
    without_effect(
        "return_user_record_on_failure",
        "ReturnUserRecordOnFailure",
        Some("true"),
        "a failed record is always handed back, without a copy",
    ),
    without_effect(
        "enable_oldest_future_tracker",
        "EnableOldestFutureTracker",
        None,
        "there is no tracker beside the records to switch on or off",
    ),
    without_effect(
        "glue_schema_registry_configuration",
        "GlueSchemaRegistryConfiguration",
        None,
        "a registry is code: give a GlueSchemaRegistrySerializer to ProducerBuilder::glue_schema_registry (cargo feature glue)",
    ),
    without_effect(
        "glue_schema_registry_properties_file_path",
        "GlueSchemaRegistryPropertiesFilePath",
        Some(""),
        "give the file's text to GlueSchemaRegistryConfiguration::from_properties (cargo feature glue), and a GlueSchemaRegistrySerializer to ProducerBuilder::glue_schema_registry",
    ),
    without_effect(
        "glue_schema_registry_credentials_provider",
        "GlueSchemaRegistryCredentialsProvider",
        None,
        "a provider is code: give it to the client that AwsSchemaRegistry::from_builder takes (cargo feature glue)",
    ),
    without_effect(
        "sts_endpoint",
        "StsEndpoint",
        Some(""),
        "the producer does not call STS (nor does the KPL since 1.0.5)",
    ),
    without_effect(
        "sts_port",
        "StsPort",
        None,
        "the producer does not call STS (nor does the KPL since 1.0.5)",
    ),
];
