//! When metrics are uploaded, and what becomes of them when they cannot be.

use std::time::Duration;

use kpl::{CloudWatchMetrics, Config, Metric, MetricsLevel, MetricsSink, Producer};

use crate::fake::Fake;
use crate::monitor::{Monitor, Reception};
use crate::support::{ORDERS, config, now, outcomes, pause, record, settle};

const DELAY: Duration = Duration::from_secs(60);

fn uploader(monitor: &Monitor, change: impl FnOnce(&mut Config)) -> CloudWatchMetrics {
    let mut options = Config::default();
    change(&mut options);
    CloudWatchMetrics::start(monitor.clone(), &options).expect("lawful options")
}

/// Something to upload.
fn receive(metrics: &CloudWatchMetrics, user_records: usize) {
    metrics.record(&Metric::UserRecordsReceived { stream: &ORDERS, user_records });
}

/// How many records the service was told of.
fn received(monitor: &Monitor) -> f64 {
    let sets = monitor.sets();
    let global = sets.get("UserRecordsReceived").map_or(0.0, |numbers| numbers[1]);
    let stream = sets.get("UserRecordsReceived StreamName=orders").map_or(0.0, |numbers| numbers[1]);
    assert_eq!(global, stream, "{sets:?}");
    global
}

#[tokio::test(start_paused = true)]
async fn metrics_manager_upload_frequency() {
    let monitor = Monitor::default();
    let metrics = uploader(&monitor, |_| {});
    for _ in 0..600 {
        receive(&metrics, 1);
        pause(Duration::from_secs(1)).await;
    }
    let calls = monitor.calls();
    assert_eq!(calls.len(), 10, "{calls:?}");
    for pair in calls.windows(2) {
        let between = pair[1] - pair[0];
        assert!(between.abs_diff(DELAY) < Duration::from_millis(10), "{between:?}");
    }
    assert!(metrics.flush().await);
    assert_eq!(received(&monitor), 600.0);
}

#[tokio::test(start_paused = true)]
async fn metrics_manager_retry() {
    let monitor = Monitor::default().script([Reception::Refuse("InternalFailure"); 3]);
    let metrics = uploader(&monitor, |_| {});
    receive(&metrics, 3);
    pause(2 * DELAY).await;
    assert_eq!(monitor.calls().len(), 4, "three refused and one taken");
    assert_eq!(received(&monitor), 3.0);
    receive(&metrics, 4);
    pause(DELAY + Duration::from_secs(1)).await;
    assert_eq!((monitor.calls().len(), received(&monitor)), (5, 7.0), "nothing twice");
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_uploaded_goes_with_the_next_window() {
    let monitor = Monitor::default();
    monitor.always(Reception::Refuse("ServiceUnavailable"));
    let metrics = uploader(&monitor, |_| {});
    for _ in 0..5 {
        receive(&metrics, 1);
        pause(DELAY).await;
    }
    monitor.always(Reception::Take);
    pause(2 * DELAY).await;
    assert_eq!(received(&monitor), 5.0);
    assert_eq!(monitor.told().len(), 1, "one window of them all");
}

#[tokio::test(start_paused = true)]
async fn in_a_long_outage_old_metrics_are_given_up_and_few_calls_are_made() {
    let monitor = Monitor::default();
    monitor.always(Reception::Refuse("Timeout"));
    let metrics = uploader(&monitor, |_| {});
    receive(&metrics, 1);
    pause(Duration::from_secs(3600)).await;
    let calls = monitor.calls();
    assert!((10..60).contains(&calls.len()), "{}", calls.len());
    assert!(*calls.last().expect("calls") - calls[0] < Duration::from_secs(17 * 60));
    monitor.always(Reception::Take);
    receive(&metrics, 10);
    pause(2 * DELAY).await;
    assert_eq!(received(&monitor), 10.0, "and it goes on");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_never_answered_ends_all_the_same() {
    let monitor = Monitor::default().script([Reception::Hang]);
    let metrics = uploader(&monitor, |_| {});
    receive(&metrics, 3);
    pause(2 * DELAY).await;
    assert_eq!(received(&monitor), 3.0);
}

#[tokio::test(start_paused = true)]
async fn what_a_flush_had_to_leave_is_uploaded_later() {
    let monitor = Monitor::default().script([Reception::Hang]);
    let metrics = uploader(&monitor, |_| {});
    receive(&metrics, 3);
    // The uploader hears of it, and has nothing else to hear.
    settle().await;
    assert!(!metrics.flush().await);
    pause(2 * DELAY).await;
    assert_eq!(received(&monitor), 3.0);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_good_is_not_sent_again() {
    for code in ["InvalidParameterValue", "AccessDenied", "AccessDeniedException"] {
        let monitor = Monitor::default().script([Reception::Refuse(code)]);
        let metrics = uploader(&monitor, |_| {});
        receive(&metrics, 1);
        assert!(!metrics.flush().await, "{code}");
        receive(&metrics, 10);
        assert!(metrics.flush().await);
        assert_eq!((monitor.calls().len(), received(&monitor)), (2, 10.0), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_anything_to_upload_there_is_no_call() {
    let monitor = Monitor::default();
    let metrics = uploader(&monitor, |_| {});
    let nothing = uploader(&monitor, |options| options.metrics_level = MetricsLevel::None);
    receive(&nothing, 1);
    pause(Duration::from_secs(3600)).await;
    assert!(metrics.flush().await && nothing.flush().await);
    drop((metrics, nothing));
    pause(Duration::from_secs(3600)).await;
    assert!(monitor.calls().is_empty());
}

/// A producer over a service that stores, with metrics for `monitor` that are uploaded when somebody asks, after ten
/// records.
async fn after_ten_records(monitor: &Monitor) -> Producer {
    let metrics = uploader(monitor, |options| options.metrics_upload_delay = Duration::from_secs(60));
    let producer = Producer::builder(Fake::new(1)).config(config(|_| {})).cloudwatch_metrics(metrics);
    let producer = producer.start().expect("a lawful configuration");
    let deliveries: Vec<_> = (0..10).map(|number| producer.try_send(record(number)).expect("room")).collect();
    outcomes(deliveries).await;
    producer
}

#[tokio::test(start_paused = true)]
async fn the_last_window_is_uploaded_on_close() {
    for within in [None, Some(DELAY)] {
        let monitor = Monitor::default();
        let producer = after_ten_records(&monitor).await;
        let begun = now();
        match within {
            None => producer.close().await,
            Some(grace) => producer.close_within(grace).await,
        }
        assert!(now() - begun < Duration::from_secs(1), "at once");
        let sets = monitor.sets();
        let shard = "StreamName=orders ShardId=shardId-000000000000";
        assert_eq!(sets[&format!("UserRecordsPut {shard}")], [10.0, 10.0, 1.0, 1.0]);
        assert_eq!(received(&monitor), 10.0);
        let calls = monitor.calls().len();
        producer.close().await;
        assert_eq!(monitor.calls().len(), calls, "closing again uploads nothing again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_monitor_in_trouble_does_not_hold_up_a_close() {
    for reception in [Reception::Hang, Reception::Refuse("InternalFailure")] {
        let monitor = Monitor::default();
        monitor.always(reception);
        let producer = after_ten_records(&monitor).await;
        let begun = now();
        producer.close().await;
        let took = now() - begun;
        assert!(took <= Duration::from_secs(11), "{took:?}");
        monitor.always(Reception::Take);
        producer.close().await;
        assert_eq!(received(&monitor), 10.0, "what was left is kept for whoever asks again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_producer_that_is_dropped_uploads_its_last_window_in_the_background() {
    let monitor = Monitor::default();
    drop(after_ten_records(&monitor).await);
    pause(Duration::from_secs(1)).await;
    assert_eq!(received(&monitor), 10.0);
}

#[tokio::test(start_paused = true)]
async fn a_sink_beside_it_hears_the_same() {
    let (monitor, other) = (Monitor::default(), Monitor::default());
    let beside = uploader(&other, |_| {});
    let producer = Producer::builder(Fake::new(1)).config(config(|_| {}));
    let producer = producer.cloudwatch_metrics(uploader(&monitor, |_| {})).metrics(beside.clone());
    let producer = producer.start().expect("a lawful configuration");
    let delivery = producer.try_send(record(1)).expect("room");
    outcomes([delivery]).await;
    producer.close().await;
    assert!(beside.flush().await);
    assert_eq!(monitor.sets(), other.sets());
}
