//! The agent as a whole: builds the flows, supervises them, stops them in order.
//!
//! Invariant: the order of a stop is: read no more, flush, await outcomes, save checkpoints, upload the last metrics.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kpl::{AwsTransport, BudgetPart, FirehoseTransport};
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::aws_clients::{AwsClients, NoRegion};
use crate::checkpoint_recovery::{self, RecoveryError};
use crate::checkpoint_saver::CheckpointSaver;
use crate::clock::Clock;
use crate::cloudwatch::CloudWatch;
use crate::config::{AgentConfig, Destination, FlowConfig};
use crate::core::flow::Flow;
use crate::core::processor::ProcessorError;
use crate::dead_letter_file::DeadLetterFile;
use crate::descriptors::Descriptors;
use crate::discovery::Discovery;
use crate::flow_task::{FlowEnd, FlowState, FlowTask, StartedFlow};
use crate::fs;
use crate::inbox::{Inbox, Outcomes};
use crate::java_import::{self, ImportError};
use crate::metrics::{DeliveryMetrics, SharedMetrics};
use crate::publisher::{Publisher, PublisherError, Transports};
pub use crate::statistics::FlowHandle;
use crate::statistics::{DeliveryStatistics, FlowStatistics};
use crate::status;
use crate::status_socket::{StatusSocket, Subject};
use crate::watchdog::Progress;

/// Bytes of records that all flows together may hold.
const BUDGET_BYTES: usize = 32 << 20;

/// Of the time for a stop, what is left for the last metrics upload.
const UPLOAD_PATIENCE: Duration = Duration::from_secs(2);

/// How long a start waits for the first listings.
const LISTING_PATIENCE: Duration = Duration::from_secs(20);

/// How much longer than for outcomes a flow is waited for in a stop: it may be in the middle of a read.
const FLOW_GRACE: Duration = Duration::from_secs(2);

/// How long the last save may take.
const SAVE_PATIENCE: Duration = Duration::from_secs(5);

/// How long all producers together may take to end.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// What an agent is started with.
#[derive(Debug, Clone)]
pub struct AgentSettings {
    /// The configuration, checked.
    pub config: AgentConfig,
    /// Ship what the patterns match up to its present end, then be done.
    pub once: bool,
    /// Send everything to this endpoint, with credentials that mean nothing there.
    pub sandbox_endpoint: Option<String>,
}

/// A running agent.
#[derive(Debug)]
pub struct Agent {
    flows: Vec<FlowHandle>,
    runs: Vec<FlowRun>,
    clock: Clock,
    listings: Vec<FirstListing>,
    saver: Arc<CheckpointSaver>,
    reporter: JoinHandle<()>,
    status_socket: Option<StatusSocket>,
    a_flow_ended: Arc<Notify>,
    stopping: watch::Sender<bool>,
    patience: Duration,
}

#[derive(Debug)]
struct FlowRun {
    inbox: Arc<Inbox>,
    publisher: Arc<Publisher>,
    progress: Arc<Progress>,
    end: Option<oneshot::Receiver<FlowEnd>>,
    ended: Option<FlowEnd>,
}

/// A flow's first listing, which a start waits for.
#[derive(Debug)]
struct FirstListing {
    flow: String,
    listed: oneshot::Receiver<()>,
}

/// How an agent ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentEnd {
    /// Records whose outcome is not known; the next start sends them again.
    pub unacknowledged: usize,
    /// With `once`: the flows that did not ship everything.
    pub incomplete: Vec<String>,
    /// The flows that did not end in time: a file system holds them up. What they had submitted is saved.
    pub stuck: Vec<String>,
    /// Why the last checkpoints could not be saved.
    pub save_failure: Option<String>,
}

/// Why an agent could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// The checkpoint file's directory.
    #[error(
        "the directory of checkpoint file {path} cannot be made: {source}; set checkpointFile to a place that the agent may write to"
    )]
    Directory {
        /// The checkpoint file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The checkpoint file.
    #[error(transparent)]
    Store(#[from] RecoveryError),
    /// The Java agent's checkpoints.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A flow's producer.
    #[error("flow {flow}: {source}")]
    Publisher {
        /// The flow.
        flow: String,
        /// Why.
        source: PublisherError,
    },
    /// A flow's converters.
    #[error("flow {flow}: {source}")]
    Processor {
        /// The flow.
        flow: String,
        /// Why.
        source: ProcessorError,
    },
    /// Where a service is.
    #[error(transparent)]
    Region(#[from] NoRegion),
    /// The system refuses a thread.
    #[error("a thread could not be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// What all flows share while they are being built.
struct Parts {
    clients: AwsClients,
    /// One for all flows, with their connections: each has certificates and sockets of its own.
    kinesis: AwsTransport,
    firehose: FirehoseTransport,
    saver: Arc<CheckpointSaver>,
    discovery: Arc<Discovery>,
    descriptors: Arc<Descriptors>,
    metrics: Arc<SharedMetrics>,
    clock: Clock,
    dead_letters: (PathBuf, u64),
    host: String,
    once: bool,
    patience: Duration,
}

impl Agent {
    /// Starts all flows on the present tokio runtime. They are at work when this returns; [`Agent::listed`] waits until
    /// they know what is there.
    ///
    /// # Errors
    ///
    /// [`AgentError`]; no flow is left running.
    pub async fn start(settings: AgentSettings) -> Result<Self, AgentError> {
        let AgentSettings { config, once, sandbox_endpoint } = settings;
        let clients = match &sandbox_endpoint {
            Some(endpoint) => AwsClients::sandbox(endpoint),
            None => AwsClients::resolve(&config).await?,
        };
        let path = &config.checkpoint_file;
        fs::make_parent_directory(path)
            .map_err(|source| AgentError::Directory { path: path.clone(), source })?;
        let clock = Clock::start();
        let flow_ids: Vec<_> = config.flows.iter().map(|flow| flow.id.clone()).collect();
        let mut opened = checkpoint_recovery::open(path, &flow_ids, clock.wall_time_ms())?;
        java_import::import(&config, &mut opened.store)?;
        let saver = Arc::new(CheckpointSaver::start(opened, clock)?);
        let patience = config.shutdown_timeout.saturating_sub(UPLOAD_PATIENCE / 4);
        let parts = Parts {
            kinesis: clients.kinesis(),
            firehose: clients.firehose(),
            clients,
            saver: Arc::clone(&saver),
            discovery: Arc::new(Discovery::start()),
            descriptors: Arc::new(Descriptors::new(config.max_open_files, config.flows.len())),
            metrics: Arc::new(SharedMetrics::default()),
            clock,
            dead_letters: (config.dead_letter_directory(), config.dead_letter_max_bytes),
            host: fs::host::host_identity(),
            once,
            patience,
        };
        let budgets = BudgetPart::split(BUDGET_BYTES, config.flows.len());
        let flows = config.flows.iter().zip(budgets);
        let built: Vec<_> =
            flows.map(|(flow, budget)| parts.build(flow, budget)).collect::<Result<_, _>>()?;
        let (mut flows, mut runs, mut listings) = (Vec::new(), Vec::new(), Vec::new());
        let a_flow_ended = Arc::new(Notify::new());
        for (number, (handle, task)) in built.into_iter().enumerate() {
            let (inbox, publisher) = (Arc::clone(&task.inbox), Arc::clone(&task.publisher));
            let progress = Arc::clone(&task.progress);
            let StartedFlow { listed, end } = task.start(number, Arc::clone(&a_flow_ended))?;
            runs.push(FlowRun { inbox, publisher, progress, end: Some(end), ended: None });
            listings.push(FirstListing { flow: handle.id.clone(), listed });
            flows.push(handle);
        }
        let status_socket = listen(&config, &flows, &runs, &saver);
        let (stopping, stopped) = watch::channel(false);
        let cloudwatch = config.emit_metrics.then(|| {
            CloudWatch::new(
                parts.clients.cloudwatch(),
                config.cloudwatch_namespace.clone(),
                instance(&config),
            )
        });
        let reporter = status::Reporter {
            flows: flows.clone(),
            metrics: Arc::clone(&parts.metrics),
            cloudwatch,
            upload_period: config.metrics_buffer_time,
            status_period: config.status_reporting_period,
        };
        let reporter = tokio::runtime::Handle::current().spawn(reporter.run(stopped));
        Ok(Self {
            flows,
            runs,
            clock,
            listings,
            saver,
            reporter,
            status_socket,
            a_flow_ended,
            stopping,
            patience,
        })
    }

    /// Waits until every flow has listed its directories once, so that files which appear from then on are new ones. A
    /// flow that takes long is told, and not waited for any more.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the waiting only.
    pub async fn listed(&mut self) {
        let all_listed = async {
            for listing in &mut self.listings {
                // An error means that the flow's thread died, which `completed` and `stop` tell.
                let _ = (&mut listing.listed).await;
            }
        };
        // Those that are late are told below.
        let _ = timeout(LISTING_PATIENCE, all_listed).await;
        for mut listing in self.listings.drain(..) {
            if listing.listed.try_recv() != Err(TryRecvError::Empty) {
                continue;
            }
            tracing::warn!(
                flow = listing.flow,
                "its directories are not listed yet: they are large, or a file system hangs; the other flows are at work, \
                 and files that appear before the end of the listing may count as old ones (initialPosition)"
            );
        }
    }

    /// The flows, to be watched.
    #[must_use]
    pub fn flows(&self) -> &[FlowHandle] {
        &self.flows
    }

    /// With `once`: waits until every flow has shipped everything.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the waiting only.
    pub async fn completed(&mut self) {
        for run in &mut self.runs {
            run.ended().await;
        }
    }

    /// Waits until a flow ends although nobody told it to, which is a defect: without `once` a flow never ends by itself.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the waiting only.
    pub async fn a_flow_failed(&self) {
        self.a_flow_ended.notified().await;
    }

    /// The flows that make no progress: a file system holds them up.
    #[must_use]
    pub fn stuck_flows(&self) -> Vec<&str> {
        let now = self.clock.now();
        let flows = self.runs.iter().zip(&self.flows);
        let stuck = flows.filter(|(run, _)| run.progress.stuck_for(now).is_some());
        stuck.map(|(_, flow)| flow.id.as_str()).collect()
    }

    /// Stops: reads no more, flushes, waits for outcomes as long as the configuration allows, saves. Every step has a
    /// limit of its own, so that nothing that hangs holds up the others.
    pub async fn stop(mut self) -> AgentEnd {
        self.runs.iter().for_each(|run| run.inbox.stop());
        let all_ended = async {
            for run in &mut self.runs {
                run.ended().await;
            }
        };
        // Those that are late are told below.
        let _ = timeout(self.patience + FLOW_GRACE, all_ended).await;
        let mut end = self.flows_end();
        drop(self.status_socket.take());
        end.save_failure = self.save().await.err();
        let _ = self.stopping.send(true);
        let _ = timeout(UPLOAD_PATIENCE, self.reporter).await;
        let is_settled = end.unacknowledged == 0 && end.stuck.is_empty();
        let patience = if is_settled { self.patience } else { Duration::ZERO };
        let all_closed = async {
            for run in &self.runs {
                run.publisher.close(patience).await;
            }
        };
        // What is left of them goes with the process.
        let _ = timeout(CLOSE_PATIENCE, all_closed).await;
        end
    }

    /// How the flows ended, or that they did not.
    fn flows_end(&self) -> AgentEnd {
        let mut end = AgentEnd::default();
        for (run, flow) in self.runs.iter().zip(&self.flows) {
            let flow_end = run.ended.unwrap_or(UNKNOWN_END);
            end.unacknowledged += flow_end.unacknowledged;
            if !flow_end.is_complete {
                end.incomplete.push(flow.id.clone());
            }
            if run.end.is_some() {
                end.stuck.push(flow.id.clone());
            }
        }
        end
    }

    /// Saves what the flows have submitted.
    async fn save(&self) -> Result<(), String> {
        let saver = Arc::clone(&self.saver);
        let saving = tokio::task::spawn_blocking(move || saver.stop());
        match timeout(SAVE_PATIENCE, saving).await {
            Ok(Ok(saved)) => saved.map_err(|error| error.to_string()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("the checkpoint file's disk did not answer for {SAVE_PATIENCE:?}")),
        }
    }
}

/// The end of a flow of which nothing is known.
const UNKNOWN_END: FlowEnd = FlowEnd { unacknowledged: 0, is_complete: false };

impl FlowRun {
    async fn ended(&mut self) -> FlowEnd {
        if let Some(end) = &mut self.end {
            // An error means that the flow's thread died; nothing is known of its records.
            self.ended = end.await.ok();
            self.end = None;
        }
        self.ended.unwrap_or(UNKNOWN_END)
    }
}

impl Parts {
    fn build(&self, config: &FlowConfig, budget: BudgetPart) -> Result<(FlowHandle, FlowTask), AgentError> {
        let (checkpoints, is_known) = self.saver.load(&config.id);
        let statistics = Arc::new(FlowStatistics::default());
        let deliveries = Arc::new(DeliveryStatistics::default());
        let flow = Flow::new(
            config.clone(),
            checkpoints,
            is_known,
            self.once,
            fastrand::u64(..),
            Arc::clone(&statistics),
        )
        .map_err(|source| AgentError::Processor { flow: config.id.clone(), source })?
        .on_host(&self.host);
        let inbox = Arc::new(Inbox::default());
        let transport = match config.destination {
            Destination::KinesisStream(_) => Transports::Kinesis(self.kinesis.clone()),
            Destination::DeliveryStream(_) => Transports::Firehose(self.firehose.clone()),
        };
        let metrics = DeliveryMetrics::new(
            config.destination.to_string(),
            Arc::clone(&self.metrics),
            Arc::clone(&deliveries),
        );
        let outcomes = Outcomes::new(Arc::clone(&inbox));
        let publisher = Publisher::start(config, transport, budget, outcomes, metrics)
            .map_err(|source| AgentError::Publisher { flow: config.id.clone(), source })?;
        let handle = FlowHandle {
            id: config.id.clone(),
            destination: config.destination.clone(),
            statistics: Arc::clone(&statistics),
            deliveries,
        };
        let (directory, max_bytes) = &self.dead_letters;
        let task = FlowTask {
            config: config.clone(),
            flow,
            inbox,
            publisher: Arc::new(publisher),
            discovery: Arc::clone(&self.discovery),
            descriptors: Arc::clone(&self.descriptors),
            dead_letters: DeadLetterFile::new(directory.clone(), &config.id, *max_bytes),
            saver: Arc::clone(&self.saver),
            statistics,
            progress: Arc::default(),
            clock: self.clock,
            once: self.once,
            patience: self.patience,
            state: FlowState::default(),
        };
        Ok((handle, task))
    }
}

/// Opens the socket of `status` and `shipped`. Without it the agent runs all the same.
fn listen(
    config: &AgentConfig,
    flows: &[FlowHandle],
    runs: &[FlowRun],
    saver: &Arc<CheckpointSaver>,
) -> Option<StatusSocket> {
    let subject = Subject {
        flows: flows.iter().zip(runs).map(|(flow, run)| (flow.id.clone(), Arc::clone(&run.inbox))).collect(),
        saver: Arc::clone(saver),
        checkpoint_file: config.checkpoint_file.clone(),
    };
    let path = &config.status_socket;
    let refused = |error: &std::io::Error| {
        tracing::warn!(
            "status and shipped will not be answered: socket {}: {error}; set statusSocket to a place that the agent may \
             write to",
            path.display()
        );
    };
    StatusSocket::open(path, subject).inspect_err(refused).ok()
}

/// The value of the dimension `Instance`, where it is wanted: the host's name.
fn instance(config: &AgentConfig) -> Option<String> {
    if !config.tag_instance {
        return None;
    }
    let name = fs::read_text(std::path::Path::new("/proc/sys/kernel/hostname")).ok()?;
    Some(name.trim().to_owned())
}
