//! The options at the top level of the file.
//!
//! Invariant: every constant here is in [`ROWS`].

use super::{
    BooleanOption, IntegerOption, OptionRow, Shape, TextOption, ValueOption, boolean, text, value,
    whole_number,
};

/// What is followed and where it goes.
pub const FLOWS: ValueOption = value("flows", "array of objects, required");
/// Static key id.
pub const AWS_ACCESS_KEY_ID: TextOption = text("awsAccessKeyId", None);
/// Static secret key.
pub const AWS_SECRET_ACCESS_KEY: TextOption = text("awsSecretAccessKey", None);
/// Role to assume.
pub const ASSUME_ROLE_ARN: TextOption = text("assumeRoleARN", None);
/// External id for assuming the role.
pub const ASSUME_ROLE_EXTERNAL_ID: TextOption = text("assumeRoleExternalId", None);
/// Kinesis endpoint.
pub const KINESIS_ENDPOINT: TextOption = text("kinesis.endpoint", None);
/// Kinesis region.
pub const KINESIS_REGION: TextOption = text("kinesis.region", None);
/// Firehose endpoint.
pub const FIREHOSE_ENDPOINT: TextOption = text("firehose.endpoint", None);
/// Firehose region.
pub const FIREHOSE_REGION: TextOption = text("firehose.region", None);
/// `CloudWatch` endpoint.
pub const CLOUDWATCH_ENDPOINT: TextOption = text("cloudwatch.endpoint", None);
/// `CloudWatch` region.
pub const CLOUDWATCH_REGION: TextOption = text("cloudwatch.region", None);
/// STS endpoint.
pub const STS_ENDPOINT: TextOption = text("sts.endpoint", None);
/// Whether metrics are published.
pub const EMIT_METRICS: BooleanOption = boolean("cloudwatch.emitMetrics", true);
/// Whether metrics carry the dimension `Instance`.
pub const TAG_INSTANCE: BooleanOption = boolean("cloudwatch.tagInstance", false);
/// Metric namespace.
pub const CLOUDWATCH_NAMESPACE: TextOption = text("cloudwatch.namespace", Some("AWSKinesisAgent"));
/// Interval between publications of metrics.
pub const METRICS_BUFFER_TIME_MILLIS: IntegerOption =
    whole_number("cloudwatch.metricsBufferTimeMillis", 30_000, 1..=i64::MAX);
/// Period of the progress lines.
pub const STATUS_REPORTING_PERIOD_SECONDS: IntegerOption =
    whole_number("log.statusReportingPeriodSeconds", 30, 1..=i32::MAX as i64);
/// The checkpoint database.
pub const CHECKPOINT_FILE: TextOption = text("checkpointFile", Some("/var/lib/kinesis-agent/checkpoints.db"));
/// Where records go that cannot be sent.
pub const DEAD_LETTER_DIRECTORY: TextOption = text("deadLetterDirectory", None);
/// Bytes of one flow's dead letters.
pub const DEAD_LETTER_MAX_BYTES: IntegerOption =
    whole_number("deadLetterMaxBytes", 1 << 30, (32 << 20)..=i64::MAX);
/// Files that are held open.
pub const MAX_OPEN_FILES: IntegerOption = whole_number("maxOpenFiles", 4096, 1..=i32::MAX as i64);
/// The Java agent's checkpoint database.
pub const IMPORT_CHECKPOINT_FILE: TextOption =
    text("importCheckpointFile", Some("/var/run/aws-kinesis-agent/checkpoints"));
/// The socket of `status` and `shipped`.
pub const STATUS_SOCKET: TextOption = text("statusSocket", None);
/// Age at which checkpoints of vanished files are forgotten.
pub const CHECKPOINT_TIME_TO_LIVE_DAYS: IntegerOption =
    whole_number("checkpointTimeToLiveDays", 7, 0..=i32::MAX as i64);
/// Total budget of a clean stop.
pub const SHUTDOWN_TIMEOUT_MILLIS: IntegerOption =
    whole_number("shutdownTimeoutMillis", 10_000, 0..=i64::MAX);
/// Time to establish a connection.
pub const CONNECTION_TIMEOUT_MILLIS: IntegerOption =
    whole_number("connectionTimeoutMillis", 6_000, 0..=i64::MAX);
/// Time for an answer, besides what the line needs for the bytes.
pub const SOCKET_TIMEOUT_MILLIS: IntegerOption = whole_number("socketTimeoutMillis", 6_000, 0..=i64::MAX);

const NO_THREADS: &str = "sending needs no thread per request; memory is bounded by bytes instead";
const OWN_HTTP: &str = "the AWS SDK for Rust manages its connections itself";
const OWN_LOG: &str = "logging is set on the command line and in the environment";
const OWN_STORE: &str = "the checkpoint store sets its own time-outs";
const NO_JAVA: &str = "Java classes cannot be loaded; the default AWS credential chain is used instead \
     (for your own source, set credential_process in ~/.aws/config)";

/// The table's rows for the top level.
pub const ROWS: &[OptionRow] = &[
    OptionRow::honoured(Shape::Value(FLOWS), "what is followed and where it goes"),
    OptionRow::honoured(
        Shape::Text(KINESIS_REGION),
        "region of the streams; default: what AWS tools use here",
    ),
    OptionRow::honoured(Shape::Text(KINESIS_ENDPOINT), "Kinesis endpoint; default: the region's own"),
    OptionRow::honoured(
        Shape::Text(FIREHOSE_REGION),
        "region of the delivery streams (not in the Java agent)",
    ),
    OptionRow::honoured(Shape::Text(FIREHOSE_ENDPOINT), "Firehose endpoint; default: the region's own"),
    OptionRow::honoured(Shape::Text(CLOUDWATCH_REGION), "region of the metrics (not in the Java agent)"),
    OptionRow::honoured(Shape::Text(CLOUDWATCH_ENDPOINT), "CloudWatch endpoint; default: the region's own"),
    OptionRow::honoured(Shape::Text(STS_ENDPOINT), "STS endpoint for assumeRoleARN"),
    OptionRow::honoured(
        Shape::Text(AWS_ACCESS_KEY_ID),
        "static key id; better leave it to the AWS credential chain",
    ),
    OptionRow::honoured(Shape::Text(AWS_SECRET_ACCESS_KEY), "static secret key, beside awsAccessKeyId"),
    OptionRow::honoured(Shape::Text(ASSUME_ROLE_ARN), "role that all clients assume through STS"),
    OptionRow::honoured(Shape::Text(ASSUME_ROLE_EXTERNAL_ID), "external id for assumeRoleARN"),
    OptionRow::honoured(Shape::Boolean(EMIT_METRICS), "publish metrics to CloudWatch"),
    OptionRow::honoured(Shape::Text(CLOUDWATCH_NAMESPACE), "namespace of the metrics"),
    OptionRow::honoured(
        Shape::Integer(METRICS_BUFFER_TIME_MILLIS),
        "interval between publications of metrics",
    ),
    OptionRow::honoured(Shape::Boolean(TAG_INSTANCE), "add the dimension Instance to the metrics"),
    OptionRow::honoured(Shape::Text(CHECKPOINT_FILE), "database of what has been acknowledged"),
    OptionRow::honoured(
        Shape::Text(DEAD_LETTER_DIRECTORY),
        "where records go that cannot be sent; default: dead-letters beside checkpointFile (not in the Java agent)",
    ),
    OptionRow::honoured(
        Shape::Integer(DEAD_LETTER_MAX_BYTES),
        "bytes of one flow's dead letters; when they are full, files with such records wait (not in the Java agent)",
    ),
    OptionRow::honoured(
        Shape::Integer(MAX_OPEN_FILES),
        "files held open by all flows together, and fewer where the process may not have so many (not in the Java agent)",
    ),
    OptionRow::honoured(
        Shape::Text(IMPORT_CHECKPOINT_FILE),
        "the Java agent's database, from which a flow's first start goes on; \"\": none (not in the Java agent)",
    ),
    OptionRow::honoured(
        Shape::Text(STATUS_SOCKET),
        "socket of the commands status and shipped; default: checkpointFile and .sock (not in the Java agent)",
    ),
    OptionRow::honoured(
        Shape::Integer(CHECKPOINT_TIME_TO_LIVE_DAYS),
        "age at which unused checkpoints are deleted",
    ),
    OptionRow::honoured(
        Shape::Integer(SHUTDOWN_TIMEOUT_MILLIS),
        "budget for sending what was read before a stop",
    ),
    OptionRow::honoured(Shape::Integer(STATUS_REPORTING_PERIOD_SECONDS), "period of the progress lines"),
    OptionRow::honoured(
        Shape::Integer(CONNECTION_TIMEOUT_MILLIS),
        "time to establish a connection, at most 300000; 0: that much (the Java agent's default is its SDK's)",
    ),
    OptionRow::honoured(
        Shape::Integer(SOCKET_TIMEOUT_MILLIS),
        "time for the service to answer a call, besides the time that a slow line needs for its bytes, which is \
         measured; at most 600000; 0: that much (the Java agent's default is its SDK's)",
    ),
    OptionRow::ignored(
        Shape::Text(text("userDefinedCredentialsProvider.classname", None)),
        NO_JAVA,
        "Java class that provides credentials",
    ),
    OptionRow::without_effect(
        Shape::Text(text("userDefinedCredentialsProvider.location", None)),
        "only means something beside userDefinedCredentialsProvider.classname",
        "jar of the Java class that provides credentials",
    ),
    quiet_integer("cloudwatch.metricsQueueSize", "metrics are summed in place and need no queue"),
    quiet_boolean("log.emitMetrics", OWN_LOG),
    quiet_boolean("log.emitInternalMetrics", OWN_LOG),
    quiet_text("log.level", OWN_LOG),
    quiet_text("log.file", OWN_LOG),
    quiet_text("log.maxFileSize", OWN_LOG),
    quiet_text("log.maxBackupIndex", OWN_LOG),
    quiet_integer("checkpoints.queryTimeoutSeconds", OWN_STORE),
    quiet_integer("checkpoints.connectionTimeoutSeconds", OWN_STORE),
    quiet_integer("maxSendingThreads", NO_THREADS),
    quiet_integer("maxSendingThreadsPerCore", NO_THREADS),
    quiet_integer("sendingThreadsMaxQueueSize", NO_THREADS),
    quiet_integer("sendingThreadsKeepAliveMillis", NO_THREADS),
    quiet_integer("maxConnections", OWN_HTTP),
    quiet_integer("connectionTTLMillis", OWN_HTTP),
    quiet_boolean("useTcpKeepAlive", OWN_HTTP),
    quiet_boolean("useHttpGzip", OWN_HTTP),
    quiet_text("userAgent", OWN_HTTP),
    quiet_text("userAgentOverride", OWN_HTTP),
];

const QUIET_DOC: &str = "known from the Java agent, without effect here";

const fn quiet_integer(name: &'static str, why: &'static str) -> OptionRow {
    OptionRow::without_effect(Shape::Integer(whole_number(name, 0, i64::MIN..=i64::MAX)), why, QUIET_DOC)
}

const fn quiet_boolean(name: &'static str, why: &'static str) -> OptionRow {
    OptionRow::without_effect(Shape::Boolean(boolean(name, false)), why, QUIET_DOC)
}

const fn quiet_text(name: &'static str, why: &'static str) -> OptionRow {
    OptionRow::without_effect(Shape::Text(text(name, None)), why, QUIET_DOC)
}
