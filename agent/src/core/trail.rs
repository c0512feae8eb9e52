//! Places behind the head of a file at which its content is known: by one of them a copy of its beginning is told from a
//! file that only begins alike, with the same long header.
//!
//! Invariants: bounded; of the places read last all are kept, of earlier ones ever fewer.

use crate::checkpoint::{HEAD_BYTES, Print};

/// How many are kept.
const MOST: usize = 16;

/// The places, in order.
#[derive(Debug, Default)]
pub struct Trail(Vec<Place>);

/// A place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its position.
    pub offset: u64,
    /// The bytes before it.
    pub marker: Print,
}

impl Trail {
    /// Notes a place. Within the head it says nothing that the head does not say.
    pub fn push(&mut self, place: Place) {
        if place.offset <= HEAD_BYTES as u64 || self.0.last().is_some_and(|last| place.offset <= last.offset)
        {
            return;
        }
        if self.0.len() == MOST {
            let mut number = 0;
            self.0.retain(|_| {
                number += 1;
                number > MOST / 2 || number % 2 == 0
            });
        }
        self.0.push(place);
    }

    /// The last place within the first `size` bytes.
    #[must_use]
    pub fn last_within(&self, size: u64) -> Option<Place> {
        self.0.iter().rfind(|place| place.offset <= size).copied()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Place> {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(offset: u64) -> Place {
        Place { offset, marker: Print::of(&offset.to_be_bytes()) }
    }

    #[test]
    fn the_last_places_are_kept_and_fewer_of_the_others() {
        let mut trail = Trail::default();
        (0..40).for_each(|number| trail.push(place(number * 1000)));
        let offsets: Vec<u64> = trail.iter().map(|place| place.offset / 1000).collect();
        assert!(offsets.len() <= MOST && offsets.is_sorted(), "{offsets:?}");
        assert!(offsets.ends_with(&[33, 34, 35, 36, 37, 38, 39]) && offsets[0] < 30, "{offsets:?}");
    }

    #[test]
    fn places_behind_the_head_count() {
        let mut trail = Trail::default();
        [1024, 1500, 1400, 3000].into_iter().for_each(|offset| trail.push(place(offset)));
        for (size, expected) in [(1499, None), (1500, Some(1500)), (2999, Some(1500)), (9999, Some(3000))] {
            assert_eq!(trail.last_within(size).map(|place| place.offset), expected, "{size}");
        }
    }
}
