//! How a flow's options say to cut its files: the splitter's rules, and which records are footers.
//!
//! Invariant: a part of a split record, with its continuation mark and the longest partition key, is within the
//! destination's limit.

use regex::bytes::Regex;

use super::RecordLimits;
use crate::config::java_pattern::{PatternError, compile_line_start, compile_whole_record};
use crate::config::{Destination, FlowConfig, OverLimitPolicy};
use crate::core::partition_key::PARTITION_KEY_MAX_BYTES;
use crate::core::processor::ProcessorError;
use crate::core::splitter::{Excess, SplitRules};

/// The rules of a flow's splitters.
pub(super) fn split_rules(config: &FlowConfig) -> Result<SplitRules, ProcessorError> {
    let limits = RecordLimits::of(config);
    let pattern = config.record_boundaries.multi_line_start_pattern.as_deref();
    let start_pattern = compiled("multiLineStartPattern", pattern, compile_line_start)?;
    let (max_bytes, excess) = match &config.record_policies.over_limit {
        OverLimitPolicy::Truncate => (limits.line_bytes, Excess::PassedOver),
        OverLimitPolicy::Split { continuation_mark } => {
            let key = match config.destination {
                Destination::KinesisStream(_) => PARTITION_KEY_MAX_BYTES,
                Destination::DeliveryStream(_) => 0,
            };
            (limits.record_bytes - key - continuation_mark.len(), Excess::InParts)
        }
        OverLimitPolicy::DeadLetter => (limits.line_bytes, Excess::InParts),
    };
    Ok(SplitRules { max_bytes, start_pattern, excess })
}

/// Which of a flow's records are footers.
pub(super) fn footer(config: &FlowConfig) -> Result<Option<Regex>, ProcessorError> {
    let pattern = config.record_boundaries.file_footer_pattern.as_deref();
    compiled("fileFooterPattern", pattern, compile_whole_record)
}

/// Whether a record, without what Java's `trim` takes off, is a footer.
pub(super) fn is_footer(footer: Option<&Regex>, record: &[u8]) -> bool {
    let is_trimmed = |byte: &u8| *byte <= b' ';
    footer.is_some_and(|footer| {
        let start = record.iter().position(|byte| !is_trimmed(byte)).unwrap_or(record.len());
        let end = record.iter().rposition(|byte| !is_trimmed(byte)).map_or(start, |last| last + 1);
        footer.is_match(&record[start..end])
    })
}

fn compiled(
    key: &'static str,
    pattern: Option<&str>,
    compile: impl Fn(&str) -> Result<Regex, PatternError>,
) -> Result<Option<Regex>, ProcessorError> {
    let unusable = |pattern: &str| {
        let pattern = pattern.to_owned();
        move |error| ProcessorError { key, pattern, error }
    };
    pattern.map(|pattern| compile(pattern).map_err(unusable(pattern))).transpose()
}
