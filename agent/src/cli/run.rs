//! `run`: the daemon, or one pass over what is there.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

#[cfg(feature = "sandbox")]
use super::trial::Trial;
use super::watchdog;
use crate::agent::{Agent, AgentEnd, AgentSettings};
use crate::config::{AgentConfig, Parsed};
use crate::fs;
use crate::log_output::say;
use crate::shown;
use crate::signals::Termination;
use crate::statistics::FlowHandle;

/// Where the configuration is when nobody says.
pub(super) const DEFAULT_CONFIGURATION: &str = "/etc/kinesis-agent/agent.json";

/// The configuration or the start failed.
const FAILED: u8 = 1;
/// `--once` could not ship everything in time.
const INCOMPLETE: u8 = 3;

/// How much longer than `shutdownTimeoutMillis` a stop may take before it is broken off: its last steps have limits of
/// their own, which are shorter together.
const STOP_GRACE: Duration = Duration::from_secs(15);

/// Arguments of `run`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 stopped or done, 1 the configuration or the start failed, 2 wrong usage, \
                        3 --once could not ship everything in time."
)]
pub(super) struct RunArguments {
    /// The configuration, JSON (the Java agent's agent.json) or YAML.
    #[arg(short = 'c', long = "configuration", value_name = "FILE", default_value = DEFAULT_CONFIGURATION)]
    configuration: PathBuf,
    /// Ship what the patterns match up to its present end, wait for the acknowledgements, exit.
    #[arg(long)]
    once: bool,
    /// With --once: give up after this many seconds.
    #[arg(long, value_name = "SECONDS", requires = "once")]
    timeout: Option<u64>,
    /// Try it out: send to a sandbox in this process instead of AWS. Nothing leaves the machine, and the real
    /// checkpoints are not touched.
    #[cfg(feature = "sandbox")]
    #[arg(long)]
    sandbox: bool,
    /// With --sandbox: print each record as a consumer would see it.
    #[cfg(feature = "sandbox")]
    #[arg(long, requires = "sandbox")]
    print: bool,
}

/// Runs the agent until it is told to stop, or with `--once` until everything is shipped.
pub(super) async fn run(arguments: RunArguments) -> ExitCode {
    #[cfg_attr(not(feature = "sandbox"), expect(unused_mut, reason = "only a trial changes it"))]
    let Some(mut config) = configuration(&arguments.configuration) else { return ExitCode::from(FAILED) };
    #[cfg(feature = "sandbox")]
    if arguments.sandbox {
        let mut trial = match Trial::start(&mut config).await {
            Ok(trial) => trial,
            Err(error) => return failed(&error),
        };
        if arguments.print && !arguments.once {
            trial.print_as_they_arrive();
        }
        let code = run_agent(&arguments, config, Some(trial.endpoint())).await;
        if arguments.print && arguments.once {
            trial.print_all().await;
        }
        return code;
    }
    run_agent(&arguments, config, None).await
}

async fn run_agent(
    arguments: &RunArguments,
    config: AgentConfig,
    sandbox_endpoint: Option<String>,
) -> ExitCode {
    // Before the agent says that it is ready: whoever hears that may stop it at once.
    let limit = config.shutdown_timeout + STOP_GRACE;
    let mut termination = match Termination::listen_with_limit(limit) {
        Ok(termination) => termination,
        Err(error) => return failed(&error),
    };
    let settings = AgentSettings { config, once: arguments.once, sandbox_endpoint };
    let mut agent = match Agent::start(settings).await {
        Ok(agent) => agent,
        Err(error) => return failed(&error),
    };
    let has_listed = tokio::select! {
        () = agent.listed() => true,
        _ = termination.received() => false,
    };
    if has_listed {
        // Without systemd there is nobody to notify.
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
        tracing::info!(flows = agent.flows().len(), configuration = %arguments.configuration.display(), "started");
    }
    let ending = if arguments.once {
        once(&mut agent, &mut termination, arguments.timeout.map(Duration::from_secs)).await
    } else {
        daemon(&agent, &mut termination).await
    };
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    let flows = agent.flows().to_vec();
    let end = agent.stop().await;
    if arguments.once {
        flows.iter().for_each(say_what_was_left_out);
    }
    conclude(&end, arguments.once, ending)
}

/// Why the agent stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// It was told to, or everything is shipped.
    Regular,
    /// With `--once`: time is up, or it was told to before everything was shipped.
    Early,
    /// A flow ended by itself.
    Defect,
}

async fn daemon(agent: &Agent, termination: &mut Termination) -> Ending {
    tokio::select! {
        signal = termination.received() => {
            tracing::info!(signal, "stopping");
            Ending::Regular
        }
        never = watchdog::feed(agent) => match never {},
        () = agent.a_flow_failed() => {
            tracing::error!("a flow ended by itself, which is a defect; stopping, so that the agent is started again");
            Ending::Defect
        }
    }
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    say(&format!("kinesis-agent: {error}"));
    ExitCode::from(FAILED)
}

/// Waits until everything is shipped, time is up or a signal comes.
async fn once(agent: &mut Agent, termination: &mut Termination, timeout: Option<Duration>) -> Ending {
    let deadline = async {
        match timeout {
            Some(timeout) => drop(tokio::time::timeout(timeout, std::future::pending::<()>()).await),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = agent.completed() => Ending::Regular,
        () = deadline => Ending::Early,
        _ = termination.received() => Ending::Early,
    }
}

fn say_what_was_left_out(flow: &FlowHandle) {
    let (unmatched, parsed) = (flow.statistics.records_unmatched.get(), flow.statistics.records_parsed.get());
    if unmatched > 0 {
        say(&format!(
            "kinesis-agent: flow {}: {unmatched} of {parsed} records do not match the pattern of LOGTOJSON and were not sent",
            flow.id
        ));
    }
}

fn conclude(end: &AgentEnd, once: bool, ending: Ending) -> ExitCode {
    if ending == Ending::Defect {
        return ExitCode::from(FAILED);
    }
    for flow in &end.stuck {
        tracing::error!(
            flow,
            "the flow did not end in time: a file system holds it up; what it had submitted is saved, and the next start \
             sends the rest again"
        );
    }
    if let Some(failure) = &end.save_failure {
        say(&format!(
            "kinesis-agent: the last checkpoints were not saved, so records will be sent again: {failure}"
        ));
    }
    if once && (ending == Ending::Early || !end.incomplete.is_empty()) {
        say(&format!(
            "kinesis-agent: not everything was shipped: {} records without an acknowledgement, in {}",
            end.unacknowledged,
            end.incomplete.join(", ")
        ));
        return ExitCode::from(INCOMPLETE);
    }
    if end.unacknowledged > 0 {
        tracing::warn!(
            records = end.unacknowledged,
            "stopped before these were acknowledged; the next start sends them again"
        );
    }
    ExitCode::SUCCESS
}

/// Reads and checks the configuration; reports everything that is wrong with it.
fn configuration(path: &Path) -> Option<AgentConfig> {
    let parsed = parse(path)?;
    parsed.warnings.iter().for_each(|warning| say(&format!("warning: {warning}")));
    Some(parsed.config)
}

/// The same, without a word of what is only doubtful.
pub(super) fn parse(path: &Path) -> Option<Parsed> {
    let text = match fs::read_text(path) {
        Ok(text) => text,
        Err(error) => {
            say(&format!(
                "kinesis-agent: configuration {} cannot be read: {error}; name one with -c FILE",
                shown::path(path)
            ));
            return None;
        }
    };
    match AgentConfig::parse(&text, &path.display().to_string()) {
        Ok(parsed) => Some(parsed),
        Err(problems) => {
            say(&problems.to_string());
            None
        }
    }
}
