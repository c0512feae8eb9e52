//! The producers that number their records themselves, each with a window of its own.
//!
//! Invariant: there are never more of them than allowed; the one that was silent for longest goes first.

use hashbrown::HashMap;

use super::sequence_window::SequenceWindow;
use crate::dedup::Sighting;
use crate::dedup_id::NumberedId;

#[derive(Debug, Clone)]
pub(super) struct ProducerWindows {
    most: usize,
    length: u32,
    by_name: HashMap<Box<str>, Heard>,
    /// How many ids were noted.
    noted: u64,
}

#[derive(Debug, Clone)]
struct Heard {
    window: SequenceWindow,
    /// How many ids had been noted when it was last heard.
    last: u64,
}

impl ProducerWindows {
    pub(super) fn new(most: u32, length: u32) -> Self {
        Self { most: most as usize, length, by_name: HashMap::new(), noted: 0 }
    }

    pub(super) fn note(&mut self, id: NumberedId<'_>) -> Sighting {
        self.noted += 1;
        if let Some(heard) = self.by_name.get_mut(id.producer) {
            heard.last = self.noted;
            return heard.window.note(id.sequence);
        }
        if self.by_name.len() >= self.most {
            self.forget_one();
        }
        let heard = Heard { window: SequenceWindow::new(self.length, id.sequence), last: self.noted };
        self.by_name.insert(id.producer.into(), heard);
        Sighting::First
    }

    /// Remembers what either holds. If there are too many producers, those of `other` that were silent for longest go
    /// after all of this one's.
    pub(super) fn join(&mut self, other: &Self) {
        let mut theirs: Vec<_> = other.by_name.iter().collect();
        theirs.sort_unstable_by_key(|(_, heard)| heard.last);
        for (name, heard) in theirs {
            self.noted += 1;
            if let Some(known) = self.by_name.get_mut(name) {
                known.window.join(&heard.window);
                known.last = self.noted;
                continue;
            }
            if self.by_name.len() >= self.most {
                self.forget_one();
            }
            let window = heard.window.resized(self.length);
            self.by_name.insert(name.clone(), Heard { window, last: self.noted });
        }
    }

    /// Rare: a producer has to start for it.
    fn forget_one(&mut self) {
        let longest_silent = self.by_name.values().map(|heard| heard.last).min();
        self.by_name.retain(|_, heard| Some(heard.last) != longest_silent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_that_was_silent_for_longest_is_forgotten() {
        let mut windows = ProducerWindows::new(2, 64);
        let mut note = |producer| windows.note(NumberedId { producer, sequence: 5 });
        assert_eq!([note("a"), note("b"), note("a")], [Sighting::First, Sighting::First, Sighting::Repeat]);
        assert_eq!([note("c"), note("a")], [Sighting::First, Sighting::Repeat]);
        assert_eq!(note("b"), Sighting::First);
        assert_eq!(windows.by_name.len(), 2);
    }

    #[test]
    fn joined_windows_know_the_producers_of_both() {
        let note = |windows: &mut ProducerWindows, producer, sequence| {
            windows.note(NumberedId { producer, sequence })
        };
        let (mut left, mut right) = (ProducerWindows::new(2, 64), ProducerWindows::new(2, 128));
        for (producer, sequence) in [("b", 1), ("a", 1)] {
            note(&mut left, producer, sequence);
        }
        for (producer, sequence) in [("c", 1), ("a", 2)] {
            note(&mut right, producer, sequence);
        }
        left.join(&right);
        assert_eq!(left.by_name.len(), 2, "one was forgotten");
        for (producer, sequence) in [("a", 1), ("a", 2), ("c", 1)] {
            assert_eq!(note(&mut left, producer, sequence), Sighting::Repeat, "{producer} {sequence}");
        }
    }
}
