//! Many values as CloudWatch takes them: how many, their sum, the smallest and the largest.
//!
//! Invariant: a set is of at least one value, and every value is finite; CloudWatch takes no empty set.

use std::time::Duration;

/// One or more values of a metric, folded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StatisticSet {
    sample_count: u64,
    sum: f64,
    minimum: f64,
    maximum: f64,
}

impl StatisticSet {
    /// One value. What is not finite counts as 0, because CloudWatch refuses it.
    #[must_use]
    pub fn of(value: f64) -> Self {
        let value = if value.is_finite() { value } else { 0.0 };
        Self { sample_count: 1, sum: value, minimum: value, maximum: value }
    }

    /// The same value so many times; `None` for no times.
    #[must_use]
    pub fn repeated(value: f64, times: usize) -> Option<Self> {
        let one = Self::of(value);
        Self::summed(times, one.sum * times as f64, (one.minimum, one.maximum))
    }

    /// Values that were folded elsewhere, into finite numbers; `None` for no values.
    pub(crate) fn summed(count: usize, sum: f64, (minimum, maximum): (f64, f64)) -> Option<Self> {
        (count > 0).then_some(Self { sample_count: count as u64, sum, minimum, maximum })
    }

    /// A duration, in milliseconds.
    #[must_use]
    pub fn of_duration(duration: Duration) -> Self {
        Self::of(duration.as_secs_f64() * 1000.0)
    }

    /// Many sets as one; `None` for no sets.
    pub fn folded(sets: impl IntoIterator<Item = Self>) -> Option<Self> {
        sets.into_iter().reduce(Self::merged)
    }

    /// Both sets as one.
    #[must_use]
    pub fn merged(self, other: Self) -> Self {
        Self {
            sample_count: self.sample_count.saturating_add(other.sample_count),
            sum: self.sum + other.sum,
            minimum: self.minimum.min(other.minimum),
            maximum: self.maximum.max(other.maximum),
        }
    }

    /// How many values; 1 or more.
    #[must_use]
    pub fn sample_count(&self) -> u64 {
        self.sample_count
    }

    /// Their sum.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// The smallest.
    #[must_use]
    pub fn minimum(&self) -> f64 {
        self.minimum
    }

    /// The largest.
    #[must_use]
    pub fn maximum(&self) -> f64 {
        self.maximum
    }

    /// Their mean.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.sum / self.sample_count as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(set: StatisticSet) -> (u64, f64, f64, f64, f64) {
        (set.sample_count(), set.sum(), set.minimum(), set.maximum(), set.mean())
    }

    #[test]
    fn accumulator_overall() {
        let set = StatisticSet::folded((0..=100).map(|value| StatisticSet::of(f64::from(value))));
        assert_eq!(set.map(facts), Some((101, 5050.0, 0.0, 100.0, 50.0)));
    }

    #[test]
    fn nothing_is_no_set() {
        assert_eq!(StatisticSet::folded([]), None);
        assert_eq!(StatisticSet::repeated(1.0, 0), None);
    }

    #[test]
    fn a_repeated_value_is_as_many_single_ones() {
        let one_by_one = StatisticSet::folded([StatisticSet::of(3.0); 4]);
        assert_eq!(StatisticSet::repeated(3.0, 4), one_by_one);
    }

    #[test]
    fn what_cloudwatch_would_refuse_counts_as_nothing() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(facts(StatisticSet::of(value)), (1, 0.0, 0.0, 0.0, 0.0), "{value}");
        }
    }

    #[test]
    fn durations_are_in_milliseconds() {
        assert_eq!(StatisticSet::of_duration(Duration::from_micros(1500)).sum(), 1.5);
    }
}
