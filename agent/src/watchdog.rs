//! Whether the flows make progress, for the service manager's watchdog.
//!
//! A flow's thread works in passes and waits between them. One that has been in the same pass for very long is held up by
//! a file system that does not answer, which only a new process can leave behind.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::types::Moment;

/// A pass takes milliseconds; the first listing of a hundred thousand files, seconds.
const LONGEST_PASS: Duration = Duration::from_secs(180);

/// Since when a flow's thread has been in its present pass.
#[derive(Debug, Default)]
pub struct Progress {
    /// Milliseconds of a [`Moment`], and one; zero while the thread waits.
    working_since: AtomicU64,
}

impl Progress {
    /// A pass begins.
    pub fn begin(&self, now: Moment) {
        self.working_since.store(milliseconds(now) + 1, Relaxed);
    }

    /// It has ended.
    pub fn end(&self) {
        self.working_since.store(0, Relaxed);
    }

    /// For how long the present pass has lasted, if that is longer than a pass may.
    #[must_use]
    pub fn stuck_for(&self, now: Moment) -> Option<Duration> {
        let since = self.working_since.load(Relaxed).checked_sub(1)?;
        let lasted = Duration::from_millis(milliseconds(now).saturating_sub(since));
        (lasted > LONGEST_PASS).then_some(lasted)
    }
}

fn milliseconds(moment: Moment) -> u64 {
    u64::try_from(moment.since(Moment::ORIGIN).as_millis()).unwrap_or(u64::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pass_that_does_not_end_is_stuck() {
        let at = |seconds| Moment::ORIGIN.plus(Duration::from_secs(seconds));
        let progress = Progress::default();
        assert_eq!(progress.stuck_for(at(1000)), None, "it has never worked");
        progress.begin(at(0));
        assert_eq!(progress.stuck_for(at(180)), None);
        assert_eq!(progress.stuck_for(at(181)), Some(Duration::from_secs(181)));
        progress.end();
        assert_eq!(progress.stuck_for(at(1000)), None, "it waits");
        progress.begin(at(1000));
        assert_eq!(progress.stuck_for(at(1001)), None);
    }
}
