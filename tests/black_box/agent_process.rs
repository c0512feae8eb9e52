//! `kinesis-agent` as a child process.
//!
//! Invariant: a child never outlives its [`AgentProcess`].

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::patience::{PATIENCE, comes_true};

/// A running agent.
#[derive(Debug)]
pub(crate) struct AgentProcess {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Its exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The binary, with nothing of this machine's AWS settings. `KINESIS_AGENT_BINARY` names another one to test.
pub(crate) fn binary() -> Command {
    let named = std::env::var_os("KINESIS_AGENT_BINARY");
    let mut command = Command::new(named.unwrap_or_else(|| env!("CARGO_BIN_EXE_kinesis-agent").into()));
    let is_aws = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with("AWS_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_aws(name)) {
        command.env_remove(name);
    }
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("KINESIS_AGENT_LOG", "info,kinesis_agent=debug");
    command
}

impl AgentProcess {
    /// Starts the binary; what it says goes to `talk.out` and `talk.err`.
    pub(crate) fn start(arguments: &[&str], talk: &std::path::Path) -> Self {
        Self::start_as(binary().args(arguments), talk)
    }

    /// Starts a command that becomes the binary.
    pub(crate) fn start_as(command: &mut Command, talk: &std::path::Path) -> Self {
        let stderr = File::create(talk.with_extension("err")).unwrap();
        Self::start_with(command, talk, stderr.into())
    }

    /// The same, with a standard error of another kind, of which nothing is seen here.
    pub(crate) fn start_with(command: &mut Command, talk: &std::path::Path, error: Stdio) -> Self {
        let (stdout, stderr) = (talk.with_extension("out"), talk.with_extension("err"));
        File::options().append(true).create(true).open(&stderr).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(File::create(&stdout).unwrap())
            .stderr(error)
            .spawn()
            .unwrap();
        Self { child, stdout, stderr }
    }

    /// What it has said on standard output so far.
    pub(crate) fn stdout(&self) -> String {
        fs::read_to_string(&self.stdout).unwrap()
    }

    /// What it has said on standard error so far.
    pub(crate) fn stderr(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap()
    }

    /// Waits until it says that it runs.
    pub(crate) fn await_started(&mut self) {
        let started =
            comes_true(PATIENCE, || self.stderr().contains("started") || self.has_ended().is_some());
        assert!(started && self.has_ended().is_none(), "the agent did not start:\n{}", self.stderr());
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for its end, which has to come within `patience`.
    pub(crate) fn finish(mut self, patience: Duration) -> Finished {
        let mut status = None;
        comes_true(patience, || {
            status = self.has_ended();
            status.is_some()
        });
        let Some(status) = status else {
            panic!("the agent did not end in {patience:?}:\n{}", self.stderr())
        };
        let stdout = fs::read_to_string(&self.stdout).unwrap();
        Finished { code: status.code(), stdout, stderr: self.stderr() }
    }

    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success(), "SIG{name} could not be sent");
    }

    /// SIGTERM, and the end that has to follow: exit code 0.
    pub(crate) fn stop(self) -> Finished {
        self.terminate();
        let finished = self.finish(PATIENCE);
        assert_eq!(finished.code, Some(0), "after SIGTERM:\n{}", finished.stderr);
        finished
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for AgentProcess {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
