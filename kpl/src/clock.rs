//! The clock of the shell: the one file that asks for the time and the one that waits for it.
//!
//! Invariant: moments never decrease. Under tokio's paused time they follow it, so that tests need no waiting.

use tokio::time::Instant;

use crate::types::Moment;

/// The producer's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    origin: Instant,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the lawful place")]
    pub(crate) fn start() -> Self {
        Self { origin: Instant::now() }
    }

    #[expect(clippy::disallowed_methods, reason = "the lawful place")]
    pub(crate) fn now(&self) -> Moment {
        Moment::after_origin(Instant::now() - self.origin)
    }

    /// Waits until `moment`; for ever if it is [`Moment::NEVER`].
    pub(crate) async fn sleep_until(&self, moment: Moment) {
        if moment == Moment::NEVER {
            return std::future::pending().await;
        }
        tokio::time::sleep_until(self.origin + moment.since(Moment::ORIGIN)).await;
    }
}
