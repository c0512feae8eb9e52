//! The KPL's `Limiter` suite. Here a record's age is its place in the queue, and its time to live is the stream's.

use std::time::Duration;

use super::support::{Original, at, member};
use crate::core::aggregator::alone;
use crate::core::limiter::{Limiter, Limits, Unpredicted};
use crate::kinesis_record::KinesisRecord;
use crate::types::{Moment, ShardIndex};

fn limiter(record_ttl: Option<Duration>) -> Limiter<usize> {
    Limiter::new(Limits {
        rate_limit: 100,
        adaptive_rate: false,
        record_ttl,
        strict_order: false,
        unpredicted: Unpredicted::Free,
    })
}

fn record(tag: usize, arrival: Moment, data: &[u8]) -> KinesisRecord<usize> {
    let original = Original::of("abcd", data, None);
    let record = original.as_ref();
    alone(record, record.hash_key(), Some(ShardIndex(0)), member(tag, arrival), arrival)
}

/// Time passes until the limiter is empty: what it released and what expired in it, in order.
fn drained(limiter: &mut Limiter<usize>, mut now: Moment) -> (Vec<Moment>, Vec<Moment>) {
    let (mut released, mut expired) = (Vec::new(), Vec::new());
    while limiter.next_wakeup() < Moment::NEVER {
        now = now.max(limiter.next_wakeup());
        limiter.release(now, &mut released, &mut expired);
    }
    assert_eq!(limiter.members(), 0);
    let arrivals = |records: Vec<KinesisRecord<usize>>| records.iter().map(|record| record.arrival).collect();
    (arrivals(released), arrivals(expired))
}

#[test]
fn ordering() {
    let mut limiter = limiter(None);
    let mut later: Vec<u64> = (2000..10_000).collect();
    fastrand::Rng::with_seed(4).shuffle(&mut later);
    let arrivals: Vec<u64> = (0..2000).chain(later.into_iter().take(2000)).collect();
    for (tag, arrival) in arrivals.iter().enumerate() {
        limiter.put(record(tag, at(*arrival), b"1234"), at(10_000));
    }
    let (released, expired) = drained(&mut limiter, at(10_000));
    assert_eq!((released.len(), expired.len()), (4000, 0));
    assert!(released.is_sorted_by(|one, other| one < other));
}

/// One large record holds the shard up for two seconds, or the old ones would leave before they expire: older goes
/// first here.
#[test]
fn expiration() {
    const TTL: u64 = 30_000;
    let mut limiter = limiter(Some(Duration::from_millis(TTL)));
    let now = at(40_000);
    limiter.put(record(0, now, &vec![0; 3 << 20]), now);
    let (mut sent, mut expired) = (Vec::new(), Vec::new());
    limiter.release(now, &mut sent, &mut expired);
    for tag in 0..1000 {
        let expires_in = 1000 + tag as u64 / 10;
        limiter.put(record(tag, now, b"1234"), now);
        limiter.put(record(tag, at(5000), b"1234"), now);
        limiter.put(record(tag, at(40_000 - TTL + expires_in), b"1234"), now);
        limiter.put(record(tag, now, b"1234"), now);
    }
    for tag in 0..999 {
        limiter.put(record(tag, now, b"1234"), now);
    }
    let (released, expired) = drained(&mut limiter, now);
    assert_eq!((sent.len() + released.len(), expired.len()), (3000, 2000));
    assert!(released.iter().all(|arrival| *arrival == now));
}
