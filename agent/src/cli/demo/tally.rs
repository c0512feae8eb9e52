//! Which of the lines came back, and how often.
//!
//! Invariant: every record that is counted is either one copy of one line that was written, or damaged.

/// Numbers that are shown of those that are wrong.
const EXAMPLES: usize = 5;

/// The copies of each line.
#[derive(Debug)]
pub(super) struct Tally {
    /// By the line's number.
    copies: Vec<u32>,
    damaged: u64,
}

/// Lines that are not right.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct WrongLines {
    /// How many records too few or too many.
    pub(super) count: u64,
    /// The numbers of the first few lines.
    pub(super) examples: Vec<u64>,
}

impl Tally {
    /// For lines numbered from 0.
    pub(super) fn new(lines: u64) -> Self {
        Self { copies: vec![0; usize::try_from(lines).unwrap_or(usize::MAX)], damaged: 0 }
    }

    /// Counts a record; `number` is `None` if it is no line that was written.
    pub(super) fn count(&mut self, number: Option<u64>) {
        let place = number.and_then(|number| usize::try_from(number).ok());
        match place.and_then(|place| self.copies.get_mut(place)) {
            Some(copies) => *copies += 1,
            None => self.damaged += 1,
        }
    }

    /// Lines that came back at least once.
    pub(super) fn delivered(&self) -> u64 {
        self.copies.iter().filter(|copies| **copies > 0).count() as u64
    }

    /// Records that are no line that was written.
    pub(super) fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Lines that did not come back.
    pub(super) fn missing(&self) -> WrongLines {
        self.wrong(|copies| u64::from(copies == 0))
    }

    /// Copies beyond the first.
    pub(super) fn duplicates(&self) -> WrongLines {
        self.wrong(|copies| u64::from(copies.saturating_sub(1)))
    }

    fn wrong(&self, amount: impl Fn(u32) -> u64) -> WrongLines {
        let mut wrong = WrongLines::default();
        for (number, copies) in (0..).zip(&self.copies) {
            let amount = amount(*copies);
            wrong.count += amount;
            if amount > 0 && wrong.examples.len() < EXAMPLES {
                wrong.examples.push(number);
            }
        }
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_is_counted() {
        let mut tally = Tally::new(10);
        let numbers = [Some(0), Some(1), Some(1), Some(1), Some(9), Some(10), None, Some(u64::MAX)];
        numbers.into_iter().for_each(|number| tally.count(number));
        assert_eq!((tally.delivered(), tally.damaged()), (3, 3));
        assert_eq!(tally.missing(), WrongLines { count: 7, examples: vec![2, 3, 4, 5, 6] });
        assert_eq!(tally.duplicates(), WrongLines { count: 2, examples: vec![1] });
    }
}
