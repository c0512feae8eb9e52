//! The clock of the shell: the one file that asks for the time and the one that waits for it.
//!
//! Invariant: moments never decrease. Under tokio's paused time they follow it, so that tests need no waiting.

use std::time::Duration;

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

    /// Whether the present runtime, if there is one, has timers (`enable_time`).
    ///
    /// Tokio answers that in no other way than by a panic. It is caught here, at the start; its message goes to the
    /// panic hook all the same.
    #[expect(clippy::disallowed_methods, reason = "nobody waits for this one")]
    pub(crate) fn has_timers() -> bool {
        let has_runtime = tokio::runtime::Handle::try_current().is_ok();
        has_runtime && std::panic::catch_unwind(|| drop(tokio::time::sleep(Duration::ZERO))).is_ok()
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
