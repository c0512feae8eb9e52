//! The resolved form of `dataProcessingOptions`: which converters a flow's records go through.
//!
//! Invariant: each variant holds what its converter needs and nothing else, so that a converter never meets a
//! missing option.

use serde_json::Value;

/// One converter.
#[derive(Debug, Clone, PartialEq)]
pub enum DataProcessingOption {
    /// SINGLELINE: joins the lines of a record.
    SingleLine(SingleLineOptions),
    /// CSVTOJSON: columns become the members of an object.
    CsvToJson(CsvToJsonOptions),
    /// LOGTOJSON: the parts of a log line become the members of an object.
    LogToJson(LogToJsonOptions),
    /// ADDMETADATA: puts the record into an object beside a fixed value.
    AddMetadata(AddMetadataOptions),
    /// ADDBRACKETS: puts the record into braces.
    AddBrackets,
}

/// Options of SINGLELINE.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SingleLineOptions {
    /// NO_TRIM: keep white space at both ends of each line; default: remove it.
    pub keep_white_space: bool,
    /// ESCAPE_NEW_LINE: join lines with two backslashes and an n; default: with nothing.
    pub escape_new_line: bool,
}

/// Options of CSVTOJSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvToJsonOptions {
    /// Names of the columns, in order.
    pub field_names: Vec<String>,
    /// The regular expression between two columns; default `,`.
    pub delimiter: String,
    /// Layout of the output.
    pub json_format: JsonFormat,
}

/// Options of LOGTOJSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogToJsonOptions {
    /// The built-in format; beside `match_pattern` it still decides whether `-` means null.
    pub log_format: LogFormat,
    /// A regular expression in place of the built-in format.
    pub match_pattern: Option<String>,
    /// The names of the parts, in order: `customFieldNames`, or the built-in format's own.
    pub field_names: Vec<String>,
    /// Layout of the output.
    pub json_format: JsonFormat,
}

/// Options of ADDMETADATA.
#[derive(Debug, Clone, PartialEq)]
pub struct AddMetadataOptions {
    /// The value to add; default null.
    pub metadata: Value,
    /// Whether the time is added as `ts`; default no.
    pub timestamp: bool,
    /// Layout of the output.
    pub json_format: JsonFormat,
}

/// Layout of JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum JsonFormat {
    /// One line without spaces; the default.
    #[default]
    Compact,
    /// Indented by two spaces.
    PrettyPrint,
}

impl JsonFormat {
    /// The layout of this exact name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "COMPACT" => Some(Self::Compact),
            "PRETTYPRINT" => Some(Self::PrettyPrint),
            _ => None,
        }
    }
}

/// A built-in log format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// COMMONAPACHELOG: host, user names, time, request, status, size.
    CommonApacheLog,
    /// COMBINEDAPACHELOG: the common format with referer and user agent.
    CombinedApacheLog,
    /// APACHEERRORLOG: Apache's error log.
    ApacheErrorLog,
    /// SYSLOG: the traditional syslog file format.
    Syslog,
    /// RFC3339SYSLOG: syslog with RFC 3339 time stamps.
    Rfc3339Syslog,
}

impl LogFormat {
    const ALL: [Self; 5] = [
        Self::CommonApacheLog,
        Self::CombinedApacheLog,
        Self::ApacheErrorLog,
        Self::Syslog,
        Self::Rfc3339Syslog,
    ];

    /// The format of this exact name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CommonApacheLog => "COMMONAPACHELOG",
            Self::CombinedApacheLog => "COMBINEDAPACHELOG",
            Self::ApacheErrorLog => "APACHEERRORLOG",
            Self::Syslog => "SYSLOG",
            Self::Rfc3339Syslog => "RFC3339SYSLOG",
        }
    }

    /// The names of the members of the output, in order.
    #[must_use]
    pub fn field_names(self) -> &'static [&'static str] {
        match self {
            Self::CommonApacheLog => {
                &["host", "ident", "authuser", "datetime", "request", "response", "bytes"]
            }
            Self::CombinedApacheLog => {
                &["host", "ident", "authuser", "datetime", "request", "response", "bytes", "referer", "agent"]
            }
            Self::ApacheErrorLog => {
                &["timestamp", "module", "severity", "processid", "threadid", "client", "message"]
            }
            Self::Syslog | Self::Rfc3339Syslog => {
                &["timestamp", "hostname", "program", "processid", "message"]
            }
        }
    }

    /// Whether a part that is exactly `-` becomes null: in Apache's formats it means "not known".
    #[must_use]
    pub fn dash_is_null(self) -> bool {
        matches!(self, Self::CommonApacheLog | Self::CombinedApacheLog | Self::ApacheErrorLog)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::options::processing::{JSON_FORMAT, LOG_FORMAT};

    #[test]
    fn every_name_of_the_table_is_known() {
        assert!(JSON_FORMAT.names.iter().all(|name| JsonFormat::from_name(name).is_some()));
        assert!(LOG_FORMAT.names.iter().all(|name| LogFormat::from_name(name).is_some()));
    }
}
