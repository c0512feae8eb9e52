//! `demo`: the agent at work, from a log that is written and rotated to a consumer that reads it all back.
//!
//! Invariant: the agent is started as `run` starts it, from the text of an agent.json, and nothing in it knows of the
//! demo. Log, checkpoints, sockets, stream and metrics are real; only the endpoint is the sandbox.

mod access_log;
mod agent_json;
mod books;
mod display;
mod figures;
mod generator;
mod log_line;
mod process;
mod report;
mod tally;

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use kinesis_sandbox::{FaultRule, Sandbox, SandboxError, SandboxOptions};
use tokio::time::{Interval, MissedTickBehavior};

use super::sandbox::FAULT_RULES;
use super::scratch_directory::ScratchDirectory;
use crate::agent::{Agent, AgentEnd, AgentError, AgentSettings, FlowHandle};
use crate::checkpoint_store::{CheckpointStore, StoreError};
use crate::clock::Clock;
use crate::config::{AgentConfig, problem::Problems};
use crate::log_output::say;
use crate::signals::Termination;
use crate::stream_reader::{ReadError, ReadExtent, ReadTotals, StreamReader, connect};

use agent_json::Places;
use books::{Books, CheckpointFound, Leniency};
use display::Display;
use figures::{Figures, Phase};
use generator::{Generator, GeneratorPlan};
use process::ProcessCost;
use report::Report;

use tally::Tally;

/// The stream of the demo, and its shards.
const STREAM: &str = "demo-access-log";
const SHARDS: u32 = 4;

/// How long the agent may take to ship the rest when the application has ended.
const DRAIN_LIMIT: Duration = Duration::from_secs(30);

/// The books do not balance.
const UNBALANCED: u8 = 4;

/// Arguments of `demo`.
#[derive(Debug, Args)]
#[command(after_help = format!("\
Nothing leaves this machine: a sandbox in this process plays AWS, on a port of 127.0.0.1.

Examples:
  kinesis-agent demo
  kinesis-agent demo --seconds 30 --lines-per-second 10000
  kinesis-agent demo --fault throttle:share=0.3 --fault drop-after:share=0.1

Exit codes: 0 the books balance, 1 the demo could not run, 2 wrong usage, 4 the books do not balance.

{FAULT_RULES}"))]
pub(super) struct DemoArguments {
    /// How long the application writes.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// How fast it writes.
    #[arg(long, value_name = "LINES", default_value_t = 4000, value_parser = clap::value_parser!(u64).range(1..=200_000))]
    lines_per_second: u64,
    /// A fault to inject into the sandbox, such as throttle:share=0.3; may be given several times.
    #[arg(long = "fault", value_name = "RULE")]
    faults: Vec<FaultRule>,
    /// Seed of the lines and of the random choices of the faults.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    seed: u64,
}

/// Why the demo could not run to its end.
#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    #[error("the demo's own configuration is refused: {0}")]
    Configuration(#[from] Problems),
    #[error(transparent)]
    Agent(#[from] AgentError),
    #[error(
        "the access log could not be written or rotated: {0}; look at the room in the temporary directory"
    )]
    AccessLog(#[source] io::Error),
    #[error("what the agent sent could not be read back: {0}")]
    Read(#[from] ReadError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the agent has no flow although the demo's configuration has one")]
    NoFlow,
    #[error("ended by {0} before the books were made")]
    Interrupted(&'static str),
    #[error("signals cannot be received: {0}")]
    Signals(#[source] io::Error),
}

/// What the consumer found.
struct Consumed {
    tally: Tally,
    totals: ReadTotals,
}

/// Runs the demo.
pub(super) async fn run(arguments: DemoArguments) -> ExitCode {
    let directory = match ScratchDirectory::create() {
        Ok(directory) => directory,
        Err(error) => {
            say(&format!(
                "kinesis-agent: no temporary directory could be made: {error}; set TMPDIR to one with room"
            ));
            return ExitCode::FAILURE;
        }
    };
    match play_unless_interrupted(&arguments, directory.path()).await {
        Ok(report) => conclude(&report, directory),
        Err(error) => {
            say(&format!("kinesis-agent: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn play_unless_interrupted(arguments: &DemoArguments, directory: &Path) -> Result<Report, DemoError> {
    let mut termination = Termination::listen().map_err(DemoError::Signals)?;
    tokio::select! {
        played = Box::pin(play(arguments, directory)) => played,
        signal = termination.received() => Err(DemoError::Interrupted(signal)),
    }
}

fn conclude(report: &Report, directory: ScratchDirectory) -> ExitCode {
    display::write(&report.to_string());
    if report.is_balanced() {
        return ExitCode::SUCCESS;
    }
    display::write(&format!("Log and checkpoints are kept in {}\n", directory.keep().display()));
    ExitCode::from(UNBALANCED)
}

/// The whole demo, up to its report.
async fn play(arguments: &DemoArguments, directory: &Path) -> Result<Report, DemoError> {
    let clock = Clock::start();
    let sandbox = start_sandbox(arguments).await?;
    let agent = start_agent(&sandbox, directory).await?;
    let flow = agent.flows().first().cloned().ok_or(DemoError::NoFlow)?;
    let plan = GeneratorPlan {
        path: directory.join(agent_json::LOG_NAME),
        duration: Duration::from_secs(arguments.seconds),
        lines_per_second: arguments.lines_per_second,
        seed: arguments.seed,
    };
    let mut show = Show { flow: &flow, clock, display: Display::new(), refresh: refresh() };
    let generator = Generator::start(plan).map_err(DemoError::AccessLog)?;
    show.until_written(&generator).await;
    let progress = generator.progress();
    generator.join().map_err(DemoError::AccessLog)?;
    show.until_acknowledged(&progress).await;
    let end = agent.stop().await;
    let figures = show.figures(&progress);
    show.display.say("a consumer reads everything back");
    let consumed = consume(&sandbox.endpoint(), figures.written, arguments.seed).await?;
    let checkpoint = find_checkpoint(directory, &flow.id)?;
    let report = Report {
        books: make_books(&figures, &end, &consumed.tally, checkpoint, &sandbox),
        leniency: Leniency::of(&arguments.faults),
        figures,
        totals: consumed.totals,
        log_bytes: progress.bytes.get(),
        metrics: sandbox.metrics().len(),
        faults: sandbox.faults().iter().map(|fault| (fault.rule.to_string(), fault.fired)).collect(),
        cost: ProcessCost::measure(),
    };
    sandbox.shutdown().await;
    Ok(report)
}

async fn start_sandbox(arguments: &DemoArguments) -> Result<Sandbox, SandboxError> {
    let options = SandboxOptions {
        faults: arguments.faults.clone(),
        seed: arguments.seed,
        ..SandboxOptions::default()
    };
    let sandbox = Sandbox::start(options).await?;
    sandbox.create_stream(STREAM, SHARDS).await?;
    Ok(sandbox)
}

async fn start_agent(sandbox: &Sandbox, directory: &Path) -> Result<Agent, DemoError> {
    let text = agent_json::text(&Places { endpoint: &sandbox.endpoint(), stream: STREAM, directory });
    let config = AgentConfig::parse(&text, "agent.json")?.config;
    let mut agent = Agent::start(AgentSettings { config, once: false, sandbox_endpoint: None }).await?;
    agent.listed().await;
    Ok(agent)
}

/// What is watched while the agent works.
struct Show<'f> {
    flow: &'f FlowHandle,
    clock: Clock,
    display: Display,
    refresh: Interval,
}

impl Show<'_> {
    async fn until_written(&mut self, generator: &Generator) {
        let progress = generator.progress();
        while !generator.is_finished() {
            self.refresh.tick().await;
            self.display.show(&self.figures(&progress), Phase::Writing);
        }
    }

    /// Until all is acknowledged or the time is over; the books will tell which.
    async fn until_acknowledged(&mut self, progress: &generator::GeneratorProgress) {
        let limit = self.clock.now().plus(DRAIN_LIMIT);
        loop {
            let figures = self.figures(progress);
            self.display.show(&figures, Phase::Draining);
            if figures.lag() == 0 || self.clock.now() >= limit {
                return;
            }
            self.refresh.tick().await;
        }
    }

    fn figures(&self, progress: &generator::GeneratorProgress) -> Figures {
        let elapsed = self.clock.now().since(crate::types::Moment::ORIGIN);
        Figures::gather(elapsed, progress, &self.flow.statistics, &self.flow.deliveries)
    }
}

fn refresh() -> Interval {
    let mut interval = tokio::time::interval(display::REFRESH);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// Reads the stream from its start, over the socket, as any consumer would.
async fn consume(endpoint: &str, lines: u64, seed: u64) -> Result<Consumed, ReadError> {
    let client = connect(Some(endpoint), None).await?;
    let mut reader = StreamReader::open(client, STREAM, ReadExtent::ToTip).await?;
    let mut tally = Tally::new(lines);
    while let Some(records) = reader.next().await? {
        records.iter().for_each(|record| tally.count(log_line::number_of(seed, &record.data)));
    }
    Ok(Consumed { tally, totals: reader.totals() })
}

/// What the checkpoint file, opened as the agent would at its next start, says of the log.
fn find_checkpoint(directory: &Path, flow: &str) -> Result<CheckpointFound, DemoError> {
    let store = CheckpointStore::open(&directory.join(agent_json::CHECKPOINT_NAME), true)?;
    let (checkpoints, _) = store.load(flow);
    let log = crate::fs::OpenFile::open(&directory.join(agent_json::LOG_NAME)).and_then(|log| log.status());
    let log = log.map_err(DemoError::AccessLog)?;
    let of_log = checkpoints.iter().filter(|checkpoint| checkpoint.node == log.node);
    // A file that was truncated has an earlier generation under the same inode; the last one counts.
    let newest = of_log.max_by_key(|checkpoint| checkpoint.file);
    Ok(CheckpointFound {
        files: checkpoints.len(),
        offset: newest.map(|checkpoint| checkpoint.fingerprint.offset),
        size: log.size,
    })
}

fn make_books(
    figures: &Figures,
    end: &AgentEnd,
    tally: &Tally,
    checkpoint: CheckpointFound,
    sandbox: &Sandbox,
) -> Books {
    let metrics = sandbox.metrics();
    let sent: Vec<f64> =
        metrics.iter().filter(|datum| datum.name == "RecordsSent").map(|datum| datum.value.sum()).collect();
    Books {
        written: figures.written,
        read: figures.read,
        dropped: figures.dropped,
        acknowledged: figures.acknowledged,
        unacknowledged: end.unacknowledged as u64,
        delivered: tally.delivered(),
        missing: tally.missing(),
        duplicates: tally.duplicates(),
        damaged: tally.damaged(),
        checkpoint,
        records_sent_metric: (!sent.is_empty()).then(|| sent.iter().sum::<f64>() as u64),
    }
}
