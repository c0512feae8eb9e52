//! What the records of each shard hold of their stream's room, and what part of it each shard has.
//!
//! The part that is the stream's own is divided evenly among the lanes with traffic: the predicted shards, and the
//! records without a prediction. A lane may hold its part whatever the others hold; beyond it, it has to leave the
//! others theirs.
//!
//! Invariant: what a lane holds is what its members cost that have no outcome, and each member counts for one lane.

use super::Pipeline;
use crate::core::room::{Claim, Room};
use crate::kinesis_record::Member;
use crate::types::{Lane, ShardIndex};
use crate::user_record::RecordRef;

/// The lanes of one stream.
#[derive(Debug, Default)]
pub(super) struct Shares {
    /// By [`place`]. Indices of shards are dense and few.
    lanes: Vec<Holding>,
    lanes_with_traffic: usize,
    /// What is the stream's own, and of that each lane's.
    of_stream: Room,
    part: Room,
    held: Room,
    /// What all lanes with traffic hold, and what they do not use of their parts.
    committed: Room,
}

#[derive(Debug, Default, Clone, Copy)]
struct Holding {
    held: Room,
    has_traffic: bool,
    /// Whether its part goes to the others once it holds nothing.
    is_leaving: bool,
}

impl Shares {
    /// So much of the budget is the stream's own now.
    pub(super) fn share(&mut self, of_stream: Room) {
        if self.of_stream != of_stream {
            self.of_stream = of_stream;
            self.divide();
        }
    }

    /// What a record of this lane may ask for, when so much is the stream's own.
    pub(super) fn claim(&mut self, lane: Lane, cost: u32, of_stream: Room) -> Claim {
        self.share(of_stream);
        self.give_part(place(lane));
        let held = self.lanes[place(lane)].held;
        let after = held.plus(Room::of_record(cost));
        if held.records == 0 && cost as usize > self.part.bytes {
            Claim::Alone
        } else if after.fits(self.part) {
            Claim::Part { after }
        } else {
            Claim::Common { left_for_others: self.unused().minus(self.part.minus(held)) }
        }
    }

    /// Counts a member for this lane, and no longer for another one.
    pub(super) fn place<T>(&mut self, member: &mut Member<T>, shard: Option<ShardIndex>) {
        let lane = Lane(shard);
        if member.lane == Some(lane) {
            return;
        }
        self.leave(member);
        member.lane = Some(lane);
        let room = Room::of_record(member.cost);
        self.held = self.held.plus(room);
        self.give_part(place(lane));
        let holding = &mut self.lanes[place(lane)];
        let before = holding.held.max(self.part);
        holding.held = holding.held.plus(room);
        let after = holding.held.max(self.part);
        self.committed = self.committed.plus(after.minus(before));
    }

    /// A member has its outcome.
    pub(super) fn leave<T>(&mut self, member: &Member<T>) {
        let Some(holding) = member.lane.and_then(|lane| self.lanes.get_mut(place(lane))) else { return };
        let room = Room::of_record(member.cost);
        let before = holding.held.max(self.part);
        holding.held = holding.held.minus(room);
        let after = holding.held.max(self.part);
        let has_left = holding.is_leaving && holding.held.records == 0;
        if has_left {
            *holding = Holding::default();
        }
        self.held = self.held.minus(room);
        self.committed = self.committed.minus(before.minus(after));
        if has_left {
            self.lanes_with_traffic -= 1;
            self.divide();
        }
    }

    /// There is a new shard map: lanes without records have no part until they have some again, and those of shards that
    /// are closed lose it with their last record.
    pub(super) fn shards_changed(&mut self, is_open: impl Fn(ShardIndex) -> bool) {
        for (place, holding) in self.lanes.iter_mut().enumerate() {
            holding.is_leaving = shard(place).is_none_or(|shard| !is_open(shard));
            if holding.held.records == 0 {
                *holding = Holding::default();
            }
        }
        self.lanes_with_traffic = self.lanes.iter().filter(|holding| holding.has_traffic).count();
        self.divide();
    }

    /// What lanes do not use of their parts.
    pub(super) fn unused(&self) -> Room {
        self.committed.minus(self.held)
    }

    /// The lane that holds the most bytes, and what it holds.
    pub(super) fn fullest(&self) -> Option<(Lane, Room)> {
        let holding = |(place, holding): (usize, &Holding)| (Lane(shard(place)), holding.held);
        let lanes = self.lanes.iter().enumerate().map(holding);
        lanes.filter(|(_, held)| held.records > 0).max_by_key(|(_, held)| held.bytes)
    }

    /// What a lane holds, and its part.
    #[cfg(test)]
    pub(super) fn of_lane(&self, lane: Lane) -> (Room, Room) {
        (self.lanes.get(place(lane)).map_or(Room::NONE, |holding| holding.held), self.part)
    }

    /// A lane has traffic from now on.
    fn give_part(&mut self, place: usize) {
        if place >= self.lanes.len() {
            self.lanes.resize(place + 1, Holding::default());
        }
        if !self.lanes[place].has_traffic {
            self.lanes[place].has_traffic = true;
            self.lanes_with_traffic += 1;
            self.divide();
        }
    }

    /// Gives each lane with traffic its part.
    fn divide(&mut self) {
        self.part = self.of_stream.divided(self.lanes_with_traffic);
        let part = self.part;
        let lanes = self.lanes.iter().filter(|holding| holding.has_traffic);
        self.committed = lanes.fold(Room::NONE, |sum, holding| sum.plus(holding.held.max(part)));
    }
}

/// Where a lane stands.
fn place(lane: Lane) -> usize {
    lane.0.map_or(0, |shard| shard.0 as usize + 1)
}

/// The shard of a lane that stands there.
fn shard(place: usize) -> Option<ShardIndex> {
    // The place came from a u32.
    place.checked_sub(1).map(|index| ShardIndex(index as u32))
}

// === impl Pipeline ===

impl<T> Pipeline<T> {
    /// The lane for which a record counts that comes now.
    pub(crate) fn lane_of(&mut self, record: &RecordRef<'_>) -> Lane {
        if self.shards.is_awaited() || self.shards.is_off() || record.partition_key.is_none() {
            return Lane(None);
        }
        let hash_key = match record.explicit_hash_key {
            Some(hash_key) => hash_key,
            // `route` asks for it again, and finds it.
            None => self.last_key.hash_key(record.key()),
        };
        Lane(self.shards.predict(hash_key))
    }

    /// What a record of this lane may ask for, when so much of the budget is the stream's own.
    pub(crate) fn claim(&mut self, lane: Lane, cost: u32, of_stream: Room) -> Claim {
        self.shares.claim(lane, cost, of_stream)
    }

    /// What the lanes do not use of their parts, when so much of the budget is the stream's own.
    pub(crate) fn unused_parts(&mut self, of_stream: Room) -> Room {
        self.shares.share(of_stream);
        self.shares.unused()
    }

    /// Records that count for some lane.
    #[cfg(test)]
    pub(crate) fn counted(&self) -> usize {
        self.shares.lanes.iter().map(|holding| holding.held.records).sum()
    }
}

#[cfg(test)]
mod tests;
