//! Options that are a choice of a few names, and the additional metric dimensions.
//!
//! Invariant: each name is the KPL's (or, for our own options, in its manner: lower case, one word); upper and lower
//! case are the same.

/// How the data of user records is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// As gzip (RFC 1952).
    Gzip,
}

/// How a stream is taken to place its records while the service has not said so itself (DescribeStreamSummary).
///
/// What the service says counts from then on, whatever was assumed. As long as it says nothing, records that land where
/// no stream that follows its keys would put them show that it is AUTO. The KPL has this option since 1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum RecordDistributionStrategyDefault {
    /// Nothing is assumed: records wait for the first answer. Where the producer may not ask, records are aggregated as
    /// for a stream that follows partition keys, and those without a key are left to the service to judge.
    #[default]
    Unset,
    /// The service places records as it likes: nothing is aggregated, records need no partition key, and none waits for
    /// the first listing of shards.
    Auto,
    /// Partition keys decide: records without one are refused at once.
    UserPartitionKey,
}

/// Which metrics are uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum MetricsLevel {
    /// None.
    None,
    /// Those that tell whether the producer works: records put, errors, buffering time.
    Summary,
    /// All.
    #[default]
    Detailed,
}

/// The finest dimension of uploaded metrics, or the metrics that an additional dimension belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum MetricsGranularity {
    /// The whole producer.
    Global,
    /// Each stream.
    Stream,
    /// Each shard.
    #[default]
    Shard,
}

/// A dimension that uploaded metrics carry besides the producer's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdditionalMetricDimension {
    /// Its name: 1 to 255 ASCII characters, not blank, not beginning with `:`; not `StreamName`, `ShardId` or
    /// `ErrorCode`, and no other's.
    pub name: String,
    /// Its value: 1 to 255 ASCII characters, not blank.
    pub value: String,
    /// The metrics that carry it: those of this granularity and finer ones.
    pub granularity: MetricsGranularity,
}

impl AdditionalMetricDimension {
    /// A dimension of the metrics of `granularity` and finer ones.
    pub fn new(name: impl Into<String>, value: impl Into<String>, granularity: MetricsGranularity) -> Self {
        Self { name: name.into(), value: value.into(), granularity }
    }
}

/// A choice that has a name in configuration files.
pub(super) trait Choice: Copy + Sized + 'static {
    /// Every value with its name.
    const NAMES: &'static [(&'static str, Self)];

    /// The name of this value.
    fn name(self) -> &'static str;

    /// The value of that name, whatever its case.
    fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

impl Choice for Compression {
    const NAMES: &'static [(&'static str, Self)] = &[("none", Self::None), ("gzip", Self::Gzip)];

    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
        }
    }
}

impl Choice for RecordDistributionStrategyDefault {
    const NAMES: &'static [(&'static str, Self)] =
        &[("UNSET", Self::Unset), ("AUTO", Self::Auto), ("USER_PARTITION_KEY", Self::UserPartitionKey)];

    fn name(self) -> &'static str {
        match self {
            Self::Unset => "UNSET",
            Self::Auto => "AUTO",
            Self::UserPartitionKey => "USER_PARTITION_KEY",
        }
    }
}

impl Choice for MetricsLevel {
    const NAMES: &'static [(&'static str, Self)] =
        &[("none", Self::None), ("summary", Self::Summary), ("detailed", Self::Detailed)];

    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Summary => "summary",
            Self::Detailed => "detailed",
        }
    }
}

impl Choice for MetricsGranularity {
    const NAMES: &'static [(&'static str, Self)] =
        &[("global", Self::Global), ("stream", Self::Stream), ("shard", Self::Shard)];

    fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Stream => "stream",
            Self::Shard => "shard",
        }
    }
}
