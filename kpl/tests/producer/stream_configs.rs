//! Streams with a configuration of their own.

use std::time::Duration;

use kpl::{Config, InvalidUserRecord, Producer, SendError, StartError, StreamName, UserRecord};

use crate::fake::Fake;
use crate::support::{ORDERS, assert_empty, config, data, now, outcomes, record, settle};

fn audit() -> StreamName {
    StreamName::new("audit").expect("lawful")
}

fn start(fake: &Fake, audit_config: Config) -> Producer {
    let builder = Producer::builder(fake.clone()).config(config(|_| {}));
    builder.stream_config(audit(), audit_config).start().expect("lawful")
}

fn audit_record(number: usize) -> UserRecord {
    UserRecord::new(audit(), "key", data(number))
}

#[tokio::test(start_paused = true)]
async fn each_stream_is_treated_by_its_own() {
    let fake = Fake::new(1);
    let of_audit = config(|config| {
        config.aggregation_enabled = false;
        config.record_max_buffered_time = Duration::from_secs(1);
    });
    let producer = start(&fake, of_audit);
    let begin = now();
    let mut deliveries = Vec::new();
    for number in 0..10 {
        deliveries.push(producer.try_send(record(number)).expect("room"));
        deliveries.push(producer.try_send(audit_record(number)).expect("room"));
    }
    assert!(outcomes(deliveries).await.iter().all(Result::is_ok));
    let calls = fake.calls();
    let call = |stream: &StreamName| calls.iter().find(|call| call.stream == *stream).expect("a call");
    assert_eq!((call(&ORDERS).entries.len(), call(&audit()).entries.len()), (1, 10));
    assert!(call(&ORDERS).at - begin <= Duration::from_millis(100));
    assert_eq!(call(&audit()).at - begin, Duration::from_secs(1));
    assert_empty(&producer);
}

#[tokio::test(start_paused = true)]
async fn limits_of_records_are_the_streams() {
    let producer = start(&Fake::new(1), config(|config| config.max_user_record_size = 100));
    let large = |stream: &StreamName| UserRecord::new(stream.clone(), "key", vec![0; 98]);
    let refused = producer.try_send(large(&audit()));
    let limit = InvalidUserRecord::TooLarge { bytes: 101, limit: 100 };
    assert!(matches!(refused, Err(SendError::Invalid(_, problem)) if problem == limit));
    assert!(producer.send(large(&ORDERS)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_budget_is_the_producers() {
    let fake = Fake::new(1);
    let of_audit = config(|config| config.max_outstanding_records = 1);
    let producer = start(&fake, of_audit);
    let deliveries: Vec<_> =
        (0..10).map(|number| producer.try_send(audit_record(number)).expect("room")).collect();
    settle().await;
    assert_eq!(producer.outstanding_records(), 10);
    assert!(outcomes(deliveries).await.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn firehoses_limits_hold_for_each_stream() {
    let builder = Producer::builder(Fake::new(1)).delivery_streams();
    let producer = builder.stream_config(audit(), config(|_| {})).start().expect("lawful");
    let refused = producer.try_send(UserRecord::new(audit(), "", vec![0; 1_024_001]));
    assert!(matches!(refused, Err(SendError::Invalid(..))));
}

#[tokio::test]
async fn problems_say_which_stream() {
    let spoilt = || config(|config| config.rate_limit = 0);
    let builder = Producer::builder(Fake::new(1)).config(spoilt());
    let started = builder.stream_config(audit(), spoilt()).stream_config(ORDERS.clone(), spoilt()).start();
    let Err(StartError::Config(error)) = started else { panic!("three problems") };
    let problem = "rate_limit is 0: give 1 or more";
    let expected =
        [problem.to_owned(), format!("of stream audit: {problem}"), format!("of stream orders: {problem}")];
    assert_eq!(error.problems, expected);
}
