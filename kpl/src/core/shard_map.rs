//! Which shard a hash key belongs to, as far as ListShards told.
//!
//! Invariant: while a new listing is on its way the old map still predicts; an index is never given to another shard.

use std::collections::HashMap;

use crate::put_records::ShardDescription;
use crate::types::{HashKey, Moment, ShardId, ShardIndex};

/// The open shards of one stream.
#[derive(Debug)]
pub(crate) struct ShardMap {
    /// Last hash key of each open shard, ascending, and the shard.
    open: Vec<(HashKey, ShardIndex)>,
    /// Every shard ever seen: its id and its range.
    known: Vec<(ShardId, HashKey, HashKey)>,
    by_id: HashMap<ShardId, ShardIndex>,
    state: State,
    /// When the request for the newest listing was made.
    listed_at: Moment,
    /// Whether the first listing was answered, or is not waited for any more.
    answered: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// There is no map and there will be none: the stream is not predicted.
    Off,
    /// A listing is on its way; `since` is when it was asked for.
    Listing { since: Moment },
    /// The map is as new as anybody knows.
    Settled,
}

impl ShardMap {
    /// The map of a stream with shards; the first listing is under way from `now`.
    pub(crate) fn listing(now: Moment) -> Self {
        Self::with_state(State::Listing { since: now })
    }

    /// The map of something without shards: a delivery stream.
    pub(crate) fn off() -> Self {
        Self::with_state(State::Off)
    }

    fn with_state(state: State) -> Self {
        Self {
            open: Vec::new(),
            known: Vec::new(),
            by_id: HashMap::new(),
            state,
            listed_at: Moment::ORIGIN,
            answered: false,
        }
    }

    /// Whether records should wait for the very first listing.
    pub(crate) fn is_awaited(&self) -> bool {
        !self.answered && self.is_listing()
    }

    /// Whether there are no shards to predict.
    pub(crate) fn is_off(&self) -> bool {
        self.state == State::Off
    }

    /// The first listing failed or takes too long: records do without a map until there is one.
    pub(crate) fn stop_awaiting(&mut self) {
        self.answered = true;
    }

    /// Whether a listing is on its way.
    pub(crate) fn is_listing(&self) -> bool {
        matches!(self.state, State::Listing { .. })
    }

    /// The shard that will take a record with this hash key.
    pub(crate) fn predict(&self, hash_key: HashKey) -> Option<ShardIndex> {
        let place = self.open.partition_point(|(end, _)| *end < hash_key);
        self.open.get(place).map(|(_, shard)| *shard)
    }

    /// Whether all hash keys of this span belong to `shard` as it is known, open or closed.
    pub(crate) fn holds(&self, shard: &ShardId, (first, last): (HashKey, HashKey)) -> Option<bool> {
        let (_, start, end) = &self.known[self.by_id.get(shard)?.0 as usize];
        Some(*start <= first && last <= *end)
    }

    /// The index of a shard, if it was ever listed.
    pub(crate) fn index_of(&self, shard: &ShardId) -> Option<ShardIndex> {
        self.by_id.get(shard).copied()
    }

    /// The shard of an index.
    pub(crate) fn id(&self, shard: ShardIndex) -> Option<&ShardId> {
        self.known.get(shard.0 as usize).map(|(id, _, _)| id)
    }

    /// Open shards, as far as they are known.
    pub(crate) fn open_shards(&self) -> usize {
        self.open.len()
    }

    /// Takes a complete listing of the open shards.
    pub(crate) fn install(&mut self, shards: &[ShardDescription]) {
        let State::Listing { since } = self.state else {
            return;
        };
        self.listed_at = since;
        self.answered = true;
        self.state = State::Settled;
        self.open.clear();
        for shard in shards {
            let index = self.index(shard);
            self.open.push((shard.ending_hash_key, index));
        }
        self.open.sort_unstable();
    }

    /// Says that what was seen at `seen_at` contradicts the map. True when a new listing is to be asked for.
    pub(crate) fn contradicted(&mut self, seen_at: Moment, now: Moment) -> bool {
        if self.state != State::Settled || seen_at < self.listed_at {
            return false;
        }
        self.state = State::Listing { since: now };
        true
    }

    fn index(&mut self, shard: &ShardDescription) -> ShardIndex {
        let next = ShardIndex(u32::try_from(self.known.len()).unwrap_or(u32::MAX));
        let index = *self.by_id.entry(shard.shard_id.clone()).or_insert(next);
        let row = (shard.shard_id.clone(), shard.starting_hash_key, shard.ending_hash_key);
        if index == next {
            self.known.push(row);
        } else {
            self.known[index.0 as usize] = row;
        }
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(seconds: u64) -> Moment {
        Moment::after_origin(Duration::from_secs(seconds))
    }

    fn shard(id: &str, start: u128, end: u128) -> ShardDescription {
        ShardDescription {
            shard_id: id.into(),
            starting_hash_key: HashKey(start),
            ending_hash_key: HashKey(end),
        }
    }

    fn three() -> ShardMap {
        let mut map = ShardMap::listing(at(0));
        assert!(map.is_awaited());
        map.install(&[shard("s1", 200, u128::MAX), shard("s2", 0, 99), shard("s3", 100, 199)]);
        map
    }

    #[test]
    fn boundaries_belong_to_their_shards() {
        let map = three();
        for (key, id) in [(0, "s2"), (99, "s2"), (100, "s3"), (199, "s3"), (200, "s1"), (u128::MAX, "s1")] {
            assert_eq!(map.predict(HashKey(key)), map.index_of(&id.into()), "{key}");
        }
    }

    #[test]
    fn the_old_map_predicts_while_the_new_one_loads() {
        let mut map = three();
        assert!(map.contradicted(at(5), at(5)));
        assert!(!map.contradicted(at(6), at(6)), "already loading");
        assert_eq!(map.predict(HashKey(5)), map.index_of(&"s2".into()));
        assert!(!map.is_awaited());
        map.install(&[
            shard("s4", 0, 49),
            shard("s5", 50, 99),
            shard("s1", 200, u128::MAX),
            shard("s3", 100, 199),
        ]);
        assert_eq!(map.predict(HashKey(5)), map.index_of(&"s4".into()));
        assert_eq!(
            map.holds(&"s2".into(), (HashKey(5), HashKey(99))),
            Some(true),
            "closed shards stay known"
        );
        assert!(!map.contradicted(at(4), at(7)), "seen before the newest listing was asked for");
    }

    #[test]
    fn a_span_is_held_whole_or_not() {
        let map = three();
        assert_eq!(map.holds(&"s2".into(), (HashKey(0), HashKey(99))), Some(true));
        assert_eq!(map.holds(&"s2".into(), (HashKey(0), HashKey(100))), Some(false));
        assert_eq!(map.holds(&"s9".into(), (HashKey(0), HashKey(1))), None);
    }
}
