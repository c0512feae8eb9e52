//! The KPL's catalogue: the name, level and unit of each metric.
//!
//! Invariant: a metric's level and unit stand here and nowhere else.

use crate::config::choices::MetricsLevel;

/// A metric of the KPL (source: "Monitor the KPL with Amazon CloudWatch" in the Kinesis developer guide, and for
/// `UserRecordExpired` the KPL itself).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MetricName {
    /// User records accepted. By stream.
    UserRecordsReceived,
    /// User records without an outcome, sampled when their number has changed. By stream.
    UserRecordsPending,
    /// 1 for each user record stored and 0 for each given up: the mean is the share that was stored.
    UserRecordsPut,
    /// Bytes of data of each user record stored; keys and the aggregated format not counted.
    UserRecordsDataPut,
    /// 1 for each entry stored and 0 for each refused, of calls that were answered.
    KinesisRecordsPut,
    /// Bytes of data of each entry stored; keys not counted.
    KinesisRecordsDataPut,
    /// Failures by error code: entries refused, and calls that failed as a whole.
    ErrorsByCode,
    /// 1 for each entry refused and each call that failed as a whole, 0 for each entry stored: the mean is an error
    /// rate.
    AllErrors,
    /// Attempts of each user record after its first, told with its outcome.
    RetriesPerRecord,
    /// User records given up because their time to live was over.
    UserRecordExpired,
    /// From each user record's arrival to the start of the first call with it.
    BufferingTime,
    /// How long each call took. By stream.
    RequestTime,
    /// User records in each entry sent, every attempt counted.
    UserRecordsPerKinesisRecord,
    /// Entries in each call. By stream.
    KinesisRecordsPerPutRecordsRequest,
    /// User records in each call. By stream.
    UserRecordsPerPutRecordsRequest,
}

/// What a metric's values count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MetricUnit {
    /// Things or events.
    Count,
    /// Bytes.
    Bytes,
    /// Milliseconds.
    Milliseconds,
}

use MetricName::{
    AllErrors, BufferingTime, ErrorsByCode, KinesisRecordsDataPut, KinesisRecordsPerPutRecordsRequest,
    KinesisRecordsPut, RequestTime, RetriesPerRecord, UserRecordExpired, UserRecordsDataPut,
    UserRecordsPending, UserRecordsPerKinesisRecord, UserRecordsPerPutRecordsRequest, UserRecordsPut,
    UserRecordsReceived,
};
use MetricUnit::{Bytes, Count, Milliseconds};
use MetricsLevel::{Detailed, Summary};

/// The catalogue, in the order of the enum.
const CATALOGUE: [(MetricName, &str, MetricsLevel, MetricUnit); MetricName::COUNT] = [
    (UserRecordsReceived, "UserRecordsReceived", Detailed, Count),
    (UserRecordsPending, "UserRecordsPending", Detailed, Count),
    (UserRecordsPut, "UserRecordsPut", Summary, Count),
    (UserRecordsDataPut, "UserRecordsDataPut", Detailed, Bytes),
    (KinesisRecordsPut, "KinesisRecordsPut", Summary, Count),
    (KinesisRecordsDataPut, "KinesisRecordsDataPut", Detailed, Bytes),
    (ErrorsByCode, "ErrorsByCode", Summary, Count),
    (AllErrors, "AllErrors", Summary, Count),
    (RetriesPerRecord, "RetriesPerRecord", Detailed, Count),
    (UserRecordExpired, "UserRecordExpired", Summary, Count),
    (BufferingTime, "BufferingTime", Summary, Milliseconds),
    (RequestTime, "RequestTime", Detailed, Milliseconds),
    (UserRecordsPerKinesisRecord, "UserRecordsPerKinesisRecord", Detailed, Count),
    (KinesisRecordsPerPutRecordsRequest, "KinesisRecordsPerPutRecordsRequest", Detailed, Count),
    (UserRecordsPerPutRecordsRequest, "UserRecordsPerPutRecordsRequest", Detailed, Count),
];

impl MetricName {
    /// How many there are.
    pub(crate) const COUNT: usize = 15;

    /// All metrics.
    pub fn all() -> impl Iterator<Item = Self> {
        CATALOGUE.iter().map(|row| row.0)
    }

    /// The name in CloudWatch.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        CATALOGUE[self as usize].1
    }

    /// The lowest level at which it is told.
    #[must_use]
    pub fn level(self) -> MetricsLevel {
        CATALOGUE[self as usize].2
    }

    /// What its values count.
    #[must_use]
    pub fn unit(self) -> MetricUnit {
        CATALOGUE[self as usize].3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_in_the_order_of_the_enum() {
        for (place, name) in MetricName::all().enumerate() {
            assert_eq!(name as usize, place);
            assert_eq!(name.as_str(), format!("{name:?}"));
        }
    }

    #[test]
    fn summary_is_part_of_detailed_and_none_is_less_than_either() {
        let summary: Vec<_> = MetricName::all().filter(|name| name.level() <= Summary).collect();
        let expected =
            [UserRecordsPut, KinesisRecordsPut, ErrorsByCode, AllErrors, UserRecordExpired, BufferingTime];
        assert_eq!(summary, expected);
        assert!(MetricName::all().all(|name| name.level() > MetricsLevel::None && name.level() <= Detailed));
    }
}
