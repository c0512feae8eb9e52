//! `status`: how the agent stands.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::output::print;
use super::query::query;
use super::run::{DEFAULT_CONFIGURATION, parse};
use crate::log_output::say;
use crate::shown;
use crate::status_report::{
    Command, FileReport, FlowCounts, FlowReport, LineReport, StatusReport, UnreadableReport,
};

/// There is nothing to tell.
const FAILED: u8 = 2;

/// No agent runs.
const STOPPED: u8 = 3;

/// Arguments of `status`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 the agent runs, 3 no agent runs and this is what its checkpoint file says, 2 nothing \
                  can be told or wrong usage."
)]
pub(super) struct StatusArguments {
    /// The agent's configuration.
    #[arg(short = 'c', long = "configuration", value_name = "FILE", default_value = DEFAULT_CONFIGURATION)]
    configuration: PathBuf,
    /// One JSON object, with positions in bytes.
    #[arg(long)]
    json: bool,
}

/// Prints how the agent stands.
pub(super) async fn run(arguments: &StatusArguments) -> ExitCode {
    let Some(parsed) = parse(&arguments.configuration) else { return ExitCode::from(FAILED) };
    let report = match query(&parsed.config, Command::Status).await {
        Ok(report) => report,
        Err(error) => {
            say(&format!("kinesis-agent: {error}"));
            return ExitCode::from(FAILED);
        }
    };
    let text = if arguments.json {
        shown::json(&serde_json::to_string_pretty(&report).unwrap_or_else(|error| error.to_string()))
    } else {
        text(&report).trim_end().to_owned()
    };
    if !print(&text) {
        return ExitCode::from(FAILED);
    }
    if report.is_running { ExitCode::SUCCESS } else { ExitCode::from(STOPPED) }
}

fn text(report: &StatusReport) -> String {
    let mut text = String::new();
    let head = if report.is_running {
        format!("running, version {}", report.agent_version)
    } else {
        format!("no agent runs; this is what {} says", report.checkpoint_file)
    };
    // Writing to a String does not fail.
    let _ = writeln!(text, "{head}");
    if let Some(trouble) = &report.checkpoint_trouble {
        let _ = writeln!(text, "checkpoints are NOT being saved, shipping goes on: {trouble}");
    }
    report.flows.iter().for_each(|flow| flow_text(flow, &mut text));
    text
}

fn flow_text(flow: &FlowReport, text: &mut String) {
    let behind: u64 = flow.files.iter().map(|file| file.lag_bytes).sum();
    let age = flow.files.iter().map(|file| file.lag_seconds).fold(0.0, f64::max);
    let _ = writeln!(
        text,
        "\n{}: {} files, {behind} bytes and {age:.1} s behind, {} records acknowledged since the start",
        flow.flow,
        flow.files.len(),
        flow.records_acknowledged
    );
    if let Some(trouble) = &flow.trouble {
        let _ = writeln!(text, "  trouble: {trouble}");
    }
    if let Some(line) = line_text(flow.line) {
        let _ = writeln!(text, "  {line}");
    }
    for (count, what) in notable(&flow.counts) {
        let _ = writeln!(text, "  {count} {what}");
    }
    for UnreadableReport { path, why } in &flow.not_read {
        let _ = writeln!(text, "  {}\n    not read: {}", shown::escaped(path), shown::escaped(why));
    }
    flow.files.iter().for_each(|file| file_text(file, text));
}

/// How fast the line to the service is, when that is why records wait.
fn line_text(line: LineReport) -> Option<String> {
    let rate = line.bytes_per_second.filter(|_| line.is_limit)?;
    Some(format!("the connection to the service is the limit: it carries about {} KB/s", rate / 1000))
}

/// What happened since the start that an operator wants to know of.
fn notable(counts: &FlowCounts) -> impl Iterator<Item = (u64, &'static str)> {
    [
        (counts.bytes_lost_by_truncation, "bytes were lost between a copy and its truncation (copytruncate)"),
        (counts.records_unmatched, "records do not match the pattern of LOGTOJSON and were not sent"),
        (counts.footers_skipped, "records are footers and were not sent"),
        (counts.records_dead_lettered, "records can never be sent and are in the dead-letter file"),
        (counts.files_stopped, "files are stopped at a record that can never be sent"),
        (counts.conversion_failures, "records could not be converted and were sent as they were"),
        (counts.records_truncated, "records were cut for their size"),
        (counts.bytes_passed_over, "bytes of over-long lines were passed over"),
        (counts.hole_bytes, "NUL bytes at the beginning of truncated files were passed over"),
        (counts.unseen_generations, "rotated files were seen only after their rotation, and read whole"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
}

fn file_text(file: &FileReport, text: &mut String) {
    let size = file.size.map_or("unknown".to_owned(), |size| size.to_string());
    let unsent = file.oldest_unsent_byte.map_or(String::new(), |byte| format!(", oldest unsent byte {byte}"));
    let _ = writeln!(
        text,
        "  {}\n    size {size}, read {}, sent {}, acknowledged {}{unsent}\n    {} bytes and {:.1} s behind: {}",
        file.path, file.read, file.sent, file.acknowledged, file.lag_bytes, file.lag_seconds, file.why
    );
}
