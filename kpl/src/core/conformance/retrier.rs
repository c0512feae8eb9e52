//! The KPL's `Retrier` suite, against the whole way back from an answer.
//!
//! Where the KPL looks at each user record of an aggregate that landed elsewhere, an aggregate counts whole or not at
//! all here, because the KCL drops it whole.

use std::time::Duration;

use super::scene::{Scene, Told, entry_error, placed};
use super::support::Original;
use crate::config::Config;
use crate::core::aggregator::alone;
use crate::core::retrier::{GivingUp, Verdict, WRONG_SHARD, judge_entry};
use crate::core::shard_map::ShardMap;
use crate::kinesis_record::Content;
use crate::outcome::FailureReason;
use crate::put_records::{EntryPlaced, ShardDescription};
use crate::types::{HashKey, Moment};

const THROTTLED: &str = "ProvisionedThroughputExceededException";

/// Shard number `n` of six begins at the hash key `100 n`.
const SIX_SHARDS: [(&str, u128, u128); 6] = [
    ("shardId-000000000000", 0, 99),
    ("shardId-000000000001", 100, 199),
    ("shardId-000000000002", 200, 299),
    ("shardId-000000000003", 300, 399),
    ("shardId-000000000005", 400, 499),
    ("shardId-000000000006", 500, u128::MAX),
];

/// So many Kinesis records of ten user records each, in one call that is 5 ms old.
fn sent(kinesis_records: usize, config: Config) -> Scene {
    let mut scene = Scene::new(Config { record_ttl: None, ..config });
    scene.list(&SIX_SHARDS);
    for number in 0..10 * kinesis_records as u128 {
        scene.accept(&Original::at_key(100 * (number / 10) + number % 10));
    }
    scene.flush();
    assert_eq!((scene.calls.len(), scene.calls[0].entries.len()), (1, kinesis_records));
    scene.pass_to(5);
    scene
}

/// Where the shards say.
fn rightly(hash_key: HashKey) -> EntryPlaced {
    let shard = SIX_SHARDS.iter().find(|(_, _, end)| hash_key.0 <= *end).expect("all keys are covered");
    placed(shard.0, "1")
}

fn error_of(told: &Told, attempt: usize) -> Option<(&str, &str)> {
    let error = told.attempts[attempt].error.as_ref();
    error.map(|(code, message)| (code.as_str(), message.as_str()))
}

#[test]
fn success() {
    let mut scene = sent(2, Config::default());
    let answers = [placed(SIX_SHARDS[0].0, "1234"), placed(SIX_SHARDS[1].0, "4567")];
    scene.answer(0, answers.clone().map(Ok).to_vec());
    for tag in 0..20 {
        let (told, answer) = (scene.told_of(tag), &answers[tag / 10]);
        let expected = (answer.shard_id.as_str().to_owned(), answer.sequence_number.as_str().to_owned());
        assert_eq!(told.result, Ok(expected));
        assert_eq!((told.attempts.len(), error_of(told, 0)), (1, None));
        assert_eq!(told.attempts[0].duration, Duration::from_millis(5));
    }
    assert_eq!((scene.told.len(), scene.retried(), scene.listings_asked), (20, 0, 1));
}

#[test]
fn request_failure() {
    let mut scene = sent(1, Config::default());
    scene.fail_call(0, "code", "msg");
    assert_eq!((scene.told.len(), scene.retried()), (0, 10));
    scene.store_the_rest(1, rightly);
    for told in &scene.told {
        assert_eq!((told.attempts.len(), error_of(told, 0)), (2, Some(("code", "msg"))));
        assert_eq!(told.attempts[0].duration, Duration::from_millis(5));
    }
    assert_eq!(scene.told.len(), 10);
}

#[test]
fn partial() {
    let errors = [
        ("xx", "yy"),
        ("InternalFailure", "Internal service failure."),
        ("ServiceUnavailable", ""),
        (THROTTLED, "Rate exceeded."),
    ];
    let mut scene = sent(6, Config::default());
    let stored = [placed(SIX_SHARDS[0].0, "1234"), placed(SIX_SHARDS[1].0, "4567")].map(Ok);
    let failed = errors.map(|(code, message)| Err(entry_error(code, message)));
    scene.answer(0, [&stored[..], &failed].concat());
    assert_eq!((scene.told.len(), scene.retried()), (20, 40));
    scene.store_the_rest(1, rightly);
    assert_eq!(scene.told.len(), 60);
    for tag in 0..60 {
        let told = scene.told_of(tag);
        let first = (tag >= 20).then(|| errors[tag / 10 - 2]);
        assert_eq!((told.attempts.len(), error_of(told, 0)), (1 + usize::from(first.is_some()), first));
        assert!(told.result.is_ok());
    }
}

#[test]
fn fail_if_throttled() {
    let mut scene = sent(1, Config { fail_if_throttled: true, ..Config::default() });
    scene.answer(0, vec![Err(entry_error(THROTTLED, "Rate exceeded."))]);
    assert_eq!((scene.told.len(), scene.retried()), (10, 0));
    for told in &scene.told {
        assert_eq!(told.result, Err(FailureReason::Throttled));
        assert_eq!(error_of(told, 0), Some((THROTTLED, "Rate exceeded.")));
    }
}

/// Ten records that landed where nobody expects them; `kinesis_records` times.
fn misplaced(kinesis_records: usize) -> Scene {
    let mut scene = sent(kinesis_records, Config::default());
    scene.answer(0, vec![Ok(placed("shardId-000000000004", "1234")); kinesis_records]);
    scene
}

#[test]
fn wrong_shard() {
    let mut scene = misplaced(1);
    assert!(scene.told.is_empty());
    scene.list(&SIX_SHARDS);
    scene.store_the_rest(1, rightly);
    for told in &scene.told {
        assert_eq!(error_of(told, 0).map(|(code, _)| code), Some(WRONG_SHARD));
        assert_eq!((told.attempts.len(), error_of(told, 1)), (2, None));
    }
}

#[test]
fn invalidate_for_first_user_record_only() {
    let mut scene = misplaced(1);
    assert_eq!((scene.retried(), scene.listings_asked), (0, 2), "one listing more than the first");
    (0..2).for_each(|_| scene.list(&SIX_SHARDS));
    assert_eq!((scene.retried(), scene.listings_asked), (10, 3), "and one with the closed shards");
}

/// Disabled in the KPL, where two of the three would invalidate; here one listing answers for all.
#[test]
fn invalidate_for_predicted_shard_ids_lower_than_actual() {
    let mut scene = misplaced(3);
    assert_eq!((scene.retried(), scene.listings_asked), (0, 2));
    (0..2).for_each(|_| scene.list(&SIX_SHARDS));
    assert_eq!((scene.retried(), scene.listings_asked), (30, 3));
}

/// The verdicts on a record of this hash key alone, and on an aggregate in that place, which were predicted for shard 0
/// and landed in shard 4 with this range.
fn verdicts(hash_key: u128, (start, end): (u128, u128)) -> [Verdict; 2] {
    let shard = |id: &str, start, end| ShardDescription {
        shard_id: id.into(),
        starting_hash_key: HashKey(start),
        ending_hash_key: HashKey(end),
    };
    let mut map = ShardMap::listing(Moment::ORIGIN);
    let shards =
        vec![shard("shardId-000000000000", 11, u128::MAX), shard("shardId-000000000004", start, end)];
    map.install(&shards.into(), &mut fastrand::Rng::with_seed(1));
    let predicted = map.index_of(&"shardId-000000000000".into());
    let original = Original::at_key(hash_key);
    let member = super::support::member(0, Moment::ORIGIN);
    let mut record = alone(original.as_ref(), HashKey(hash_key), predicted, member, Moment::ORIGIN);
    let landed = Ok(placed("shardId-000000000004", "1234"));
    let single = judge_entry(&record, &landed, &map, GivingUp::default());
    record.content = Content::Aggregate;
    [single, judge_entry(&record, &landed, &map, GivingUp::default())]
}

#[test]
fn wrong_shard_but_correct_hashrange() {
    for hash_key in [0, 1, 5, 10] {
        let surprise = Verdict::Stored { surprised: true };
        assert_eq!(verdicts(hash_key, (0, 10)), [surprise.clone(), surprise], "{hash_key}");
    }
}

/// The KPL sends a single record again, too; any consumer sees such a record, so here it counts.
#[test]
fn wrong_shard_and_wrong_hashrange() {
    for hash_key in [0, 1, 11] {
        let surprise = Verdict::Stored { surprised: true };
        assert_eq!(verdicts(hash_key, (3, 10)), [surprise, Verdict::WrongShard], "{hash_key}");
    }
}
