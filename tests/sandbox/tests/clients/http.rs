//! Raw HTTP over one connection, for what no SDK here speaks.

use std::io::{Read, Write};
use std::net::TcpStream;

use flate2::Compression;
use flate2::write::GzEncoder;
use kinesis_sandbox::Sandbox;
use serde_json::Value;

/// What a server said: empty if it closed the connection without an answer.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Raw {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub(crate) async fn get(sandbox: &Sandbox, path: &str) -> Raw {
    request(sandbox, "GET", path, &[], b"").await
}

pub(crate) async fn post(sandbox: &Sandbox, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Raw {
    request(sandbox, "POST", path, headers, body).await
}

async fn request(sandbox: &Sandbox, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Raw {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: sandbox\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    let (address, message) = (sandbox.address(), [head.as_bytes(), body].concat());
    tokio::task::spawn_blocking(move || exchange(TcpStream::connect(address).unwrap(), &message))
        .await
        .unwrap()
}

fn exchange(mut stream: TcpStream, message: &[u8]) -> Raw {
    stream.write_all(message).unwrap();
    let mut answer = Vec::new();
    // A connection closed by the sandbox may end in a reset; what came before it counts.
    let _ = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(answer.len());
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    Raw { status, head, body: answer.get(end + 4..).unwrap_or_default().to_vec() }
}

/// A body as a client sends it with `content-encoding: gzip`.
pub(crate) fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}
