//! The KPL's `PutRecordsRequest` suite: the bytes of a call are known while it is gathered.

use super::*;
use crate::core::aggregator::alone;
use crate::kinesis_record::Member;
use crate::user_record::RecordRef;

#[test]
fn size_prediction() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut collector = Collector::new(1, usize::MAX);
    let mut sizes = VecDeque::new();
    assert_eq!(collector.bytes, 0);
    for tag in 0..100 {
        let (key, data) = ("k".repeat(random.usize(1..=256)), vec![7; random.usize(0..10_000)]);
        let record = RecordRef::new(&key, &data);
        let member = Member { tag, arrival: Moment::ORIGIN, epoch: 0, cost: 0, lane: None, history: None };
        let before = collector.bytes;
        collector.put(alone(record, record.hash_key(), None, member, Moment::ORIGIN));
        sizes.push_back(data.len() + key.len());
        assert_eq!(collector.bytes - before, data.len() + key.len());
    }
    while let Some(size) = sizes.pop_front() {
        let before = collector.bytes;
        let taken = collector.take(usize::MAX);
        assert_eq!((taken.len(), before - collector.bytes), (1, size));
        assert_eq!(collector.bytes, sizes.iter().sum::<usize>());
    }
    assert_eq!(collector.bytes, 0);
}
