//! Shard ranges learned from where records were stored, for a stream whose shards cannot be listed.
//!
//! A shard holds one contiguous range of hash keys. So when two records were stored in the same shard, every key between
//! theirs belongs to it, too.
//!
//! Invariant: a range that is predicted by never contradicted a record that was stored, and enough records confirmed it.
//! Where the service ignores the keys (the record distribution strategy AUTO), ranges contradict each other at once, so
//! nothing is predicted.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use crate::types::{HashKey, ShardIndex};

/// Records that have to confirm the ranges before they are predicted by. Under AUTO each of them contradicts with a
/// probability of at least one half.
const CONFIRMATIONS: u32 = 64;

/// The ranges learned so far.
#[derive(Debug, Default)]
pub(crate) struct LearnedShards {
    /// By last key: first key and shard. They do not overlap.
    ranges: BTreeMap<HashKey, (HashKey, ShardIndex)>,
    last_keys: HashMap<ShardIndex, HashKey>,
    confirmations: u32,
}

/// What a stored record said about the ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lesson {
    /// Nothing changed, or the ranges are not confirmed enough.
    Nothing,
    /// The ranges are predicted by, and cover more than before.
    Confirmed,
    /// The ranges were wrong: what was learned before is forgotten.
    Contradicted,
}

impl LearnedShards {
    /// The shard that holds this key, if the ranges tell.
    pub(crate) fn predict(&self, key: HashKey) -> Option<ShardIndex> {
        if self.confirmations < CONFIRMATIONS {
            return None;
        }
        self.holding(key).map(|(_, shard)| shard)
    }

    /// Takes note that a record with this key was stored in `shard`.
    pub(crate) fn note(&mut self, key: HashKey, shard: ShardIndex) -> Lesson {
        match self.holding(key) {
            Some((_, holder)) if holder != shard => self.contradicted(key, shard),
            // A key on the border of a range is one that was seen before.
            Some((range, _)) if range.0 == key || range.1 == key => Lesson::Nothing,
            Some(_) => self.confirmed(),
            None => self.extend(key, shard),
        }
    }

    fn extend(&mut self, key: HashKey, shard: ShardIndex) -> Lesson {
        let Some(&last) = self.last_keys.get(&shard) else {
            self.insert((key, key), shard);
            return Lesson::Nothing;
        };
        let first = self.ranges.get(&last).map_or(last, |(first, _)| *first);
        let range = (first.min(key), last.max(key));
        let is_shared = self.ranges.range(range.0..=range.1).any(|(_, (_, other))| *other != shard);
        if is_shared {
            return self.contradicted(key, shard);
        }
        self.ranges.remove(&last);
        self.insert(range, shard);
        self.confirmed()
    }

    fn insert(&mut self, (first, last): (HashKey, HashKey), shard: ShardIndex) {
        self.ranges.insert(last, (first, shard));
        self.last_keys.insert(shard, last);
    }

    fn confirmed(&mut self) -> Lesson {
        self.confirmations = self.confirmations.saturating_add(1);
        let is_step = self.confirmations >= CONFIRMATIONS && self.confirmations.is_power_of_two();
        if is_step { Lesson::Confirmed } else { Lesson::Nothing }
    }

    fn contradicted(&mut self, key: HashKey, shard: ShardIndex) -> Lesson {
        *self = Self::default();
        self.insert((key, key), shard);
        Lesson::Contradicted
    }

    /// The range that holds this key, and its shard.
    fn holding(&self, key: HashKey) -> Option<((HashKey, HashKey), ShardIndex)> {
        let (&last, &(first, shard)) = self.ranges.range(key..).next()?;
        (first <= key).then_some(((first, last), shard))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note_all(learned: &mut LearnedShards, keys: impl Iterator<Item = (u128, u32)>) -> Vec<Lesson> {
        keys.map(|(key, shard)| learned.note(HashKey(key), ShardIndex(shard))).collect()
    }

    #[test]
    fn keys_between_two_of_one_shard_belong_to_it() {
        let mut learned = LearnedShards::default();
        let keys = (0..50).flat_map(|step| [(10 + step, 0), (200 - step, 1)]);
        let lessons = note_all(&mut learned, keys);
        assert_eq!(lessons.iter().filter(|lesson| **lesson == Lesson::Confirmed).count(), 1);
        for (key, shard) in [(9, None), (10, Some(0)), (59, Some(0)), (60, None), (151, Some(1)), (201, None)]
        {
            assert_eq!(learned.predict(HashKey(key)), shard.map(ShardIndex), "{key}");
        }
    }

    #[test]
    fn one_key_again_and_again_confirms_nothing() {
        let mut learned = LearnedShards::default();
        note_all(&mut learned, (0..1000).map(|_| (5, 0)));
        assert_eq!(learned.predict(HashKey(5)), None);
    }

    #[test]
    fn a_reshard_contradicts_and_the_new_shards_are_learned() {
        let mut learned = LearnedShards::default();
        note_all(&mut learned, (0..100).map(|key| (key, 0)));
        assert_eq!(learned.predict(HashKey(50)), Some(ShardIndex(0)));
        assert_eq!(learned.note(HashKey(50), ShardIndex(1)), Lesson::Contradicted);
        assert_eq!(learned.predict(HashKey(50)), None);
        note_all(&mut learned, (0..100).map(|key| (key, 1 + u32::from(key > 50))));
        assert_eq!(learned.predict(HashKey(20)), Some(ShardIndex(1)));
        assert_eq!(learned.predict(HashKey(60)), Some(ShardIndex(2)));
    }

    /// A shard with a range around another one's is no range.
    #[test]
    fn ranges_never_overlap() {
        let mut learned = LearnedShards::default();
        let lessons = note_all(&mut learned, [(50, 0), (10, 1), (90, 1)].into_iter());
        assert_eq!(lessons[2], Lesson::Contradicted);
    }

    #[test]
    fn a_service_that_ignores_the_keys_is_never_predicted() {
        let mut random = fastrand::Rng::with_seed(3);
        for shards in [2, 4, 16] {
            let mut learned = LearnedShards::default();
            for _ in 0..20_000 {
                learned.note(HashKey(random.u128(..)), ShardIndex(random.u32(..shards)));
                assert_eq!(learned.predict(HashKey(random.u128(..))), None, "{shards} shards");
            }
        }
    }
}
