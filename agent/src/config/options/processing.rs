//! The options of one converter, an object in `dataProcessingOptions`.
//!
//! Invariant: every constant here is in [`ROWS`].

use super::{BooleanOption, ChoiceOption, OptionRow, Shape, TextOption, ValueOption, boolean, text, value};

/// Which converter.
pub const OPTION_NAME: ChoiceOption = ChoiceOption {
    name: "optionName",
    default: None,
    names: &[
        "SINGLELINE",
        "CSVTOJSON",
        "LOGTOJSON",
        "ADDMETADATA",
        "ADDBRACKETS",
        "ADDEC2METADATA",
        "USINGPLUGGIN",
    ],
};
/// How JSON is laid out.
pub const JSON_FORMAT: ChoiceOption =
    ChoiceOption { name: "jsonFormat", default: Some("COMPACT"), names: &["COMPACT", "PRETTYPRINT"] };
/// Names of columns or groups.
pub const CUSTOM_FIELD_NAMES: ValueOption = value("customFieldNames", "array of texts");
/// What separates columns.
pub const DELIMITER: TextOption = text("delimiter", Some(","));
/// A built-in log format.
pub const LOG_FORMAT: ChoiceOption = ChoiceOption {
    name: "logFormat",
    default: None,
    names: &["COMMONAPACHELOG", "COMBINEDAPACHELOG", "APACHEERRORLOG", "SYSLOG", "RFC3339SYSLOG"],
};
/// An own log format.
pub const MATCH_PATTERN: TextOption = text("matchPattern", None);
/// How lines of a record are joined.
pub const PARSE_OPTIONS: ValueOption =
    value("parseOptions", "array of NO_TRIM and ESCAPE_NEW_LINE, default empty");
/// Fixed value to add.
pub const METADATA: ValueOption = value("metadata", "any value");
/// Whether the time is added.
pub const TIMESTAMP: BooleanOption = boolean("timestamp", false);

/// The table's rows for a converter.
pub const ROWS: &[OptionRow] = &[
    OptionRow::honoured(Shape::Choice(OPTION_NAME), "which converter"),
    OptionRow::honoured(
        Shape::Choice(JSON_FORMAT),
        "layout of the JSON of CSVTOJSON, LOGTOJSON and ADDMETADATA",
    ),
    OptionRow::honoured(
        Shape::Value(CUSTOM_FIELD_NAMES),
        "names of the columns (CSVTOJSON) or groups (LOGTOJSON)",
    ),
    OptionRow::honoured(Shape::Text(DELIMITER), "CSVTOJSON: a regular expression that separates columns"),
    OptionRow::honoured(
        Shape::Choice(LOG_FORMAT),
        "LOGTOJSON: a built-in format; required beside matchPattern too",
    ),
    OptionRow::honoured(
        Shape::Text(MATCH_PATTERN),
        "LOGTOJSON: a regular expression in place of the built-in format",
    ),
    OptionRow::honoured(Shape::Value(PARSE_OPTIONS), "SINGLELINE: NO_TRIM, ESCAPE_NEW_LINE"),
    OptionRow::honoured(Shape::Value(METADATA), "ADDMETADATA: the value to add to each record"),
    OptionRow::honoured(Shape::Boolean(TIMESTAMP), "ADDMETADATA: add the time (UTC) as ts"),
    OptionRow::without_effect(
        Shape::Value(value("metadataTTL", "seconds")),
        "belongs to ADDEC2METADATA, which is refused",
        "ADDEC2METADATA: age at which metadata is fetched again",
    ),
    OptionRow::without_effect(
        Shape::Text(text("className", None)),
        "belongs to USINGPLUGGIN, which is refused",
        "USINGPLUGGIN: Java class",
    ),
];
