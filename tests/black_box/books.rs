//! Books over numbered lines: what was written against what arrived.
//!
//! Invariant: a record counts only when it is, byte for byte, the line that was written under its number.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;

use crate::patience::comes_true;

/// The line of this number.
pub(crate) fn line(number: u64) -> String {
    let filler = "abcdefghijklmnopqrstuvwxyz0123456789".repeat(4);
    let length = 5 + (number.wrapping_mul(0x9E37_79B9) % 110) as usize;
    format!("{number:08} {}\n", &filler[..length])
}

/// How often each number arrived.
#[derive(Debug, Default)]
pub(crate) struct Books {
    arrived: HashMap<u64, u64>,
    /// Records that are no written line.
    pub(crate) mangled: Vec<String>,
}

impl Books {
    /// Takes records in.
    pub(crate) fn enter(&mut self, records: impl IntoIterator<Item = Bytes>) {
        for record in records {
            let text = String::from_utf8_lossy(&record).into_owned();
            match text.get(..8).and_then(|digits| digits.parse().ok()) {
                Some(number) if line(number) == text => *self.arrived.entry(number).or_default() += 1,
                _ => self.mangled.push(text),
            }
        }
    }

    pub(crate) fn has(&self, number: u64) -> bool {
        self.arrived.contains_key(&number)
    }

    /// Takes in what `read` gives until the first `written` lines are there; what is missing in the end is for
    /// [`Books::assert_nothing_missing`] to say.
    pub(crate) fn await_lines(
        &mut self,
        written: u64,
        patience: Duration,
        mut read: impl FnMut() -> Vec<Bytes>,
    ) {
        comes_true(patience, || {
            self.enter(read());
            self.arrived.len() as u64 >= written
        });
    }

    pub(crate) fn missing(&self, written: u64) -> Vec<u64> {
        (0..written).filter(|number| !self.arrived.contains_key(number)).collect()
    }

    /// All arrivals.
    pub(crate) fn arrivals(&self) -> u64 {
        self.arrived.values().sum()
    }

    /// Arrivals beyond the first of each line.
    pub(crate) fn doubled(&self) -> u64 {
        self.arrived.values().map(|times| times - 1).sum()
    }

    /// The lines that arrived more than once.
    pub(crate) fn repeated_lines(&self) -> Vec<u64> {
        let repeated = self.arrived.iter().filter(|(_, times)| **times > 1);
        let mut lines: Vec<_> = repeated.map(|(line, _)| *line).collect();
        lines.sort_unstable();
        lines
    }

    #[track_caller]
    pub(crate) fn assert_nothing_missing(&self, written: u64) {
        let missing = self.missing(written);
        let some = &missing[..missing.len().min(10)];
        assert!(missing.is_empty(), "{} of {written} lines are missing, for example {some:?}", missing.len());
        assert!(
            self.mangled.is_empty(),
            "records that are no line: {:?}",
            &self.mangled[..self.mangled.len().min(3)]
        );
    }

    /// Every line once.
    #[track_caller]
    pub(crate) fn assert_exact(&self, written: u64) {
        self.assert_nothing_missing(written);
        let doubled = self.repeated_lines();
        let some = &doubled[..doubled.len().min(10)];
        assert!(
            doubled.is_empty(),
            "{} of {written} lines came more than once, for example {some:?}",
            doubled.len()
        );
    }
}
