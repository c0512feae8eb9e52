//! When to upload metrics.
//!
//! Invariant: uploads of one producer are a period apart, at a phase of its own, so that a fleet that was started at
//! once does not upload at once; with nothing to upload there is no upload.

use std::time::Duration;

use crate::types::Moment;

/// The moments `phase`, `phase + period`, `phase + 2 periods` and so on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UploadSchedule {
    period: Duration,
    phase: Duration,
}

impl UploadSchedule {
    /// `random` is any number; it decides about the phase.
    pub(crate) fn new(period: Duration, random: u64) -> Self {
        let period = period.max(Duration::from_nanos(1));
        let nanoseconds = u64::try_from(period.as_nanos()).unwrap_or(u64::MAX);
        Self { period, phase: Duration::from_nanos(random % nanoseconds) }
    }

    /// The first upload after `now`: at most a period later.
    pub(crate) fn next(&self, now: Moment) -> Moment {
        let period = self.period.as_nanos();
        let passed = now.since(Moment::after_origin(self.phase)).as_nanos();
        if passed == 0 && now < Moment::after_origin(self.phase) {
            return Moment::after_origin(self.phase);
        }
        let rest = u64::try_from(period - passed % period).unwrap_or(u64::MAX);
        now.plus(Duration::from_nanos(rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Moment {
        Moment::after_origin(Duration::from_millis(milliseconds))
    }

    #[test]
    fn metrics_manager_upload_frequency() {
        let schedule = UploadSchedule::new(Duration::from_secs(1), 300_000_000);
        for (now, next) in [(0, 300), (299, 300), (300, 1300), (1299, 1300), (9000, 9300)] {
            assert_eq!(schedule.next(at(now)), at(next), "{now}");
        }
    }

    #[test]
    fn producers_of_a_fleet_differ() {
        let mut random = fastrand::Rng::with_seed(7);
        let firsts = (0..100).map(|_| UploadSchedule::new(Duration::from_secs(60), random.u64(..)));
        let firsts: Vec<_> = firsts.map(|schedule| schedule.next(Moment::ORIGIN)).collect();
        let early = firsts.iter().filter(|first| **first < at(30_000)).count();
        assert!((30..70).contains(&early), "{early} of 100 in the first half");
        assert!(firsts.iter().all(|first| *first <= at(60_000)));
    }

    #[test]
    fn a_period_of_any_length_has_a_next_upload() {
        for period in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
            let schedule = UploadSchedule::new(period, u64::MAX);
            assert!(schedule.next(at(5)) > at(5), "{period:?}");
        }
    }
}
