//! Credentials, as the KPL's `KinesisProducerTest` looks at them: a server that refuses every call keeps who signed it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, future};
use kpl::{AwsTransport, Producer, StreamName, UserRecord};

use crate::scripted_server::{Reply, Request, ScriptedServer};
use crate::support::{STREAM, behavior, builder, many_calls, patient, region, soon};

async fn refuses_everything() -> ScriptedServer {
    let body = r#"{"__type":"AccessDeniedException","Message":"no"}"#;
    ScriptedServer::start(|_| Reply::Answer(403, body.to_owned())).await
}

/// How many of the requests this key signed.
fn signed(requests: &[Request], key: &str) -> usize {
    requests.iter().filter(|request| request.head.contains(&format!("Credential={key}/"))).count()
}

/// Sends one record and waits until it is refused.
async fn put(producer: &Producer) {
    let record = UserRecord::new(StreamName::new(STREAM).expect("lawful"), "key", "data");
    let delivery = producer.send(record).await.expect("room");
    producer.flush().await;
    delivery.await.expect_err("everything is refused");
}

fn config() -> kpl::Config {
    let mut config = many_calls();
    config.aggregation_enabled = false;
    config.record_ttl = Some(Duration::from_millis(100));
    config.metrics_upload_delay = Duration::from_millis(100);
    config
}

#[cfg(feature = "cloudwatch")]
#[tokio::test]
async fn different_creds_for_records_and_metrics() {
    let (kinesis, monitoring) = (refuses_everything().await, refuses_everything().await);
    let key = |name: &str| Credentials::new(name, "secret", None, None, "test");
    let transport = AwsTransport::from_builder(
        builder!(aws_sdk_kinesis, kinesis).credentials_provider(key("AKIDA")),
        patient(),
    );
    let cloudwatch = kpl::CloudWatchTransport::from_builder(
        builder!(aws_sdk_cloudwatch, monitoring).credentials_provider(key("AKIDB")),
        patient(),
    );
    let metrics = kpl::CloudWatchMetrics::start(cloudwatch, &config()).expect("lawful");
    let producer =
        Producer::builder(transport).config(config()).cloudwatch_metrics(metrics).start().expect("lawful");
    let both_went_on = async {
        while signed(&kinesis.requests(), "AKIDA") < 2 || signed(&monitoring.requests(), "AKIDB") < 2 {
            put(&producer).await;
        }
    };
    soon(both_went_on).await;
    assert_eq!((signed(&kinesis.requests(), "AKIDB"), signed(&monitoring.requests(), "AKIDA")), (0, 0));
}

/// Credentials that are over at once, so that each call asks anew; every other time they are others.
#[derive(Debug, Default)]
struct Rotating(AtomicUsize);

impl ProvideCredentials for Rotating {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let key = ["AKIDC", "AKIDD"][self.0.fetch_add(1, Ordering::Relaxed) % 2];
        let over = UNIX_EPOCH + Duration::from_secs(1);
        future::ProvideCredentials::ready(Ok(Credentials::new(key, "secret", None, Some(over), "test")))
    }
}

#[tokio::test]
async fn rotating_credentials() {
    let server = refuses_everything().await;
    let builder = aws_sdk_kinesis::Config::builder()
        .behavior_version(behavior())
        .region(region())
        .credentials_provider(Rotating::default())
        .endpoint_url(server.endpoint());
    let transport = AwsTransport::from_builder(builder, patient());
    let producer = Producer::builder(transport).config(config()).start().expect("lawful");
    for _ in 0..8 {
        soon(put(&producer)).await;
    }
    let requests = server.requests();
    assert!(signed(&requests, "AKIDC") > 1 && signed(&requests, "AKIDD") > 1);
    soon(producer.close()).await;
}
