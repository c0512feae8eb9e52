//! Services that do not answer, or not to the end: every call ends in time, and says honestly what may have happened.

use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use kpl::{
    AwsTransport, CallError, Doubt, HashKey, PutRecordsEntry, PutRecordsRequest, StreamName, Transport,
};
use tokio::net::TcpListener;

use crate::scripted_server::{Reply, ScriptedServer};
use crate::support::{behavior, builder, credentials, impatient, region, soon};

fn stream() -> StreamName {
    StreamName::new("orders").expect("lawful")
}

fn request() -> PutRecordsRequest {
    let entry = PutRecordsEntry {
        partition_key: "k".into(),
        explicit_hash_key: Some(HashKey(0)),
        data: bytes::Bytes::from_static(b"x"),
    };
    PutRecordsRequest { stream: stream(), entries: vec![entry], transfer_time: Duration::ZERO }
}

async fn put(transport: &AwsTransport) -> CallError {
    soon(transport.put_records(request())).await.expect_err("nobody answers well")
}

async fn put_to(reply: Reply) -> CallError {
    let server = ScriptedServer::start(move |_| reply.clone()).await;
    let transport = AwsTransport::from_builder(builder!(aws_sdk_kinesis, server), impatient());
    let listing = soon(transport.list_shards(stream())).await;
    assert!(listing.is_err(), "a listing hangs or is made up");
    put(&transport).await
}

#[tokio::test]
async fn a_request_without_a_whole_answer_may_have_been_written() {
    for (reply, code) in [
        (Reply::Silence, "Timeout"),
        (Reply::HalfAndSilence, "Timeout"),
        (Reply::Close, "DispatchFailure"),
        (Reply::Half, "ResponseUnreadable"),
        (Reply::Answer(200, "<html>".to_owned()), "ResponseUnreadable"),
        (Reply::Answer(502, "<html>".to_owned()), "ResponseUnreadable"),
        (Reply::Answer(503, String::new()), "ResponseUnreadable"),
        (Reply::Answer(500, r#"{"__type":"InternalFailure"}"#.to_owned()), "InternalFailure"),
    ] {
        let error = put_to(reply.clone()).await;
        assert_eq!(
            (error.code.as_str(), error.doubt),
            (code, Doubt::MayHaveBeenWritten),
            "{reply:?}: {error}"
        );
    }
}

#[tokio::test]
async fn a_refusal_leaves_no_doubt() {
    let body = r#"{"__type":"com.amazonaws.kinesis#AccessDeniedException","Message":"no"}"#;
    let error = put_to(Reply::Answer(400, body.to_owned())).await;
    assert_eq!((error.code.as_str(), error.doubt), ("AccessDeniedException", Doubt::NotWritten));
    let by_a_proxy = put_to(Reply::Answer(407, "<html>".to_owned())).await;
    assert_eq!((by_a_proxy.code.as_str(), by_a_proxy.doubt), ("ResponseUnreadable", Doubt::NotWritten));
    assert!(by_a_proxy.message.contains("407"), "{by_a_proxy}");
}

#[tokio::test]
async fn a_request_that_never_left_leaves_no_doubt() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    for (endpoint, what) in
        [(format!("http://{address}"), "refused"), ("http://no-such-host.invalid".to_owned(), "no such name")]
    {
        let builder = aws_sdk_kinesis::Config::builder()
            .behavior_version(behavior())
            .region(region())
            .credentials_provider(credentials())
            .endpoint_url(endpoint);
        let error = put(&AwsTransport::from_builder(builder, crate::support::patient())).await;
        assert_eq!(
            (error.code.as_str(), error.doubt),
            ("DispatchFailure", Doubt::NotWritten),
            "{what}: {error}"
        );
    }
}

/// The listener's queue is full, so that nobody shakes hands any more.
#[tokio::test]
async fn a_connection_that_is_never_established_leaves_no_doubt() {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let listener = socket.listen(1).expect("listening");
    let address = listener.local_addr().expect("an address");
    let mut queued = Vec::new();
    while let Ok(Ok(stream)) =
        tokio::time::timeout(Duration::from_millis(200), tokio::net::TcpStream::connect(address)).await
    {
        queued.push(stream);
    }
    let builder = aws_sdk_kinesis::Config::builder()
        .behavior_version(behavior())
        .region(region())
        .credentials_provider(credentials())
        .endpoint_url(format!("http://{address}"));
    let timeouts =
        kpl::CallTimeouts { connect: Duration::from_millis(300), request: Duration::from_secs(60) };
    let error = put(&AwsTransport::from_builder(builder, timeouts)).await;
    assert_eq!((error.code.as_str(), error.doubt), ("DispatchFailure", Doubt::NotWritten), "{error}");
}

#[derive(Debug)]
struct NoCredentials;

impl ProvideCredentials for NoCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("none here")))
    }
}

#[tokio::test]
async fn without_credentials_nothing_is_sent() {
    let server = ScriptedServer::start(|_| Reply::Silence).await;
    let builder = builder!(aws_sdk_kinesis, server).credentials_provider(NoCredentials);
    let error = put(&AwsTransport::from_builder(builder, impatient())).await;
    assert_eq!(error.doubt, Doubt::NotWritten, "{error}");
    assert!(server.requests().is_empty());
}
