//! `shipped`: whether files are shipped to their last byte, for logrotate and scripts that clean up.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::output::print;
use super::query::{QueryError, query};
use super::run::{DEFAULT_CONFIGURATION, parse};
use crate::checkpoint::Fingerprint;
use crate::config::AgentConfig;
use crate::core::identity::holds;
use crate::core::rotated_name::kind;
use crate::fs::{OpenFile, directories};
use crate::log_output::say;
use crate::shown;
use crate::source_file::Kind;
use crate::status_report::{Command, FileReport, Shipped, StatusReport, judge};

/// Not every byte is acknowledged yet.
const NOT_YET: u8 = 1;

/// A file is not known, or nothing can be told.
const FAILED: u8 = 2;

/// Between two questions with `--wait`.
const PERIOD: Duration = Duration::from_millis(250);

/// Arguments of `shipped`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 every byte of every file is acknowledged by every flow that follows it, 1 not yet, 2 a file \
                  is not known to any flow, or nothing can be told, or wrong usage. Names do not matter: a file that was \
                  renamed is still the same."
)]
pub(super) struct ShippedArguments {
    /// The files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The agent's configuration.
    #[arg(short = 'c', long = "configuration", value_name = "FILE", default_value = DEFAULT_CONFIGURATION)]
    configuration: PathBuf,
    /// Wait for so long at most until they are.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u64,
    /// Say nothing; the exit code tells.
    #[arg(short, long)]
    quiet: bool,
}

/// Why a file cannot be judged.
#[derive(Debug, thiserror::Error)]
enum ShippedError {
    #[error("{path} cannot be read: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Query(#[from] QueryError),
}

/// Tells by its exit code whether the files are shipped.
pub(super) async fn run(arguments: &ShippedArguments) -> ExitCode {
    let Some(parsed) = parse(&arguments.configuration) else { return ExitCode::from(FAILED) };
    let mut waiting = interval(PERIOD);
    waiting.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let until_shipped = async {
        loop {
            waiting.tick().await;
            let verdict = verdict(arguments, &parsed.config, true).await;
            if verdict != NOT_YET {
                return verdict;
            }
        }
    };
    let early = timeout(Duration::from_secs(arguments.wait), until_shipped).await.ok();
    // What does not change any more is asked again, to be told in words.
    if early == Some(0) && arguments.quiet {
        return ExitCode::SUCCESS;
    }
    ExitCode::from(verdict(arguments, &parsed.config, arguments.quiet).await)
}

/// The exit code: the worst of all files.
async fn verdict(arguments: &ShippedArguments, config: &AgentConfig, is_quiet: bool) -> u8 {
    let mut worst = 0;
    for path in &arguments.files {
        let (code, words) = match shipped(path, config).await {
            Ok((Shipped::Yes, note)) => (0, format!("shipped{note}")),
            Ok((Shipped::NotYet { flow, why }, note)) => {
                (NOT_YET, format!("not yet, in {flow}: {why}{note}"))
            }
            Ok((Shipped::Unknown, note)) => (FAILED, format!("not known to any flow{note}")),
            Err(error) => (FAILED, error.to_string()),
        };
        worst = worst.max(code);
        let line = format!("{}: {}", shown::path(path), shown::escaped(&words));
        match (is_quiet, code) {
            (true, _) => {}
            (false, 0) if print(&line) => {}
            (false, 0) => worst = FAILED,
            (false, _) => say(&line),
        }
    }
    worst
}

async fn shipped(path: &Path, config: &AgentConfig) -> Result<(Shipped, &'static str), ShippedError> {
    let unreadable = |source| ShippedError::File { path: path.to_owned(), source };
    let file = OpenFile::open(path).map_err(unreadable)?;
    let node = file.status().map_err(unreadable)?.node;
    let report = query(config, Command::File { device: node.device, inode: node.inode }).await?;
    // Looked at after the answer, so that what was written meanwhile counts.
    let size = file.status().map_err(unreadable)?.size;
    // Room that a program has made at its end holds nothing.
    let size = file.text_end(size, vouched_for(&report)).map_err(unreadable)?;
    let note = if report.is_running { "" } else { " (no agent runs; this is what its checkpoint file says)" };
    Ok((judge(size, &standings(&file, report), &followers(path, config)), note))
}

/// Up to where some flow has shipped it.
fn vouched_for(report: &StatusReport) -> u64 {
    let standings = report.flows.iter().flat_map(|flow| &flow.files);
    standings.filter_map(|standing| Some(standing.fingerprint.as_ref()?.offset)).max().unwrap_or(0)
}

/// How the file stands in each flow, and whether it is still the file that the flow knows.
fn standings(file: &OpenFile, report: StatusReport) -> Vec<(String, FileReport, bool)> {
    let mut found = Vec::new();
    for flow in report.flows {
        for standing in flow.files {
            let print = standing.fingerprint.map(Fingerprint::from).unwrap_or_default();
            let is_same = file.probe(print.wanted()).is_ok_and(|probe| holds(&print, &probe));
            found.push((flow.flow.clone(), standing, is_same));
        }
    }
    found
}

/// The flows that follow files of this name.
fn followers(path: &Path, config: &AgentConfig) -> Vec<String> {
    let Ok(path) = std::path::absolute(path) else { return Vec::new() };
    let matches = |pattern: &crate::config::FilePattern| {
        let is_in = |parent: &Path| {
            let found = directories::find(pattern.root(), pattern.levels());
            found.matching.iter().any(|directory| directory == parent)
        };
        kind(pattern, &path) == Some(Kind::Followed) && path.parent().is_some_and(is_in)
    };
    let flows = config.flows.iter().filter(|flow| matches(&flow.file_pattern));
    flows.map(|flow| flow.id.clone()).collect()
}
