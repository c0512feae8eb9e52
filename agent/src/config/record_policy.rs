//! The resolved options about where a record begins and ends, and about records that cannot be sent as they are.
//!
//! Invariant: the patterns compile ([`java_pattern`](super::java_pattern)), and records are split only where no converter
//! needs them whole.

use std::time::Duration;

/// Where records begin and end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordBoundaries {
    /// `multiLineStartPattern`: what a record's first line begins with; default: each line is a record.
    pub multi_line_start_pattern: Option<String>,
    /// `multiLineTimeoutMillis`: after so long without new bytes a record of several lines is complete; 0 to 900 s,
    /// default 2 s.
    pub multi_line_timeout: Duration,
    /// `fileFooterPattern`: records that are left out; default none.
    pub file_footer_pattern: Option<String>,
}

/// What becomes of records that cannot be sent as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordPolicies {
    /// `recordOverLimitPolicy`.
    pub over_limit: OverLimitPolicy,
    /// `refusedRecordPolicy`.
    pub refused: RefusedPolicy,
}

/// What becomes of a record that is longer than its destination takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum OverLimitPolicy {
    /// TRUNCATE: it is cut and `truncatedRecordTerminator` written over its end, as by the Java agent. The default.
    #[default]
    Truncate,
    /// SPLIT: it becomes several records.
    Split {
        /// `splitRecordContinuationMark`: stands at the end of each of them but the last; default a backslash and a
        /// newline, may be empty, at most 1024 bytes.
        continuation_mark: Vec<u8>,
    },
    /// DEAD_LETTER: it is written into the flow's dead-letter file instead of being sent.
    DeadLetter,
}

/// What becomes of a record that the service refused for good, for something in the record itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RefusedPolicy {
    /// DEAD_LETTER: it is written into the flow's dead-letter file, and the flow goes on. The default.
    #[default]
    DeadLetter,
    /// STOP_FILE: it holds its file's checkpoint, and nothing more is read of the file until the agent is started
    /// again.
    StopFile,
}

impl Default for RecordBoundaries {
    fn default() -> Self {
        Self {
            multi_line_start_pattern: None,
            multi_line_timeout: Duration::from_secs(2),
            file_footer_pattern: None,
        }
    }
}
