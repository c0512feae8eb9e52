//! What a sink hears of known traffic, and what a snapshot shows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kpl::{Config, Metric, MetricsSink, Producer, StatisticSet, StreamSnapshot};

use crate::fake::{Fake, Reply};
use crate::monitor::numbers;
use crate::support::{ORDERS, config, outcomes, pause, record, settle, start};

/// A sink that adds up the KPL's metrics by `name shard code`. Clones are the same one.
#[derive(Clone, Default)]
struct Ledger(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    sets: BTreeMap<String, StatisticSet>,
    pending: Vec<usize>,
    events: usize,
}

impl MetricsSink for Ledger {
    fn record(&self, metric: &Metric<'_>) {
        let mut heard = self.0.lock().expect("no panic under this lock");
        heard.events += 1;
        if let Metric::UserRecordsPending { user_records, .. } = metric {
            heard.pending.push(*user_records);
        }
        metric.samples(|sample| {
            let shard = sample.shard.map(|shard| format!(" {shard}")).unwrap_or_default();
            let code = sample.error_code.map(|code| format!(" {code}")).unwrap_or_default();
            let key = format!("{}{shard}{code}", sample.name.as_str());
            let known = heard.sets.get(&key).map_or(sample.values, |known| known.merged(sample.values));
            heard.sets.insert(key, known);
        });
    }
}

impl Ledger {
    fn get(&self, key: &str) -> Option<[f64; 4]> {
        self.0.lock().expect("no panic under this lock").sets.get(key).copied().map(numbers)
    }

    fn assert(&self, rows: &[(&str, [f64; 4])]) {
        for (key, expected) in rows {
            assert_eq!(self.get(key), Some(*expected), "{key}");
        }
    }
}

/// Sends so many records of 8 bytes at once, closes, and answers what was heard.
async fn traffic(fake: &Fake, records: usize, change: impl FnOnce(&mut Config)) -> Ledger {
    let ledger = Ledger::default();
    let builder = Producer::builder(fake.clone()).config(config(change)).metrics(ledger.clone());
    let producer = builder.start().expect("a lawful configuration");
    let deliveries: Vec<_> =
        (0..records).map(|number| producer.try_send(record(number)).expect("room")).collect();
    outcomes(deliveries).await;
    producer.close().await;
    ledger
}

#[tokio::test(start_paused = true)]
async fn of_records_that_are_stored_at_once() {
    let ledger = traffic(&Fake::new(1), 10, |_| {}).await;
    let s0 = "shardId-000000000000";
    let of_shard = |name: &str| ledger.get(&format!("{name} {s0}")).unwrap_or_default();
    ledger.assert(&[
        ("UserRecordsReceived", [10.0, 10.0, 1.0, 1.0]),
        ("KinesisRecordsPerPutRecordsRequest", [1.0; 4]),
        ("UserRecordsPerPutRecordsRequest", [1.0, 10.0, 10.0, 10.0]),
    ]);
    for (name, expected) in [
        ("UserRecordsPut", [10.0, 10.0, 1.0, 1.0]),
        ("UserRecordsDataPut", [10.0, 80.0, 8.0, 8.0]),
        ("KinesisRecordsPut", [1.0; 4]),
        ("AllErrors", [1.0, 0.0, 0.0, 0.0]),
        ("RetriesPerRecord", [10.0, 0.0, 0.0, 0.0]),
        ("UserRecordsPerKinesisRecord", [1.0, 10.0, 10.0, 10.0]),
    ] {
        assert_eq!(of_shard(name), expected, "{name}");
    }
    let [count, .., longest] = of_shard("BufferingTime");
    assert!(count == 10.0 && (100.0..102.0).contains(&longest), "{longest}");
    let [calls, _, shortest, _] = ledger.get("RequestTime").expect("a call");
    assert!(calls == 1.0 && (5.0..7.0).contains(&shortest), "{shortest}");
    let heard = ledger.0.lock().expect("no panic under this lock");
    assert_eq!(heard.pending.last(), Some(&0));
    assert!(heard.pending.contains(&10));
    assert!(heard.events < 10, "{} events for one call", heard.events);
}

#[tokio::test(start_paused = true)]
async fn of_an_entry_that_is_refused_and_stored_later() {
    let throttled = "ProvisionedThroughputExceededException";
    let fake = Fake::new(1).replies([Reply::FailEntries(|_| Some("ProvisionedThroughputExceededException"))]);
    let ledger = traffic(&fake, 10, |_| {}).await;
    let s0 = "shardId-000000000000";
    ledger.assert(&[
        (&format!("ErrorsByCode {s0} {throttled}"), [1.0; 4]),
        (&format!("AllErrors {s0}"), [2.0, 1.0, 0.0, 1.0]),
        (&format!("KinesisRecordsPut {s0}"), [2.0, 1.0, 0.0, 1.0]),
        (&format!("RetriesPerRecord {s0}"), [10.0, 10.0, 1.0, 1.0]),
        (&format!("UserRecordsPut {s0}"), [10.0, 10.0, 1.0, 1.0]),
        (&format!("UserRecordsPerKinesisRecord {s0}"), [2.0, 20.0, 10.0, 10.0]),
    ]);
    let [count, .., longest] = ledger.get(&format!("BufferingTime {s0}")).expect("it was sent");
    assert!(count == 10.0 && longest < 102.0, "the first sending only: {count} and {longest}");
}

#[tokio::test(start_paused = true)]
async fn of_calls_that_fail_and_of_answers_that_cannot_be_read() {
    for (reply, code) in
        [(Reply::FailCall("InternalFailure"), "InternalFailure"), (Reply::Miscount, "ResponseUnreadable")]
    {
        let ledger = traffic(&Fake::new(1).replies([reply]), 10, |_| {}).await;
        let s0 = "shardId-000000000000";
        ledger.assert(&[
            (&format!("ErrorsByCode {code}"), [1.0; 4]),
            ("AllErrors", [1.0; 4]),
            (&format!("KinesisRecordsPut {s0}"), [1.0; 4]),
            (&format!("UserRecordsPut {s0}"), [10.0, 10.0, 1.0, 1.0]),
            ("UserRecordsPerPutRecordsRequest", [2.0, 20.0, 10.0, 10.0]),
        ]);
    }
}

#[tokio::test(start_paused = true)]
async fn of_records_that_expire() {
    let fake = Fake::new(1).always(Reply::FailEntries(|_| Some("InternalFailure")));
    let ledger = traffic(&fake, 10, |config| config.record_ttl = Some(Duration::from_secs(1))).await;
    let s0 = "shardId-000000000000";
    ledger.assert(&[
        (&format!("UserRecordExpired {s0}"), [10.0, 10.0, 1.0, 1.0]),
        (&format!("UserRecordsPut {s0}"), [10.0, 0.0, 0.0, 0.0]),
    ]);
    assert_eq!(ledger.get(&format!("UserRecordsDataPut {s0}")), None);
    let [_, retries, ..] = ledger.get(&format!("RetriesPerRecord {s0}")).expect("outcomes");
    let [attempts, ..] = ledger.get(&format!("KinesisRecordsPut {s0}")).expect("attempts");
    assert_eq!(retries, 10.0 * (attempts - 1.0));
}

#[tokio::test(start_paused = true)]
async fn of_records_that_are_aborted() {
    let ledger = Ledger::default();
    let fake = Fake::new(1).always(Reply::Hold);
    let builder = Producer::builder(fake).config(config(|_| {})).metrics(ledger.clone());
    let producer = builder.start().expect("a lawful configuration");
    let deliveries: Vec<_> = (0..10).map(|number| producer.try_send(record(number)).expect("room")).collect();
    pause(Duration::from_secs(1)).await;
    producer.close_within(Duration::from_secs(1)).await;
    assert!(outcomes(deliveries).await.iter().all(Result::is_err));
    ledger.assert(&[("UserRecordsPut shardId-000000000000", [10.0, 0.0, 0.0, 0.0])]);
    let heard = ledger.0.lock().expect("no panic under this lock");
    assert_eq!(heard.pending, [10, 0]);
}

#[tokio::test(start_paused = true)]
async fn in_a_storm_the_numbers_add_up() {
    let script = [
        Reply::FailEntries(|place| (place % 3 == 0).then_some("InternalFailure")),
        Reply::FailCall("InternalFailure"),
        Reply::Miscount,
        Reply::LoseAnswer,
        Reply::Panic,
    ];
    let fake = Fake::new(3).replies(script.into_iter().cycle().take(50));
    let ledger = traffic(&fake, 2000, |config| {
        config.aggregation_max_size = 200;
        config.collection_max_count = 20;
        config.record_ttl = Some(Duration::from_millis(500));
    })
    .await;
    let heard = ledger.0.lock().expect("no panic under this lock");
    let total = |name: &str, of: fn(&StatisticSet) -> f64| -> f64 {
        let is_of = |key: &str| key.split(' ').next() == Some(name);
        heard.sets.iter().filter(|(key, _)| is_of(key)).map(|(_, set)| of(set)).sum()
    };
    let count: fn(&StatisticSet) -> f64 = |set| set.sample_count() as f64;
    let (received, put) = (total("UserRecordsReceived", StatisticSet::sum), total("UserRecordsPut", count));
    assert_eq!((received, put), (2000.0, 2000.0));
    let stored = total("UserRecordsPut", StatisticSet::sum);
    let expired = total("UserRecordExpired", StatisticSet::sum);
    assert_eq!(stored + expired, 2000.0, "{stored} stored");
    assert_eq!(total("UserRecordsDataPut", count), stored);
    assert_eq!(total("ErrorsByCode", StatisticSet::sum), total("AllErrors", StatisticSet::sum));
    assert_eq!(heard.pending.last(), Some(&0));
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_shows_what_is_under_way_and_what_was() {
    let fake = Fake::new(1)
        .replies([Reply::FailEntries(|_| Some("ProvisionedThroughputExceededException")), Reply::Hold]);
    let producer = start(&fake, |_| {});
    assert!(producer.snapshot().streams.is_empty());
    let deliveries: Vec<_> = (0..10).map(|number| producer.try_send(record(number)).expect("room")).collect();
    let state = || -> StreamSnapshot { producer.snapshot().streams.swap_remove(0) };
    pause(Duration::from_millis(50)).await;
    let waiting = state();
    assert_eq!((waiting.outstanding_records, waiting.calls_in_flight, waiting.calls), (10, 0, 0));
    assert_eq!(waiting.open_shards, 1);
    assert_eq!(waiting.oldest_record_age, Some(Duration::from_millis(50)));
    let all = producer.snapshot();
    assert_eq!((all.outstanding_records, all.outstanding_bytes), (10, waiting.outstanding_bytes));
    pause(Duration::from_millis(950)).await;
    let held = state();
    assert_eq!((held.outstanding_records, held.calls_in_flight), (10, 1));
    assert_eq!(held.oldest_record_age, Some(Duration::from_secs(1)));
    assert_eq!(held.user_records_retried, 10);
    assert_eq!(held.kinesis_records_throttled, held.kinesis_records_sent);
    fake.release();
    assert!(outcomes(deliveries).await.iter().all(Result::is_ok));
    settle().await;
    let done = state();
    assert_eq!((done.outstanding_records, done.outstanding_bytes, done.oldest_record_age), (0, 0, None));
    assert_eq!(
        (done.user_records_received, done.user_records_stored, done.user_records_failed, done.calls),
        (10, 10, 0, 2)
    );
    assert_eq!(done.stream, *ORDERS);
    producer.close().await;
}
