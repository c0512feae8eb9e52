//! The binary: arguments, logs, runtime, command.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use kinesis_agent::cli::{self, CommandLine};
use kinesis_agent::log_output::{self, LogLines};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    if let Err(error) = log_output::start() {
        log_output::say(&format!("kinesis-agent: the thread for the log could not be started: {error}"));
    }
    let filter = EnvFilter::try_from_env("KINESIS_AGENT_LOG")
        .unwrap_or_else(|_| EnvFilter::new(command_line.log_filter()));
    let has_colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(LogLines { has_colours })
        .log_internal_errors(false)
        .with_ansi(has_colours)
        .with_target(false)
        .init();
    let code = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(cli::run(command_line));
            // What hangs on it still hangs in a file system, and is not waited for.
            runtime.shutdown_background();
            code
        }
        Err(error) => {
            log_output::say(&format!("kinesis-agent: the runtime could not be started: {error}"));
            ExitCode::FAILURE
        }
    };
    log_output::finish();
    code
}
