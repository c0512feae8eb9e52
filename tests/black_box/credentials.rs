//! Credentials in a profile file that is rewritten while the agent runs: the service refuses the old ones, and the file
//! is read again.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::agent_process::{AgentProcess, binary};
use crate::books::{Books, line};
use crate::patience::PATIENCE;
use crate::workshop::Workshop;

/// Stands before the sandbox and lets requests pass that the accepted key signed.
struct Gate {
    address: SocketAddr,
    accepted: Arc<Mutex<&'static str>>,
}

const REFUSAL: &str =
    r#"{"__type":"ExpiredTokenException","message":"The security token included in the request is expired"}"#;

impl Gate {
    /// The thread ends with the test's process.
    fn start(sandbox: SocketAddr, key: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let accepted = Arc::new(Mutex::new(key));
        let accepts = Arc::clone(&accepted);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let accepts = Arc::clone(&accepts);
                std::thread::spawn(move || serve(client.unwrap(), sandbox, &accepts));
            }
        });
        Self { address, accepted }
    }

    fn accept(&self, key: &'static str) {
        *self.accepted.lock().unwrap() = key;
    }
}

/// One request for each connection. The client may be gone at any time.
fn serve(mut client: TcpStream, sandbox: SocketAddr, accepted: &Mutex<&str>) {
    let Some((head, body)) = request(&mut client) else { return };
    let signed = format!("Credential={}/", accepted.lock().unwrap());
    let answer = if head.contains(&signed) {
        let mut server = TcpStream::connect(sandbox).unwrap();
        write!(server, "{head}\r\nconnection: close\r\n\r\n").unwrap();
        server.write_all(&body).unwrap();
        let mut answer = Vec::new();
        server.read_to_end(&mut answer).unwrap();
        answer
    } else {
        let length = REFUSAL.len();
        format!("HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{REFUSAL}")
            .into_bytes()
    };
    let _ = client.write_all(&answer);
}

fn request(client: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 1 << 16]);
    loop {
        let read = client.read(&mut chunk).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&chunk[..read]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
        });
        if bytes.len() >= end + 4 + length.unwrap_or(0) {
            return Some((head, bytes.split_off(end + 4)));
        }
    }
}

#[test]
fn a_profile_file_that_is_rewritten_is_read_again() {
    let shop = Workshop::new();
    let sandbox = shop.sandbox.endpoint();
    let gate = Gate::start(sandbox.trim_start_matches("http://").parse().unwrap(), "AKIDOLD");
    let profile = shop.root().join("credentials");
    let give = |key: &str| {
        fs::write(&profile, format!("[default]\naws_access_key_id={key}\naws_secret_access_key=secret\n"))
            .unwrap();
    };
    give("AKIDOLD");
    let endpoint = format!("http://{}", gate.address);
    let configuration = shop.configure_with(
        &[shop.flow("a.log", json!({}))],
        json!({"kinesis.endpoint": endpoint, "awsAccessKeyId": null, "awsSecretAccessKey": null}),
    );
    let mut command = binary();
    command.args(["run", "-c", configuration.to_str().unwrap()]);
    command.env("AWS_SHARED_CREDENTIALS_FILE", &profile).env("AWS_CONFIG_FILE", shop.root().join("none"));
    let mut agent = AgentProcess::start_as(&mut command, &shop.root().join("rotated"));
    agent.await_started();
    let (mut reader, mut books) = (shop.reader(), Books::default());
    shop.write("a.log", line(0));
    books.await_lines(1, PATIENCE, || reader.read_all());

    gate.accept("AKIDNEW");
    let mut log = fs::File::options().append(true).open(shop.log("a.log")).unwrap();
    log.write_all(line(1).as_bytes()).unwrap();
    give("AKIDNEW");
    books.await_lines(2, PATIENCE, || reader.read_all());
    books.assert_exact(2);
    agent.stop();
}
