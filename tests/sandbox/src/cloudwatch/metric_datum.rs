//! One datum of a PutMetricData, as it can be read back.
//!
//! Invariant: a datum has exactly one of the three forms of a value.

use serde::Serialize;

/// One metric datum.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricDatum {
    /// The namespace of the call.
    pub namespace: String,
    /// The metric's name.
    pub name: String,
    /// The dimensions, in the order of the call.
    pub dimensions: Vec<Dimension>,
    /// The unit, such as `Count`; `None` if the call gave none.
    pub unit: Option<String>,
    /// What was measured.
    #[serde(flatten)]
    pub value: MetricValue,
    /// 1 or 60 seconds; `None` if the call gave none.
    pub storage_resolution: Option<u32>,
}

/// One dimension of a metric.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Dimension {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// The value of a datum, in one of the forms that CloudWatch takes.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricValue {
    /// A single value.
    Value(f64),
    /// A summary of values.
    StatisticValues {
        /// How many values.
        sample_count: f64,
        /// Their sum.
        sum: f64,
        /// The least.
        minimum: f64,
        /// The greatest.
        maximum: f64,
    },
    /// Values with how often each was seen.
    ValuesAndCounts {
        /// The values.
        values: Vec<f64>,
        /// How often each was seen: as many as values.
        counts: Vec<f64>,
    },
}

impl MetricValue {
    /// The sum over everything measured.
    pub fn sum(&self) -> f64 {
        match self {
            Self::Value(value) => *value,
            Self::StatisticValues { sum, .. } => *sum,
            Self::ValuesAndCounts { values, counts } => {
                values.iter().zip(counts).map(|(value, count)| value * count).sum()
            }
        }
    }

    /// How many values were measured.
    pub fn sample_count(&self) -> f64 {
        match self {
            Self::Value(_) => 1.0,
            Self::StatisticValues { sample_count, .. } => *sample_count,
            Self::ValuesAndCounts { counts, .. } => counts.iter().sum(),
        }
    }
}
