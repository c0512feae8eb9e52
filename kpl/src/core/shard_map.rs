//! Which shard a hash key belongs to, by ListShards, or by where records were stored while shards cannot be listed.
//!
//! Invariant: while a new listing is on its way the old map still predicts; an index is never given to another shard;
//! the map remembers the open shards and those that closed a short while ago, and no others.

use std::time::Duration;

use hashbrown::HashMap;

use crate::config::choices::RecordDistributionStrategyDefault;
use crate::core::learned_shards::{LearnedShards, Lesson};
use crate::put_records::{RecordDistributionStrategy, ShardDescription, ShardListing};
use crate::types::{HashKey, Moment, ShardId, ShardIndex};

/// How old a map may become while there is traffic, if nothing asks for less: what no answer contradicts (a shard without
/// traffic, a changed record distribution strategy) is noticed by then. Each interval is drawn anew from three quarters
/// of it to five quarters, so that producers started together do not list together.
const REFRESH_INTERVAL: Duration = Duration::from_secs(15 * 60);

/// How long a closed shard is remembered: many times longer than a call in flight that may still name it. (Should one
/// take longer, an aggregate in it is sent twice, not lost.)
const CLOSED_SHARD_MEMORY: Duration = Duration::from_secs(10 * 60);

/// The open shards of one stream.
#[derive(Debug)]
pub(crate) struct ShardMap {
    /// Last hash key of each open shard, ascending, and the shard. Empty while the service distributes records itself.
    open: Vec<(HashKey, ShardIndex)>,
    known: HashMap<ShardId, KnownShard>,
    /// The same shards by index.
    ids: HashMap<ShardIndex, ShardId>,
    next_index: u32,
    /// What predicts while there is no listing.
    learned: LearnedShards,
    /// What the service said last, or what is assumed before it said anything, or what placements have shown.
    strategy: Option<RecordDistributionStrategy>,
    keys_ignored: KeysIgnored,
    refresh_interval: Duration,
    state: State,
    /// When the map is to be listed again, if there is traffic then.
    refresh_at: Moment,
    /// When the request for the newest listing was made.
    listed_at: Moment,
    /// Whether the first listing was answered, or is not waited for any more.
    answered: bool,
    /// Shards that no listing has shown, and how many that were asked for since did not either.
    unlisted: Vec<(ShardId, u8)>,
}

/// Listings that a record waits for because of an unknown shard: one of the open shards, and one with those that closed a
/// short while ago.
pub(crate) const LISTINGS: u8 = 2;

/// Shards that are learned at most, without a listing that would forget any.
const LEARNED: usize = 20_000;

/// Unknown shards that are remembered.
const UNLISTED: usize = 16;

/// A shard that is open, or was a short while ago.
#[derive(Debug, Clone, Copy)]
struct KnownShard {
    index: ShardIndex,
    /// `None` for a shard that no listing has shown.
    range: Option<(HashKey, HashKey)>,
    /// When the first listing without it was asked for; `None` for an open shard.
    closed_since: Option<Moment>,
}

/// Whether records were stored in shards that do not hold their keys. A shard never changes its range, so it is AUTO that
/// does so, whatever the service says or does not say; or the stream was made anew with the old shard ids, and then the
/// next listing shows their new ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeysIgnored {
    No,
    /// By the ranges of the newest listing.
    ByThisListing,
    /// By those of the one before.
    ByTheLastListing,
    /// By both.
    Proven,
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
    /// The map of a stream with shards; the first listing is in flight from `now`.
    pub(crate) fn listing(now: Moment) -> Self {
        Self::with_state(State::Listing { since: now })
    }

    /// The map of something without shards: a delivery stream.
    pub(crate) fn off() -> Self {
        Self::with_state(State::Off)
    }

    /// The same map with what the configuration says of its stream's strategy: how often to ask, and what to assume
    /// until there is an answer. Where AUTO is assumed there is no place to predict, and so no first listing to await.
    pub(crate) fn configured(
        mut self,
        interval: Duration,
        assumed: RecordDistributionStrategyDefault,
    ) -> Self {
        self.refresh_interval = interval.min(REFRESH_INTERVAL);
        self.strategy = match assumed {
            RecordDistributionStrategyDefault::Unset => None,
            RecordDistributionStrategyDefault::Auto => Some(RecordDistributionStrategy::Auto),
            RecordDistributionStrategyDefault::UserPartitionKey => {
                Some(RecordDistributionStrategy::UserPartitionKey)
            }
        };
        self.answered = self.is_auto();
        self
    }

    fn with_state(state: State) -> Self {
        Self {
            open: Vec::new(),
            known: HashMap::new(),
            ids: HashMap::new(),
            next_index: 0,
            learned: LearnedShards::default(),
            strategy: None,
            keys_ignored: KeysIgnored::No,
            refresh_interval: REFRESH_INTERVAL,
            state,
            refresh_at: Moment::NEVER,
            listed_at: Moment::ORIGIN,
            answered: false,
            unlisted: Vec::new(),
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
        match self.open.get(place) {
            Some((_, shard)) => Some(*shard),
            None => self.learned.predict(hash_key),
        }
    }

    /// Takes note of where a record was stored. Counts only while there is no listing; under AUTO and for delivery
    /// streams it never does.
    pub(crate) fn learn(&mut self, hash_key: HashKey, shard: &ShardId) -> Lesson {
        if !self.is_learning() {
            return Lesson::Nothing;
        }
        let index = match self.known.get(shard) {
            Some(known) => known.index,
            None if self.known.len() >= LEARNED => return Lesson::Nothing,
            None => self.add(shard, None, None),
        };
        self.learned.note(hash_key, index)
    }

    /// Whether there is no listing to predict by, and where records are stored says something about the shards.
    pub(crate) fn is_learning(&self) -> bool {
        self.open.is_empty() && !self.is_awaited() && !self.is_auto() && !self.is_off()
    }

    /// Whether records to this shard are predicted by the listing that counts now.
    pub(crate) fn is_open(&self, shard: ShardIndex) -> bool {
        let known = self.ids.get(&shard).and_then(|id| self.known.get(id));
        !self.open.is_empty() && known.is_some_and(|known| known.closed_since.is_none())
    }

    /// Whether all hash keys of this span belong to `shard` as it is known, open or closed. `None` for a shard that no
    /// listing has shown.
    pub(crate) fn holds(&self, shard: &ShardId, (first, last): (HashKey, HashKey)) -> Option<bool> {
        let (start, end) = self.known.get(shard)?.range?;
        Some(start <= first && last <= end)
    }

    /// The index of a shard that is open, or was a short while ago.
    pub(crate) fn index_of(&self, shard: &ShardId) -> Option<ShardIndex> {
        self.known.get(shard).map(|known| known.index)
    }

    /// Whether the service distributes records itself.
    pub(crate) fn is_auto(&self) -> bool {
        self.strategy == Some(RecordDistributionStrategy::Auto)
    }

    /// How the service chooses a record's shard, as far as anybody said.
    pub(crate) fn strategy(&self) -> Option<RecordDistributionStrategy> {
        self.strategy
    }

    /// The shard of an index.
    pub(crate) fn id(&self, shard: ShardIndex) -> Option<&ShardId> {
        self.ids.get(&shard)
    }

    /// Open shards, as far as they are known.
    pub(crate) fn open_shards(&self) -> usize {
        self.open.len()
    }

    /// Takes a complete listing of the open shards.
    pub(crate) fn install(&mut self, listing: &ShardListing, random: &mut fastrand::Rng) {
        let State::Listing { since } = self.state else {
            return;
        };
        self.listed_at = since;
        self.answered = true;
        self.state = State::Settled;
        self.refresh_at = since.plus(self.refresh_interval.mul_f64(0.75 + random.f64() / 2.0));
        self.note_strategy(listing.record_distribution_strategy);
        for known in self.known.values_mut() {
            known.closed_since.get_or_insert(since);
        }
        self.open.clear();
        for shard in &listing.shards {
            let index = self.index(shard);
            self.open.push((shard.ending_hash_key, index));
        }
        for shard in &listing.recently_closed {
            if !self.known.contains_key(&shard.shard_id) {
                let range = (shard.starting_hash_key, shard.ending_hash_key);
                self.add(&shard.shard_id, Some(range), Some(since));
            }
        }
        let known = &self.known;
        self.unlisted.retain(|(shard, _)| !known.contains_key(shard));
        self.unlisted.iter_mut().for_each(|(_, missed)| *missed = missed.saturating_add(1));
        self.open.sort_unstable();
        self.learned = LearnedShards::default();
        if self.is_auto() {
            self.open.clear();
        }
        self.known.retain(|_, known| {
            known.closed_since.is_none_or(|closed| since.since(closed) < CLOSED_SHARD_MEMORY)
        });
        self.ids.retain(|index, id| self.known.get(id).is_some_and(|known| known.index == *index));
    }

    /// Says that a record with this hash key was stored in that shard, by a call made at `seen_at`, and that this
    /// contradicts the map. True when a new listing is to be asked for.
    pub(crate) fn contradicted(
        &mut self,
        (hash_key, shard): (HashKey, &ShardId),
        seen_at: Moment,
        now: Moment,
    ) -> bool {
        // Where the service distributes records itself, no place is a surprise.
        if self.is_auto() || seen_at < self.listed_at {
            return false;
        }
        if self.holds(shard, (hash_key, hash_key)) == Some(false) {
            self.keys_ignored = match self.keys_ignored {
                KeysIgnored::No | KeysIgnored::ByThisListing => KeysIgnored::ByThisListing,
                KeysIgnored::ByTheLastListing | KeysIgnored::Proven => KeysIgnored::Proven,
            };
        }
        self.list_again(now)
    }

    /// Takes note of what the newest listing says about the strategy.
    fn note_strategy(&mut self, said: Option<RecordDistributionStrategy>) {
        let seen = self.keys_ignored;
        self.keys_ignored = match seen {
            KeysIgnored::ByThisListing => KeysIgnored::ByTheLastListing,
            _ => KeysIgnored::No,
        };
        self.strategy = match seen {
            KeysIgnored::Proven => Some(RecordDistributionStrategy::Auto),
            _ => said.or(self.strategy),
        };
    }

    /// Says that the newest listing does not show a shard in which a record was stored. True when a listing is to be asked
    /// for.
    pub(crate) fn is_unresolved(&mut self, now: Moment) -> bool {
        self.list_again(now)
    }

    /// Whether this shard is unknown and the next listing may show it.
    pub(crate) fn is_news(&mut self, shard: &ShardId) -> bool {
        if self.known.contains_key(shard) || self.is_auto() {
            return false;
        }
        if let Some((_, missed)) = self.unlisted.iter().find(|(unlisted, _)| unlisted == shard) {
            return *missed == 0;
        }
        if self.unlisted.len() == UNLISTED {
            self.unlisted.remove(0);
        }
        self.unlisted.push((shard.clone(), 0));
        true
    }

    /// Whether so many listings did not show this shard that no record waits for another one.
    pub(crate) fn is_hidden(&self, shard: &ShardId) -> bool {
        self.unlisted.iter().any(|(unlisted, missed)| unlisted == shard && *missed >= LISTINGS)
    }

    /// Says that the stream is not there: what is made anew under its name has other shards, maybe with the ids of the
    /// old ones. Nothing is predicted until they are listed. True when a listing is to be asked for.
    pub(crate) fn lost(&mut self, now: Moment) -> bool {
        self.open.clear();
        self.known.clear();
        self.ids.clear();
        self.learned = LearnedShards::default();
        self.keys_ignored = KeysIgnored::No;
        self.list_again(now)
    }

    /// Says that there is traffic. True when the map is old and a new listing is to be asked for.
    pub(crate) fn is_refreshed(&mut self, now: Moment) -> bool {
        self.refresh_at <= now && self.list_again(now)
    }

    /// The listing failed and nobody needs it now: true when the old map serves on until there is traffic again, false
    /// when there is none.
    pub(crate) fn rest(&mut self, now: Moment) -> bool {
        let has_map = !self.known.is_empty();
        if has_map && self.is_listing() {
            self.state = State::Settled;
            self.refresh_at = now;
        }
        has_map
    }

    fn list_again(&mut self, now: Moment) -> bool {
        let is_settled = self.state == State::Settled;
        if is_settled {
            self.state = State::Listing { since: now };
        }
        is_settled
    }

    /// The index of an open shard.
    fn index(&mut self, shard: &ShardDescription) -> ShardIndex {
        // Of a stream that was deleted and made anew, the range may be another.
        let range = Some((shard.starting_hash_key, shard.ending_hash_key));
        match self.known.get_mut(&shard.shard_id) {
            Some(known) => {
                *known = KnownShard { index: known.index, range, closed_since: None };
                known.index
            }
            None => self.add(&shard.shard_id, range, None),
        }
    }

    fn add(
        &mut self,
        shard: &ShardId,
        range: Option<(HashKey, HashKey)>,
        closed_since: Option<Moment>,
    ) -> ShardIndex {
        let index = ShardIndex(self.next_index);
        self.next_index += 1;
        self.known.insert(shard.clone(), KnownShard { index, range, closed_since });
        self.ids.insert(index, shard.clone());
        index
    }
}

#[cfg(test)]
mod tests;
