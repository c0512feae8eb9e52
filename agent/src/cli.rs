//! The command line.

mod run;

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
    /// Run the agent.
    Run(run::RunArguments),
}

/// Runs the command that was asked for.
pub async fn run(command_line: CommandLine) -> ExitCode {
    match command_line.command {
        None => run::run(command_line.run).await,
        Some(Command::Run(arguments)) => run::run(arguments).await,
    }
}
