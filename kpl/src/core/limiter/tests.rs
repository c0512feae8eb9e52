//! Pace, pauses, expiry and order.

use std::time::Duration;

use super::*;
use crate::core::aggregator::alone;
use crate::kinesis_record::Member;
use crate::user_record::RecordRef;

fn limiter(rate_limit: u32, record_ttl: Option<Duration>) -> Limiter<u64> {
    Limiter::new(Limits {
        rate_limit,
        adaptive_rate: false,
        record_ttl,
        strict_order: false,
        unpredicted: Unpredicted::Free,
    })
}

const SHARD: Lane = Some(ShardIndex(0));

fn at(milliseconds: u64) -> Moment {
    Moment::after_origin(Duration::from_millis(milliseconds))
}

fn record(tag: u64, arrival: u64, data: &[u8], lane: Lane) -> KinesisRecord<u64> {
    let record = RecordRef::new("k", data);
    let member = Member { tag, arrival: at(arrival), epoch: 0, cost: 0, lane: None, history: None };
    alone(record, record.hash_key(), lane, member, at(arrival + 100))
}

fn release(limiter: &mut Limiter<u64>, now: u64) -> (Vec<u64>, Vec<u64>) {
    let (mut released, mut expired) = (Vec::new(), Vec::new());
    limiter.release(at(now), &mut released, &mut expired);
    let tags =
        |records: Vec<KinesisRecord<u64>>| records.iter().map(|record| record.members[0].tag).collect();
    (tags(released), tags(expired))
}

#[test]
fn a_shard_gets_its_rate_and_the_oldest_go_first() {
    let mut limiter = limiter(100, None);
    for tag in (0..2000).rev() {
        limiter.put(record(tag, tag, b"x", SHARD), at(2000));
    }
    let (first, _) = release(&mut limiter, 2000);
    assert_eq!(first, (0..1000).collect::<Vec<_>>(), "one second's worth at once");
    let (second, _) = release(&mut limiter, 2500);
    assert_eq!(second, (1000..1500).collect::<Vec<_>>());
    assert_eq!(limiter.next_wakeup(), at(2520), "not for a single record's credit");
}

#[test]
fn records_without_a_prediction_are_not_paced() {
    let mut limiter = limiter(100, None);
    for tag in 0..3000 {
        limiter.put(record(tag, 0, b"x", None), at(0));
    }
    assert_eq!(release(&mut limiter, 0).0.len(), 3000);
    assert_eq!(limiter.next_wakeup(), Moment::NEVER);
}

#[test]
fn what_expires_in_the_queue_is_not_released() {
    let mut limiter = limiter(100, Some(Duration::from_secs(1)));
    limiter.put(record(1, 0, b"x", SHARD), at(0));
    limiter.put(record(2, 900, b"x", SHARD), at(900));
    assert_eq!(release(&mut limiter, 1000), (vec![2], vec![1]));
}

#[test]
fn what_expires_during_a_pause_is_told_on_time() {
    let mut limiter = limiter(100, Some(Duration::from_millis(100)));
    limiter.put(record(1, 0, b"x", SHARD), at(0));
    assert_eq!(release(&mut limiter, 0).0, [1]);
    limiter.lanes.get_mut(&SHARD).expect("the lane").paused_until = at(5000);
    limiter.put(record(1, 0, b"x", SHARD), at(50));
    release(&mut limiter, 50);
    assert_eq!(limiter.next_wakeup(), at(100));
    assert_eq!(release(&mut limiter, 100), (vec![], vec![1]));
}

#[test]
fn a_pause_holds_its_lane_only_and_grows() {
    let mut limiter = limiter(100, None);
    let mut random = fastrand::Rng::with_seed(1);
    for lane in [SHARD, Some(ShardIndex(1))] {
        limiter.put(record(0, 0, b"x", lane), at(0));
    }
    release(&mut limiter, 0);
    for _ in 0..10 {
        let until = limiter.lanes[&SHARD].paused_until;
        limiter.pause(SHARD, false, until, until, &mut random);
    }
    assert_eq!(limiter.lanes[&SHARD].failures, 10);
    let until = limiter.lanes[&SHARD].paused_until;
    limiter.pause(SHARD, false, at(0), at(1), &mut random);
    assert_eq!(limiter.lanes[&SHARD].failures, 10, "an old call's failure is the same trouble");
    limiter.put(record(1, 1, b"x", SHARD), at(1));
    limiter.put(record(2, 1, b"x", Some(ShardIndex(1))), at(1));
    assert_eq!(release(&mut limiter, 1).0, [2]);
    assert_eq!(limiter.next_wakeup(), until);
    let (mut released, mut expired) = (Vec::new(), Vec::new());
    limiter.release(until, &mut released, &mut expired);
    assert_eq!(released.len(), 1);
    limiter.recovered(SHARD);
    assert_eq!(limiter.lanes[&SHARD].failures, 0);
}

#[test]
fn the_wait_for_a_shard_is_foreseen() {
    let mut limiter = limiter(100, None);
    let other = Some(ShardIndex(1));
    let wait = |limiter: &Limiter<u64>, lane, now| limiter.expected_wait(lane, at(now)).as_millis();
    assert_eq!(wait(&limiter, SHARD, 0), 0, "of a shard that nothing was sent to");
    for tag in 0..3500 {
        limiter.put(record(tag, 0, b"x", SHARD), at(0));
    }
    assert_eq!((wait(&limiter, SHARD, 0), wait(&limiter, other, 0)), (2500, 0));
    release(&mut limiter, 0);
    assert!(limiter.holds_back());
    assert_eq!(wait(&limiter, SHARD, 0), 2500, "what left was paid for");
    assert_eq!(wait(&limiter, SHARD, 1000), 1500);
    limiter.pause(SHARD, true, at(1000), at(1000), &mut fastrand::Rng::with_seed(1));
    limiter.lanes.get_mut(&SHARD).expect("the lane").paused_until = at(9_000);
    assert_eq!(wait(&limiter, SHARD, 1000), 8_000, "the pause is longer");
    assert_eq!(limiter.drain_all().len(), 2500);
}

#[test]
fn what_is_held_back_is_known_until_it_has_left() {
    let mut limiter = limiter(100, None);
    limiter.put(record(0, 0, b"x", SHARD), at(0));
    release(&mut limiter, 0);
    assert!(!limiter.holds_back(), "it left");
    limiter.pause(SHARD, false, at(0), at(0), &mut fastrand::Rng::with_seed(1));
    assert!(limiter.holds_back(), "records that come now would wait");
    limiter.put(record(1, 0, b"x", SHARD), at(0));
    release(&mut limiter, 0);
    assert!(limiter.holds_back());
    release(&mut limiter, 60_000);
    assert!(!limiter.holds_back());
    for tag in 0..1001 {
        limiter.put(record(tag, 0, b"x", SHARD), at(60_000));
    }
    release(&mut limiter, 60_000);
    assert!(limiter.holds_back(), "more than a second's worth");
    limiter.drain_all();
    limiter.forget(|_| false);
    assert!(!limiter.holds_back(), "of a shard that is known no more");
}

#[test]
fn a_record_passes_if_nothing_holds_it_back() {
    let mut limiter = limiter(100, None);
    let new = |tag| record(tag, 0, b"x", SHARD);
    assert!((0..1000).all(|tag| limiter.pass(new(tag), at(0)).is_some()), "a second's worth");
    assert!(limiter.pass(new(1000), at(0)).is_none(), "what is more is queued");
    assert!(limiter.pass(new(1001), at(500)).is_none(), "behind it, whatever the bucket holds by then");
    assert_eq!(limiter.members(), 2);
    release(&mut limiter, 500);
    assert!(limiter.pass(new(1002), at(500)).is_some());
    limiter.pause(SHARD, false, at(500), at(500), &mut fastrand::Rng::with_seed(1));
    assert!(limiter.pass(new(1003), at(500)).is_none(), "paused");
}
