//! The numbers that one producer's records had: one bit each, from the largest downwards.
//!
//! Invariant: the bit of every number in `(largest - length, largest]` says whether it was seen; no other bit is set.

use crate::dedup::Sighting;

/// A ring of bits. The bit of a number is at its remainder.
#[derive(Debug, Clone)]
pub(super) struct SequenceWindow {
    words: Box<[u64]>,
    largest: u64,
}

impl SequenceWindow {
    /// Remembers `length` numbers, rounded up to a multiple of 64. `first` is seen.
    pub(super) fn new(length: u32, first: u64) -> Self {
        let words = vec![0; length.div_ceil(64).max(1) as usize].into_boxed_slice();
        let mut window = Self { words, largest: first };
        window.set(first);
        window
    }

    pub(super) fn note(&mut self, sequence: u64) -> Sighting {
        if sequence > self.largest {
            self.advance_to(sequence);
        } else if self.largest - sequence >= self.length() {
            return Sighting::TooOld;
        } else if self.is_set(sequence) {
            return Sighting::Repeat;
        }
        self.set(sequence);
        Sighting::First
    }

    /// Remembers what either window holds, as far as this one reaches.
    pub(super) fn join(&mut self, other: &Self) {
        if other.largest > self.largest {
            self.advance_to(other.largest);
        }
        let oldest = other.largest.saturating_sub(other.length() - 1);
        for sequence in oldest..=other.largest {
            if other.is_set(sequence) && self.largest - sequence < self.length() {
                self.set(sequence);
            }
        }
    }

    /// What this window holds, in one that remembers `length` numbers.
    pub(super) fn resized(&self, length: u32) -> Self {
        let words = vec![0; length.div_ceil(64).max(1) as usize].into_boxed_slice();
        let mut resized = Self { words, largest: self.largest };
        resized.join(self);
        resized
    }

    fn length(&self) -> u64 {
        self.words.len() as u64 * 64
    }

    /// Forgets what falls out behind, so that its bits can serve the numbers up to `sequence`.
    fn advance_to(&mut self, sequence: u64) {
        let steps = sequence - self.largest;
        if steps >= self.length() {
            self.words.fill(0);
        } else {
            for passed in self.largest + 1..=sequence {
                let (word, bit) = self.place(passed);
                self.words[word] &= !bit;
            }
        }
        self.largest = sequence;
    }

    fn place(&self, sequence: u64) -> (usize, u64) {
        let place = sequence % self.length();
        ((place / 64) as usize, 1 << (place % 64))
    }

    fn is_set(&self, sequence: u64) -> bool {
        let (word, bit) = self.place(sequence);
        self.words[word] & bit != 0
    }

    fn set(&mut self, sequence: u64) {
        let (word, bit) = self.place(sequence);
        self.words[word] |= bit;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn the_ends_of_the_window() {
        let mut window = SequenceWindow::new(64, 100);
        assert_eq!(window.note(100), Sighting::Repeat);
        assert_eq!(window.note(37), Sighting::First, "the oldest that the window reaches");
        assert_eq!(window.note(37), Sighting::Repeat);
        assert_eq!(window.note(36), Sighting::TooOld);
        assert_eq!(window.note(101), Sighting::First);
        assert_eq!(window.note(37), Sighting::TooOld);
        assert_eq!(window.note(u64::MAX), Sighting::First);
        assert_eq!(window.note(u64::MAX), Sighting::Repeat);
        assert_eq!(window.note(u64::MAX - 63), Sighting::First, "what stood there was forgotten");
        assert_eq!(window.note(101), Sighting::TooOld);
    }

    proptest! {
        /// Windows of any lengths and places: what either has seen is a repeat, and nothing else is.
        #[test]
        fn a_joined_window_agrees_with_a_set(
            lengths in (1..300_u32, 1..300_u32), firsts in (0..500_u64, 0..500_u64),
            numbers in proptest::collection::vec((any::<bool>(), 0..900_u64), 0..200), asked in 0..900_u64
        ) {
            let mut windows =
                [SequenceWindow::new(lengths.0, firsts.0), SequenceWindow::new(lengths.1, firsts.1)];
            for (is_second, number) in numbers {
                windows[usize::from(is_second)].note(number);
            }
            let [mut joined, other] = windows;
            let known = |window: &SequenceWindow| window.clone().note(asked) == Sighting::Repeat;
            let was_seen = known(&joined) || known(&other);
            joined.join(&other);
            let reach = joined.length();
            let expected = match asked {
                _ if asked + reach <= joined.largest => Sighting::TooOld,
                _ if was_seen => Sighting::Repeat,
                _ => Sighting::First,
            };
            prop_assert_eq!(joined.note(asked), expected);
        }

        #[test]
        fn agrees_with_a_set(
            length in 1..300_u32, first in 0..500_u64, numbers in proptest::collection::vec(0..900_u64, 0..400)
        ) {
            let mut window = SequenceWindow::new(length, first);
            let reach = u64::from(length).div_ceil(64) * 64;
            let (mut seen, mut largest) = (HashSet::from([first]), first);
            for number in numbers {
                let expected = match number {
                    _ if number + reach <= largest => Sighting::TooOld,
                    _ if seen.insert(number) => Sighting::First,
                    _ => Sighting::Repeat,
                };
                largest = largest.max(number);
                prop_assert_eq!(window.note(number), expected, "{}", number);
            }
        }
    }
}
