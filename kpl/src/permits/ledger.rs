//! What each stream of a producer holds of its budget, and what it may still take.
//!
//! Half of the budget is divided evenly among the streams that hold records, or held some since the last stream began:
//! so much is a stream's own. The other half is common, first come first served.
//!
//! Invariant: of the common half nothing is given that would leave a stream less than its own part.

use crate::core::room::{Claim, Room};

/// One part in so many of the budget is given beyond it, to streams and shards that find their part taken: by those
/// that were there before them.
const BEYOND: usize = 8;

/// A producer's streams.
#[derive(Debug)]
pub(super) struct Ledger {
    max: Room,
    /// What is divided among the streams.
    divided: Room,
    /// Each stream's own part.
    own: Room,
    streams: Vec<Holding>,
    /// Numbers of streams that are gone.
    free: Vec<usize>,
    with_part: usize,
    held: Room,
    copies: usize,
    /// What the streams with a part hold, and what they do not use of it.
    committed: Room,
}

/// One stream.
#[derive(Debug, Default, Clone, Copy)]
struct Holding {
    held: Room,
    /// Bytes of the calls in flight.
    copies: usize,
    has_part: bool,
}

/// On which terms something may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Terms {
    /// Whatever others hold.
    Anyway,
    /// As a part that is guaranteed.
    Guaranteed,
    /// As long as so many bytes are left for those that have not used their parts.
    Common { spare: usize },
}

impl Ledger {
    /// A budget of `max`, of which `own_bytes` are the producer's whatever other producers hold.
    pub(super) fn new(max: Room, own_bytes: usize) -> Self {
        let divided = Room { bytes: max.bytes.min(own_bytes) / 2, records: max.records / 2 };
        let own = divided.divided(1);
        let (held, committed) = (Room::NONE, Room::NONE);
        Self {
            max,
            divided,
            own,
            streams: Vec::new(),
            free: Vec::new(),
            with_part: 0,
            held,
            copies: 0,
            committed,
        }
    }

    /// A new stream. Streams that hold nothing give their parts up until they hold something again.
    pub(super) fn begin_stream(&mut self) -> usize {
        for stream in &mut self.streams {
            stream.has_part &= stream.all() != Room::NONE;
        }
        let number = self.free.pop().unwrap_or_else(|| {
            self.streams.push(Holding::default());
            self.streams.len() - 1
        });
        self.divide();
        number
    }

    /// A stream is gone. Its number is given again, unless calls that are being cut off still hold something.
    pub(super) fn end_stream(&mut self, stream: usize) {
        if self.streams[stream].all() == Room::NONE {
            self.streams[stream].has_part = false;
            self.free.push(stream);
            self.divide();
        }
    }

    /// Each stream's own part.
    pub(super) fn own(&self) -> Room {
        self.own
    }

    /// Records and bytes held, copies excepted.
    pub(super) fn held(&self) -> Room {
        self.held
    }

    /// Bytes held, copies included.
    pub(super) fn bytes(&self) -> usize {
        self.held.bytes.saturating_add(self.copies)
    }

    /// Whether a stream may take so much more.
    pub(super) fn judge(&self, stream: usize, more: Room, claim: Claim) -> Option<Terms> {
        let holding = self.streams[stream];
        if holding.held.records + more.records <= 1 {
            return Some(Terms::Anyway);
        }
        let all = holding.all();
        let wanted = all.plus(more).plus(claim.left_for_others());
        match claim {
            Claim::Alone => self.held.fits(self.beyond()).then_some(Terms::Guaranteed),
            Claim::Part { after } => self.has_part_left(more, after).then_some(Terms::Guaranteed),
            Claim::Common { .. } if wanted.fits(self.own) => {
                self.has_part_left(more, all.plus(more)).then_some(Terms::Guaranteed)
            }
            Claim::Common { .. } => {
                let growth = wanted.max(self.own).minus(all.max(self.own));
                let committed = self.committed.plus(growth);
                let spare = committed.bytes.saturating_sub(self.bytes()).saturating_sub(more.bytes);
                committed.fits(self.max).then_some(Terms::Common { spare })
            }
        }
    }

    pub(super) fn take(&mut self, stream: usize, more: Room) {
        self.change(stream, |holding| holding.held = holding.held.plus(more));
    }

    pub(super) fn give_back(&mut self, stream: usize, less: Room) {
        self.change(stream, |holding| holding.held = holding.held.minus(less));
    }

    pub(super) fn take_copies(&mut self, stream: usize, bytes: usize) {
        self.change(stream, |holding| holding.copies = holding.copies.saturating_add(bytes));
    }

    pub(super) fn give_copies_back(&mut self, stream: usize, bytes: usize) {
        self.change(stream, |holding| holding.copies = holding.copies.saturating_sub(bytes));
    }

    /// What is guaranteed is there as long as the budget is not taken; then beyond it, at most as much as is left there.
    fn has_part_left(&self, more: Room, after: Room) -> bool {
        let held = self.held.plus(more);
        held.fits(self.max) || held.plus(after).fits(self.beyond())
    }

    fn beyond(&self) -> Room {
        let (bytes, records) = (self.max.bytes / BEYOND, self.max.records / BEYOND);
        self.max.plus(Room { bytes, records })
    }

    fn change(&mut self, stream: usize, change: impl FnOnce(&mut Holding)) {
        let holding = &mut self.streams[stream];
        let before = *holding;
        change(holding);
        let after = *holding;
        self.held = self.held.plus(after.held).minus(before.held);
        self.copies = self.copies.saturating_add(after.copies).saturating_sub(before.copies);
        if after.has_part {
            let (before, after) = (before.all().max(self.own), after.all().max(self.own));
            self.committed = self.committed.plus(after).minus(before);
        } else {
            holding.has_part = true;
            self.divide();
        }
    }

    /// Gives each stream its part.
    fn divide(&mut self) {
        self.with_part = self.streams.iter().filter(|stream| stream.has_part).count();
        self.own = self.divided.divided(self.with_part);
        let streams = self.streams.iter().filter(|stream| stream.has_part);
        self.committed = streams.fold(Room::NONE, |sum, stream| sum.plus(stream.all().max(self.own)));
    }
}

impl Holding {
    fn all(&self) -> Room {
        self.held.plus(Room::of_bytes(self.copies))
    }
}

#[cfg(test)]
mod tests;
