//! Where a test works: a directory, a sandbox, and the configurations and agents that belong to them.
//!
//! Invariant: nothing is shared between two workshops, so tests run side by side.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

use aws_credential_types::Credentials;
use aws_sdk_kinesis::config::{BehaviorVersion, Region};
use bytes::Bytes;
use kinesis_sandbox::{FaultRule, Sandbox, SandboxOptions};
use kinesis_slow_line::{Shape, SlowLine};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::agent_process::{AgentProcess, Finished};
use crate::patience::PATIENCE;
use crate::stream_reader::StreamReader;

/// The stream and the delivery stream that every workshop has.
pub(crate) const STREAM: &str = "lines";

const SHARDS: u32 = 4;

/// Names, and where they lead: files that even root cannot read. The kernel refuses to open the first, and the bytes
/// of the second.
pub(crate) const UNREADABLE: [(&str, &str); 2] = [
    ("0-denied.log", "/sys/bus/clocksource/drivers_probe"),
    ("1-broken.log", "/sys/devices/software/power/autosuspend_delay_ms"),
];

/// A directory and a sandbox.
#[derive(Debug)]
pub(crate) struct Workshop {
    runtime: Runtime,
    pub(crate) sandbox: Sandbox,
    directory: TempDir,
    agents_started: Cell<u32>,
}

impl Workshop {
    pub(crate) fn new() -> Self {
        Self::with_faults(&[])
    }

    /// With fault rules from the start.
    pub(crate) fn with_faults(rules: &[&str]) -> Self {
        Self::with_options(SandboxOptions { faults: parsed(rules), ..SandboxOptions::default() })
    }

    /// With fault rules from the start, and the limits of each shard enforced.
    pub(crate) fn with_limits(rules: &[&str]) -> Self {
        let faults = parsed(rules);
        Self::with_options(SandboxOptions { faults, enforce_limits: true, ..SandboxOptions::default() })
    }

    fn with_options(options: SandboxOptions) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let sandbox = runtime.block_on(async {
            let sandbox = Sandbox::start(SandboxOptions { seed: 7, ..options }).await.unwrap();
            sandbox.create_stream(STREAM, SHARDS).await.unwrap();
            sandbox.create_delivery_stream(STREAM).unwrap();
            sandbox
        });
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("logs")).unwrap();
        Self { runtime, sandbox, directory, agents_started: Cell::new(0) }
    }

    /// Replaces the fault rules.
    pub(crate) fn set_faults(&self, rules: &[&str]) {
        self.sandbox.set_faults(parsed(rules));
    }

    pub(crate) fn create_stream(&self, name: &str) {
        self.runtime.block_on(self.sandbox.create_stream(name, 2)).unwrap();
    }

    /// A slow line to the sandbox.
    pub(crate) fn slow_line(&self, shape: Shape) -> SlowLine {
        let _runtime = self.runtime.enter();
        SlowLine::start(self.sandbox.address(), shape).unwrap()
    }

    pub(crate) fn root(&self) -> &Path {
        self.directory.path()
    }

    /// A file in the directory for logs.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.directory.path().join("logs").join(name)
    }

    /// Writes a log.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.log(name), content).unwrap();
    }

    /// A flow of files of the directory for logs into [`STREAM`], from their beginning, aggregated, in records that
    /// wait one second at most; `more` adds keys or replaces them.
    pub(crate) fn flow(&self, pattern: &str, more: Value) -> Value {
        let mut flow = json!({
            "filePattern": self.log(pattern),
            "initialPosition": "START_OF_FILE",
            "maxBufferAgeMillis": 1000,
        });
        extend(&mut flow, more);
        let keys = flow.as_object_mut().unwrap();
        if !keys.contains_key("deliveryStream") {
            keys.entry("kinesisStream").or_insert(STREAM.into());
            keys.entry("aggregation").or_insert(true.into());
        }
        flow
    }

    /// Writes a configuration with these flows.
    pub(crate) fn configure(&self, flows: &[Value]) -> PathBuf {
        self.configure_with(flows, json!({}))
    }

    /// Writes a configuration with these flows; `more` adds keys at the top level or replaces them.
    pub(crate) fn configure_with(&self, flows: &[Value], more: Value) -> PathBuf {
        let endpoint = self.sandbox.endpoint();
        let mut tree = json!({
            "kinesis.endpoint": endpoint, "kinesis.region": "us-east-1",
            "firehose.endpoint": endpoint, "firehose.region": "us-east-1",
            "cloudwatch.endpoint": endpoint, "cloudwatch.region": "us-east-1",
            "awsAccessKeyId": "AKIDTEST", "awsSecretAccessKey": "secret",
            "checkpointFile": self.root().join("state/checkpoints.db"),
            "flows": flows,
        });
        extend(&mut tree, more);
        self.configure_as_text("agent.json", &format!("{tree:#}"))
    }

    /// Writes this text as a configuration.
    pub(crate) fn configure_as_text(&self, name: &str, text: &str) -> PathBuf {
        let path = self.root().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Starts the binary with these arguments.
    pub(crate) fn start(&self, arguments: &[&str]) -> AgentProcess {
        self.agents_started.set(self.agents_started.get() + 1);
        AgentProcess::start(arguments, &self.root().join(format!("agent-{}", self.agents_started.get())))
    }

    /// Starts the daemon.
    pub(crate) fn run(&self, configuration: &Path) -> AgentProcess {
        self.start(&["run", "-c", configuration.to_str().unwrap()])
    }

    /// Starts the daemon and waits until it says that it runs.
    pub(crate) fn run_started(&self, configuration: &Path) -> AgentProcess {
        let mut agent = self.run(configuration);
        agent.await_started();
        agent
    }

    /// Runs `run --once` to its end, which has to be a good one.
    pub(crate) fn once(&self, configuration: &Path) -> Finished {
        let finished = self.start(&["run", "--once", "-c", configuration.to_str().unwrap()]).finish(PATIENCE);
        assert_eq!(finished.code, Some(0), "run --once:\n{}", finished.stderr);
        finished
    }

    /// A consumer of [`STREAM`], from its beginning.
    pub(crate) fn reader(&self) -> StreamReader<'_> {
        self.reader_of(STREAM)
    }

    pub(crate) fn reader_of(&self, stream: &str) -> StreamReader<'_> {
        StreamReader::new(self.client(), stream, self.runtime.handle())
    }

    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Of the sandbox.
    pub(crate) fn client(&self) -> aws_sdk_kinesis::Client {
        let config = aws_sdk_kinesis::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("AKIDTEST", "secret", None, None, "test"))
            .endpoint_url(self.sandbox.endpoint())
            .build();
        aws_sdk_kinesis::Client::from_conf(config)
    }

    /// Everything in [`STREAM`], sorted.
    pub(crate) fn shipped(&self) -> Vec<Bytes> {
        let mut shipped = self.reader().read_all();
        shipped.sort();
        shipped
    }
}

fn parsed(rules: &[&str]) -> Vec<FaultRule> {
    rules.iter().map(|rule| rule.parse().unwrap()).collect()
}

/// Lines as records, sorted.
pub(crate) fn sorted(lines: &[&str]) -> Vec<Bytes> {
    let mut records: Vec<_> = lines.iter().map(|line| Bytes::copy_from_slice(line.as_bytes())).collect();
    records.sort();
    records
}

/// Adds the keys of an object to another, or replaces them.
fn extend(tree: &mut Value, more: Value) {
    match (tree, more) {
        (Value::Object(tree), Value::Object(more)) => tree.extend(more),
        (tree, more) => panic!("{tree} and {more} are not both objects"),
    }
}
