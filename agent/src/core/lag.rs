//! Since when the oldest byte of a file that is not acknowledged has been seen in it.
//!
//! Invariants: bounded; never says less than it is, as far as it was seen; a little more when more than `MARKS` looks
//! are unacknowledged.

use std::collections::VecDeque;
use std::time::Duration;

use crate::types::Moment;

/// Looks that are told apart.
const MARKS: usize = 64;

/// The looks at a file that showed bytes of which some are not acknowledged.
#[derive(Debug, Default)]
pub struct Lag {
    /// What size the file had, and when that was first seen.
    marks: VecDeque<(u64, Moment)>,
}

impl Lag {
    /// A look showed this size; bytes before `acknowledged` are done.
    pub fn seen(&mut self, size: u64, acknowledged: u64, now: Moment) {
        while self.marks.pop_front_if(|(end, _)| *end <= acknowledged).is_some() {}
        let is_news = size > acknowledged && self.marks.back().is_none_or(|(end, _)| size > *end);
        if !is_news {
            self.marks.shrink_to_fit(); // thousands of files are idle
            return;
        }
        let is_full = self.marks.len() == MARKS;
        match self.marks.back_mut() {
            Some((end, _)) if is_full => *end = size,
            _ => self.marks.push_back((size, now)),
        }
    }

    /// For how long the oldest byte after `acknowledged` has been seen.
    #[must_use]
    pub fn age(&self, acknowledged: u64, now: Moment) -> Duration {
        let oldest = self.marks.iter().find(|(end, _)| *end > acknowledged);
        oldest.map_or(Duration::ZERO, |(_, since)| now.since(*since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::ORIGIN.plus(Duration::from_secs(seconds))
    }

    #[test]
    fn the_age_is_that_of_the_oldest_byte_under_way() {
        let mut lag = Lag::default();
        assert_eq!(lag.age(0, at(5)), Duration::ZERO);
        lag.seen(100, 0, at(10));
        lag.seen(100, 0, at(12));
        lag.seen(300, 0, at(20));
        let ages =
            |lag: &Lag| [0, 99, 100, 299, 300].map(|acknowledged| lag.age(acknowledged, at(30)).as_secs());
        assert_eq!(ages(&lag), [20, 20, 10, 10, 0]);
        lag.seen(300, 100, at(30));
        assert_eq!(lag.marks.len(), 1, "what is acknowledged is forgotten");
        lag.seen(300, 300, at(30));
        assert!(lag.marks.is_empty());
    }

    #[test]
    fn many_looks_are_bounded_and_never_too_young() {
        let mut lag = Lag::default();
        for second in 1..=1000 {
            lag.seen(second * 10, 0, at(second));
        }
        assert_eq!(lag.marks.len(), MARKS);
        assert_eq!(lag.age(0, at(1000)).as_secs(), 999);
        assert!(lag.age(9_995, at(1000)) >= Duration::ZERO && lag.age(300, at(1000)).as_secs() == 969);
    }
}
