//! The pace of the calls that are not PutRecords: ListShards.
//!
//! Invariant: a producer makes at most its budget of such calls; one stream waits a second after a success and longer
//! after each failure, so that a map that is contradicted again and again costs little.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff as _;
use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::clock::Clock;
use crate::core::pipeline::ShardScope;
use crate::put_records::{CallError, ShardListing};
use crate::transport::Transport;
use crate::types::{Moment, StreamName};

/// ListShards calls a second that one producer makes at most, over all its streams; the service allows 1,000 for
/// each stream (Kinesis API reference, `ListShards`). Records wait for a stream's first listing, so streams that start
/// together must not wait for each other.
const CALLS_PER_SECOND: std::num::NonZeroU32 = std::num::NonZeroU32::new(100).expect("100 is not zero");

/// The shortest time between two listings of one stream.
const INTERVAL: Duration = Duration::from_secs(1);

/// What the producers' streams share.
#[derive(Debug, Clone)]
pub(crate) struct ControlPlane {
    clock: Clock,
    budget: Arc<RateLimiter<NotKeyed, InMemoryState, GovernorClock, NoOpMiddleware<Duration>>>,
}

/// One stream's schedule of attempts.
#[derive(Debug, Clone)]
pub(crate) struct ShardLister {
    plane: ControlPlane,
    schedule: Arc<Mutex<Schedule>>,
}

#[derive(Debug)]
struct Schedule {
    after_failure: ExponentialBackoff,
    not_before: Moment,
}

/// The producer's clock as governor reads it: time since the origin.
#[derive(Debug, Clone)]
struct GovernorClock(Clock);

impl governor::clock::Clock for GovernorClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.now().since(Moment::ORIGIN)
    }
}

impl ControlPlane {
    pub(crate) fn new(clock: Clock) -> Self {
        let budget =
            RateLimiter::direct_with_clock(Quota::per_second(CALLS_PER_SECOND), GovernorClock(clock));
        Self { clock, budget: Arc::new(budget) }
    }

    pub(crate) fn shard_lister(&self) -> ShardLister {
        // The KPL's schedule, with the jitter that it lacks: 1 s, half as much more each time, at most 30 s.
        let after_failure = ExponentialBackoff {
            initial_interval: INTERVAL,
            current_interval: INTERVAL,
            multiplier: 1.5,
            max_interval: Duration::from_secs(30),
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        let schedule = Schedule { after_failure, not_before: Moment::ORIGIN };
        ShardLister { plane: self.clone(), schedule: Arc::new(Mutex::new(schedule)) }
    }

    async fn admitted(&self) {
        while let Err(not_until) = self.budget.check() {
            let wait = not_until.wait_time_from(GovernorClock(self.clock).now());
            self.clock.sleep_until(self.clock.now().plus(wait)).await;
        }
    }
}

impl ShardLister {
    /// Lists the stream's open shards, no sooner than the schedule allows.
    pub(crate) async fn list(
        &self,
        transport: Arc<dyn Transport>,
        stream: StreamName,
        scope: ShardScope,
    ) -> Result<ShardListing, CallError> {
        let not_before = self.schedule().not_before;
        if not_before > self.plane.clock.now() {
            self.plane.clock.sleep_until(not_before).await;
        }
        self.plane.admitted().await;
        // A call that panics leaves this behind.
        self.schedule().note(false, self.plane.clock.now());
        let listing = match scope {
            ShardScope::Open => transport.list_shards(stream).await,
            ShardScope::WithRecentlyClosed => transport.list_recent_shards(stream).await,
        };
        if listing.is_ok() {
            self.schedule().note(true, self.plane.clock.now());
        }
        listing
    }

    fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Schedule {
    fn note(&mut self, succeeded: bool, now: Moment) {
        let wait = if succeeded {
            self.after_failure.reset();
            INTERVAL
        } else {
            self.after_failure.next_backoff().unwrap_or(self.after_failure.max_interval)
        };
        self.not_before = now.plus(wait);
    }
}
