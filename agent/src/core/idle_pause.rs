//! How long an idle file is left alone between two looks.
//!
//! | files in the agent, a flow counting as 50 | written to within a minute | idle for longer |
//! |---|---|---|
//! | up to 2,000 | 1 s | 1 s |
//! | 10,000 | 1 s | 5 s |
//! | 20,000 and more | 1 s | 10 s |
//!
//! Invariants: never longer than 10 s; what is left alone comes together in few wake-ups, never later than its pause.

use std::time::Duration;

use crate::types::Moment;

/// The longest pause while there are few files, and of files that were written to lately.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause there is.
const LONGEST_OF_ALL: Duration = Duration::from_secs(10);

/// How long a file is idle that was not written to lately.
const IDLE: Duration = Duration::from_secs(60);

/// Files that are looked at in a second.
const LOOKS_A_SECOND: u32 = 2_000;

/// Files that cost as much as one flow, whose thread has to wake up for them.
const FILES_OF_A_FLOW: usize = 50;

/// Files that wait for a second or more share the wake-ups of this part of it.
const PARTS: u32 = 4;

/// How much there is to look at in the whole agent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Crowd(u32);

impl Crowd {
    /// This many files in this many flows.
    #[must_use]
    pub fn of(files: usize, flows: usize) -> Self {
        let weight = flows.saturating_mul(FILES_OF_A_FLOW).saturating_add(files);
        Self(u32::try_from(weight).unwrap_or(u32::MAX))
    }

    /// The longest pause for a file that was last written to so long ago.
    #[must_use]
    pub fn longest_pause(self, idle: Duration) -> Duration {
        if idle < IDLE {
            return LONGEST_PAUSE;
        }
        (Duration::from_secs(1) * self.0 / LOOKS_A_SECOND).clamp(LONGEST_PAUSE, LONGEST_OF_ALL)
    }
}

/// When a pause that begins now is over: files that pause alike share a moment, which may be a quarter of the pause
/// earlier.
#[must_use]
pub fn look_after(now: Moment, pause: Duration) -> Moment {
    if pause < LONGEST_PAUSE {
        return now.plus(pause);
    }
    let step = (pause / PARTS).as_nanos();
    let end = now.plus(pause);
    let over = end.since(Moment::ORIGIN).as_nanos() % step;
    end.minus(Duration::from_nanos(u64::try_from(over).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses() {
        let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3600));
        let just_now = Duration::from_secs(59);
        for (files, flows, idle, milliseconds) in [
            (1, 1, Duration::ZERO, 1_000),
            (1_950, 1, hour, 1_000),
            (9_950, 1, just_now, 1_000),
            (9_950, 1, minute, 5_000),
            (9_950, 1, hour, 5_000),
            (200, 200, hour, 5_100),
            (10_000, 200, hour, 10_000),
            (usize::MAX, usize::MAX, hour, 10_000),
        ] {
            let pause = Crowd::of(files, flows).longest_pause(idle);
            assert_eq!(pause, Duration::from_millis(milliseconds), "{files} {flows} {idle:?}");
        }
    }

    #[test]
    fn files_that_pause_alike_share_their_moments() {
        let at = |milliseconds| Moment::ORIGIN.plus(Duration::from_millis(milliseconds));
        for (now, pause, moment) in [
            (1_001, 100, 1_101),
            (1_001, 1_000, 2_000),
            (1_249, 1_000, 2_000),
            (1_250, 1_000, 2_250),
            (7_000, 4_000, 11_000),
            (7_999, 4_000, 11_000),
        ] {
            assert_eq!(look_after(at(now), Duration::from_millis(pause)), at(moment), "{now} {pause}");
        }
    }
}
