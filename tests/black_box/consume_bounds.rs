//! `consume` of what a service, or a producer of its stream, has made to exhaust it.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use aws_sdk_kinesis::primitives::Blob;

use crate::agent_process::{AgentProcess, binary};
use crate::patience::PATIENCE;
use crate::workshop::Workshop;

/// A record of some kilobytes that holds the most that a compressed one may hold.
fn bomb() -> Vec<u8> {
    let data = vec![b'x'; 10 * 1024 * 1024];
    kpl::compression::compress(&data).unwrap().to_vec()
}

/// `consume` in a shell that limits its address space; it counts the bytes that are printed.
fn consume_within(kilobytes: u32, shop: &Workshop) -> AgentProcess {
    let program = binary().get_program().to_str().unwrap().to_owned();
    let endpoint = shop.sandbox.endpoint();
    let script =
        format!("ulimit -v {kilobytes}; {program} consume --stream lines --endpoint {endpoint} | wc -c");
    AgentProcess::start_as(
        Command::new("bash").args(["-o", "pipefail", "-c", &script]),
        &shop.root().join("consume"),
    )
}

#[test]
fn a_page_of_compressed_records_is_not_decompressed_at_once() {
    let shop = Workshop::new();
    let (client, data) = (shop.client(), bomb());
    let entries = 160;
    shop.block_on(async {
        for number in 0..entries {
            let put = client.put_record().stream_name("lines").partition_key(number.to_string());
            put.data(Blob::new(data.clone())).send().await.unwrap();
        }
    });
    let finished = consume_within(900_000, &shop).finish(PATIENCE);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert_eq!(finished.stdout.trim(), (entries * (10 * 1024 * 1024 + 1)).to_string());
}

/// Answers ListShards with a next page, always.
fn serve_endless_listing(mut connection: TcpStream) -> std::io::Result<()> {
    let mut request = Vec::new();
    for page in 0u64.. {
        request.clear();
        while !is_whole(&request) {
            let mut chunk = [0; 4096];
            let length = connection.read(&mut chunk)?;
            if length == 0 {
                return Ok(());
            }
            request.extend_from_slice(&chunk[..length]);
        }
        let body = format!(r#"{{"Shards":[],"NextToken":"page {page}"}}"#);
        let length = body.len();
        write!(
            connection,
            "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {length}\r\n\r\n{body}"
        )?;
    }
    Ok(())
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = |line: &str| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok();
    body.len() >= head.lines().find_map(length).unwrap_or(0)
}

#[test]
fn a_listing_of_shards_that_never_ends_is_given_up() {
    let shop = Workshop::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            std::thread::spawn(move || serve_endless_listing(connection));
        }
    });
    let finished = shop.start(&["consume", "--stream", "lines", "--endpoint", &endpoint]).finish(PATIENCE);
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    assert!(
        finished.stderr.contains("pages of shards the service still names a next one"),
        "{}",
        finished.stderr
    );
}
