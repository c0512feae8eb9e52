//! The runtime ends before the producer does, or was never there: every future resolves all the same.

use std::time::Duration;

use kpl::{FailureReason, Producer, SendError, StartError};

use crate::fake::{Fake, Reply};
use crate::support::{Memory, ORDERS, assert_empty, borrowed, config, quarter, quarter_data, small_budget};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
}

#[test]
fn a_producer_needs_a_runtime() {
    let started = Producer::builder(Fake::new(1)).start();
    assert!(matches!(started, Err(StartError::NoRuntime)), "{started:?}");
}

#[test]
fn everybody_hears_of_the_runtimes_end() {
    for under_way in [true, false] {
        let (first, second) = (runtime(), runtime());
        let fake = Fake::new(1).always(Reply::Hold);
        let memory = Memory::default();
        let (producer, deliveries) = first.block_on(async {
            let producer = Producer::builder(fake.clone())
                .config(config(small_budget))
                .outcomes(memory.clone())
                .start()
                .expect("lawful");
            let deliveries: Vec<_> =
                (0..3).map(|number| producer.try_send(quarter(number)).expect("room")).collect();
            producer.stream(&ORDERS).try_send_tagged(borrowed(&quarter_data(3)), 3).expect("room");
            if under_way {
                while fake.calls().is_empty() {
                    tokio::task::yield_now().await;
                    tokio::time::timeout(Duration::from_millis(1), std::future::pending::<()>()).await.ok();
                }
            }
            (producer, deliveries)
        });

        let waiters = second.block_on(async {
            let waiting = |producer: Producer| async move {
                let sent = producer.send(quarter(9)).await;
                assert!(matches!(sent, Err(SendError::Closed(_))), "{sent:?}");
            };
            let flushing = |producer: Producer| async move { producer.flush().await };
            let closing = |producer: Producer| async move { producer.close().await };
            let waiters = [
                crate::support::beside(waiting(producer.clone())),
                crate::support::beside(flushing(producer.clone())),
                crate::support::beside(closing(producer.clone())),
            ];
            crate::support::settle().await;
            waiters
        });
        drop(first);

        second.block_on(async {
            for waiter in waiters {
                waiter.await.expect("no panic");
            }
            let mut may_have_been_written = 0;
            for delivery in deliveries {
                let failed = delivery.await.expect_err("cut off");
                assert_eq!(failed.reason(), FailureReason::Aborted);
                may_have_been_written += usize::from(failed.may_have_been_written());
            }
            // The first call on an unknown line is small: one of these records fills it.
            assert_eq!(may_have_been_written, usize::from(under_way));
            let told = memory.told();
            assert!(told.len() == 1 && told[&3].len() == 1 && told[&3][0].is_err(), "{told:?}");
            assert_empty(&producer);
            let refused = producer.send(quarter(5)).await;
            assert!(matches!(refused, Err(SendError::Closed(_))), "{refused:?}");
            let mut elsewhere = quarter(6);
            elsewhere.stream = kpl::StreamName::new("after-the-end").expect("lawful");
            assert!(matches!(producer.send(elsewhere).await, Err(SendError::Closed(_))));
            producer.flush().await;
            producer.close().await;
            assert_empty(&producer);
        });
    }
}

#[test]
fn records_may_come_from_threads_without_a_runtime() {
    let runtime = runtime();
    let fake = Fake::new(3);
    let producer = {
        let _inside = runtime.enter();
        Producer::builder(fake.clone()).start().expect("lawful")
    };
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let producer = producer.clone();
            scope.spawn(move || {
                for number in 0..500 {
                    drop(producer.try_send(crate::support::record(thread * 500 + number)).expect("room"));
                }
            });
        }
    });
    runtime.block_on(producer.close());
    assert_eq!(fake.stored(), crate::support::all_data(2000));
    assert_empty(&producer);
}

#[test]
fn a_runtime_without_timers_is_refused_at_the_start() {
    let without = [
        tokio::runtime::Builder::new_current_thread().build().expect("a runtime"),
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_io().build().expect("a runtime"),
    ];
    for runtime in without {
        let started = runtime.block_on(async { Producer::builder(Fake::new(1)).start() });
        assert!(matches!(started, Err(StartError::NoTimers)), "{started:?}");
    }
}

/// Polls without any runtime.
fn wait_without_a_runtime<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::task::Waker::from(std::sync::Arc::new(Unpark(std::thread::current())));
    let mut future = std::pin::pin!(future);
    loop {
        if let std::task::Poll::Ready(output) =
            future.as_mut().poll(&mut std::task::Context::from_waker(&waker))
        {
            return output;
        }
        std::thread::park();
    }
}

#[test]
fn close_within_needs_no_runtime_of_its_own() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .expect("a runtime");
    let fake = Fake::new(1).always(Reply::Hold);
    let producer = runtime.block_on(async { Producer::builder(fake.clone()).start().expect("lawful") });
    let delivery = producer.try_send(quarter(0)).expect("room");
    wait_without_a_runtime(producer.close_within(Duration::from_millis(20)));
    let failed = wait_without_a_runtime(delivery).expect_err("given up");
    assert_eq!(failed.reason(), FailureReason::Aborted);
    assert_empty(&producer);
}

/// A current-thread runtime that nobody drives: the producer's tasks stand still.
#[test]
fn close_within_returns_though_the_producers_runtime_stands_still() {
    let stands_still = runtime();
    let fake = Fake::new(1).always(Reply::Hold);
    let producer = stands_still.block_on(async { Producer::builder(fake.clone()).start().expect("lawful") });
    let _delivery = producer.try_send(quarter(0)).expect("room");
    let paused = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    paused.block_on(producer.close_within(Duration::from_secs(3600)));
    assert_eq!(producer.outstanding_records(), 1, "nobody could tell its outcome");
    assert!(matches!(producer.try_send(quarter(1)), Err(SendError::Closed(_))));
}
