//! Fifth stage: what an answer means for the records that were sent.
//!
//! Invariant: an aggregate counts as stored only in a shard that holds *all* its members' hash keys, because a
//! consumer (the KCL) drops the whole aggregate otherwise; a single record counts as stored wherever it landed.

use crate::config::Config;
use crate::core::shard_map::ShardMap;
use crate::error_class::ErrorClass;
use crate::kinesis_record::{Content, KinesisRecord};
use crate::outcome::FailureReason;
use crate::put_records::{CallError, EntryError, EntryPlaced};
use crate::types::{ServiceText, ShardId};

/// The code under which an attempt is noted whose aggregate went to a shard that does not hold it.
pub(crate) const WRONG_SHARD: &str = "Wrong Shard";

/// The error of an attempt that put an aggregate into such a shard.
pub(crate) fn wrong_shard(shard_id: &ShardId) -> (ServiceText, ServiceText) {
    (WRONG_SHARD.into(), format!("shard {shard_id} does not hold all its hash keys").into())
}

/// What to do with a Kinesis record after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is stored. `surprised`: the shard was not the predicted one, or nobody knew it.
    Stored { surprised: bool },
    /// It lies where consumers will not see it: take it apart and send it again, by a new shard map.
    WrongShard,
    /// It lies in a shard that no listing has shown: the next one tells.
    Undecided,
    /// Send it again.
    Retry(ErrorClass),
    /// Send it again among fewer, to find the one that the service refuses.
    Search,
    /// Give it up.
    Fail(FailureReason),
}

/// What the configuration says about giving records up.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct GivingUp {
    pub(crate) if_throttled: bool,
    /// What the service refuses, but can heal: a missing permission or stream, a wrong signature, a disabled key.
    pub(crate) if_refused: bool,
}

impl GivingUp {
    pub(crate) fn of(config: &Config) -> Self {
        Self { if_throttled: config.fail_if_throttled, if_refused: config.fail_if_refused }
    }
}

/// The answer for one entry.
pub(crate) fn judge_entry<T>(
    record: &KinesisRecord<T>,
    result: &Result<EntryPlaced, EntryError>,
    shards: &ShardMap,
    giving_up: GivingUp,
) -> Verdict {
    match result {
        Ok(placed) => judge_placement(record, placed, shards),
        Err(error) => judge_code(&error.code, giving_up),
    }
}

/// The failure of a whole call, which is the same for all its entries, unless one of several may be to blame.
pub(crate) fn judge_call(error: &CallError, entries: usize, giving_up: GivingUp) -> Verdict {
    match ErrorClass::of(&error.code) {
        ErrorClass::InvalidRequest if entries > 1 => Verdict::Search,
        _ => judge_code(&error.code, giving_up),
    }
}

fn judge_placement<T>(record: &KinesisRecord<T>, placed: &EntryPlaced, shards: &ShardMap) -> Verdict {
    let Some(predicted) = record.predicted_shard else {
        // Nothing was predicted; a shard that was never listed shows that the map is no good.
        return Verdict::Stored { surprised: shards.index_of(&placed.shard_id).is_none() };
    };
    if shards.index_of(&placed.shard_id) == Some(predicted) {
        return Verdict::Stored { surprised: false };
    }
    match record.content {
        Content::Single { .. } => Verdict::Stored { surprised: true },
        Content::Aggregate => match shards.holds(&placed.shard_id, record.hash_keys) {
            Some(true) => Verdict::Stored { surprised: true },
            Some(false) => Verdict::WrongShard,
            // There will be no listing that shows it.
            None if shards.is_learning() || shards.is_hidden(&placed.shard_id) => Verdict::WrongShard,
            None => Verdict::Undecided,
        },
    }
}

fn judge_code(code: &str, giving_up: GivingUp) -> Verdict {
    match ErrorClass::of(code) {
        ErrorClass::InvalidRequest => Verdict::Fail(FailureReason::Refused),
        ErrorClass::Refused if giving_up.if_refused => Verdict::Fail(FailureReason::Refused),
        ErrorClass::Throttled if giving_up.if_throttled => Verdict::Fail(FailureReason::Throttled),
        class => Verdict::Retry(class),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::aggregator::alone;
    use crate::kinesis_record::Member;
    use crate::put_records::ShardDescription;
    use crate::types::{HashKey, Moment, ShardIndex};
    use crate::user_record::RecordRef;

    fn shards() -> ShardMap {
        let mut map = ShardMap::listing(Moment::ORIGIN);
        let shard = |id: &str, start, end| ShardDescription {
            shard_id: id.into(),
            starting_hash_key: HashKey(start),
            ending_hash_key: HashKey(end),
        };
        let shards = vec![shard("s0", 0, 99), shard("s1", 100, 199)];
        map.install(&shards.into(), &mut fastrand::Rng::with_seed(1));
        map
    }

    fn record(aggregate: bool, keys: (u128, u128), predicted: Option<u32>) -> KinesisRecord<()> {
        let user = RecordRef::new("k", b"x").with_explicit_hash_key(HashKey(keys.0));
        let member =
            Member { tag: (), arrival: Moment::ORIGIN, epoch: 0, cost: 0, lane: None, history: None };
        let mut record = alone(user, HashKey(keys.0), predicted.map(ShardIndex), member, Moment::ORIGIN);
        record.hash_keys = (HashKey(keys.0), HashKey(keys.1));
        if aggregate {
            record.content = Content::Aggregate;
        }
        record
    }

    #[test]
    fn placements() {
        let stored = Verdict::Stored { surprised: false };
        let surprise = Verdict::Stored { surprised: true };
        for (aggregate, keys, predicted, landed, verdict) in [
            (true, (1, 50), Some(0), "s0", stored.clone()),
            (false, (1, 1), None, "s1", stored.clone()),
            (false, (1, 1), None, "s9", surprise.clone()),
            (true, (1, 50), Some(1), "s0", surprise.clone()),
            (true, (1, 150), Some(0), "s1", Verdict::WrongShard),
            (true, (1, 50), Some(0), "s9", Verdict::Undecided),
            (false, (1, 1), Some(0), "s9", surprise.clone()),
            (false, (1, 1), Some(0), "s1", surprise),
        ] {
            let placed = EntryPlaced { shard_id: landed.into(), sequence_number: "1".into() };
            let record = record(aggregate, keys, predicted);
            assert_eq!(
                judge_entry(&record, &Ok(placed), &shards(), GivingUp::default()),
                verdict,
                "aggregate {aggregate} of {keys:?} predicted for {predicted:?} landed in {landed}"
            );
        }
    }

    #[test]
    fn error_codes() {
        let throttle = "ProvisionedThroughputExceededException";
        let refused = "ResourceNotFoundException";
        for (code, gives_up, verdict) in [
            (throttle, false, Verdict::Retry(ErrorClass::Throttled)),
            (throttle, true, Verdict::Fail(FailureReason::Throttled)),
            ("InternalFailure", true, Verdict::Retry(ErrorClass::Transient)),
            (refused, false, Verdict::Retry(ErrorClass::Refused)),
            (refused, true, Verdict::Fail(FailureReason::Refused)),
            ("ValidationException", false, Verdict::Fail(FailureReason::Refused)),
        ] {
            let giving_up = GivingUp { if_throttled: gives_up, if_refused: gives_up };
            assert_eq!(judge_code(code, giving_up), verdict, "{code}");
        }
    }
}
