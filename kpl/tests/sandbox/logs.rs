//! What stands in the log of a producer whose endpoint refuses, over real sockets.

#[path = "../producer/log_capture.rs"]
mod log_capture;

use std::time::Duration;

use kpl::{AwsTransport, Producer, StreamName, Transport as _, UserRecord};
use tracing::Level;

use self::log_capture::LogCapture;
use crate::scripted_server::{Reply, ScriptedServer};
use crate::support::{STREAM, builder, many_calls, patient, soon};

#[tokio::test]
async fn a_refusal_names_the_endpoint_and_cannot_forge_a_line() {
    let log = LogCapture::begin();
    let text = format!("no\\r\\nERROR forged \\u001b[2J{}", "x".repeat(100_000));
    let body = format!(r#"{{"__type":"AccessDeniedException","message":"{text}"}}"#);
    let server = ScriptedServer::start(move |_| Reply::Answer(400, body.clone())).await;
    let transport = AwsTransport::from_builder(builder!(aws_sdk_kinesis, server), patient());
    let mut config = many_calls();
    config.record_ttl = Some(Duration::from_millis(200));
    let producer = Producer::builder(transport.clone()).config(config).start().expect("valid");
    let record = UserRecord::new(StreamName::new(STREAM).expect("valid"), "key", "data");
    let delivery = soon(producer.send(record)).await.expect("open");
    soon(producer.close()).await;
    soon(delivery).await.expect_err("refused");

    assert_eq!(transport.endpoint(), format!("{} (us-east-1)", server.endpoint()));
    let warnings = log.lines(Level::WARN);
    let refused = |operation: &str| {
        let found =
            warnings.iter().find(|line| line.contains(&format!("{operation} fails with AccessDenied")));
        found.unwrap_or_else(|| panic!("{operation}: {warnings:?}"))
    };
    for operation in ["PutRecords", "ListShards"] {
        let line = refused(operation);
        assert!(line.contains(&format!("endpoint={}", server.endpoint())), "{line:.500}");
        assert!(line.contains("stream=orders") && line.contains("us-east-1"), "{line:.500}");
        assert!(line.contains("IAM policy"), "{operation} says no cure");
        assert!(line.len() < 3_000, "{} bytes", line.len());
        assert!(!line.contains('\u{1b}'), "{line:?}");
    }
    assert_eq!(log.loud().len(), warnings.len(), "a forged line, or one that is not a warning");
}
