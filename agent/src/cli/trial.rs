//! `run --sandbox`: the agent against a sandbox in its own process, with the streams that the configuration names.
//!
//! Invariant: a trial leaves no trace: its checkpoints are its own, so that the real run still ships everything.

use std::io::{self, Write as _};
use std::time::Duration;

use bytes::Bytes;
use kinesis_sandbox::{Sandbox, SandboxError, SandboxOptions};
use tokio::task::JoinSet;

use super::scratch_directory::ScratchDirectory;
use crate::config::{AgentConfig, Destination};
use crate::log_output::say;
use crate::stream_reader::{ReadError, ReadExtent, StreamReader, connect};

/// How long records wait for others in a trial: whoever tries a configuration wants to see its lines.
const TRIAL_BUFFER_AGE: Duration = Duration::from_millis(200);

/// Between two looks at what a delivery stream got.
const LOOK_PERIOD: Duration = Duration::from_millis(200);

/// A running trial.
#[derive(Debug)]
pub(super) struct Trial {
    sandbox: std::sync::Arc<Sandbox>,
    destinations: Vec<Destination>,
    printers: JoinSet<()>,
    /// Removed with the trial.
    _scratch: ScratchDirectory,
}

/// Why a trial could not start.
#[derive(Debug, thiserror::Error)]
pub(super) enum TrialError {
    /// The sandbox.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The directory for its checkpoints.
    #[error("a directory for the trial's checkpoints cannot be made: {0}")]
    Scratch(#[from] io::Error),
}

impl Trial {
    /// Starts the sandbox, makes the streams and turns `config` to them.
    pub(super) async fn start(config: &mut AgentConfig) -> Result<Self, TrialError> {
        let scratch = ScratchDirectory::create()?;
        config.checkpoint_file = scratch.path().join("checkpoints.db");
        config.dead_letter_directory = None;
        config.status_socket = scratch.path().join("status.sock");
        config.import_checkpoint_file = None;
        let sandbox = Sandbox::start(SandboxOptions::default()).await?;
        config
            .flows
            .iter_mut()
            .for_each(|flow| flow.max_buffer_age = flow.max_buffer_age.min(TRIAL_BUFFER_AGE));
        let mut destinations: Vec<Destination> = Vec::new();
        for flow in &config.flows {
            if destinations.contains(&flow.destination) {
                continue;
            }
            match &flow.destination {
                Destination::KinesisStream(name) => sandbox.create_stream(name, 1).await?,
                Destination::DeliveryStream(name) => sandbox.create_delivery_stream(name)?,
            }
            destinations.push(flow.destination.clone());
        }
        Ok(Self {
            sandbox: std::sync::Arc::new(sandbox),
            destinations,
            printers: JoinSet::new(),
            _scratch: scratch,
        })
    }

    /// Where the sandbox is.
    pub(super) fn endpoint(&self) -> String {
        self.sandbox.endpoint()
    }

    /// Prints records as they arrive, until the trial ends.
    pub(super) fn print_as_they_arrive(&mut self) {
        for destination in self.destinations.clone() {
            match destination {
                Destination::KinesisStream(name) => {
                    let endpoint = self.endpoint();
                    self.printers
                        .spawn(async move { print_stream(&endpoint, &name, ReadExtent::Follow).await });
                }
                Destination::DeliveryStream(name) => {
                    let sandbox = std::sync::Arc::clone(&self.sandbox);
                    self.printers.spawn(async move { print_deliveries(&sandbox, &name).await });
                }
            }
        }
    }

    /// Prints everything that has arrived.
    pub(super) async fn print_all(&self) {
        for destination in &self.destinations {
            match destination {
                Destination::KinesisStream(name) => {
                    print_stream(&self.endpoint(), name, ReadExtent::ToTip).await;
                }
                Destination::DeliveryStream(name) => {
                    self.sandbox.delivered(name).unwrap_or_default().iter().for_each(print);
                }
            }
        }
    }
}

async fn print_stream(endpoint: &str, name: &str, extent: ReadExtent) {
    if let Err(error) = try_print_stream(endpoint, name, extent).await {
        say(&format!("kinesis-agent: {error}"));
    }
}

async fn try_print_stream(endpoint: &str, name: &str, extent: ReadExtent) -> Result<(), ReadError> {
    let mut reader = StreamReader::open(connect(Some(endpoint), None).await?, name, extent).await?;
    reader.read_eagerly();
    while let Some(records) = reader.next().await? {
        records.iter().for_each(|record| print(&record.data));
    }
    Ok(())
}

async fn print_deliveries(sandbox: &Sandbox, name: &str) {
    let mut looks = tokio::time::interval(LOOK_PERIOD);
    let mut printed = 0;
    loop {
        looks.tick().await;
        let delivered = sandbox.delivered(name).unwrap_or_default();
        delivered[printed..].iter().for_each(print);
        printed = delivered.len();
    }
}

/// One record a line, as a consumer would see it.
fn print(data: &Bytes) {
    let line = data.strip_suffix(b"\n").unwrap_or(data);
    let mut output = io::stdout().lock();
    // Whoever read the output may be gone; the trial goes on for those who watch the log.
    let _ = output.write_all(line).and_then(|()| output.write_all(b"\n"));
}
