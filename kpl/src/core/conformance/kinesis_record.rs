//! The KPL's `KinesisRecord` suite.
//!
//! The KPL adds a record and removes it again when that made the aggregate too large. Here the size after a record is
//! known before, and a record that does not fit is refused without a trace, so what is removed there is refused here.

use super::support::{Original, at, close, push, verify, verify_unaggregated};
use crate::aggregation_format::AggregateEncoder;
use crate::core::open_aggregate::OpenAggregate;
use crate::types::Moment;

fn encoder_of(originals: &[Original]) -> AggregateEncoder {
    let mut encoder = AggregateEncoder::new();
    for original in originals {
        encoder.try_push(original.as_ref(), usize::MAX).expect("no limit");
    }
    encoder
}

/// All but the last records fit; the last ones are refused and must have left no trace.
fn gathered_and_refused(originals: &[Original], refused: usize) {
    let (kept, surplus) = originals.split_at(originals.len() - refused);
    let limit = encoder_of(kept).encoded_bytes();
    let mut open = OpenAggregate::new();
    for original in kept {
        assert!(push(&mut open, original, Moment::NEVER, limit));
    }
    for original in surplus {
        assert!(!push(&mut open, original, Moment::NEVER, limit));
    }
    let record = close(&mut open).expect("not empty");
    assert_eq!(record.data.len(), limit);
    verify(&record, kept);
}

#[test]
fn single_record() {
    for original in [Original::usual(), Original::at_key(123)] {
        let mut open = OpenAggregate::new();
        assert!(push(&mut open, &original, Moment::NEVER, usize::MAX));
        verify_unaggregated(&close(&mut open).expect("not empty"), &original);
    }
}

#[test]
fn same_partition_key() {
    gathered_and_refused(&vec![Original::usual(); 1000], 100);
}

#[test]
fn different_partition_key() {
    let originals: Vec<_> =
        (0..1000).map(|number| Original::of(&format!("pk-{number}"), "1234", None)).collect();
    gathered_and_refused(&originals, 100);
}

#[test]
fn mixed_partition_key() {
    let keys = ["a", "b", "b", "a", "a", "c", "b", "a", "d", "e", "e", "d", "d", "d"];
    gathered_and_refused(&keys.map(|key| Original::of(key, "1234", None)), 3);
}

#[test]
fn same_ehk() {
    gathered_and_refused(&vec![Original::of("pk", "data", Some(123)); 1000], 100);
}

#[test]
fn different_ehk() {
    let originals: Vec<_> = (0..1000).map(|key| Original::of("pk", "data", Some(key))).collect();
    gathered_and_refused(&originals, 100);
}

#[test]
fn mixed_ehk() {
    let keys = [1, 2, 2, 1, 1, 3, 2, 1, 4, 5, 5, 4, 4, 4];
    gathered_and_refused(&keys.map(|key| Original::of("pk", "data", Some(key))), 3);
}

fn text(random: &mut fastrand::Rng, length: usize) -> String {
    std::iter::repeat_with(|| random.alphanumeric()).take(length).collect()
}

#[test]
fn accurate_size() {
    let mut random = fastrand::Rng::with_seed(1);
    for round in 0..100 {
        let mut encoder = AggregateEncoder::new();
        for _ in 0..random.usize(1..=512) {
            let key = text(&mut random, 1 + round % 256);
            let original = Original {
                data: vec![random.u8(..); random.usize(1..=65_536)],
                ..Original::of(&key, "", random.bool().then_some(123))
            };
            encoder.try_push(original.as_ref(), usize::MAX).expect("no limit");
        }
        let predicted = encoder.encoded_bytes();
        assert_eq!(encoder.finish().len(), predicted, "round {round}");
    }
}

/// The KPL's estimate may be wrong by one percent; here there is none, because the size is known.
#[test]
fn estimated_size() {
    let mut random = fastrand::Rng::with_seed(2);
    for round in 0..50 {
        for mix in 0..3 {
            let mut encoder = AggregateEncoder::new();
            for number in 0..random.usize(2..=512) {
                let (key, bytes) = match mix {
                    0 => (text(&mut random, 1 + number % 256), random.usize(1..=4096)),
                    1 => ("repeated".to_owned(), random.usize(1..=4096)),
                    _ => (text(&mut random, 2), 2),
                };
                let data = vec![0; bytes];
                encoder.try_push(Original::of(&key, data, None).as_ref(), usize::MAX).expect("no limit");
            }
            let predicted = encoder.encoded_bytes();
            assert_eq!(encoder.finish().len(), predicted, "round {round}, mix {mix}");
        }
    }
}

#[test]
fn empty() {
    let mut encoder = AggregateEncoder::new();
    assert!(encoder.is_empty() && encoder.finish_single().is_none());
    assert!(close(&mut OpenAggregate::new()).is_none(), "there is nothing to send");
}

#[test]
fn clearing() {
    let mut open = OpenAggregate::new();
    for round in 0..6 {
        let originals: Vec<_> =
            (0..10).map(|number| Original::of(&format!("{round}-{number}"), "data", Some(number))).collect();
        originals.iter().for_each(|original| assert!(push(&mut open, original, Moment::NEVER, usize::MAX)));
        verify(&close(&mut open).expect("not empty"), &originals);
        assert_eq!((open.len(), open.deadline()), (0, Moment::NEVER));
    }
}

#[test]
fn deadlines() {
    let mut open = OpenAggregate::new();
    let original = Original::usual();
    let deadlines = [50, 40, 90, 30, 70, 20, 80, 60, 25, 100];
    let mut nearest = Moment::NEVER;
    for deadline in deadlines.map(at) {
        nearest = nearest.min(deadline);
        assert!(push(&mut open, &original, deadline, usize::MAX));
        assert_eq!(open.deadline(), nearest);
    }
    assert!(!push(&mut open, &original, at(10), 1), "too large");
    assert_eq!(open.deadline(), at(20), "what was refused hurries nobody");
    assert!(push(&mut open, &original, at(10), usize::MAX));
    assert_eq!(open.deadline(), at(10), "a nearer one counts");
}
