//! What the scenes share: records, a sink that remembers, and the clock of the paused runtime.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use kpl::{
    Config, Delivery, Outcome, OutcomeSink, Producer, RecordRef, StreamName, UserRecord, UserRecordFailed,
    UserRecordResult,
};

use crate::fake::Fake;

/// The stream of most scenes.
pub(crate) static ORDERS: LazyLock<StreamName> = LazyLock::new(|| StreamName::new("orders").expect("lawful"));

/// A record for [`ORDERS`] whose data is its number.
pub(crate) fn record(number: usize) -> UserRecord {
    UserRecord::new(ORDERS.clone(), format!("key-{}", number % 17), data(number))
}

/// The data of record `number`, in an order that sorts.
pub(crate) fn data(number: usize) -> Vec<u8> {
    format!("{number:08}").into_bytes()
}

/// The data of the first records.
pub(crate) fn all_data(records: usize) -> Vec<Vec<u8>> {
    (0..records).map(data).collect()
}

/// The borrowed form of a record for [`ORDERS`].
pub(crate) fn borrowed(data: &[u8]) -> RecordRef<'_> {
    RecordRef::new("key", data)
}

/// A configuration with a fixed seed.
pub(crate) fn config(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::default();
    config.seed = Some(1);
    change(&mut config);
    config
}

/// A producer over `fake`.
pub(crate) fn start(fake: &Fake, change: impl FnOnce(&mut Config)) -> Producer {
    Producer::builder(fake.clone()).config(config(change)).start().expect("a lawful configuration")
}

/// The smallest budget that there may be: 1 MiB, and records that take a quarter of it.
pub(crate) fn small_budget(config: &mut Config) {
    config.max_outstanding_bytes = 1 << 20;
}

/// A record of which four fill [`small_budget`], but for a little.
pub(crate) fn quarter(number: usize) -> UserRecord {
    UserRecord::new(ORDERS.clone(), "key", quarter_data(number))
}

pub(crate) fn quarter_data(number: usize) -> Vec<u8> {
    let mut data = data(number);
    data.resize((1 << 18) - 200, 0);
    data
}

/// Awaits all outcomes.
pub(crate) async fn outcomes(deliveries: impl IntoIterator<Item = Delivery>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for delivery in deliveries {
        outcomes.push(delivery.await);
    }
    outcomes
}

/// Asserts that the producer holds nothing any more.
pub(crate) fn assert_empty(producer: &Producer) {
    assert_eq!((producer.outstanding_records(), producer.outstanding_bytes()), (0, 0));
}

/// Time on the runtime's clock since the first question.
#[expect(clippy::disallowed_methods, reason = "the tests' clock")]
pub(crate) fn now() -> Duration {
    thread_local!(static ORIGIN: tokio::time::Instant = tokio::time::Instant::now());
    ORIGIN.with(tokio::time::Instant::elapsed)
}

/// Lets the paused time pass.
#[expect(clippy::disallowed_methods, reason = "the time is paused: nobody sleeps")]
pub(crate) async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// Runs a task beside the scene.
#[expect(clippy::disallowed_methods, reason = "the test awaits it")]
pub(crate) fn beside<F>(future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    tokio::spawn(future)
}

/// Lets everything happen that needs no time.
pub(crate) async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// A sink that remembers how often each tag was told, and of what. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<BTreeMap<u64, Vec<Outcome>>>>);

impl Memory {
    pub(crate) fn told(&self) -> BTreeMap<u64, Vec<Outcome>> {
        self.0.lock().expect("no panic under this lock").clone()
    }

    fn tell(&self, tag: u64, outcome: Outcome) {
        self.0.lock().expect("no panic under this lock").entry(tag).or_default().push(outcome);
    }
}

impl OutcomeSink for Memory {
    fn stored(&self, tags: &mut dyn Iterator<Item = u64>, result: &UserRecordResult) {
        for tag in tags {
            self.tell(tag, Ok(result.clone()));
        }
    }

    fn failed(&self, tag: u64, failed: UserRecordFailed) {
        self.tell(tag, Err(failed));
    }
}
