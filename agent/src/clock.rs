//! The agent's clocks: the one file that asks for the time.
//!
//! Invariant: moments never decrease; wall time may jump, and nothing is decided by it.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::types::Moment;

/// Moments since the agent was started.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// A clock whose origin is now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the lawful place")]
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// The present moment.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the lawful place")]
    pub fn now(&self) -> Moment {
        Moment::after_origin(Instant::now() - self.origin)
    }

    /// Milliseconds since 1970, for records that carry the time.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the lawful place")]
    pub fn wall_time_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}
