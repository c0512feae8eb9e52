//! A sandbox and clients that try once and give up soon.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_kinesis::config::retry::RetryConfig;
use aws_sdk_kinesis::config::timeout::TimeoutConfig;
use aws_sdk_kinesis::config::{BehaviorVersion, Region};
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::{PutRecordsRequestEntry, Record, ShardIteratorType};
use kinesis_sandbox::{Sandbox, SandboxOptions};

pub(crate) const STREAM: &str = "clicks";
pub(crate) const ARN: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/clicks";

macro_rules! client {
    ($sdk:ident, $endpoint:expr, $attempt_timeout:expr) => {
        $sdk::Client::from_conf(
            $sdk::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new("us-east-1"))
                .credentials_provider(Credentials::new("AKIDSANDBOX", "secret", None, None, "test"))
                .retry_config(RetryConfig::disabled())
                .timeout_config(TimeoutConfig::builder().operation_attempt_timeout($attempt_timeout).build())
                .endpoint_url($endpoint)
                .build(),
        )
    };
}

/// Longer than any call takes that is answered.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn kinesis(sandbox: &Sandbox) -> aws_sdk_kinesis::Client {
    client!(aws_sdk_kinesis, sandbox.endpoint(), PATIENCE)
}

/// For calls that are never answered.
pub(crate) fn impatient_kinesis(sandbox: &Sandbox) -> aws_sdk_kinesis::Client {
    client!(aws_sdk_kinesis, sandbox.endpoint(), Duration::from_millis(300))
}

pub(crate) fn firehose(sandbox: &Sandbox) -> aws_sdk_firehose::Client {
    client!(aws_sdk_firehose, sandbox.endpoint(), PATIENCE)
}

pub(crate) fn cloudwatch(sandbox: &Sandbox) -> aws_sdk_cloudwatch::Client {
    client!(aws_sdk_cloudwatch, sandbox.endpoint(), PATIENCE)
}

pub(crate) async fn sandbox(faults: &[&str]) -> Sandbox {
    with_options(SandboxOptions {
        faults: faults.iter().map(|rule| rule.parse().unwrap()).collect(),
        seed: 11,
        ..SandboxOptions::default()
    })
    .await
}

/// A sandbox with [`STREAM`] of two shards.
pub(crate) async fn with_options(options: SandboxOptions) -> Sandbox {
    let sandbox = Sandbox::start(options).await.unwrap();
    sandbox.create_stream(STREAM, 2).await.unwrap();
    sandbox
}

pub(crate) fn entry(key: &str, data: impl Into<Vec<u8>>) -> PutRecordsRequestEntry {
    PutRecordsRequestEntry::builder().partition_key(key).data(Blob::new(data)).build().unwrap()
}

/// `count` entries with keys and data 0, 1, 2 and so on.
pub(crate) fn entries(count: usize) -> Vec<PutRecordsRequestEntry> {
    (0..count).map(|number| entry(&number.to_string(), number.to_string())).collect()
}

/// All records of one shard, from its start.
pub(crate) async fn read_shard(client: &aws_sdk_kinesis::Client, shard: &str) -> Vec<Record> {
    let iterator = client.get_shard_iterator().stream_name(STREAM).shard_id(shard);
    let iterator = iterator.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await.unwrap();
    let records = client.get_records().set_shard_iterator(iterator.shard_iterator).send().await.unwrap();
    records.records
}

/// All data in the stream, sorted.
pub(crate) async fn read_stream(client: &aws_sdk_kinesis::Client) -> Vec<String> {
    let shards = client.list_shards().stream_name(STREAM).send().await.unwrap();
    let mut data = Vec::new();
    for shard in shards.shards() {
        let records = read_shard(client, shard.shard_id()).await;
        data.extend(
            records.iter().map(|record| String::from_utf8_lossy(record.data().as_ref()).into_owned()),
        );
    }
    data.sort();
    data
}
