//! Transports made from a configuration: endpoints, ports, proxies and time limits, seen from the other end.

use aws_config::ConfigLoader;
use kpl::{AwsTransport, Config, Doubt, Producer, PutRecordsEntry, PutRecordsRequest, StreamName, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{STREAM, assert_all_stored, behavior, credentials, many_calls, sandbox, send, soon};

/// A configuration that reaches nothing but what the test says.
fn config(change: impl FnOnce(&mut kpl::ConnectionConfig)) -> Config {
    let mut config = many_calls();
    config.connection.region = Some("eu-west-1".to_owned());
    change(&mut config.connection);
    config
}

fn loader() -> ConfigLoader {
    aws_config::defaults(behavior()).credentials_provider(credentials())
}

async fn transport(config: &Config) -> AwsTransport {
    AwsTransport::from_config_with(config, loader()).await.expect("lawful")
}

async fn all_are_stored(config: Config) {
    let producer = Producer::builder(transport(&config).await).config(config).start().expect("lawful");
    let deliveries = send(&producer, 500).await;
    producer.close().await;
    assert_all_stored(deliveries).await;
}

fn request() -> PutRecordsRequest {
    let data = bytes::Bytes::from_static(b"x");
    let entry = PutRecordsEntry { data, partition_key: "k".into(), explicit_hash_key: None };
    PutRecordsRequest {
        stream: StreamName::new(STREAM).expect("lawful"),
        entries: vec![entry],
        transfer_time: std::time::Duration::ZERO,
    }
}

/// A server of the test's own, and what its first caller says up to a blank line or 512 bytes.
async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    (listener, port)
}

async fn first_words(listener: &TcpListener) -> (Vec<u8>, TcpStream) {
    let (mut stream, _) = listener.accept().await.expect("a caller");
    let mut heard = Vec::new();
    while !heard.windows(4).any(|four| four == b"\r\n\r\n") && heard.len() < 512 {
        if stream.read_buf(&mut heard).await.expect("readable") == 0 {
            break;
        }
    }
    (heard, stream)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_is_a_url_is_taken_as_it_is() {
    let sandbox = sandbox(&[]).await;
    sandbox.create_stream(STREAM, 2).await.expect("created");
    let config = config(|connection| connection.kinesis_endpoint = Some(sandbox.endpoint()));
    soon(all_are_stored(config)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_carries_the_calls() {
    let sandbox = sandbox(&[]).await;
    sandbox.create_stream(STREAM, 2).await.expect("created");
    let config = config(|connection| {
        // A name that nobody resolves: only the proxy can have answered.
        connection.kinesis_endpoint = Some("http://kinesis.invalid".to_owned());
        connection.proxy_host = Some(sandbox.endpoint());
    });
    soon(all_are_stored(config)).await;
}

#[tokio::test]
async fn a_proxy_is_asked_for_a_tunnel_with_the_password() {
    let (listener, port) = listener().await;
    let config = config(|connection| {
        connection.proxy_host = Some("127.0.0.1".to_owned());
        connection.proxy_port = port;
        connection.proxy_user_name = Some("me".to_owned());
        connection.proxy_password = Some("p@ss:w/rd".into());
    });
    let transport = transport(&config).await;
    let proxy = async {
        let (heard, mut stream) = first_words(&listener).await;
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await.expect("writable");
        String::from_utf8_lossy(&heard).to_lowercase()
    };
    let (answer, heard) = soon(async { tokio::join!(transport.put_records(request()), proxy) }).await;
    assert!(heard.starts_with("connect kinesis.eu-west-1.amazonaws.com:443 http/1.1"), "{heard}");
    // base64("me:p@ss:w/rd"), in lower case.
    assert!(heard.contains("proxy-authorization: basic bwu6cebzczp3l3jk"), "{heard}");
    assert!(answer.is_err());
}

#[tokio::test]
async fn a_host_name_is_reached_with_tls_at_its_port() {
    let (listener, port) = listener().await;
    let config = config(|connection| {
        connection.kinesis_endpoint = Some("127.0.0.1".to_owned());
        connection.kinesis_port = port;
    });
    let transport = transport(&config).await;
    let server = async {
        let (mut stream, _) = listener.accept().await.expect("a caller");
        stream.read_u8().await.expect("readable")
    };
    let (answer, first) = soon(async { tokio::join!(transport.put_records(request()), server) }).await;
    assert_eq!(first, 22, "a TLS handshake record");
    assert!(answer.is_err());
}

#[tokio::test]
async fn the_request_timeout_ends_a_call_that_is_never_answered() {
    let (listener, port) = listener().await;
    let config = config(|connection| {
        connection.kinesis_endpoint = Some(format!("http://127.0.0.1:{port}"));
        connection.request_timeout = std::time::Duration::from_millis(100);
    });
    let transport = transport(&config).await;
    let server = async {
        let (_, stream) = first_words(&listener).await;
        std::future::pending::<()>().await;
        drop(stream);
    };
    let answer = soon(async {
        tokio::select! {
            answer = transport.put_records(request()) => answer,
            () = server => unreachable!("it waits for ever"),
        }
    });
    let error = answer.await.expect_err("no answer");
    assert_eq!((error.code.as_str(), error.doubt), ("Timeout", Doubt::MayHaveBeenWritten));
}

#[tokio::test]
async fn an_unlawful_configuration_makes_no_transport() {
    let mut config = config(|connection| connection.proxy_host = Some("a b".to_owned()));
    config.rate_limit = 0;
    let error = AwsTransport::from_config_with(&config, loader()).await.expect_err("two problems");
    assert_eq!(error.problems.len(), 2, "{error}");
}

#[cfg(feature = "firehose")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn delivery_streams_too() {
    let sandbox = sandbox(&[]).await;
    sandbox.create_delivery_stream(STREAM).expect("created");
    let config = config(|connection| connection.firehose_endpoint = Some(sandbox.endpoint()));
    let transport = kpl::FirehoseTransport::from_config_with(&config, loader()).await.expect("lawful");
    let producer = Producer::builder(transport).delivery_streams().config(config).start().expect("lawful");
    let deliveries = send(&producer, 500).await;
    producer.close().await;
    soon(assert_all_stored(deliveries)).await;
}
