//! Resolves one object of `flows`.
//!
//! Invariant: the destination is settled first, because defaults and ranges of other options depend on it.

use serde_json::Value;

use super::{dedup_ids, processing, record_policy};
use crate::config::data_processing::DataProcessingOption;
use crate::config::file_pattern::{FilePattern, FilePatternError};
use crate::config::findings::Findings;
use crate::config::flow::{Destination, FlowConfig, InitialPosition, PartitionKeyOption};
use crate::config::link_policy::LinkPolicy;
use crate::config::options::{Place, TextOption, flow};
use crate::config::path::ConfigPath;
use crate::config::section::Section;

/// Longest name of a stream, from the API reference of `CreateStream`.
const STREAM_NAME_MAX: usize = 128;
/// Longest name of a delivery stream, from the API reference of `CreateDeliveryStream`.
const DELIVERY_STREAM_NAME_MAX: usize = 64;
/// Largest record of Kinesis, as the Java agent knows it, with its partition key.
const KINESIS_RECORD_MAX_BYTES: usize = 1_048_576;
/// Largest record of Firehose: 1000 KiB.
const FIREHOSE_RECORD_MAX_BYTES: usize = 1_024_000;

/// The flow in `value`; `None` (with errors) without files or destination.
pub(super) fn resolve(value: &Value, path: ConfigPath, findings: &mut Findings) -> Option<FlowConfig> {
    let mut section = Section::open(Place::Flow, value, path, findings)?;
    section.check_keys();
    let destination = destination(&mut section);
    let file_pattern = file_pattern(&mut section);
    let kind = match destination {
        Some(Destination::DeliveryStream(_)) => Kind::Firehose,
        _ => Kind::Kinesis,
    };
    refuse_unsupported(&mut section, kind);
    complete(&mut section, kind, destination, file_pattern)
}

/// What the other options depend on, known even if the destination itself is faulty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Kinesis,
    Firehose,
}

fn complete(
    section: &mut Section<'_>,
    kind: Kind,
    destination: Option<Destination>,
    file_pattern: Option<FilePattern>,
) -> Option<FlowConfig> {
    let max_buffer_size_bytes = match kind {
        Kind::Kinesis => &flow::KINESIS_MAX_BUFFER_SIZE_BYTES,
        Kind::Firehose => &flow::FIREHOSE_MAX_BUFFER_SIZE_BYTES,
    };
    let skip_header_lines = section.whole_number(&flow::SKIP_HEADER_LINES);
    let initial_position = section.choice(&flow::INITIAL_POSITION).and_then(InitialPosition::from_name);
    let link_policy = section.choice(&flow::LINK_POLICY).and_then(LinkPolicy::from_name);
    Some(FlowConfig {
        link_policy: link_policy.unwrap_or_default(),
        partition_key_option: partition_key_option(section, kind),
        initial_position: initial_position.unwrap_or_default(),
        max_buffer_age: section.milliseconds(&flow::MAX_BUFFER_AGE_MILLIS, 0),
        max_buffer_size_records: section.size(&flow::MAX_BUFFER_SIZE_RECORDS),
        max_buffer_size_bytes: section.size(max_buffer_size_bytes),
        retry_initial_backoff: section.milliseconds(&flow::RETRY_INITIAL_BACKOFF_MILLIS, 0),
        retry_max_backoff: section.milliseconds(&flow::RETRY_MAX_BACKOFF_MILLIS, 0),
        truncated_record_terminator: truncated_record_terminator(section, kind),
        skip_header_lines: u64::try_from(skip_header_lines).unwrap_or(0),
        record_boundaries: record_policy::boundaries(section),
        record_policies: record_policy::policies(section),
        min_time_between_file_polls: section.milliseconds(&flow::MIN_TIME_BETWEEN_FILE_POLLS_MILLIS, 1),
        max_time_between_file_tracker_refresh: section
            .milliseconds(&flow::MAX_TIME_BETWEEN_FILE_TRACKER_REFRESH_MILLIS, 1),
        aggregation: aggregation(section, kind),
        dedup_ids: dedup_ids::resolve(section, kind == Kind::Kinesis),
        data_processing_options: data_processing_options(section),
        // These end the function if they are missing, so they come last: everything else is checked all the
        // same.
        id: destination.as_ref()?.flow_id(file_pattern.as_ref()?),
        file_pattern: file_pattern?,
        destination: destination?,
    })
}

fn destination(section: &mut Section<'_>) -> Option<Destination> {
    let kinesis = section.value(flow::KINESIS_STREAM.name).is_some();
    let firehose = section.value(flow::DELIVERY_STREAM.name).is_some();
    if kinesis && firehose {
        let hint = "write a second flow to send the files to both";
        section.warn(flow::KINESIS_STREAM.name, "has no effect beside deliveryStream", hint);
    }
    if firehose {
        let name = stream_name(section, &flow::DELIVERY_STREAM, DELIVERY_STREAM_NAME_MAX)?;
        Some(Destination::DeliveryStream(name))
    } else if kinesis {
        stream_name(section, &flow::KINESIS_STREAM, STREAM_NAME_MAX).map(Destination::KinesisStream)
    } else {
        let hint = "add it, or \"deliveryStream\" for Firehose".to_owned();
        section.missing(flow::KINESIS_STREAM.name, Some(hint));
        None
    }
}

fn stream_name(section: &mut Section<'_>, option: &TextOption, longest: usize) -> Option<String> {
    let name = section.text(option)?;
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
    if (1..=longest).contains(&name.len()) && name.chars().all(allowed) {
        return Some(name);
    }
    let hint = match name.strip_prefix("arn:").and_then(|arn| arn.rsplit_once('/')) {
        Some((_, last)) => format!("write the name only, without the ARN: \"{last}\""),
        None => format!("use 1 to {longest} letters, digits, '_', '.' and '-'"),
    };
    section.error(option.name, format!("\"{name}\" cannot be the name of a stream"), Some(hint));
    None
}

fn file_pattern(section: &mut Section<'_>) -> Option<FilePattern> {
    let name = flow::FILE_PATTERN.name;
    if section.value(name).is_none() {
        section.missing(name, Some("add it, for example \"/var/log/app/*.log\"".to_owned()));
        return None;
    }
    let text = section.text(&flow::FILE_PATTERN)?;
    match FilePattern::parse(&text) {
        Ok(mut pattern) => {
            exclude(section, &mut pattern);
            Some(pattern)
        }
        Err(error) => {
            section.error(
                name,
                format!("\"{text}\" is no file pattern: {error}"),
                Some(pattern_hint(&text, &error)),
            );
            None
        }
    }
}

fn exclude(section: &mut Section<'_>, pattern: &mut FilePattern) {
    let name = flow::EXCLUDE_FILE_PATTERNS.name;
    if section.value(name).is_some_and(|value| !value.is_array()) {
        let hint = "put it into brackets: [ \"*.bak\" ]".to_owned();
        return section.error(name, "expected an array of texts".to_owned(), Some(hint));
    }
    for (_, item) in section.items(name).unwrap_or_default() {
        let Some(glob) = item.as_str() else {
            section.error(name, format!("expected a text instead of {item}"), None);
            continue;
        };
        if let Err(error) = pattern.exclude(glob) {
            let hint = "put a backslash before a character that is meant literally".to_owned();
            section.error(name, format!("\"{glob}\" is no pattern: {error}"), Some(hint));
        }
    }
}

fn pattern_hint(text: &str, error: &FilePatternError) -> String {
    match error {
        FilePatternError::NoDirectory if text.is_empty() => "write for example /var/log/app/*.log".to_owned(),
        FilePatternError::NoDirectory => format!("write for example /var/log/{text}"),
        FilePatternError::TrailingSlash => format!("write {text}* for all files in it"),
        FilePatternError::Glob(_) => "put a backslash before a character that is meant literally".to_owned(),
    }
}

fn refuse_unsupported(section: &mut Section<'_>, kind: Kind) {
    let option = &flow::AGGREGATED_RECORD_SIZE_BYTES;
    if kind == Kind::Kinesis && section.value(option.name).is_some() {
        let hint = "for Kinesis, \"aggregation\": true packs records as the KPL does";
        section.warn(option.name, "has no effect with kinesisStream", hint);
    } else if section.whole_number(option) > 0 {
        section.refuse(option.name);
    }
}

/// Firehose has no partition keys, so its flows may hold anything there, as with the Java agent.
fn partition_key_option(section: &mut Section<'_>, kind: Kind) -> PartitionKeyOption {
    let name = match kind {
        Kind::Kinesis => section.choice(&flow::PARTITION_KEY_OPTION),
        Kind::Firehose => None,
    };
    name.and_then(PartitionKeyOption::from_name).unwrap_or_default()
}

fn aggregation(section: &mut Section<'_>, kind: Kind) -> bool {
    let aggregation = section.boolean(&flow::AGGREGATION);
    if aggregation && kind == Kind::Firehose {
        let message = "Firehose does not read aggregated records that are sent to it directly".to_owned();
        let hint = "remove it, or send to a kinesisStream that feeds the delivery stream".to_owned();
        section.error(flow::AGGREGATION.name, message, Some(hint));
    }
    aggregation
}

fn truncated_record_terminator(section: &mut Section<'_>, kind: Kind) -> Vec<u8> {
    let option = &flow::TRUNCATED_RECORD_TERMINATOR;
    let terminator = section.text(option).unwrap_or_default().into_bytes();
    let limit = match kind {
        Kind::Kinesis => KINESIS_RECORD_MAX_BYTES,
        Kind::Firehose => FIREHOSE_RECORD_MAX_BYTES,
    };
    if terminator.len() >= limit {
        let message =
            format!("with {} bytes it is as long as the largest record ({limit} bytes)", terminator.len());
        section.error(option.name, message, Some("shorten it".to_owned()));
    }
    terminator
}

fn data_processing_options(section: &mut Section<'_>) -> Vec<DataProcessingOption> {
    let name = flow::DATA_PROCESSING_OPTIONS.name;
    if section.value(name).is_some_and(|value| !value.is_array()) {
        // The Java agent skips such an object without a word and sends the unprocessed records.
        let hint =
            "put it into brackets, [ ... ], to have it applied, or remove it to send the records as they are";
        section.error(name, "expected an array of objects".to_owned(), Some(hint.to_owned()));
        return Vec::new();
    }
    let items = section.items(name).unwrap_or_default();
    items.into_iter().filter_map(|(path, item)| processing::resolve(item, path, section.findings())).collect()
}
