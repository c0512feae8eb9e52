//! Resolves the options of a flow about where its records begin and end, and about those that cannot be sent.
//!
//! Invariant: patterns are compiled here already, so that a splitter built from the result works.

use regex::bytes::Regex;

use crate::config::java_pattern::{PatternError, compile_line_start, compile_whole_record};
use crate::config::options::{TextOption, flow};
use crate::config::record_policy::{OverLimitPolicy, RecordBoundaries, RecordPolicies, RefusedPolicy};
use crate::config::section::Section;

/// Longest `splitRecordContinuationMark`.
const CONTINUATION_MARK_MAX_BYTES: usize = 1024;

/// Where the flow's records begin and end.
pub(super) fn boundaries(section: &mut Section<'_>) -> RecordBoundaries {
    let multi_line_start_pattern = pattern(section, &flow::MULTI_LINE_START_PATTERN, compile_line_start);
    let timeout = &flow::MULTI_LINE_TIMEOUT_MILLIS;
    if multi_line_start_pattern.is_none() && section.value(timeout.name).is_some() {
        section.warn(timeout.name, "has no effect without multiLineStartPattern", "remove it");
    }
    RecordBoundaries {
        multi_line_start_pattern,
        multi_line_timeout: section.milliseconds(timeout, 0),
        file_footer_pattern: pattern(section, &flow::FILE_FOOTER_PATTERN, compile_whole_record),
    }
}

/// What becomes of the flow's records that cannot be sent as they are.
pub(super) fn policies(section: &mut Section<'_>) -> RecordPolicies {
    let mark = continuation_mark(section);
    let over_limit = match section.choice(&flow::RECORD_OVER_LIMIT_POLICY) {
        Some("SPLIT") => OverLimitPolicy::Split { continuation_mark: mark },
        Some("DEAD_LETTER") => OverLimitPolicy::DeadLetter,
        _ => OverLimitPolicy::Truncate,
    };
    let is_split = matches!(over_limit, OverLimitPolicy::Split { .. });
    let converts = |value: &serde_json::Value| value.as_array().is_some_and(|items| !items.is_empty());
    if is_split && section.value(flow::DATA_PROCESSING_OPTIONS.name).is_some_and(converts) {
        let message = "SPLIT cannot be used with dataProcessingOptions, which need whole records".to_owned();
        let hint = "choose TRUNCATE or DEAD_LETTER".to_owned();
        section.error(flow::RECORD_OVER_LIMIT_POLICY.name, message, Some(hint));
    }
    let refused = match section.choice(&flow::REFUSED_RECORD_POLICY) {
        Some("STOP_FILE") => RefusedPolicy::StopFile,
        _ => RefusedPolicy::DeadLetter,
    };
    RecordPolicies { over_limit, refused }
}

fn continuation_mark(section: &mut Section<'_>) -> Vec<u8> {
    let option = &flow::SPLIT_RECORD_CONTINUATION_MARK;
    let mark = section.text(option).unwrap_or_default().into_bytes();
    if mark.len() > CONTINUATION_MARK_MAX_BYTES {
        let message = format!("{} bytes are too many", mark.len());
        let hint = format!("use at most {CONTINUATION_MARK_MAX_BYTES} bytes");
        section.error(option.name, message, Some(hint));
    }
    mark
}

/// A pattern that `compile` takes; an empty one counts as absent.
fn pattern(
    section: &mut Section<'_>,
    option: &TextOption,
    compile: impl Fn(&str) -> Result<Regex, PatternError>,
) -> Option<String> {
    let pattern = section.text(option).filter(|pattern| !pattern.is_empty())?;
    if let Err(error) = compile(&pattern) {
        let hint = "put two backslashes before a character that is meant literally, like \\\\[".to_owned();
        section.error(option.name, error.to_string(), Some(hint));
    }
    Some(pattern)
}
