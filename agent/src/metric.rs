//! The agent's CloudWatch metrics, under the Java agent's names, gathered between two uploads.
//!
//! Invariant: every value is in exactly one upload; values of one name and dimension are merged into one statistic
//! set, as the Java agent does.

use std::collections::BTreeMap;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MetricName {
    /// Records in each call.
    RecordSendAttempts,
    /// Records of each answered call that were stored.
    RecordsSent,
    /// Records of each answered call that were not.
    RecordSendErrors,
    /// Data bytes of each answered call that were stored.
    BytesSent,
    /// 1 for a call that failed as a whole, 0 for one that was answered.
    ServiceErrors,
    /// Passes over the files that failed in a row, once in each status period.
    ConsecutiveProcessingErrors,
}

/// Values of one metric, merged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StatisticSet {
    /// How many.
    pub count: f64,
    /// Their sum.
    pub sum: f64,
    /// The smallest.
    pub minimum: f64,
    /// The largest.
    pub maximum: f64,
}

/// What was gathered since the last upload.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct MetricWindow {
    /// By name and value of the dimension `Destination`.
    pub sets: BTreeMap<(MetricName, String), StatisticSet>,
}

impl MetricName {
    /// The name in CloudWatch.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RecordSendAttempts => "RecordSendAttempts",
            Self::RecordsSent => "RecordsSent",
            Self::RecordSendErrors => "RecordSendErrors",
            Self::BytesSent => "BytesSent",
            Self::ServiceErrors => "ServiceErrors",
            Self::ConsecutiveProcessingErrors => "ConsecutiveProcessingErrors",
        }
    }

    /// Whether it counts bytes; the others are plain counts.
    #[must_use]
    pub fn is_in_bytes(self) -> bool {
        self == Self::BytesSent
    }
}

impl MetricWindow {
    /// Adds one value.
    pub fn add(&mut self, name: MetricName, destination: &str, value: f64) {
        let set = StatisticSet { count: 1.0, sum: value, minimum: value, maximum: value };
        self.sets.entry((name, destination.to_owned())).and_modify(|known| known.merge(set)).or_insert(set);
    }
}

impl StatisticSet {
    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.minimum = self.minimum.min(other.minimum);
        self.maximum = self.maximum.max(other.maximum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_one_name_and_dimension_are_merged() {
        let mut window = MetricWindow::default();
        for value in [2.0, 3.0] {
            window.add(MetricName::RecordsSent, "KinesisStream:a", value);
        }
        window.add(MetricName::RecordsSent, "KinesisStream:b", 7.0);
        let key = (MetricName::RecordsSent, "KinesisStream:a".to_owned());
        assert_eq!(window.sets[&key], StatisticSet { count: 2.0, sum: 5.0, minimum: 2.0, maximum: 3.0 });
        assert_eq!(window.sets.len(), 2);
    }
}
