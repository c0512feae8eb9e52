//! UpdateShardCount: what it refuses, and the change itself.
//!
//! Source: <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_UpdateShardCount.html>. Its limit of ten changes
//! in 24 hours does not hold here: a test puts days into seconds.
//!
//! Invariant: a refused call changes nothing.

use ferrokinesis::types::{Stream, StreamMode};
use ferrokinesis::util::current_time_ms;
use serde_json::{Value, json};

use super::{Kinesis, resharding};
use crate::aws_error::AwsError;

/// More only by request to AWS.
const MOST_SHARDS: u32 = 10_000;

impl Kinesis {
    pub(super) async fn update_shard_count(&self, checked: &Value) -> Result<Value, AwsError> {
        let name = checked["StreamName"].as_str().unwrap_or_default();
        let target = checked["TargetShardCount"].as_u64().and_then(|count| u32::try_from(count).ok());
        let target = target.ok_or_else(|| AwsError::invalid_argument("TargetShardCount is missing"))?;
        let _change = self.known_streams.change();
        let _turn = self.locks.lock(name).await;
        let stream = self.store.get_stream(name).await?;
        check_provisioned(&stream)?;
        let current = open_shards(&stream);
        check_target(current, target)?;
        let mut shards = stream.shards;
        resharding::scale(&mut shards, target, current_time_ms());
        let put_shards = |stream: &mut Stream| {
            stream.shards = shards;
            Ok(())
        };
        self.store.update_stream(name, put_shards).await?;
        self.note_shards(name).await;
        Ok(json!({
            "StreamName": name,
            "StreamARN": stream.stream_arn,
            "CurrentShardCount": current,
            "TargetShardCount": target,
        }))
    }
}

fn open_shards(stream: &Stream) -> u32 {
    let open = stream.shards.iter().filter(|shard| resharding::is_open(shard)).count();
    u32::try_from(open).unwrap_or(u32::MAX)
}

/// The shards of an on-demand stream are the service's to change.
pub(super) fn check_provisioned(stream: &Stream) -> Result<(), AwsError> {
    if matches!(stream.stream_mode_details.stream_mode, StreamMode::Provisioned) {
        return Ok(());
    }
    let message = format!(
        "Request is invalid. Stream {} is in On-Demand mode; its shards are changed by the service alone.",
        stream.stream_name
    );
    Err(AwsError::new(400, "ValidationException", message))
}

fn check_target(current: u32, target: u32) -> Result<(), AwsError> {
    let counts = format!("Current open shard count: {current}, Target shard count: {target}");
    let limit = |what: &str| {
        let message = format!("UpdateShardCount cannot scale {what}. {counts}");
        Err(AwsError::new(400, "LimitExceededException", message))
    };
    if target == current {
        let message = format!("TargetShardCount is the same as the current shard count. {counts}");
        return Err(AwsError::invalid_argument(message));
    }
    if target > current.saturating_mul(2) {
        return limit("up over double your current open shard count");
    }
    if target.saturating_mul(2) < current {
        return limit("down below half your current open shard count");
    }
    if target > MOST_SHARDS {
        return limit(&format!("up to more than {MOST_SHARDS} shards"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_may_double_and_halve_and_no_more() {
        for (current, target, wanted) in [
            (2, 4, Ok(())),
            (2, 5, Err("LimitExceededException")),
            (4, 2, Ok(())),
            (5, 3, Ok(())),
            (5, 2, Err("LimitExceededException")),
            (1, 2, Ok(())),
            (3, 3, Err("InvalidArgumentException")),
            (6_000, 10_000, Ok(())),
            (6_000, 10_001, Err("LimitExceededException")),
        ] {
            let code = check_target(current, target).map_err(|error| error.code);
            assert_eq!(code, wanted.map_err(str::to_owned), "{current} to {target}");
        }
    }
}
