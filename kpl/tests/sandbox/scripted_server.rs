//! A server of a few lines that answers as no sandbox would: the same page again and again, half an answer, nothing.
//!
//! Invariant: it keeps every request that it read, head and body, in the order in which they came.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

/// What to do with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Status and body.
    Answer(u16, String),
    /// Status, and a body that does not end, in chunks of so many bytes.
    Endless(u16, usize),
    /// Says that more bytes come than do, and closes the connection.
    Half,
    /// The same, and keeps the connection.
    HalfAndSilence,
    /// Closes the connection.
    Close,
    /// Nothing.
    Silence,
}

/// The running server; it stops when this is dropped.
pub(crate) struct ScriptedServer {
    endpoint: String,
    requests: Arc<Mutex<Vec<Request>>>,
    poured: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Request {
    /// The operation in the target header.
    pub(crate) fn operation(&self) -> &str {
        let target = self.head.split("Kinesis_20131202.").nth(1).expect("a call to Kinesis");
        target.split("\r\n").next().expect("a line")
    }

    /// The entries of a PutRecords or PutRecordBatch call in JSON.
    pub(crate) fn entries(&self) -> usize {
        let body: serde_json::Value = serde_json::from_slice(&self.body).expect("JSON");
        body["Records"].as_array().expect("entries").len()
    }

    /// An answer to it that says the same of each entry.
    pub(crate) fn with_results(&self, result: &str) -> Reply {
        let results = vec![result; self.entries()].join(",");
        Reply::Answer(200, format!("{{\"Records\":[{results}]}}"))
    }

    /// The answer of a stream with one shard, to anything but PutRecords.
    pub(crate) fn of_one_shard(&self) -> Reply {
        let shard = r#"{"ShardId":"shardId-000000000000","HashKeyRange":{"StartingHashKey":"0","EndingHashKey":"340282366920938463463374607431768211455"},"SequenceNumberRange":{"StartingSequenceNumber":"1"}}"#;
        match self.operation() {
            "ListShards" => Reply::Answer(200, format!("{{\"Shards\":[{shard}]}}")),
            _ => Reply::Answer(400, r#"{"__type":"AccessDeniedException"}"#.to_owned()),
        }
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl ScriptedServer {
    /// Answers every request as `script` says.
    pub(crate) async fn start(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        let poured = Arc::new(AtomicUsize::new(0));
        tasks.spawn(serve(listener, Arc::new(script), Arc::clone(&requests), Arc::clone(&poured)));
        Self { endpoint, requests, poured, _tasks: tasks }
    }

    /// The endpoint URL.
    pub(crate) fn endpoint(&self) -> String {
        self.endpoint.clone()
    }

    /// Bytes sent of bodies that do not end.
    pub(crate) fn poured(&self) -> usize {
        self.poured.load(Ordering::Relaxed)
    }

    /// What was asked so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no panic under this lock").clone()
    }
}

type Script = dyn Fn(&Request) -> Reply + Send + Sync;

async fn serve(
    listener: TcpListener,
    script: Arc<Script>,
    requests: Arc<Mutex<Vec<Request>>>,
    poured: Arc<AtomicUsize>,
) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(converse(stream, Arc::clone(&script), Arc::clone(&requests), Arc::clone(&poured)));
    }
}

async fn converse(
    mut stream: TcpStream,
    script: Arc<Script>,
    requests: Arc<Mutex<Vec<Request>>>,
    poured: Arc<AtomicUsize>,
) {
    while let Some(request) = read(&mut stream).await {
        let reply = script(&request);
        requests.lock().expect("no panic under this lock").push(request);
        let (status, body, length) = match &reply {
            Reply::Answer(status, body) => (*status, body.as_str(), body.len()),
            Reply::Half | Reply::HalfAndSilence => (200, "{\"Rec", 1000),
            Reply::Endless(status, chunk) => return pour(&mut stream, *status, *chunk, &poured).await,
            Reply::Close => return,
            Reply::Silence => std::future::pending().await,
        };
        let head = format!(
            "HTTP/1.1 {status} Scripted\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {length}\r\n\r\n"
        );
        if stream.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
            return;
        }
        match reply {
            Reply::Half => return,
            Reply::HalfAndSilence => std::future::pending().await,
            _ => {}
        }
    }
}

/// Sends chunks until the client has had enough, and counts their bytes.
async fn pour(stream: &mut TcpStream, status: u16, chunk: usize, poured: &AtomicUsize) {
    let head = format!(
        "HTTP/1.1 {status} Scripted\r\ncontent-type: application/x-amz-json-1.1\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    let piece = format!("{chunk:x}\r\n{}\r\n", " ".repeat(chunk));
    let batch = piece.repeat((64_usize << 10).div_ceil(piece.len()));
    let mut sent = stream.write_all(head.as_bytes()).await;
    while sent.is_ok() {
        sent = stream.write_all(batch.as_bytes()).await;
        poured.fetch_add(batch.len(), Ordering::Relaxed);
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&chunk[..read]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        let body = bytes.get(end + 4..end + 4 + length.unwrap_or(0));
        if let Some(body) = body {
            // The line that names the operation, however its name is written.
            let head = head.replace("X-Amz-Target", "x-amz-target");
            return Some(Request { head, body: body.to_vec() });
        }
    }
}
