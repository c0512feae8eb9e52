//! The ShardFilter of ListShards.
//!
//! Source: <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_ShardFilter.html>. A moment before the trim
//! horizon, or before the stream, means the trim horizon.
//!
//! Invariant: with no filter at all the shards pass that hold, or may still get, records within the retention period.

use serde_json::Value;

use super::shard_lives::{Life, Lives};
use crate::aws_error::AwsError;

/// Which shards are asked for; moments are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ShardFilter {
    AfterShardId(String),
    AtTrimHorizon,
    FromTrimHorizon,
    AtLatest,
    AtTimestamp { moment_ms: u64 },
    FromTimestamp { moment_ms: u64 },
}

/// The oldest moment of a stream that can still be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TrimHorizon {
    moment_ms: u64,
}

impl TrimHorizon {
    pub(super) fn of(lives: &Lives, retention_hours: u32, now_ms: u64) -> Self {
        let retained_ms = u64::from(retention_hours) * 3_600_000;
        Self { moment_ms: lives.begin_ms().max(now_ms.saturating_sub(retained_ms)) }
    }
}

impl ShardFilter {
    /// The filter of a request.
    pub(super) fn read(filter: &Value) -> Result<Self, AwsError> {
        let kind = match filter {
            Value::Null => return Ok(Self::FromTrimHorizon),
            Value::Object(fields) => fields.get("Type").and_then(Value::as_str),
            _ => return Err(AwsError::serialization("ShardFilter is not a structure")),
        };
        match kind {
            Some("AFTER_SHARD_ID") => shard_id(filter).map(Self::AfterShardId),
            Some("AT_TRIM_HORIZON") => Ok(Self::AtTrimHorizon),
            Some("FROM_TRIM_HORIZON") => Ok(Self::FromTrimHorizon),
            Some("AT_LATEST") => Ok(Self::AtLatest),
            Some("AT_TIMESTAMP") => moment_ms(filter).map(|moment_ms| Self::AtTimestamp { moment_ms }),
            Some("FROM_TIMESTAMP") => moment_ms(filter).map(|moment_ms| Self::FromTimestamp { moment_ms }),
            _ => Err(unknown_type(kind)),
        }
    }

    /// Whether a shard with such a life passes.
    pub(super) fn passes(&self, id: &str, life: Life, horizon: TrimHorizon) -> bool {
        let from =
            |moment_ms: u64| life.closed_ms.is_none_or(|closed| closed >= moment_ms.max(horizon.moment_ms));
        let at = |moment_ms: u64| life.opened_ms <= moment_ms.max(horizon.moment_ms) && from(moment_ms);
        match self {
            Self::AfterShardId(last) => id > last.as_str() && from(0),
            Self::AtTrimHorizon => at(0),
            Self::FromTrimHorizon => from(0),
            Self::AtLatest => life.closed_ms.is_none(),
            Self::AtTimestamp { moment_ms } => at(*moment_ms),
            Self::FromTimestamp { moment_ms } => from(*moment_ms),
        }
    }
}

fn shard_id(filter: &Value) -> Result<String, AwsError> {
    let missing = || AwsError::invalid_argument("a ShardFilter of type AFTER_SHARD_ID needs a ShardId");
    filter["ShardId"].as_str().map(str::to_owned).ok_or_else(missing)
}

fn moment_ms(filter: &Value) -> Result<u64, AwsError> {
    let missing = || {
        AwsError::invalid_argument("a ShardFilter of type AT_TIMESTAMP or FROM_TIMESTAMP needs a Timestamp")
    };
    // A conversion to an integer never leaves its range.
    filter["Timestamp"].as_f64().map(|seconds| (seconds * 1000.0).round() as u64).ok_or_else(missing)
}

fn unknown_type(kind: Option<&str>) -> AwsError {
    let message = format!(
        "1 validation error detected: Value '{}' at 'shardFilter.type' failed to satisfy constraint: Member must \
         satisfy enum value set: [FROM_TRIM_HORIZON, AT_TRIM_HORIZON, AT_LATEST, AT_TIMESTAMP, AFTER_SHARD_ID, \
         FROM_TIMESTAMP]",
        kind.unwrap_or("null")
    );
    AwsError::new(400, "ValidationException", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 3_600_000;

    /// Of a stream that began at hour 100 and keeps records for 24 hours: a shard that was closed at hour 110, its
    /// child closed at 130, and the open grandchild.
    const SHARDS: [(&str, u64, Option<u64>); 3] =
        [("shardId-0", 100, Some(110)), ("shardId-1", 110, Some(130)), ("shardId-2", 130, None)];

    fn passing(filter: &ShardFilter, now_hours: u64) -> String {
        let horizon = TrimHorizon { moment_ms: 100.max(now_hours - 24) * HOUR_MS };
        let passes = |(id, opened, closed): &&(&str, u64, Option<u64>)| {
            let life = Life { opened_ms: opened * HOUR_MS, closed_ms: closed.map(|hours| hours * HOUR_MS) };
            filter.passes(id, life, horizon)
        };
        SHARDS.iter().filter(passes).map(|(id, ..)| id.trim_start_matches("shardId-")).collect()
    }

    #[test]
    fn what_passes_depends_on_the_trim_horizon() {
        let at = |hours: u64| ShardFilter::AtTimestamp { moment_ms: hours * HOUR_MS };
        let from = |hours: u64| ShardFilter::FromTimestamp { moment_ms: hours * HOUR_MS };
        for (filter, at_131, at_140, at_160) in [
            (ShardFilter::AtTrimHorizon, "0", "1", "2"),
            (ShardFilter::FromTrimHorizon, "012", "12", "2"),
            (ShardFilter::AtLatest, "2", "2", "2"),
            (ShardFilter::AfterShardId("shardId-0".to_owned()), "12", "12", "2"),
            (at(90), "0", "1", "2"),
            (at(105), "0", "1", "2"),
            (at(110), "01", "1", "2"),
            (at(120), "1", "1", "2"),
            (at(135), "2", "2", "2"),
            (from(90), "012", "12", "2"),
            (from(120), "12", "12", "2"),
            (from(131), "2", "2", "2"),
        ] {
            let passing = (passing(&filter, 131), passing(&filter, 140), passing(&filter, 160));
            assert_eq!(passing, (at_131.to_owned(), at_140.to_owned(), at_160.to_owned()), "{filter:?}");
        }
    }
}
