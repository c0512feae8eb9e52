//! Statistics over the values of a period.
//!
//! Invariant: a summary of summaries is the summary of all their values.

use super::metric_datum::MetricValue;

/// What can be asked of the values of a period. Percentiles cannot: a statistic set holds no values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Statistic {
    SampleCount,
    Average,
    Sum,
    Minimum,
    Maximum,
}

impl Statistic {
    pub(super) const ALL: [Self; 5] =
        [Self::SampleCount, Self::Average, Self::Sum, Self::Minimum, Self::Maximum];

    /// Its name in requests and answers.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::SampleCount => "SampleCount",
            Self::Average => "Average",
            Self::Sum => "Sum",
            Self::Minimum => "Minimum",
            Self::Maximum => "Maximum",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|statistic| statistic.name() == name)
    }
}

/// Values, summed up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Summary {
    count: f64,
    sum: f64,
    minimum: f64,
    maximum: f64,
}

impl Summary {
    pub(super) fn of(value: &MetricValue) -> Self {
        let (minimum, maximum) = match value {
            MetricValue::Value(value) => (*value, *value),
            MetricValue::StatisticValues { minimum, maximum, .. } => (*minimum, *maximum),
            MetricValue::ValuesAndCounts { values, .. } => (
                values.iter().copied().fold(f64::INFINITY, f64::min),
                values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            ),
        };
        Self { count: value.sample_count(), sum: value.sum(), minimum, maximum }
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            minimum: self.minimum.min(other.minimum),
            maximum: self.maximum.max(other.maximum),
        }
    }

    pub(super) fn figure(self, statistic: Statistic) -> f64 {
        match statistic {
            Statistic::SampleCount => self.count,
            Statistic::Average if self.count == 0.0 => 0.0,
            Statistic::Average => self.sum / self.count,
            Statistic::Sum => self.sum,
            Statistic::Minimum => self.minimum,
            Statistic::Maximum => self.maximum,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_of_summaries_is_that_of_all_values() {
        let set = MetricValue::StatisticValues { sample_count: 2.0, sum: 7.0, minimum: 3.0, maximum: 4.0 };
        let values = MetricValue::ValuesAndCounts { values: vec![1.0, 9.0], counts: vec![3.0, 1.0] };
        let one = MetricValue::Value(5.0);
        let all = Summary::of(&set).and(Summary::of(&values)).and(Summary::of(&one));
        let figures = Statistic::ALL.map(|statistic| all.figure(statistic));
        assert_eq!(figures, [7.0, 24.0 / 7.0, 24.0, 1.0, 9.0]);
    }
}
