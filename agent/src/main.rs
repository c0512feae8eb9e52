//! The binary: arguments, logs, runtime, command.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use kinesis_agent::cli::{self, CommandLine};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    let filter = EnvFilter::try_from_env("KINESIS_AGENT_LOG")
        .unwrap_or_else(|_| EnvFilter::new(command_line.log_filter()));
    let is_terminal = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(is_terminal)
        .with_target(false)
        .init();
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(cli::run(command_line)),
        Err(error) => {
            eprintln!("kinesis-agent: the runtime could not be started: {error}");
            ExitCode::FAILURE
        }
    }
}
