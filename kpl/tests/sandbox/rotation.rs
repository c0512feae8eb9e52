//! Credentials that are rotated in place: the service refuses the old ones, and the provider is asked again.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_config::profile::ProfileFileCredentialsProvider;
#[expect(deprecated, reason = "their new place is in aws-runtime, of which nothing else is needed")]
use aws_config::profile::profile_file::{ProfileFileKind, ProfileFiles};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, future};
use kpl::{
    AwsTransport, CallError, HashKey, Producer, PutRecordsEntry, PutRecordsRequest, ReloadedCredentials,
    StreamName, Transport,
};

use crate::scripted_server::{Reply, Request, ScriptedServer};
use crate::support::{STREAM, assert_all_stored, behavior, many_calls, patient, region, send, soon};

/// The access key that is good now. Clones are the same one.
#[derive(Debug, Clone)]
struct Key(Arc<Mutex<String>>);

impl Key {
    fn new(key: &str) -> Self {
        Self(Arc::new(Mutex::new(key.to_owned())))
    }

    fn rotate(&self, key: &str) {
        *self.0.lock().expect("no panic under this lock") = key.to_owned();
    }

    fn get(&self) -> String {
        self.0.lock().expect("no panic under this lock").clone()
    }

    fn signed(&self, request: &Request) -> bool {
        request.head.contains(&format!("Credential={}/", self.get()))
    }
}

/// A provider of a program's own, whose credentials do not expire.
#[derive(Debug, Clone)]
struct InPlace {
    key: Key,
    asked: Arc<AtomicUsize>,
}

impl InPlace {
    fn new(key: &str) -> Self {
        Self { key: Key::new(key), asked: Arc::default() }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl ProvideCredentials for InPlace {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        self.asked.fetch_add(1, Ordering::Relaxed);
        future::ProvideCredentials::ready(Ok(Credentials::new(self.key.get(), "secret", None, None, "test")))
    }
}

/// Refuses with `refusal` whatever `key` did not sign.
async fn server(key: &Key, refusal: &'static str) -> ScriptedServer {
    let key = key.clone();
    ScriptedServer::start(move |request| match request.head.contains("Kinesis_20131202.") {
        _ if !key.signed(request) => Reply::Answer(400, refusal.to_owned()),
        true if request.operation() == "PutRecords" => {
            request.with_results(r#"{"SequenceNumber":"49","ShardId":"shardId-000000000000"}"#)
        }
        true => request.of_one_shard(),
        false => Reply::Answer(200, "{}".to_owned()),
    })
    .await
}

macro_rules! builder {
    ($sdk:ident, $server:expr, $provider:expr) => {
        $sdk::Config::builder()
            .behavior_version(behavior())
            .region(region())
            .credentials_provider($provider)
            .endpoint_url($server.endpoint())
    };
}

async fn put(transport: &dyn Transport) -> Result<(), CallError> {
    let entry = PutRecordsEntry {
        partition_key: "k".into(),
        explicit_hash_key: Some(HashKey(0)),
        data: bytes::Bytes::from_static(b"x"),
    };
    let stream = StreamName::new(STREAM).expect("a name");
    soon(transport.put_records(PutRecordsRequest {
        stream,
        entries: vec![entry],
        transfer_time: std::time::Duration::ZERO,
    }))
    .await
    .map(|_| ())
}

const EXPIRED: &str =
    r#"{"__type":"ExpiredTokenException","message":"The security token included in the request is expired"}"#;

#[tokio::test]
async fn credentials_that_the_service_refuses_are_asked_for_again() {
    for refusal in [
        EXPIRED,
        r#"{"__type":"ExpiredToken"}"#,
        r#"{"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid."}"#,
        r#"{"__type":"InvalidSignatureException"}"#,
        r#"{"__type":"InvalidClientTokenId"}"#,
        r#"{"__type":"SignatureDoesNotMatch"}"#,
        r#"{"__type":"IncompleteSignatureException"}"#,
        r#"{"__type":"RequestExpired"}"#,
    ] {
        let (accepted, provider) = (Key::new("AKIDOLD"), InPlace::new("AKIDOLD"));
        let server = server(&accepted, refusal).await;
        let transport =
            AwsTransport::from_builder(builder!(aws_sdk_kinesis, server, provider.clone()), patient());
        put(&transport).await.expect("the old key is good");
        put(&transport).await.expect("and kept");
        assert_eq!(provider.asked(), 1);
        accepted.rotate("AKIDNEW");
        provider.key.rotate("AKIDNEW");
        put(&transport).await.expect_err("the old key was kept");
        put(&transport).await.expect("the provider was asked again");
        assert_eq!(provider.asked(), 2, "{refusal}");
    }
}

#[tokio::test]
async fn a_refusal_of_something_else_asks_nobody() {
    for refusal in [r#"{"__type":"AccessDeniedException"}"#, r#"{"__type":"LimitExceededException"}"#] {
        let (accepted, provider) = (Key::new("AKIDOTHER"), InPlace::new("AKID"));
        let server = server(&accepted, refusal).await;
        let transport =
            AwsTransport::from_builder(builder!(aws_sdk_kinesis, server, provider.clone()), patient());
        for _ in 0..5 {
            put(&transport).await.expect_err("refused");
        }
        assert_eq!(provider.asked(), 1, "{refusal}");
    }
}

#[tokio::test]
async fn a_provider_that_has_nothing_better_is_not_asked_for_each_call() {
    let (accepted, provider) = (Key::new("AKIDNEW"), InPlace::new("AKIDOLD"));
    let server = server(&accepted, EXPIRED).await;
    let transport =
        AwsTransport::from_builder(builder!(aws_sdk_kinesis, server, provider.clone()), patient());
    for _ in 0..200 {
        put(&transport).await.expect_err("refused");
    }
    // At the first refusal, and then after one, two, four and every five seconds.
    assert!(provider.asked() < 40, "{} times for 200 calls", provider.asked());
}

#[cfg(feature = "cbor")]
#[tokio::test]
async fn both_wires_share_the_credentials() {
    let (accepted, provider) = (Key::new("AKIDOLD"), InPlace::new("AKIDOLD"));
    // An error in CBOR, and no body for the answer that is never read as JSON.
    let server = server(&accepted, EXPIRED).await;
    let transport =
        AwsTransport::from_builder(builder!(aws_sdk_kinesis, server, provider.clone()), patient())
            .with_wire(kpl::Wire::Cbor);
    let stream = StreamName::new(STREAM).expect("a name");
    soon(transport.list_shards(stream.clone())).await.expect("listed");
    accepted.rotate("AKIDNEW");
    provider.key.rotate("AKIDNEW");
    soon(transport.list_shards(stream.clone())).await.expect_err("the old key was kept");
    soon(transport.list_shards(stream)).await.expect("the provider was asked again");
}

#[cfg(feature = "firehose")]
#[tokio::test]
async fn firehose_asks_again() {
    let (accepted, provider) = (Key::new("AKIDOLD"), InPlace::new("AKIDOLD"));
    let server = server(&accepted, EXPIRED).await;
    let builder = builder!(aws_sdk_firehose, server, provider.clone());
    let transport = kpl::FirehoseTransport::from_builder(builder, patient());
    put(&transport).await.expect("an answer without results");
    accepted.rotate("AKIDNEW");
    provider.key.rotate("AKIDNEW");
    put(&transport).await.expect_err("the old key was kept");
    put(&transport).await.expect("the provider was asked again");
}

#[cfg(feature = "cloudwatch")]
#[tokio::test]
async fn cloudwatch_asks_again() {
    use kpl::MetricDataTransport;
    let (accepted, provider) = (Key::new("AKIDOLD"), InPlace::new("AKIDOLD"));
    let server = server(&accepted, EXPIRED).await;
    let builder = builder!(aws_sdk_cloudwatch, server, provider.clone());
    let transport = kpl::CloudWatchTransport::from_builder(builder, patient());
    let request = || kpl::PutMetricDataRequest { namespace: "n".to_owned(), metric_data: Vec::new() };
    let _ = soon(transport.put_metric_data(request())).await;
    provider.key.rotate("AKIDNEW");
    accepted.rotate("AKIDNEW");
    let _ = soon(transport.put_metric_data(request())).await.expect_err("the old key was kept");
    let _ = soon(transport.put_metric_data(request())).await;
    assert!(
        accepted.signed(server.requests().last().expect("three calls")),
        "the provider was not asked again"
    );
}

#[tokio::test]
async fn no_record_is_lost_when_credentials_are_rotated_under_way() {
    let (accepted, provider) = (Key::new("AKIDOLD"), InPlace::new("AKIDOLD"));
    let server = server(&accepted, EXPIRED).await;
    let transport =
        AwsTransport::from_builder(builder!(aws_sdk_kinesis, server, provider.clone()), patient());
    let mut config = many_calls();
    config.record_ttl = kpl::Config::default().record_ttl;
    let producer = Producer::builder(transport).config(config).start().expect("started");
    let before = soon(send(&producer, 200)).await;
    soon(producer.flush()).await;
    accepted.rotate("AKIDNEW");
    let after = soon(send(&producer, 200)).await;
    provider.key.rotate("AKIDNEW");
    soon(producer.close()).await;
    assert_all_stored(before).await;
    assert_all_stored(after).await;
}

/// A credentials file of the test's own, removed in the end.
struct CredentialsFile(std::path::PathBuf);

impl CredentialsFile {
    fn write(&self, key: &str) {
        let mut file = std::fs::File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&self.0)
            .expect("a file of our own");
        write!(file, "[shipping]\naws_access_key_id = {key}\naws_secret_access_key = secret\n")
            .expect("room");
    }
}

impl Drop for CredentialsFile {
    #[expect(clippy::disallowed_methods, reason = "a test removes its own file")]
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[expect(deprecated, reason = "as above")]
/// As the SDK does it: a provider that keeps the file that it read first.
fn loader(path: &std::path::Path, server: &ScriptedServer) -> aws_config::ConfigLoader {
    let files = ProfileFiles::builder().with_file(ProfileFileKind::Credentials, path).build();
    let provider =
        ProfileFileCredentialsProvider::builder().profile_name("shipping").profile_files(files).build();
    aws_config::defaults(behavior())
        .region(region())
        .credentials_provider(provider)
        .endpoint_url(server.endpoint())
}

#[tokio::test]
async fn a_profile_file_that_was_rewritten_is_read_again() {
    let name = format!("kpl-credentials-{}-{}", std::process::id(), fastrand::u64(..));
    let file = CredentialsFile(std::env::temp_dir().join(name));
    file.write("AKIDOLD");
    let accepted = Key::new("AKIDOLD");
    let server = Arc::new(server(&accepted, EXPIRED).await);
    let (path, at) = (file.0.clone(), Arc::clone(&server));
    let config = ReloadedCredentials::load(move || loader(&path, &at)).await;
    let transport = AwsTransport::new(&config, patient());
    put(&transport).await.expect("the old key is good");
    file.write("AKIDNEW");
    accepted.rotate("AKIDNEW");
    put(&transport).await.expect_err("the old key was kept");
    put(&transport).await.expect("the file was read again");
}
