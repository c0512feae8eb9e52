//! Records that own their data as `Bytes`: what leaves alone leaves without a copy.

use bytes::Bytes;
use kpl::{Config, UserRecord};

use crate::fake::{Fake, Listing, Reply};
use crate::support::{ORDERS, outcomes, start};

/// Whether the service got the very bytes that were handed over, in every attempt.
async fn goes_uncopied(fake: Fake, bytes: usize, change: impl FnOnce(&mut Config)) -> bool {
    let data = Bytes::from(vec![7; bytes]);
    let producer = start(&fake, change);
    let record = UserRecord::new(ORDERS.clone(), "key", data.clone());
    let sent = producer.send(record).await.expect("room");
    producer.close().await;
    outcomes([sent]).await.remove(0).expect("stored");
    let calls = fake.calls();
    let mut entries = calls.iter().flat_map(|call| &call.entries);
    entries.all(|entry| entry.data.as_ptr() == data.as_ptr() && entry.data == data)
}

#[tokio::test(start_paused = true)]
async fn without_aggregation() {
    for bytes in [1, 100, 2_000, 500_000] {
        assert!(goes_uncopied(Fake::new(2), bytes, |config| config.aggregation_enabled = false).await);
    }
}

#[tokio::test(start_paused = true)]
async fn too_large_for_an_aggregate() {
    assert!(goes_uncopied(Fake::new(2), 60_000, |_| {}).await);
}

#[tokio::test(start_paused = true)]
async fn alone_in_its_aggregate() {
    assert!(goes_uncopied(Fake::new(2), 1_000, |_| {}).await);
    assert!(!goes_uncopied(Fake::new(2), 1_000, |config| config.dedup_ids = true).await, "it has a frame");
}

#[tokio::test(start_paused = true)]
async fn sent_again_and_without_a_shard_map() {
    let throttled = "ProvisionedThroughputExceededException";
    let failing = || {
        let refused: fn(usize) -> Option<&'static str> = |_| Some("InternalFailure");
        Fake::new(2).replies([Reply::FailEntries(refused), Reply::FailCall(throttled), Reply::LoseAnswer])
    };
    let listings = [Listing::Fail("AccessDeniedException"); 40];
    for order in [false, true] {
        let change = |config: &mut Config| config.strict_order = order;
        assert!(goes_uncopied(failing(), 1_000, change).await);
        assert!(goes_uncopied(failing().listings(listings), 1_000, change).await);
    }
}

#[tokio::test(start_paused = true)]
async fn in_an_aggregate_it_is_copied_and_let_go() {
    let fake = Fake::new(1);
    let producer = start(&fake, |_| {});
    let all: Vec<_> = (0..10_u8).map(|number| Bytes::from(vec![number; 100])).collect();
    let mut sent = Vec::new();
    for data in &all {
        let record = UserRecord::new(ORDERS.clone(), "key", data.clone());
        sent.push(producer.send(record).await.expect("room"));
    }
    producer.close().await;
    assert!(outcomes(sent).await.iter().all(Result::is_ok));
    assert_eq!(fake.stored(), all, "one entry of ten records");
    assert_eq!(fake.calls()[0].entries.len(), 1);
    assert!(all.iter().all(Bytes::is_unique), "the aggregate has a copy");
}
