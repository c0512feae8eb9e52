//! The pipeline's promises about time and company, one small scene each; the simulation covers the rest.

mod line;

use std::time::Duration;

use super::*;
use crate::aggregation_format::{Decoded, decode};
use crate::compression::compress;
use crate::config::choices::RecordDistributionStrategyDefault;
use crate::put_records::{Doubt, EntryError, EntryPlaced, PutRecordsEntry, ShardDescription, ShardListing};
use crate::types::HashKey;

mod dedup_ids;
mod late_maps;
mod misplaced;

/// A pipeline with its clock, fed by hand.
struct Scene {
    pipeline: Pipeline<u32>,
    now: Moment,
    calls: Vec<(Moment, RequestId, PutRecordsRequest)>,
    failed: Vec<(Moment, u32, FailureReason)>,
    stored: usize,
    listings_asked: usize,
    flushed: usize,
    hot: Vec<HotShard>,
    line_warnings: Vec<(Moment, u64)>,
}

impl Scene {
    fn new(config: Config) -> Self {
        let stream = StreamName::new("scene").expect("a lawful name");
        let pipeline = Pipeline::new(stream, Service::DataStream, config, 1, Moment::ORIGIN);
        let now = Moment::ORIGIN;
        let (calls, failed, hot, line_warnings) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (stored, listings_asked, flushed) = (0, 0, 0);
        let mut scene =
            Self { pipeline, now, calls, failed, stored, listings_asked, flushed, hot, line_warnings };
        scene.settle();
        scene
    }

    /// The same with one shard listed.
    fn listed(config: Config) -> Self {
        let mut scene = Self::new(config);
        scene.list(&[("s0", 0, u128::MAX)]);
        scene
    }

    fn list(&mut self, shards: &[(&str, u128, u128)]) {
        self.list_with(RecordDistributionStrategy::UserPartitionKey, shards);
    }

    fn list_with(&mut self, strategy: RecordDistributionStrategy, shards: &[(&str, u128, u128)]) {
        let shards = shards.iter().map(|(id, start, end)| ShardDescription {
            shard_id: (*id).into(),
            starting_hash_key: HashKey(*start),
            ending_hash_key: HashKey(*end),
        });
        let listing = ShardListing {
            shards: shards.collect(),
            record_distribution_strategy: Some(strategy),
            ..ShardListing::default()
        };
        self.pipeline.shards_listed(&Ok(listing), self.now);
        self.settle();
    }

    fn list_with_closed(&mut self, open: &[(&str, u128, u128)], closed: &[(&str, u128, u128)]) {
        let shard = |(id, start, end): &(&str, u128, u128)| ShardDescription {
            shard_id: (*id).into(),
            starting_hash_key: HashKey(*start),
            ending_hash_key: HashKey(*end),
        };
        let listing = ShardListing {
            shards: open.iter().map(shard).collect(),
            recently_closed: closed.iter().map(shard).collect(),
            record_distribution_strategy: None,
        };
        self.pipeline.shards_listed(&Ok(listing), self.now);
        self.settle();
    }

    fn fail_listing(&mut self) {
        self.fail_listing_with("LimitExceededException");
    }

    fn refuse_listing(&mut self) {
        self.fail_listing_with("AccessDeniedException");
    }

    fn fail_listing_with(&mut self, code: &str) {
        let (code, message) = (code.into(), "".into());
        let error = CallError { code, message, doubt: Doubt::NotWritten };
        self.pipeline.shards_listed(&Err(error), self.now);
        self.settle();
    }

    fn accept(&mut self, tag: u32) {
        self.accept_bytes(tag, 10);
    }

    fn accept_bytes(&mut self, tag: u32, bytes: usize) {
        let data = vec![b'x'; bytes];
        let hash_key = Some(HashKey(u128::from(tag)));
        let record = RecordRef { explicit_hash_key: hash_key, ..RecordRef::new("k", &data) };
        self.pipeline.accept(record, tag, 1, self.now);
        self.settle();
    }

    fn accept_keyless(&mut self, tag: u32) {
        self.pipeline.accept(RecordRef::without_partition_key(b"x"), tag, 1, self.now);
        self.settle();
    }

    fn press(&mut self) {
        self.pipeline.press(self.now);
        self.settle();
    }

    fn flush(&mut self) {
        self.pipeline.flush(self.now);
        self.settle();
    }

    /// Answers the call at `place`: every entry stored in `shard`, or failed with it as the code.
    fn answer(&mut self, place: usize, result: Result<&str, &str>) {
        let (_, id, request) = &self.calls[place];
        let entry = match result {
            Ok(shard) => Ok(EntryPlaced { shard_id: shard.into(), sequence_number: "1".into() }),
            Err(code) => Err(EntryError { code: code.into(), message: "".into() }),
        };
        let entries = vec![entry; request.entries.len()];
        let id = *id;
        self.pipeline.put_records_done(id, &Ok(PutRecordsResponse { entries }), self.now);
        self.settle();
    }

    /// Fails the call at `place` as a whole.
    fn fail_call(&mut self, place: usize, code: &str) {
        let (id, code) = (self.calls[place].1, code.into());
        let error = CallError { code, message: "".into(), doubt: Doubt::NotWritten };
        self.pipeline.put_records_done(id, &Err(error), self.now);
        self.settle();
    }

    /// Time passes to `milliseconds` after the origin, wake-up by wake-up.
    fn pass_to(&mut self, milliseconds: u64) {
        let until = at(milliseconds);
        while self.pipeline.next_wakeup() <= until {
            self.now = self.now.max(self.pipeline.next_wakeup());
            self.settle();
        }
        self.now = until;
        self.settle();
    }

    fn settle(&mut self) {
        self.pipeline.advance(self.now);
        while let Some(action) = self.pipeline.next_action() {
            match action {
                Action::Warn(_, report) => self.hot.push(report),
                Action::LineIsLimit { bytes_per_second } => {
                    self.line_warnings.push((self.now, bytes_per_second));
                }
                Action::PutRecords(id, request) => self.calls.push((self.now, id, request)),
                Action::Compress(id, blobs) => {
                    let data = blobs.iter().map(|data| compress(data)).collect();
                    self.pipeline.compressed(id, data, self.now);
                    self.pipeline.advance(self.now);
                }
                Action::ListShards(_) => self.listings_asked += 1,
                Action::Finish(Finished::Failed { record, reason }) => {
                    let tags = record.members.iter().map(|member| (self.now, member.tag, reason));
                    self.failed.extend(tags);
                }
                Action::Finish(Finished::Stored { record, .. }) => self.stored += record.members.len(),
                Action::Flushed(_) => self.flushed += 1,
            }
        }
    }

    fn call_times(&self) -> Vec<Moment> {
        self.calls.iter().map(|(started, ..)| *started).collect()
    }
}

fn at(milliseconds: u64) -> Moment {
    Moment::after_origin(Duration::from_millis(milliseconds))
}

/// The records of an entry; their tags are their hash keys.
fn tags(entry: &PutRecordsEntry) -> Vec<u64> {
    let keys = match decode(&entry.data) {
        Decoded::Plain | Decoded::Decompressed(_) => vec![entry.hash_key()],
        Decoded::Aggregated(records) => {
            records.iter().map(|record| record.explicit_hash_key.expect("given")).collect()
        }
    };
    keys.into_iter().map(|key| u64::try_from(key.0).expect("a small tag")).collect()
}

#[test]
fn records_leave_within_the_buffered_time_however_they_come() {
    for aggregation_enabled in [true, false] {
        let limits = Config { aggregation_max_count: 3, rate_limit: 10_000, ..Config::default() };
        let mut scene = Scene::listed(Config { aggregation_enabled, ..limits });
        for tag in 0..100 {
            scene.pass_to(7 * u64::from(tag));
            scene.accept(tag);
        }
        scene.pass_to(2000);
        let mut sent = 0;
        for (started, _, request) in &scene.calls {
            for tag in request.entries.iter().flat_map(tags) {
                let wait = started.since(at(7 * tag));
                assert!(wait <= Duration::from_millis(100), "record {tag} waited {wait:?}");
                sent += 1;
            }
        }
        assert_eq!(sent, 100, "aggregation {aggregation_enabled}");
    }
}

#[test]
fn a_flush_hurries_nobody_who_came_later() {
    for aggregation_enabled in [true, false] {
        let mut scene = Scene::listed(Config { aggregation_enabled, ..Config::default() });
        scene.accept(1);
        scene.flush();
        assert_eq!(scene.call_times(), [at(0)]);
        scene.pass_to(10);
        scene.accept(2);
        scene.accept(3);
        assert_eq!(scene.calls.len(), 1, "the flush still waits for record 1");
        scene.pass_to(110);
        assert_eq!(scene.call_times(), [at(0), at(110)], "aggregation {aggregation_enabled}");
        assert_eq!(scene.flushed, 0);
        scene.answer(0, Ok("s0"));
        assert_eq!(scene.flushed, 1);
    }
}

#[test]
fn a_caller_without_room_hurries_only_an_idle_stream() {
    for aggregation_enabled in [true, false] {
        let mut scene = Scene::listed(Config { aggregation_enabled, ..Config::default() });
        scene.accept(1);
        scene.press();
        assert_eq!(scene.call_times(), [at(0)], "nothing else would make room");
        scene.accept(2);
        scene.press();
        scene.accept(3);
        assert_eq!(scene.calls.len(), 1, "the answer will make room; smaller calls would not help");
        scene.answer(0, Ok("s0"));
        scene.press();
        assert_eq!(scene.calls.len(), 2);
        scene.accept(4);
        assert_eq!(scene.calls.len(), 2, "and the haste is over");
    }
}

#[test]
fn an_aggregate_fits_a_stream_that_takes_small_records() {
    let mut scene = Scene::listed(Config { max_user_record_size: 1000, ..Config::default() });
    for tag in 0..100 {
        scene.accept_bytes(tag, 90);
    }
    scene.pass_to(200);
    let entries: Vec<_> = scene.calls.iter().flat_map(|(.., request)| &request.entries).collect();
    assert!(entries.len() > 9);
    assert!(entries.iter().all(|entry| entry.data.len() + entry.partition_key.len() <= 1000));
}

#[test]
fn an_idle_stream_asks_for_no_wake_up() {
    let mut scene = Scene::listed(Config::default());
    assert_eq!(scene.pipeline.next_wakeup(), Moment::NEVER);
    scene.accept(1);
    scene.pass_to(100);
    scene.answer(0, Ok("s0"));
    assert_eq!(scene.pipeline.next_wakeup(), Moment::NEVER);
}

#[test]
fn an_old_map_is_refreshed_only_while_there_is_traffic() {
    let mut scene = Scene::listed(Config::default());
    assert_eq!(scene.listings_asked, 1);
    scene.pass_to(3_600_000);
    assert_eq!((scene.listings_asked, scene.pipeline.next_wakeup()), (1, Moment::NEVER), "idle");
    scene.accept(1);
    scene.accept(2);
    scene.pass_to(3_600_100);
    assert_eq!(scene.listings_asked, 2);
    assert_eq!(scene.calls.len(), 1);
    assert_eq!(scene.calls[0].2.entries.len(), 1, "the old map aggregates on");
    scene.answer(0, Ok("s0"));
    scene.fail_listing();
    assert_eq!(scene.listings_asked, 2, "nobody needs it now");
    assert_eq!(scene.pipeline.next_wakeup(), Moment::NEVER);
    scene.accept(3);
    scene.pass_to(3_600_200);
    assert_eq!(scene.listings_asked, 3);
    scene.fail_listing();
    assert_eq!(scene.listings_asked, 4, "there is traffic");
}

#[test]
fn under_auto_records_go_alone_and_count_wherever_they_land() {
    let mut scene = Scene::new(Config::default());
    scene.accept(1);
    scene.accept(2);
    scene.list_with(RecordDistributionStrategy::Auto, &[("s0", 0, 9), ("s1", 10, u128::MAX)]);
    scene.pass_to(100);
    assert_eq!(scene.calls[0].2.entries.len(), 2);
    scene.answer(0, Ok("s1"));
    scene.accept(3);
    scene.pass_to(200);
    scene.answer(1, Ok("a shard that nobody listed"));
    assert_eq!((scene.stored, scene.listings_asked), (3, 1), "no place is a surprise");
}

#[test]
fn a_record_without_a_key_fails_when_its_stream_turns_out_to_follow_keys() {
    for strict_order in [false, true] {
        let mut scene = Scene::new(Config { strict_order, ..Config::default() });
        scene.accept_keyless(1);
        scene.accept(2);
        scene.list(&[("s0", 0, u128::MAX)]);
        assert_eq!(scene.failed.len(), 1, "at once, and without a call");
        assert_eq!(scene.failed[0].2, FailureReason::NoPartitionKey);
        scene.pass_to(100);
        assert_eq!(scene.calls.len(), 1);
        scene.answer(0, Ok("s0"));
        assert_eq!(scene.stored, 1, "its company is stored");
    }
}

#[test]
fn under_auto_a_record_without_a_key_goes_alone_and_without_a_key() {
    let mut scene = Scene::new(Config { strict_order: true, ..Config::default() });
    scene.accept_keyless(1);
    scene.accept_keyless(2);
    scene.list_with(RecordDistributionStrategy::Auto, &[("s0", 0, u128::MAX)]);
    scene.pass_to(150);
    let entries = &scene.calls[0].2.entries;
    assert_eq!(entries.len(), 2, "not one after the other, though order is kept where there is one");
    assert!(entries.iter().all(|entry| entry.partition_key.is_empty() && entry.explicit_hash_key.is_none()));
    scene.answer(0, Err("InternalFailure"));
    scene.pass_to(5_000);
    scene.answer(1, Ok("s0"));
    assert!(scene.stored > 0, "and again after a failure");
}

#[test]
fn where_the_strategy_cannot_be_asked_for_the_service_judges_records_without_a_key() {
    let mut scene = Scene::new(Config::default());
    scene.accept_keyless(1);
    let shard = ShardDescription {
        shard_id: "s0".into(),
        starting_hash_key: HashKey(0),
        ending_hash_key: HashKey(u128::MAX),
    };
    scene.pipeline.shards_listed(&Ok(vec![shard].into()), scene.now);
    scene.settle();
    scene.pass_to(100);
    assert_eq!(scene.calls[0].2.entries[0].partition_key.as_str(), "");
    scene.fail_call(0, "ValidationException");
    assert_eq!(scene.failed[0].2, FailureReason::Refused);
}

#[test]
fn what_is_assumed_of_a_stream_counts_until_the_service_has_said_something() {
    use RecordDistributionStrategyDefault::{Auto, UserPartitionKey};
    let assuming = |record_distribution_strategy_default| {
        Scene::new(Config { record_distribution_strategy_default, ..Config::default() })
    };
    let mut scene = assuming(Auto);
    (1..=3).for_each(|tag| scene.accept(tag));
    scene.pass_to(100);
    assert_eq!(scene.calls[0].2.entries.len(), 3, "alone, and before any listing");
    scene.list(&[("s0", 0, u128::MAX)]);
    (4..=6).for_each(|tag| scene.accept(tag));
    scene.pass_to(200);
    assert_eq!(scene.calls[1].2.entries.len(), 1, "aggregated once it is known better");

    let mut scene = assuming(UserPartitionKey);
    assert!(scene.pipeline.follows_keys());
    scene.list_with(RecordDistributionStrategy::Auto, &[("s0", 0, u128::MAX)]);
    assert!(!scene.pipeline.follows_keys());
}

#[test]
fn the_strategy_is_asked_for_again_at_the_interval() {
    for (seconds, early, late) in [(300, 224, 376), (10, 7, 13), (u64::MAX, 674, 1126)] {
        let mut scene = Scene::listed(Config {
            describe_stream_summary_interval: Duration::from_secs(seconds),
            ..Config::default()
        });
        for second in [early, late] {
            scene.pass_to(second * 1000);
            scene.accept(1);
            scene.flush();
            scene.answer(scene.calls.len() - 1, Ok("s0"));
            assert_eq!(scene.listings_asked, 1 + usize::from(second == late), "{seconds} after {second} s");
        }
    }
}

#[test]
fn a_stream_that_becomes_auto_is_noticed_with_the_first_misplaced_record() {
    let shards = [("s0", 0, 9), ("s1", 10, u128::MAX)];
    let mut scene = Scene::new(Config::default());
    scene.list(&shards);
    scene.accept(1);
    scene.accept(2);
    scene.pass_to(100);
    assert_eq!(scene.calls[0].2.entries.len(), 1, "aggregated");
    scene.answer(0, Ok("s1"));
    assert_eq!((scene.stored, scene.listings_asked), (0, 2));
    scene.list_with(RecordDistributionStrategy::Auto, &shards);
    scene.pass_to(200);
    assert_eq!(scene.calls[1].2.entries.len(), 2, "alone now");
    scene.answer(1, Ok("s1"));
    assert_eq!((scene.stored, scene.listings_asked), (2, 2));

    scene.pass_to(3_600_000);
    scene.accept(3);
    scene.pass_to(3_600_100);
    scene.list_with(RecordDistributionStrategy::UserPartitionKey, &shards);
    scene.accept(4);
    scene.accept(5);
    scene.pass_to(3_600_200);
    assert_eq!(scene.calls[3].2.entries.len(), 1, "back to aggregates");
}

#[test]
fn the_heavy_key_of_a_throttled_shard_is_named() {
    let mut scene = Scene::listed(Config { record_ttl: None, ..Config::default() });
    for number in 0..150 {
        scene.accept(number);
    }
    let mut throttles = 0;
    while scene.hot.is_empty() {
        scene.pass_to(scene.now.since(Moment::ORIGIN).as_millis() as u64 + 1000);
        scene.answer(throttles, Err("ProvisionedThroughputExceededException"));
        throttles += 1;
        assert!(throttles < 10, "150 records of one key, throttled again and again");
    }
    assert!(scene.hot[0].heaviest[0].partition_key == "k");
}

#[test]
fn the_one_bad_entry_of_a_refused_call_is_found() {
    let mut scene = Scene::listed(Config { aggregation_enabled: false, ..Config::default() });
    for number in 0..500 {
        scene.accept(number);
    }
    scene.flush();
    let mut next = 0;
    while next < scene.calls.len() {
        let entries = &scene.calls[next].2.entries;
        let is_bad = entries.iter().any(|entry| entry.hash_key() == HashKey(123));
        match is_bad {
            true => scene.fail_call(next, "ValidationException"),
            false => scene.answer(next, Ok("s0")),
        }
        next += 1;
    }
    assert_eq!((scene.stored, scene.failed.len()), (499, 1));
    assert_eq!((scene.failed[0].1, scene.failed[0].2), (123, FailureReason::Refused));
    assert_eq!(scene.calls.len(), 19, "the first, and two for each of nine halvings");
}
