//! The command line.

mod consume;
#[cfg(feature = "sandbox")]
mod demo;
mod output;
mod query;
mod run;
#[cfg(feature = "sandbox")]
mod sandbox;
#[cfg(feature = "sandbox")]
mod scratch_directory;
mod shipped;
mod status;
#[cfg(feature = "sandbox")]
mod trial;
mod watchdog;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Follows log files and ships them to Amazon Kinesis streams and Firehose delivery streams.
///
/// A drop-in for the Java Kinesis Agent: it reads the same agent.json.
#[derive(Debug, Parser)]
#[command(
    name = "kinesis-agent",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "Try it without an AWS account:\n  kinesis-agent demo\n  kinesis-agent run -c agent.json --once --sandbox --print"
)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    /// The Java agent's form: the same as `run`.
    #[command(flatten)]
    run: run::RunArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the agent; also meant when no command is given.
    Run(run::RunArguments),
    /// Say how the agent stands: each flow, and each file with its lag and what is happening with it.
    Status(status::StatusArguments),
    /// Say whether files are shipped to their last byte.
    Shipped(shipped::ShippedArguments),
    /// See it work: a log is written and rotated, shipped, read back and counted, all on this machine.
    #[cfg(feature = "sandbox")]
    Demo(demo::DemoArguments),
    /// Run an AWS endpoint on this machine for trials and tests: Kinesis, Firehose, CloudWatch, STS.
    #[cfg(feature = "sandbox")]
    Sandbox(sandbox::SandboxArguments),
    /// Print the records of a stream from its start, aggregated ones taken apart.
    Consume(consume::ConsumeArguments),
}

impl CommandLine {
    /// What is worth a line in the log, unless KINESIS_AGENT_LOG says otherwise.
    #[must_use]
    pub fn log_filter(&self) -> &'static str {
        match &self.command {
            // Its screen tells more than the log would.
            #[cfg(feature = "sandbox")]
            Some(Command::Demo(_)) => "error",
            // What libraries say is about their insides; what it means is said by the agent.
            _ => "error,kinesis_agent=info,kpl=info",
        }
    }
}

/// Runs the command that was asked for.
pub async fn run(command_line: CommandLine) -> ExitCode {
    match command_line.command {
        None => run::run(command_line.run).await,
        Some(Command::Run(arguments)) => run::run(arguments).await,
        #[cfg(feature = "sandbox")]
        Some(Command::Demo(arguments)) => Box::pin(demo::run(arguments)).await,
        #[cfg(feature = "sandbox")]
        Some(Command::Sandbox(arguments)) => sandbox::run(arguments).await,
        Some(Command::Status(arguments)) => status::run(&arguments).await,
        Some(Command::Shipped(arguments)) => shipped::run(&arguments).await,
        Some(Command::Consume(arguments)) => consume::run(arguments).await,
    }
}
