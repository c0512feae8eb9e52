//! Fifth stage: what an answer means for the records that were sent.
//!
//! Invariant: an aggregate counts as stored only in a shard that holds *all* its members' hash keys, because a
//! consumer (the KCL) drops the whole aggregate otherwise; a single record counts as stored wherever it landed.

use crate::core::shard_map::ShardMap;
use crate::error_class::ErrorClass;
use crate::kinesis_record::{Content, KinesisRecord};
use crate::outcome::FailureReason;
use crate::put_records::{CallError, EntryError, EntryPlaced};

/// The code under which an attempt is noted whose aggregate went to a shard that does not hold it.
pub(crate) const WRONG_SHARD: &str = "Wrong Shard";

/// What to do with a Kinesis record after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is stored. `surprised`: the shard was not the predicted one, or nobody knew it.
    Stored { surprised: bool },
    /// It lies where consumers will not see it: take it apart and send it again, by a new shard map.
    WrongShard,
    /// Send it again.
    Retry(ErrorClass),
    /// Send it again among fewer, to find the one that the service refuses.
    Search,
    /// Give it up.
    Fail(FailureReason),
}

/// The answer for one entry.
pub(crate) fn judge_entry<T>(
    record: &KinesisRecord<T>,
    result: &Result<EntryPlaced, EntryError>,
    shards: &ShardMap,
    fail_if_throttled: bool,
) -> Verdict {
    match result {
        Ok(placed) => judge_placement(record, placed, shards),
        Err(error) => judge_code(&error.code, fail_if_throttled),
    }
}

/// The failure of a whole call, which is the same for all its entries, unless one of several may be to blame.
pub(crate) fn judge_call(error: &CallError, entries: usize, fail_if_throttled: bool) -> Verdict {
    match ErrorClass::of(&error.code) {
        ErrorClass::InvalidRequest if entries > 1 => Verdict::Search,
        _ => judge_code(&error.code, fail_if_throttled),
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
    let visible = match record.content {
        Content::Single { .. } => true,
        Content::Aggregate => shards.holds(&placed.shard_id, record.hash_keys) == Some(true),
    };
    if visible { Verdict::Stored { surprised: true } } else { Verdict::WrongShard }
}

fn judge_code(code: &str, fail_if_throttled: bool) -> Verdict {
    match ErrorClass::of(code) {
        ErrorClass::Permanent | ErrorClass::InvalidRequest => Verdict::Fail(FailureReason::Refused),
        ErrorClass::Throttled if fail_if_throttled => Verdict::Fail(FailureReason::Throttled),
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
        let member = Member { tag: (), arrival: Moment::ORIGIN, epoch: 0, cost: 0, history: None };
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
            (true, (1, 50), Some(0), "s9", Verdict::WrongShard),
            (false, (1, 1), Some(0), "s9", surprise.clone()),
            (false, (1, 1), Some(0), "s1", surprise),
        ] {
            let placed = EntryPlaced { shard_id: landed.into(), sequence_number: "1".into() };
            let record = record(aggregate, keys, predicted);
            assert_eq!(
                judge_entry(&record, &Ok(placed), &shards(), false),
                verdict,
                "aggregate {aggregate} of {keys:?} predicted for {predicted:?} landed in {landed}"
            );
        }
    }

    #[test]
    fn error_codes() {
        let throttle = "ProvisionedThroughputExceededException";
        for (code, fail_if_throttled, verdict) in [
            (throttle, false, Verdict::Retry(ErrorClass::Throttled)),
            (throttle, true, Verdict::Fail(FailureReason::Throttled)),
            ("InternalFailure", true, Verdict::Retry(ErrorClass::Transient)),
            ("ResourceNotFoundException", false, Verdict::Fail(FailureReason::Refused)),
        ] {
            assert_eq!(judge_code(code, fail_if_throttled), verdict, "{code}");
        }
    }
}
