//! Every record gets exactly one outcome, and an honest one.

use std::time::Duration;

use kpl::{
    FailureReason, HashKey, InvalidUserRecord, Metric, MetricsSink, OutcomeSink, Producer, SendError,
    UserRecord, UserRecordFailed, UserRecordResult,
};

use crate::fake::{Fake, Listing, Reply};
use crate::support::{
    Memory, ORDERS, all_data, assert_empty, borrowed, config, data, now, outcomes, pause, record, start,
};

const THROTTLED: &str = "ProvisionedThroughputExceededException";

#[tokio::test(start_paused = true)]
async fn every_outcome_reaches_its_delivery_or_tag_exactly_once() {
    let throttle_every_other: fn(usize) -> Option<&'static str> =
        |place| (place % 2 == 0).then_some(THROTTLED);
    for aggregation in [true, false] {
        let fake = Fake::new(3).replies([
            Reply::FailEntries(throttle_every_other),
            Reply::LoseAnswer,
            Reply::Panic,
            Reply::FailCall("InternalFailure"),
            Reply::Miscount,
            Reply::FailEntries(throttle_every_other),
        ]);
        let memory = Memory::default();
        let config = config(|config| {
            config.aggregation_enabled = aggregation;
            config.aggregation_max_count = 50;
            config.collection_max_count = 100;
            config.record_ttl = None;
        });
        let producer =
            Producer::builder(fake.clone()).config(config).outcomes(memory.clone()).start().expect("lawful");
        let stream = producer.stream(&ORDERS);
        let mut deliveries = Vec::new();
        for number in 0..2000 {
            if number % 2 == 0 {
                deliveries.push(producer.send(record(number)).await.expect("room"));
            } else {
                stream.try_send_tagged(borrowed(&data(number)), number as u64).expect("room");
            }
        }
        for outcome in outcomes(deliveries).await {
            assert!(outcome.is_ok(), "{outcome:?}");
        }
        producer.flush().await;
        let told = memory.told();
        assert_eq!(told.len(), 1000, "every tag");
        assert!(told.values().all(|outcomes| outcomes.len() == 1 && outcomes[0].is_ok()), "each once");
        let mut stored = fake.stored();
        stored.dedup();
        assert_eq!(stored, all_data(2000), "nothing is missing");
        assert_empty(&producer);
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_failed_entries_are_sent_again() {
    let fake = Fake::new(1).replies([Reply::FailEntries(|place| (place % 3 == 0).then_some(THROTTLED))]);
    let producer = start(&fake, |config| config.aggregation_enabled = false);
    let mut deliveries = Vec::new();
    for number in 0..10 {
        deliveries.push(producer.send(record(number)).await.expect("room"));
    }
    for (number, outcome) in outcomes(deliveries).await.into_iter().enumerate() {
        let attempts = outcome.expect("stored").attempts().to_vec();
        assert_eq!(attempts.len(), if number % 3 == 0 { 2 } else { 1 });
        assert!(attempts.last().is_some_and(|last| last.error.is_none()));
    }
    let again: Vec<_> = fake.calls()[1..].iter().flat_map(|call| call.entries.clone()).collect();
    let again: Vec<_> = again.iter().map(|entry| entry.data.to_vec()).collect();
    assert_eq!(again, [0, 3, 6, 9].map(data));
    assert_eq!(fake.stored(), all_data(10), "each once");
    assert_empty(&producer);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_leaves_a_doubt() {
    for (reply, doubt) in [(Reply::LoseAnswer, true), (Reply::FailCall("InternalFailure"), false)] {
        let fake = Fake::new(1).always(reply);
        let producer = start(&fake, |config| config.record_ttl = Some(Duration::from_secs(1)));
        let started = now();
        let sent = record(7).with_explicit_hash_key(HashKey(5));
        let failed = producer.send(sent.clone()).await.expect("room").await.expect_err("it expires");
        assert_eq!((failed.reason(), failed.may_have_been_written()), (FailureReason::Expired, doubt));
        assert!(failed.attempts().len() > 1, "{:?}", failed.attempts());
        assert_eq!(failed.record(), &sent);
        let age = now() - started;
        assert!(age >= Duration::from_secs(1) && age <= Duration::from_millis(1015), "{age:?}");
        assert_empty(&producer);
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_stream_fails_its_records_fast() {
    let missing = "ResourceNotFoundException";
    for aggregation in [true, false] {
        let fake = Fake::new(1).always(Reply::FailCall(missing)).listings([Listing::Fail(missing); 20]);
        let producer = start(&fake, |config| {
            (config.aggregation_enabled, config.fail_if_refused) = (aggregation, true);
        });
        let started = now();
        let failed = producer.send(record(1)).await.expect("room").await.expect_err("no such stream");
        assert_eq!((failed.reason(), failed.may_have_been_written()), (FailureReason::Refused, false));
        assert!(failed.to_string().contains(missing), "{failed}");
        assert!(now() - started < Duration::from_millis(200));
        assert_eq!(fake.calls().len(), 1, "not tried again");
        assert_empty(&producer);
        producer.close().await;
    }
}

/// A blip of two seconds costs no record that lives longer, whatever the code.
#[tokio::test(start_paused = true)]
async fn a_refusal_that_heals_fails_no_record() {
    for code in [
        "AccessDeniedException",
        "ResourceNotFoundException",
        "ExpiredTokenException",
        "KMSDisabledException",
    ] {
        let fake = Fake::new(2).always(Reply::FailCall(code));
        let producer = start(&fake, |_| {});
        let deliveries: Vec<_> =
            (0..100).map(|number| producer.try_send(record(number)).expect("room")).collect();
        pause(Duration::from_secs(2)).await;
        assert!((2..40).contains(&fake.calls().len()), "{code}: {} calls in two seconds", fake.calls().len());
        let fake = fake.always(Reply::Store);
        assert!(outcomes(deliveries).await.iter().all(Result::is_ok), "{code}");
        assert_eq!(fake.stored(), all_data(100));
        assert_empty(&producer);
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_inside_a_call_fails_that_call_only() {
    let fake = Fake::new(1).replies([Reply::Panic]);
    let producer = start(&fake, |_| {});
    let stored = producer.send(record(1)).await.expect("room").await.expect("the second attempt stores it");
    let codes: Vec<_> =
        stored.attempts().iter().map(|attempt| attempt.error.as_ref().map(|it| &*it.0)).collect();
    assert_eq!(codes, [Some("TransportFailure"), None]);
    assert_empty(&producer);
}

/// A transport that panics before it has a future to return.
struct PanicsAtOnce(Fake);

impl kpl::Transport for PanicsAtOnce {
    fn put_records(&self, request: kpl::PutRecordsRequest) -> kpl::Answer<kpl::PutRecordsResponse> {
        assert!(!self.0.calls().is_empty(), "the first call is refused so");
        self.0.put_records(request)
    }

    fn list_shards(&self, stream: kpl::StreamName) -> kpl::Answer<kpl::ShardListing> {
        self.0.list_shards(stream)
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_before_a_call_aborts_nothing() {
    let fake = Fake::new(1);
    let ttl = Some(Duration::from_secs(1));
    let config = config(|config| config.record_ttl = ttl);
    let producer = Producer::builder(PanicsAtOnce(fake)).config(config).start().expect("lawful");
    let failed = producer.send(record(1)).await.expect("room").await.expect_err("every call panics");
    assert_eq!(failed.reason(), FailureReason::Expired, "tried until it expired, by a task that lives");
    assert!(producer.try_send(record(2)).is_ok());
    producer.close().await;
    assert_empty(&producer);
}

/// A sink that panics at every call.
struct Panics;

impl OutcomeSink for Panics {
    fn stored(&self, _tags: &mut dyn Iterator<Item = u64>, _result: &UserRecordResult) {
        panic!("a sink with a mistake");
    }

    fn failed(&self, _tag: u64, _failed: UserRecordFailed) {
        panic!("a sink with a mistake");
    }
}

impl MetricsSink for Panics {
    fn record(&self, _metric: &Metric<'_>) {
        panic!("a sink with a mistake");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_panics_costs_nobody_an_outcome() {
    let fake = Fake::new(1);
    let producer = Producer::builder(fake.clone()).outcomes(Panics).metrics(Panics).start().expect("lawful");
    producer.stream(&ORDERS).try_send_tagged(borrowed(&data(0)), 1).expect("room");
    let first = producer.send(record(1)).await.expect("room");
    assert!(first.await.is_ok());
    let second = producer.send(record(2)).await.expect("the stream lives");
    assert!(second.await.is_ok());
    assert_eq!(fake.stored(), all_data(3));
    assert_empty(&producer);
}

#[tokio::test(start_paused = true)]
async fn dropping_a_delivery_changes_nothing() {
    let fake = Fake::new(2);
    let producer = start(&fake, |_| {});
    let mut kept = Vec::new();
    for number in 0..200 {
        let delivery = producer.send(record(number)).await.expect("room");
        if number % 10 == 0 {
            kept.push(delivery);
        } else {
            drop(delivery);
        }
    }
    producer.flush().await;
    assert!(outcomes(kept).await.iter().all(Result::is_ok));
    assert_eq!(fake.stored(), all_data(200));
    assert_empty(&producer);
}

#[tokio::test(start_paused = true)]
async fn invalid_records_are_refused_with_the_record_inside() {
    let fake = Fake::new(1);
    let producer = start(&fake, |_| {});
    let record = |key: String, bytes: usize| UserRecord::new(ORDERS.clone(), key, vec![1; bytes]);
    for (invalid, problem) in [
        (record(String::new(), 1), InvalidUserRecord::EmptyPartitionKey),
        (record("k".repeat(257), 1), InvalidUserRecord::PartitionKeyTooLong { characters: 257 }),
        (
            record("k".to_owned(), 1 << 20),
            InvalidUserRecord::TooLarge { bytes: (1 << 20) + 1, limit: 1 << 20 },
        ),
    ] {
        let refusals = [producer.try_send(invalid.clone()), producer.send(invalid.clone()).await];
        for refusal in refusals {
            match refusal {
                Err(SendError::Invalid(back, why)) => assert_eq!((back, why), (invalid.clone(), problem)),
                other => panic!("{problem}: {other:?}"),
            }
        }
    }
    assert!(producer.try_send(record("é".repeat(256), 1)).is_ok(), "256 characters, however many bytes");
    assert!(producer.try_send(record("k".to_owned(), (1 << 20) - 1)).is_ok(), "exactly the limit");
    producer.close().await;
    assert_empty(&producer);
}
