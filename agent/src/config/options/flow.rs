//! The options of one flow, an object in `flows`.
//!
//! Invariant: every constant here is in [`ROWS`].

use super::{
    BooleanOption, ChoiceOption, IntegerOption, OptionRow, Shape, TextOption, ValueOption, boolean, text,
    value, whole_number,
};

/// Which files.
pub const FILE_PATTERN: TextOption = text("filePattern", None);
/// Which of them are left alone.
pub const EXCLUDE_FILE_PATTERNS: ValueOption = value("excludeFilePatterns", "array of globs, default empty");
/// Stream to send to.
pub const KINESIS_STREAM: TextOption = text("kinesisStream", None);
/// Delivery stream to send to.
pub const DELIVERY_STREAM: TextOption = text("deliveryStream", None);
/// How partition keys are made.
pub const PARTITION_KEY_OPTION: ChoiceOption =
    ChoiceOption { name: "partitionKeyOption", default: Some("RANDOM"), names: &["RANDOM", "DETERMINISTIC"] };
/// KPL aggregation.
pub const AGGREGATION: BooleanOption = boolean("aggregation", false);
/// Where reading begins without a checkpoint.
pub const INITIAL_POSITION: ChoiceOption = ChoiceOption {
    name: "initialPosition",
    default: Some("END_OF_FILE"),
    names: &["START_OF_FILE", "END_OF_FILE"],
};
/// How long a record may wait for its request. The Java agent's default is a minute; requests are not what is paid for.
pub const MAX_BUFFER_AGE_MILLIS: IntegerOption = whole_number("maxBufferAgeMillis", 1_000, 1_000..=900_000);
/// Records in one request.
pub const MAX_BUFFER_SIZE_RECORDS: IntegerOption = whole_number("maxBufferSizeRecords", 500, 1..=500);
/// Bytes of one `PutRecords`.
pub const KINESIS_MAX_BUFFER_SIZE_BYTES: IntegerOption =
    whole_number("maxBufferSizeBytes", 5 * 1024 * 1024, 1..=5 * 1024 * 1024);
/// Bytes of one `PutRecordBatch`; the same key as for Kinesis, with the limit of Firehose.
pub const FIREHOSE_MAX_BUFFER_SIZE_BYTES: IntegerOption =
    whole_number("maxBufferSizeBytes", 4 * 1024 * 1024, 1..=4 * 1024 * 1024);
/// First delay after a failure.
pub const RETRY_INITIAL_BACKOFF_MILLIS: IntegerOption =
    whole_number("retryInitialBackoffMillis", 100, 0..=i64::MAX);
/// Longest delay after failures.
pub const RETRY_MAX_BACKOFF_MILLIS: IntegerOption =
    whole_number("retryMaxBackoffMillis", 10_000, 0..=i64::MAX);
/// Lines dropped at the beginning of each file.
pub const SKIP_HEADER_LINES: IntegerOption = whole_number("skipHeaderLines", 0, i64::MIN..=i64::MAX);
/// End of a record that was cut.
pub const TRUNCATED_RECORD_TERMINATOR: TextOption = text("truncatedRecordTerminator", Some("\n"));
/// Pause between looks at an idle file.
pub const MIN_TIME_BETWEEN_FILE_POLLS_MILLIS: IntegerOption =
    whole_number("minTimeBetweenFilePollsMillis", 100, i64::MIN..=i64::MAX);
/// Period of the full directory scan.
pub const MAX_TIME_BETWEEN_FILE_TRACKER_REFRESH_MILLIS: IntegerOption =
    whole_number("maxTimeBetweenFileTrackerRefreshMillis", 10_000, i64::MIN..=i64::MAX);
/// Converters of the records.
pub const DATA_PROCESSING_OPTIONS: ValueOption =
    value("dataProcessingOptions", "array of objects, default empty");
/// Pattern of a record's first line.
pub const MULTI_LINE_START_PATTERN: TextOption = text("multiLineStartPattern", None);
/// Pattern of records that are left out.
pub const FILE_FOOTER_PATTERN: TextOption = text("fileFooterPattern", None);
/// Quiet time that completes a record of several lines.
pub const MULTI_LINE_TIMEOUT_MILLIS: IntegerOption =
    whole_number("multiLineTimeoutMillis", 2_000, 0..=900_000);
/// What becomes of over-long records.
pub const RECORD_OVER_LIMIT_POLICY: ChoiceOption = ChoiceOption {
    name: "recordOverLimitPolicy",
    default: Some("TRUNCATE"),
    names: &["TRUNCATE", "SPLIT", "DEAD_LETTER"],
};
/// End of each part of a split record but the last.
pub const SPLIT_RECORD_CONTINUATION_MARK: TextOption = text("splitRecordContinuationMark", Some("\\\n"));
/// What becomes of records that the service refuses for good.
pub const REFUSED_RECORD_POLICY: ChoiceOption = ChoiceOption {
    name: "refusedRecordPolicy",
    default: Some("DEAD_LETTER"),
    names: &["DEAD_LETTER", "STOP_FILE"],
};
/// Where records carry the ids by which a repeat is recognised.
pub const DEDUP_IDS: ChoiceOption =
    ChoiceOption { name: "dedupIds", default: Some("NONE"), names: &["NONE", "TAG", "FIELD"] };
/// The name of such an id in a JSON record.
pub const DEDUP_ID_FIELD: TextOption = text("dedupIdField", Some("dedupId"));
/// Which links are followed.
pub const LINK_POLICY: ChoiceOption =
    ChoiceOption { name: "linkPolicy", default: Some("TRUSTED"), names: &["TRUSTED", "ALL"] };
/// Lines joined into one Firehose record.
pub const AGGREGATED_RECORD_SIZE_BYTES: IntegerOption =
    whole_number("aggregatedRecordSizeBytes", 0, 0..=1_024_000);

const NO_QUEUES: &str = "there are no queues of batches; the reader waits when the destination is slow";

/// The table's rows for a flow.
pub const ROWS: &[OptionRow] = &[
    OptionRow::honoured(
        Shape::Text(FILE_PATTERN),
        "globs for directories (** is any number of levels) and file names, for example /var/log/app/*.log",
    ),
    OptionRow::honoured(
        Shape::Value(EXCLUDE_FILE_PATTERNS),
        "files that are left alone: names, or with a slash in it whole paths (not in the Java agent)",
    ),
    OptionRow::honoured(Shape::Text(KINESIS_STREAM), "name of the stream to send to"),
    OptionRow::honoured(
        Shape::Text(DELIVERY_STREAM),
        "name of the delivery stream to send to; wins over kinesisStream",
    ),
    OptionRow::honoured(
        Shape::Choice(PARTITION_KEY_OPTION),
        "a random key, or the MD5 of the record; Kinesis only",
    ),
    OptionRow::honoured(Shape::Boolean(AGGREGATION), "pack records as the KPL does (not in the Java agent)"),
    OptionRow::honoured(Shape::Choice(INITIAL_POSITION), "where reading begins without a checkpoint"),
    OptionRow::honoured(Shape::Value(DATA_PROCESSING_OPTIONS), "converters, applied in order to each record"),
    OptionRow::honoured(Shape::Integer(SKIP_HEADER_LINES), "lines dropped at the beginning of each file"),
    OptionRow::honoured(Shape::Integer(MAX_BUFFER_AGE_MILLIS), "how long a record may wait for its request"),
    OptionRow::honoured(Shape::Integer(MAX_BUFFER_SIZE_RECORDS), "records in one request"),
    OptionRow::honoured(
        Shape::Integer(KINESIS_MAX_BUFFER_SIZE_BYTES),
        "bytes of one request; for deliveryStream default and limit are 4194304",
    ),
    OptionRow::honoured(Shape::Integer(RETRY_INITIAL_BACKOFF_MILLIS), "first delay after a failure"),
    OptionRow::honoured(Shape::Integer(RETRY_MAX_BACKOFF_MILLIS), "longest delay after failures"),
    OptionRow::honoured(
        Shape::Text(TRUNCATED_RECORD_TERMINATOR),
        "written over the end of a record that was cut",
    ),
    OptionRow::honoured(
        Shape::Integer(MIN_TIME_BETWEEN_FILE_POLLS_MILLIS),
        "pause between looks at an idle file",
    ),
    OptionRow::honoured(
        Shape::Integer(MAX_TIME_BETWEEN_FILE_TRACKER_REFRESH_MILLIS),
        "period of the full directory scan",
    ),
    OptionRow::honoured(
        Shape::Text(MULTI_LINE_START_PATTERN),
        "what the first line of a record begins with; without it each line is a record",
    ),
    OptionRow::honoured(
        Shape::Integer(MULTI_LINE_TIMEOUT_MILLIS),
        "after so long without new bytes a record of several lines is complete (not in the Java agent)",
    ),
    OptionRow::honoured(
        Shape::Text(FILE_FOOTER_PATTERN),
        "records that match it as a whole, trimmed, are left out; what follows them is sent",
    ),
    OptionRow::honoured(
        Shape::Choice(RECORD_OVER_LIMIT_POLICY),
        "what becomes of a record longer than the destination takes (not in the Java agent)",
    ),
    OptionRow::honoured(
        Shape::Text(SPLIT_RECORD_CONTINUATION_MARK),
        "SPLIT: stands at the end of each part of a record but the last (not in the Java agent)",
    ),
    OptionRow::honoured(
        Shape::Choice(REFUSED_RECORD_POLICY),
        "what becomes of a record that the service refuses for itself (not in the Java agent)",
    ),
    OptionRow::honoured(
        Shape::Choice(DEDUP_IDS),
        "an id of each record (file and place in it, the same after a crash and replay), by which a reader drops repeats: \
         TAG, in the KPL format's tag, also of records that are not aggregated (readers have to take records apart; Kinesis \
         only), or FIELD, a member of JSON objects; a record's limit counts it (not in the Java agent)",
    ),
    OptionRow::honoured(
        Shape::Text(DEDUP_ID_FIELD),
        "FIELD: the member's name, which no record should have already; what is no JSON object, or has no room for the \
         id, is sent without it and counted (not in the Java agent)",
    ),
    OptionRow::honoured(
        Shape::Choice(LINK_POLICY),
        "TRUSTED: a symbolic link is followed if its owner is root, the agent's user or the owner of what it leads to, and a \
         file with several names is not read where others than its owner make names; ALL: everything is followed (not in \
         the Java agent)",
    ),
    OptionRow::not_supported(
        Shape::Integer(AGGREGATED_RECORD_SIZE_BYTES),
        "set it to 0 to send each line as a record of its own, or keep the Java agent for this flow",
        "lines joined into one Firehose record",
    ),
    quiet("waitOnFullPublishQueueMillis", NO_QUEUES),
    quiet("waitOnEmptyPublishQueueMillis", NO_QUEUES),
    quiet("publishQueueCapacity", NO_QUEUES),
    quiet("log.emitInternalMetrics", "logging is set on the command line and in the environment"),
    quiet("log.level", "logging is set on the command line and in the environment"),
];

const fn quiet(name: &'static str, why: &'static str) -> OptionRow {
    let doc = "known from the Java agent, without effect here";
    OptionRow::without_effect(Shape::Value(value(name, "anything")), why, doc)
}
