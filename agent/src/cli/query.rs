//! Asking the running agent, or its checkpoint file when none runs.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::checkpoint::FileCheckpoint;
use crate::checkpoint_store::{self, StoreError};
use crate::config::AgentConfig;
use crate::fs::state;
use crate::status_report::{
    Answer, Command, FileReport, FlowCounts, FlowReport, LineReport, Request, StatusReport, VERSION,
};
use crate::types::Node;

/// How long an agent may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum QueryError {
    /// The socket.
    #[error("socket {path}: {source}; run this as root or as a member of the agent's group")]
    Socket { path: PathBuf, source: io::Error },
    /// The agent said so.
    #[error("the agent says: {0}")]
    Refused(String),
    /// What came is no answer.
    #[error("socket {path} gave no answer of an agent: {reason}")]
    NoAnswer { path: PathBuf, reason: String },
    /// No agent runs, and the checkpoint file is not to be read.
    #[error("no agent answers, and checkpoint file {path} cannot be read: {source}")]
    File { path: PathBuf, source: io::Error },
    /// No agent runs, and the file tells nothing either.
    #[error("no agent answers at {socket}, and {source}")]
    Store { socket: PathBuf, source: StoreError },
}

/// Asks the agent; without one, the checkpoint file.
pub(super) async fn query(config: &AgentConfig, command: Command) -> Result<StatusReport, QueryError> {
    match UnixStream::connect(&config.status_socket).await {
        Ok(stream) => ask(stream, &config.status_socket, command).await,
        Err(error) if is_nobody(&error) => remembered(config, &command),
        Err(source) => Err(QueryError::Socket { path: config.status_socket.clone(), source }),
    }
}

/// No agent listens there.
fn is_nobody(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

async fn ask(stream: UnixStream, path: &Path, command: Command) -> Result<StatusReport, QueryError> {
    let no_answer = |reason: String| QueryError::NoAnswer { path: path.to_owned(), reason };
    let exchange = async {
        let (from, mut to) = stream.into_split();
        let mut request = serde_json::to_vec(&Request { version: VERSION, command })?;
        request.push(b'\n');
        // An agent that has too many connections answers without a question, and closes.
        let _ = to.write_all(&request).await;
        let mut line = Vec::new();
        BufReader::new(from).read_until(b'\n', &mut line).await?;
        Ok::<_, io::Error>(line)
    };
    let line = match timeout(PATIENCE, exchange).await {
        Ok(line) => line.map_err(|error| no_answer(error.to_string()))?,
        Err(_) => return Err(no_answer(format!("not within {PATIENCE:?}"))),
    };
    match serde_json::from_slice(&line) {
        Ok(Answer::Report(report)) => Ok(report),
        Ok(Answer::Error(reason)) => Err(QueryError::Refused(reason)),
        Err(error) => Err(no_answer(error.to_string())),
    }
}

/// What the checkpoint file says.
fn remembered(config: &AgentConfig, command: &Command) -> Result<StatusReport, QueryError> {
    let path = &config.checkpoint_file;
    // A FIFO in its place would be waited for without end.
    state::node_and_size(path).map_err(|source| QueryError::File { path: path.clone(), source })?;
    let image = checkpoint_store::read(path)
        .map_err(|source| QueryError::Store { socket: config.status_socket.clone(), source })?;
    let is_meant = |checkpoint: &&FileCheckpoint| match command {
        Command::Status => !checkpoint.is_finished,
        Command::File { device, inode } => {
            checkpoint.node.is_same(&Node { device: *device, inode: *inode, birth: 0 })
        }
    };
    let flows = config.flows.iter().map(|flow| FlowReport {
        flow: flow.id.clone(),
        trouble: None,
        unreadable: Vec::new(),
        not_read: Vec::new(),
        records_acknowledged: 0,
        counts: FlowCounts::default(),
        line: LineReport::default(),
        files: match image.get(&flow.id) {
            Some(files) => files.values().filter(is_meant).map(report).collect(),
            None => Vec::new(),
        },
    });
    Ok(StatusReport {
        version: VERSION,
        is_running: false,
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        checkpoint_file: path.display().to_string(),
        checkpoint_trouble: None,
        flows: flows.collect(),
    })
}

/// With the size of what stands under the file's name, if that is still the file.
fn report(checkpoint: &FileCheckpoint) -> FileReport {
    let found = state::node_and_size(&checkpoint.path).ok().flatten();
    let size = found.filter(|(node, _)| node.is_same(&checkpoint.node)).map(|(_, size)| size);
    FileReport::of_checkpoint(checkpoint, size)
}
