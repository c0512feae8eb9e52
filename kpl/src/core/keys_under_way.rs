//! The hash keys of records in flight, where records of one key must keep their order.
//!
//! Invariant: the spans in it are disjoint, so that whatever becomes of one call cannot put records of another out of
//! order.

use std::collections::BTreeMap;

use crate::types::HashKey;

/// First and last hash key of a Kinesis record.
pub(crate) type Span = (HashKey, HashKey);

/// Whether two spans have a key in common.
pub(crate) fn overlap(one: Span, other: Span) -> bool {
    one.0 <= other.1 && other.0 <= one.1
}

/// Spans of hash keys, each with the number of shard maps that there had been.
#[derive(Debug, Default)]
pub(crate) struct KeysUnderWay {
    /// By first key: the last one, and the map.
    spans: BTreeMap<HashKey, (HashKey, u32)>,
    map: u32,
}

impl KeysUnderWay {
    /// Whether a record with these keys has to wait.
    pub(crate) fn overlaps(&self, (first, last): Span) -> bool {
        self.spans.range(..=last).next_back().is_some_and(|(_, (end, _))| *end >= first)
    }

    /// A record leaves whose keys overlap none.
    pub(crate) fn insert(&mut self, (first, last): Span) {
        debug_assert!(!self.overlaps((first, last)));
        self.spans.insert(first, (last, self.map));
    }

    /// A record arrived, or will not. True when it left by an older shard map than the present one, so that it may have
    /// held up records of other shards than its own.
    pub(crate) fn remove(&mut self, (first, _): Span) -> bool {
        self.spans.remove(&first).is_some_and(|(_, map)| map != self.map)
    }

    /// There is a new shard map.
    pub(crate) fn next_map(&mut self) {
        self.map = self.map.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(first: u128, last: u128) -> Span {
        (HashKey(first), HashKey(last))
    }

    #[test]
    fn spans_overlap_or_do_not() {
        let mut keys = KeysUnderWay::default();
        for taken in [span(10, 20), span(30, 30), span(40, u128::MAX)] {
            keys.insert(taken);
        }
        for (first, last, overlaps) in [
            (0, 9, false),
            (0, 10, true),
            (15, 15, true),
            (20, 25, true),
            (21, 29, false),
            (0, 100, true),
            (30, 30, true),
            (31, 39, false),
            (u128::MAX, u128::MAX, true),
        ] {
            assert_eq!(keys.overlaps(span(first, last)), overlaps, "{first} to {last}");
        }
        keys.remove(span(10, 20));
        assert!(!keys.overlaps(span(0, 29)));
    }

    #[test]
    fn a_record_of_an_older_map_is_told() {
        let mut keys = KeysUnderWay::default();
        keys.insert(span(1, 2));
        keys.next_map();
        keys.insert(span(3, 4));
        assert!(keys.remove(span(1, 2)));
        assert!(!keys.remove(span(3, 4)));
        assert!(!keys.remove(span(5, 6)), "was not under way");
    }
}
