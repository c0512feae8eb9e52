//! The pace of the calls that are not PutRecords: ListShards.
//!
//! Invariant: a producer makes at most its budget of such calls, and waits longer after each failure.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff as _;
use governor::clock::Clock as _;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use crate::clock::Clock;
use crate::put_records::{CallError, ShardDescription};
use crate::transport::Transport;
use crate::types::StreamName;

/// ListShards calls a second that one producer makes at most, over all its streams; the service allows 1,000 for
/// each stream (Kinesis API reference, `ListShards`), which hundreds of producers share.
const CALLS_PER_SECOND: std::num::NonZeroU32 = std::num::NonZeroU32::new(10).expect("10 is not zero");

/// What the producers' streams share.
#[derive(Debug, Clone)]
pub(crate) struct ControlPlane {
    budget: Arc<DefaultDirectRateLimiter>,
}

/// One stream's schedule of attempts.
#[derive(Debug, Clone)]
pub(crate) struct ShardLister {
    plane: ControlPlane,
    clock: Clock,
    schedule: Arc<Mutex<ExponentialBackoff>>,
    wait: Arc<Mutex<Duration>>,
}

impl ControlPlane {
    pub(crate) fn new() -> Self {
        Self { budget: Arc::new(RateLimiter::direct(Quota::per_second(CALLS_PER_SECOND))) }
    }

    pub(crate) fn shard_lister(&self, clock: Clock) -> ShardLister {
        // The KPL's schedule, with the jitter that it lacks: 1 s, half as much more each time, at most 30 s.
        let schedule = ExponentialBackoff {
            initial_interval: Duration::from_secs(1),
            current_interval: Duration::from_secs(1),
            multiplier: 1.5,
            max_interval: Duration::from_secs(30),
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        ShardLister {
            plane: self.clone(),
            clock,
            schedule: Arc::new(Mutex::new(schedule)),
            wait: Arc::new(Mutex::new(Duration::ZERO)),
        }
    }

    async fn admitted(&self, clock: Clock) {
        while let Err(not_until) = self.budget.check() {
            let wait = not_until.wait_time_from(governor::clock::DefaultClock::default().now());
            clock.sleep_until(clock.now().plus(wait)).await;
        }
    }
}

impl ShardLister {
    /// Lists the stream's open shards, after the wait that the failures so far ask for.
    pub(crate) async fn list(
        &self,
        transport: Arc<dyn Transport>,
        stream: StreamName,
    ) -> Result<Vec<ShardDescription>, CallError> {
        let wait = *self.wait.lock().unwrap_or_else(PoisonError::into_inner);
        if !wait.is_zero() {
            self.clock.sleep_until(self.clock.now().plus(wait)).await;
        }
        self.plane.admitted(self.clock).await;
        let listing = transport.list_shards(stream).await;
        *self.wait.lock().unwrap_or_else(PoisonError::into_inner) = self.next_wait(listing.is_ok());
        listing
    }

    fn next_wait(&self, succeeded: bool) -> Duration {
        let mut schedule = self.schedule.lock().unwrap_or_else(PoisonError::into_inner);
        if succeeded {
            schedule.reset();
            return Duration::ZERO;
        }
        schedule.next_backoff().unwrap_or(schedule.max_interval)
    }
}
