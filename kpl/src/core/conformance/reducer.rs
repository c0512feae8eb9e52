//! The KPL's `Reducer` suite, against the stage that reduces user records to Kinesis records.

use super::support::{Original, at, member, verify, verify_unaggregated};
use crate::core::aggregator::{Aggregator, Deadlines};
use crate::kinesis_record::KinesisRecord;
use crate::types::{Moment, ShardIndex};

/// An aggregator for one shard that remembers what it was given.
struct Reducer {
    aggregator: Aggregator<usize>,
    added: Vec<Original>,
    closed: Vec<KinesisRecord<usize>>,
}

impl Reducer {
    fn new(count_limit: usize, size_limit: usize) -> Self {
        let aggregator = Aggregator::new(count_limit, size_limit);
        Self { aggregator, added: Vec::new(), closed: Vec::new() }
    }

    /// Adds a record; answers whether something was closed by it.
    fn add(&mut self, original: Original, deadline: Moment) -> bool {
        let record = original.as_ref();
        let (member, closed) = (member(self.added.len(), Moment::ORIGIN), self.closed.len());
        let deadlines = Deadlines { close: deadline, send: deadline };
        self.aggregator.add(
            record.into(),
            record.hash_key(),
            ShardIndex(0),
            member,
            deadlines,
            &mut self.closed,
        );
        self.added.push(original);
        self.closed.len() > closed
    }

    fn pass_to(&mut self, now: Moment) {
        self.aggregator.close_due(now, |close| close, &mut self.closed);
    }

    fn flush(&mut self) {
        self.aggregator.close_all(Moment::ORIGIN, &mut self.closed);
    }

    /// All that was added came out or is still held, once and in order.
    fn assert_nothing_lost(&self) {
        let out = self.closed.iter().flat_map(|record| &record.members).map(|member| member.tag);
        let out: Vec<_> = out.collect();
        assert_eq!(out, (0..out.len()).collect::<Vec<_>>());
        assert_eq!(out.len() + self.aggregator.members(), self.added.len());
        let mut rest = &self.added[..];
        for record in &self.closed {
            let (members, later) = rest.split_at(record.members.len());
            match members {
                [only] => verify_unaggregated(record, only),
                _ => verify(record, members),
            }
            rest = later;
        }
    }
}

#[test]
fn count_limit() {
    let mut reducer = Reducer::new(100, usize::MAX);
    for round in 1..=3 {
        for _ in 0..99 {
            assert!(!reducer.add(Original::usual(), Moment::NEVER));
        }
        assert!(reducer.add(Original::usual(), Moment::NEVER));
        assert_eq!((reducer.closed.len(), reducer.closed[round - 1].members.len()), (round, 100));
        assert_eq!(reducer.aggregator.members(), 0);
    }
    reducer.assert_nothing_lost();
}

#[test]
fn size_limit() {
    let mut reducer = Reducer::new(usize::MAX, 10_000);
    let mut random = fastrand::Rng::with_seed(3);
    while reducer.closed.len() < 250 {
        let key = format!("key-{}", random.u8(..20));
        let data = vec![random.u8(..); random.usize(0..2000)];
        reducer.add(Original::of(&key, data, random.bool().then_some(123)), Moment::NEVER);
    }
    assert!(reducer.closed.iter().all(|record| record.data.len() <= 10_000));
    reducer.assert_nothing_lost();
}

/// The KPL puts the urgent record first; here records keep their order.
#[test]
fn deadline() {
    let mut reducer = Reducer::new(usize::MAX, usize::MAX);
    for _ in 0..100 {
        reducer.add(Original::usual(), at(5000));
    }
    reducer.pass_to(at(1000));
    assert!(reducer.closed.is_empty());
    reducer.add(Original::usual(), at(1000));
    assert_eq!(reducer.aggregator.next_wakeup(), at(1000), "at once");
    reducer.pass_to(at(1000));
    assert_eq!((reducer.closed.len(), reducer.closed[0].members.len()), (1, 101));
    reducer.assert_nothing_lost();
}

#[test]
fn reset_timeout() {
    let mut reducer = Reducer::new(usize::MAX, 300);
    reducer.add(Original::usual(), at(100));
    while !reducer.add(Original::usual(), at(2000)) {}
    let closed = reducer.closed.len();
    reducer.pass_to(at(1000));
    assert_eq!(reducer.closed.len(), closed, "the deadline went with the record that had it");
    assert_eq!(reducer.aggregator.next_wakeup(), at(2000));
    reducer.pass_to(at(2500));
    assert_eq!(reducer.closed.len(), closed + 1);
    assert_eq!(reducer.aggregator.members(), 0);
    reducer.assert_nothing_lost();
}

#[test]
fn giant_record() {
    let mut reducer = Reducer::new(usize::MAX, 10_000);
    assert!(reducer.add(Original::of("abcd", vec![7; 11_000], None), at(5000)));
    assert_eq!(reducer.closed.len(), 1);
    reducer.assert_nothing_lost();
}

#[test]
fn non_empty() {
    let mut reducer = Reducer::new(100, 10_000);
    reducer.flush();
    assert!(reducer.closed.is_empty());
    reducer.add(Original::usual(), at(5000));
    reducer.flush();
    reducer.flush();
    assert_eq!(reducer.closed.len(), 1);
}
