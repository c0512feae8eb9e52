//! Sandboxes, clients for them, and records that can be told apart.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_kinesis::config::{BehaviorVersion, Region};
use kinesis_sandbox::{Sandbox, SandboxOptions};
use kpl::{CallTimeouts, Config, Delivery, Producer, StreamName, UserRecord};

pub(crate) const STREAM: &str = "orders";

/// A sandbox that is up and strikes by these rules.
pub(crate) async fn sandbox(faults: &[&str]) -> Sandbox {
    let faults = faults.iter().map(|rule| rule.parse().expect("a rule")).collect();
    Sandbox::start(SandboxOptions { faults, seed: 5, ..SandboxOptions::default() })
        .await
        .expect("a free port")
}

/// A client's configuration for the sandbox; `$sdk` is the SDK's crate.
macro_rules! builder {
    ($sdk:ident, $sandbox:expr) => {
        $sdk::Config::builder()
            .behavior_version($crate::support::behavior())
            .region($crate::support::region())
            .credentials_provider($crate::support::credentials())
            .endpoint_url($sandbox.endpoint())
    };
}
pub(crate) use builder;

pub(crate) fn behavior() -> BehaviorVersion {
    BehaviorVersion::latest()
}

pub(crate) fn region() -> Region {
    Region::new("us-east-1")
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new("AKIDSANDBOX", "secret", None, None, "test")
}

/// Long enough for a slow machine, short enough for a test that fails.
pub(crate) fn patient() -> CallTimeouts {
    CallTimeouts { request: Duration::from_secs(60), ..CallTimeouts::default() }
}

/// So short that a call which is never answered ends soon.
pub(crate) fn impatient() -> CallTimeouts {
    CallTimeouts { connect: Duration::from_millis(500), request: Duration::from_millis(500) }
}

/// A configuration that makes many small calls and never gives up.
pub(crate) fn many_calls() -> Config {
    let mut config = Config::default();
    config.seed = Some(3);
    config.record_ttl = None;
    config.aggregation_max_size = 2000;
    config.collection_max_count = 10;
    config
}

/// The data of record `number`: unlike any other's.
pub(crate) fn data(number: usize) -> Vec<u8> {
    format!("record {number:06} {}", "x".repeat(number % 50)).into_bytes()
}

/// Sends so many records, waiting for room.
pub(crate) async fn send(producer: &Producer, records: usize) -> Vec<Delivery> {
    send_range(producer, &StreamName::new(STREAM).expect("lawful"), 0..records).await
}

/// Sends the records with these numbers to one stream.
pub(crate) async fn send_range(
    producer: &Producer,
    stream: &StreamName,
    records: std::ops::Range<usize>,
) -> Vec<Delivery> {
    let mut deliveries = Vec::with_capacity(records.len());
    for number in records {
        let record = UserRecord::new(stream.clone(), format!("key-{}", number % 1000), data(number));
        deliveries.push(producer.send(record).await.expect("an open producer"));
    }
    deliveries
}

/// Asserts that every outcome is a success.
pub(crate) async fn assert_all_stored(deliveries: Vec<Delivery>) {
    for delivery in deliveries {
        if let Err(failed) = delivery.await {
            panic!("{failed}");
        }
    }
}

/// Asserts that exactly these records arrived; answers how many came more than once.
pub(crate) fn assert_all_there(arrived: impl IntoIterator<Item = Vec<u8>>, records: usize) -> usize {
    let mut counts = BTreeMap::<Vec<u8>, usize>::new();
    for data in arrived {
        *counts.entry(data).or_default() += 1;
    }
    let missing: Vec<_> = (0..records).filter(|number| !counts.contains_key(&data(*number))).collect();
    assert!(missing.is_empty(), "{} records are missing, the first is {:?}", missing.len(), missing.first());
    assert_eq!(counts.len(), records, "something arrived that nobody sent");
    counts.values().filter(|count| **count > 1).count()
}

/// A configuration that gives up at the first refusal.
pub(crate) fn failing_fast() -> Config {
    let mut config = Config::default();
    config.fail_if_refused = true;
    config
}

/// Fails the test rather than letting it hang.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(120), future).await.expect("it hangs")
}
