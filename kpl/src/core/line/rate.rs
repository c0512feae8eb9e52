//! The maximum of the recent samples of a rate.
//!
//! Invariant: bounded in size; a sample that was taken while there was little to send can raise the maximum, and never
//! makes an older one be forgotten.

use std::collections::VecDeque;
use std::time::Duration;

use crate::types::Moment;

/// How long a sample counts.
const KEPT: Duration = Duration::from_secs(10);

/// How many calls as long as the last one a sample counts, if that is longer.
const KEPT_CALLS: u32 = 3;

/// The samples closer to each other than this are one.
const SLOT: Duration = Duration::from_secs(1);

/// Samples in the order of time, each larger than all after it: some dozen at most.
#[derive(Debug, Default)]
pub(crate) struct RecentMaximum(VecDeque<(Moment, f64)>);

impl RecentMaximum {
    /// The maximum; `None` before the first sample.
    pub(crate) fn get(&self) -> Option<f64> {
        self.0.front().map(|(_, rate)| *rate)
    }

    /// Takes a sample and answers the maximum. `is_full`: whether as much was in flight as was allowed.
    pub(crate) fn note(&mut self, rate: f64, is_full: bool, duration: Duration, now: Moment) -> f64 {
        let maximum = self.get().unwrap_or_default();
        if !is_full && rate < maximum {
            return maximum;
        }
        while self.0.back().is_some_and(|(_, smaller)| *smaller <= rate) {
            self.0.pop_back();
        }
        if self.0.back().is_none_or(|(noted, _)| now.since(*noted) >= SLOT) {
            self.0.push_back((now, rate));
        }
        let kept = KEPT.max(duration * KEPT_CALLS);
        while self.0.len() > 1 && self.0.front().is_some_and(|(noted, _)| now.since(*noted) > kept) {
            self.0.pop_front();
        }
        self.get().unwrap_or(rate)
    }

    /// Forgets all samples; `rate` counts as one.
    pub(crate) fn reset(&mut self, rate: Option<f64>, now: Moment) {
        self.0.clear();
        self.0.extend(rate.map(|rate| (now, rate)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::after_origin(Duration::from_secs(seconds))
    }

    #[test]
    fn the_maximum_of_ten_seconds_counts() {
        let mut rate = RecentMaximum::default();
        let short = Duration::from_millis(10);
        assert_eq!(rate.get(), None);
        for (second, sample, is_full, maximum) in [
            (0, 100.0, true, 100.0),
            (1, 50.0, true, 100.0),
            (5, 70.0, true, 100.0),
            (10, 30.0, true, 100.0),
            (11, 20.0, true, 70.0),
            (12, 10.0, false, 70.0),
            (40, 10.0, false, 70.0),
            (41, 80.0, false, 80.0),
            (60, 10.0, true, 10.0),
        ] {
            assert_eq!(rate.note(sample, is_full, short, at(second)), maximum, "after {second} s");
        }
        rate.reset(Some(7.0), at(61));
        assert_eq!(rate.get(), Some(7.0));
    }

    #[test]
    fn long_calls_are_remembered_longer() {
        let mut rate = RecentMaximum::default();
        let long = Duration::from_secs(8);
        rate.note(100.0, true, long, at(0));
        rate.note(50.0, true, long, at(20));
        assert_eq!(rate.get(), Some(100.0));
        rate.note(50.0, true, long, at(30));
        assert_eq!(rate.get(), Some(50.0));
    }

    #[test]
    fn many_samples_take_little_room() {
        let mut rate = RecentMaximum::default();
        for sample in 0..100_000_u64 {
            let now = Moment::after_origin(Duration::from_millis(sample));
            rate.note(200_000.0 - sample as f64, true, Duration::from_millis(1), now);
        }
        assert!(rate.0.len() <= 12, "{}", rate.0.len());
    }
}
