//! The resolved form of one flow: which files, what is done to their records, and where they go.
//!
//! Invariant: every value is inside the range that the table of options gives for it.

use std::fmt;
use std::time::Duration;

use super::data_processing::DataProcessingOption;
use super::dedup_ids::DedupIds;
use super::file_pattern::FilePattern;
use super::link_policy::LinkPolicy;
use super::record_policy::{RecordBoundaries, RecordPolicies};

/// One flow.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowConfig {
    /// The Java agent's id: `kinesis:<stream>:<dir>/<glob>` or `fh:<stream>:<dir>/<glob>`; unique in a file.
    pub id: String,
    /// Which files.
    pub file_pattern: FilePattern,
    /// Which links are followed; default: those of trusted owners.
    pub link_policy: LinkPolicy,
    /// Where the records go.
    pub destination: Destination,
    /// How partition keys are made; Kinesis only; default random.
    pub partition_key_option: PartitionKeyOption,
    /// Where reading begins in the files that are there at the first start; default at the end.
    pub initial_position: InitialPosition,
    /// How long a record may wait for its request; 1 s to 900 s, default 60 s.
    pub max_buffer_age: Duration,
    /// Records in one request; 1 to 500, default 500.
    pub max_buffer_size_records: usize,
    /// Bytes of one request; default and limit 5 MiB for Kinesis, 4 MiB for Firehose.
    pub max_buffer_size_bytes: usize,
    /// First delay after a failure; default 100 ms.
    pub retry_initial_backoff: Duration,
    /// Longest delay after failures; default 10 s.
    pub retry_max_backoff: Duration,
    /// Written over the end of a record that was cut; default a newline, may be empty.
    pub truncated_record_terminator: Vec<u8>,
    /// Lines dropped at the beginning of each file; default 0.
    pub skip_header_lines: u64,
    /// Where records begin and end; default: each line is a record.
    pub record_boundaries: RecordBoundaries,
    /// What becomes of records that cannot be sent as they are.
    pub record_policies: RecordPolicies,
    /// Pause between looks at an idle file; at least 1 ms, default 100 ms.
    pub min_time_between_file_polls: Duration,
    /// Period of the full directory scan; at least 1 ms, default 10 s.
    pub max_time_between_file_tracker_refresh: Duration,
    /// Whether records are packed as the Kinesis Producer Library does; default no; never for Firehose.
    pub aggregation: bool,
    /// Whether records carry ids by which a repeat is recognised, and where; default no.
    pub dedup_ids: DedupIds,
    /// Converters, in order; default none: the bytes of the file are sent.
    pub data_processing_options: Vec<DataProcessingOption>,
}

/// Where records go.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Destination {
    /// A Kinesis data stream, by name.
    KinesisStream(String),
    /// A Firehose delivery stream, by name.
    DeliveryStream(String),
}

impl Destination {
    /// The name of the stream.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::KinesisStream(name) | Self::DeliveryStream(name) => name,
        }
    }

    /// The id that the Java agent gives to a flow of these files to this destination.
    #[must_use]
    pub fn flow_id(&self, files: &FilePattern) -> String {
        match self {
            Self::KinesisStream(name) => format!("kinesis:{name}:{files}"),
            Self::DeliveryStream(name) => format!("fh:{name}:{files}"),
        }
    }
}

impl fmt::Display for Destination {
    /// As the metrics' dimension `Destination` says it, for example `KinesisStream:clicks`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KinesisStream(name) => write!(f, "KinesisStream:{name}"),
            Self::DeliveryStream(name) => write!(f, "DeliveryStream:{name}"),
        }
    }
}

/// How partition keys are made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PartitionKeyOption {
    /// RANDOM: a random number; spreads records over the shards. The default.
    #[default]
    Random,
    /// DETERMINISTIC: the MD5 of the record; equal records go to one shard.
    Deterministic,
}

impl PartitionKeyOption {
    /// The option of this exact name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "RANDOM" => Some(Self::Random),
            "DETERMINISTIC" => Some(Self::Deterministic),
            _ => None,
        }
    }
}

/// Where reading begins without a checkpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InitialPosition {
    /// START_OF_FILE.
    StartOfFile,
    /// END_OF_FILE; the default.
    #[default]
    EndOfFile,
}

impl InitialPosition {
    /// The position of this exact name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "START_OF_FILE" => Some(Self::StartOfFile),
            "END_OF_FILE" => Some(Self::EndOfFile),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::options::flow::{INITIAL_POSITION, LINK_POLICY, PARTITION_KEY_OPTION};

    #[test]
    fn every_name_of_the_table_is_known() {
        assert!(INITIAL_POSITION.names.iter().all(|name| InitialPosition::from_name(name).is_some()));
        assert!(LINK_POLICY.names.iter().all(|name| LinkPolicy::from_name(name).is_some()));
        assert!(PARTITION_KEY_OPTION.names.iter().all(|name| PartitionKeyOption::from_name(name).is_some()));
    }

    #[test]
    fn flow_ids_are_the_java_agents() {
        let files = FilePattern::parse("/var/log/a*").unwrap();
        let root = FilePattern::parse("/a*").unwrap();
        assert_eq!(Destination::KinesisStream("s".into()).flow_id(&files), "kinesis:s:/var/log/a*");
        assert_eq!(Destination::DeliveryStream("d".into()).flow_id(&root), "fh:d://a*");
    }
}
