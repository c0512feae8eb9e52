//! The agent's configuration: one model for agent.json (the Java agent's file) and YAML.
//!
//! Text becomes a generic tree (`source`), and the tree becomes the typed [`AgentConfig`] (`resolve`), guided
//! by the table of all [`options`]. Invariant: an [`AgentConfig`] from [`AgentConfig::parse`] is complete and
//! checked. Half-checked values never leave this module, and all mistakes of a file are reported at once.
//! Pure: the text is handed in.

mod coerce;
mod comments;
pub mod data_processing;
pub mod dedup_ids;
mod duplicates;
pub mod file_pattern;
mod findings;
pub mod flow;
pub mod java_pattern;
pub mod link_policy;
mod locate;
pub mod options;
pub mod path;
pub mod problem;
pub mod record_policy;
mod resolve;
mod secret;
mod section;
mod source;
mod suggest;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

pub use data_processing::{
    AddMetadataOptions, CsvToJsonOptions, DataProcessingOption, JsonFormat, LogFormat, LogToJsonOptions,
    SingleLineOptions,
};
pub use dedup_ids::DedupIds;
pub use file_pattern::{FilePattern, FilePatternError, Level};
pub use flow::{Destination, FlowConfig, InitialPosition, PartitionKeyOption};
pub use link_policy::LinkPolicy;
pub use path::ConfigPath;
pub use problem::{Position, Problem, Problems};
pub use record_policy::{OverLimitPolicy, RecordBoundaries, RecordPolicies, RefusedPolicy};
pub use secret::Secret;

use findings::Findings;
use source::Source;

/// The whole configuration. Absent keys and null have the documented default; an empty text counts as absent.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentConfig {
    /// What is followed and where it goes; at least one, with different ids.
    pub flows: Vec<FlowConfig>,
    /// `kinesis.endpoint`, with scheme; default: the region's own.
    pub kinesis_endpoint: Option<String>,
    /// `kinesis.region`; default: as the AWS tools resolve it.
    pub kinesis_region: Option<String>,
    /// `firehose.endpoint`, with scheme; default: the region's own.
    pub firehose_endpoint: Option<String>,
    /// `firehose.region` (not in the Java agent); default: as the AWS tools resolve it.
    pub firehose_region: Option<String>,
    /// `cloudwatch.endpoint`, with scheme; default: the region's own.
    pub cloudwatch_endpoint: Option<String>,
    /// `cloudwatch.region` (not in the Java agent); default: as the AWS tools resolve it.
    pub cloudwatch_region: Option<String>,
    /// `sts.endpoint`, with scheme; default: the region's own.
    pub sts_endpoint: Option<String>,
    /// `awsAccessKeyId`; means something only beside `aws_secret_access_key`.
    pub aws_access_key_id: Option<String>,
    /// `awsSecretAccessKey`.
    pub aws_secret_access_key: Option<Secret>,
    /// `assumeRoleARN`; default: no role is assumed.
    pub assume_role_arn: Option<String>,
    /// `assumeRoleExternalId`.
    pub assume_role_external_id: Option<Secret>,
    /// `cloudwatch.emitMetrics`; default true.
    pub emit_metrics: bool,
    /// `cloudwatch.namespace`; default `AWSKinesisAgent`.
    pub cloudwatch_namespace: String,
    /// `cloudwatch.metricsBufferTimeMillis`, the interval between publications; default 30 s.
    pub metrics_buffer_time: Duration,
    /// `cloudwatch.tagInstance`; default false.
    pub tag_instance: bool,
    /// `checkpointFile`; default `/var/lib/kinesis-agent/checkpoints.db`.
    pub checkpoint_file: PathBuf,
    /// `deadLetterDirectory`, where records go that cannot be sent; default `dead-letters` beside the checkpoint file.
    pub dead_letter_directory: Option<PathBuf>,
    /// `deadLetterMaxBytes`, of one flow's dead letters; at least 32 MiB, default 1 GiB.
    pub dead_letter_max_bytes: u64,
    /// `maxOpenFiles`, of all flows together; default 4096.
    pub max_open_files: usize,
    /// `importCheckpointFile`, the Java agent's database; default `/var/run/aws-kinesis-agent/checkpoints`; `None` when the
    /// file says `""`: nothing is imported.
    pub import_checkpoint_file: Option<PathBuf>,
    /// `statusSocket`; default the checkpoint file's path and `.sock`.
    pub status_socket: PathBuf,
    /// `checkpointTimeToLiveDays`; default 7 days.
    pub checkpoint_time_to_live: Duration,
    /// `shutdownTimeoutMillis`, the whole budget of a clean stop; default 10 s.
    pub shutdown_timeout: Duration,
    /// `connectionTimeoutMillis`, to establish a connection: up to 300 s, default 6 s.
    pub connection_timeout: Duration,
    /// `socketTimeoutMillis`, for an answer besides what the line needs for the bytes: up to 600 s, default 6 s.
    pub socket_timeout: Duration,
    /// `log.statusReportingPeriodSeconds`; default 30 s.
    pub status_reporting_period: Duration,
}

/// A configuration and what is doubtful about its file.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The configuration.
    pub config: AgentConfig,
    /// Unknown keys and the like, in the order of the file; the agent starts all the same.
    pub warnings: Vec<Problem>,
}

impl AgentConfig {
    /// Reads the text of the file `file_name`, whose extension (`.json`, `.yaml`, `.yml`) decides the format;
    /// without one of these, a text that begins with `{` is JSON.
    ///
    /// # Errors
    /// Everything that is wrong with the file.
    pub fn parse(text: &str, file_name: &str) -> Result<Parsed, Problems> {
        let source = Source::new(text, file_name);
        let mut findings = Findings::default();
        let tree = source.tree(&mut findings)?;
        let config = resolve::resolve(&tree, &mut findings);
        let warnings = findings.settle(&source)?;
        match config {
            Some(config) => Ok(Parsed { config, warnings }),
            None => Err(source.problem(ConfigPath::root(), "not a configuration".to_owned(), None).into()),
        }
    }

    /// Where records go that cannot be sent.
    #[must_use]
    pub fn dead_letter_directory(&self) -> PathBuf {
        let beside = || self.checkpoint_file.with_file_name("dead-letters");
        self.dead_letter_directory.clone().unwrap_or_else(beside)
    }
}
