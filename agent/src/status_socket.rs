//! The agent's socket, on which `status` and `shipped` are answered.
//!
//! Invariants: a few connections at a time, each for a limited time, with requests of limited length; whatever comes in
//! is answered with a report or an error. Without the socket the agent ships all the same.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::checkpoint_saver::CheckpointSaver;
use crate::fs::state;
use crate::inbox::Inbox;
use crate::status_report::{
    Answer, Command, FileReport, FlowCounts, FlowReport, LONGEST_REQUEST_BYTES, LineReport, Request,
    StatusReport, VERSION,
};
use crate::types::Node;

/// Connections at a time; others are told to come again.
const CONNECTIONS: usize = 8;

/// How long a connection may be quiet, and how long an answer may take to be read.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a flow may take to answer; longer than that it hangs in a file system.
const FLOW_PATIENCE: Duration = Duration::from_secs(3);

/// The longest path that a socket can have on Linux.
const LONGEST_PATH_BYTES: usize = 107;

/// What the socket tells of.
#[derive(Debug)]
pub struct Subject {
    /// The flows, by id.
    pub flows: Vec<(String, Arc<Inbox>)>,
    /// The checkpoints.
    pub saver: Arc<CheckpointSaver>,
    /// Their file.
    pub checkpoint_file: PathBuf,
}

/// The socket, open. It is closed and its path removed when this is dropped.
#[derive(Debug)]
pub struct StatusSocket {
    task: JoinHandle<()>,
    path: PathBuf,
}

impl StatusSocket {
    /// Listens at `path`, on the present tokio runtime. Only one process may do this for a path at a time: a socket that is
    /// there already is taken for one that was left behind.
    ///
    /// # Errors
    ///
    /// Something else than a socket is there, the path is too long, or the directory cannot be written to.
    pub fn open(path: &Path, subject: Subject) -> io::Result<Self> {
        if path.as_os_str().len() > LONGEST_PATH_BYTES {
            let why =
                format!("the path is longer than the {LONGEST_PATH_BYTES} bytes that a socket's may have");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        state::remove_socket(path)?;
        let listener = UnixListener::bind(path)?;
        state::open_to_group(path)?;
        let task = Handle::current().spawn(listen(listener, Arc::new(subject)));
        Ok(Self { task, path: path.to_owned() })
    }
}

impl Drop for StatusSocket {
    fn drop(&mut self) {
        self.task.abort();
        // If it stays, the next start removes it.
        let _ = state::remove_socket(&self.path);
    }
}

async fn listen(listener: UnixListener, subject: Arc<Subject>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        // Accepting fails while the process has no descriptors left; waiting for room is a pause, too.
        let Ok((stream, _)) = listener.accept().await else {
            let _ = timeout(PATIENCE, std::future::pending::<()>()).await;
            continue;
        };
        match Arc::clone(&room).try_acquire_owned() {
            Ok(permit) => {
                let subject = Arc::clone(&subject);
                Handle::current().spawn(async move {
                    let _permit = permit;
                    // A connection that breaks is over.
                    let _ = serve(stream, &subject).await;
                });
            }
            Err(_) => {
                let busy = Answer::Error("too many connections; try again".to_owned());
                // It fits into the socket's buffer, so that nobody is waited for.
                let _ = stream.try_write(&line(&busy));
            }
        }
    }
}

async fn serve(stream: UnixStream, subject: &Subject) -> io::Result<()> {
    let (from, mut to) = stream.into_split();
    let mut from = BufReader::with_capacity(LONGEST_REQUEST_BYTES, from);
    loop {
        let mut request = Vec::new();
        let mut limited = (&mut from).take(LONGEST_REQUEST_BYTES as u64);
        let read = timeout(PATIENCE, limited.read_until(b'\n', &mut request)).await??;
        if read == 0 {
            return Ok(());
        }
        let is_whole = request.ends_with(b"\n");
        let answer = if is_whole {
            answer(&request, subject).await
        } else {
            Answer::Error(format!("a request is a line of at most {LONGEST_REQUEST_BYTES} bytes"))
        };
        timeout(PATIENCE, to.write_all(&line(&answer))).await??;
        if !is_whole {
            return Ok(());
        }
    }
}

fn line(answer: &Answer) -> Vec<u8> {
    let mut line = serde_json::to_vec(answer).unwrap_or_else(|error| {
        // Nothing in an answer can fail to be written; if it does, that is said.
        format!("{{\"error\":\"{error}\"}}").into_bytes()
    });
    line.push(b'\n');
    line
}

async fn answer(request: &[u8], subject: &Subject) -> Answer {
    let request: Request = match serde_json::from_slice(request) {
        Ok(request) => request,
        Err(error) => return Answer::Error(format!("this is no request: {error}")),
    };
    if request.version != VERSION {
        let version = request.version;
        return Answer::Error(format!("version {version} of a request; this agent speaks version {VERSION}"));
    }
    let about = match request.command {
        Command::Status => None,
        Command::File { device, inode } => Some(Node { device, inode, birth: 0 }),
    };
    let mut flows = Vec::with_capacity(subject.flows.len());
    for (id, inbox) in &subject.flows {
        let mut report = flow_report(id, inbox, about).await;
        if let Some(node) = about.filter(|_| report.files.is_empty()) {
            let saved = subject.saver.saved_of(node);
            let finished = saved.into_iter().filter(|(flow, saved)| flow == id && saved.is_finished);
            report.files.extend(finished.map(|(_, saved)| FileReport::of_checkpoint(&saved, None)));
        }
        flows.push(report);
    }
    Answer::Report(StatusReport {
        version: VERSION,
        is_running: true,
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        checkpoint_file: subject.checkpoint_file.display().to_string(),
        checkpoint_trouble: subject.saver.trouble(),
        flows,
    })
}

async fn flow_report(id: &str, inbox: &Inbox, about: Option<Node>) -> FlowReport {
    let silent = |why: &str| FlowReport {
        flow: id.to_owned(),
        trouble: Some(why.to_owned()),
        unreadable: Vec::new(),
        not_read: Vec::new(),
        records_acknowledged: 0,
        counts: FlowCounts::default(),
        line: LineReport::default(),
        files: Vec::new(),
    };
    let Some(answer) = inbox.ask(about) else { return silent("too many are asking; try again") };
    match timeout(FLOW_PATIENCE, answer).await {
        Ok(Ok(report)) => report,
        Ok(Err(_)) => silent("it has ended"),
        Err(_) => silent("it does not answer: a file system may hang"),
    }
}
