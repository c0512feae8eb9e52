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
