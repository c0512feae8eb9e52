//! How often a credentials provider is asked again.
//!
//! Invariant: between two times there is at least the pause, which grows while the service refuses what the provider
//! gives; a clock that is set back does not stretch it.

use std::time::{Duration, SystemTime};

/// After the first time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The KPL asks its provider so often whether anything is wrong or not (its `CredentialsRefreshDelay`).
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// When a provider may be asked again.
#[derive(Debug)]
pub(super) struct RefreshPace {
    verdict: Verdict,
    /// The moment from which it may be asked, once it was.
    not_before: Option<SystemTime>,
    pause: Duration,
}

/// What the service last said of the credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    Refused,
}

impl Default for RefreshPace {
    fn default() -> Self {
        Self { verdict: Verdict::Good, not_before: None, pause: FIRST_PAUSE }
    }
}

impl RefreshPace {
    /// The service took them.
    pub(super) fn worked(&mut self) {
        // A refusal that came in between is about younger credentials, or costs one question.
        self.pause = FIRST_PAUSE;
    }

    /// The service refused them.
    pub(super) fn refused(&mut self) {
        self.verdict = Verdict::Refused;
    }

    /// Whether the provider has to be asked now; if so, that is noted as done.
    pub(super) fn is_due(&mut self, now: SystemTime) -> bool {
        let waits = self.not_before.is_some_and(|at| {
            at.duration_since(now).is_ok_and(|rest| !rest.is_zero() && rest <= LONGEST_PAUSE)
        });
        if self.verdict == Verdict::Good || waits {
            return false;
        }
        self.verdict = Verdict::Good;
        self.not_before = now.checked_add(self.pause);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn at(milliseconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_000_000) + Duration::from_millis(milliseconds)
    }

    #[test]
    fn credentials_that_work_are_never_asked_for() {
        let mut pace = RefreshPace::default();
        pace.worked();
        assert!(!pace.is_due(at(0)));
    }

    #[test]
    fn the_provider_is_asked_at_once_and_then_with_growing_pauses() {
        let mut pace = RefreshPace::default();
        let asked: Vec<u64> = (0..20_000)
            .filter(|now| {
                pace.refused();
                pace.is_due(at(*now))
            })
            .collect();
        assert_eq!(asked, [0, 1_000, 3_000, 7_000, 12_000, 17_000]);
    }

    #[test]
    fn a_refusal_within_the_pause_is_not_forgotten() {
        let mut pace = RefreshPace::default();
        pace.refused();
        assert!(pace.is_due(at(0)));
        pace.refused();
        assert!(!pace.is_due(at(999)));
        assert!(pace.is_due(at(1_000)), "without another refusal");
        assert!(!pace.is_due(at(9_000)), "one refusal, one question");
    }

    #[test]
    fn after_a_success_the_pauses_are_short_again() {
        let mut pace = RefreshPace::default();
        for now in [0, 1_000, 3_000, 7_000] {
            pace.refused();
            assert!(pace.is_due(at(now)));
        }
        pace.worked();
        pace.refused();
        assert!(pace.is_due(at(12_000)));
        pace.refused();
        assert!(pace.is_due(at(13_000)));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_stretch_the_pause() {
        let mut pace = RefreshPace::default();
        pace.refused();
        assert!(pace.is_due(at(1_000_000)));
        pace.refused();
        assert!(pace.is_due(at(0)));
    }
}
