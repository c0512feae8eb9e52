//! Which records a flush waits for.
//!
//! Every record belongs to an epoch, and every flush ends one: it is done when no record of its epoch, or of an
//! earlier one, is outstanding.
//!
//! Invariant: a flush waits for what was accepted before it and for nothing later.

use std::collections::VecDeque;

use crate::types::FlushId;

/// Records outstanding by epoch: how many flushes had been asked for when they were accepted.
#[derive(Debug)]
pub(crate) struct Flushes {
    first_epoch: u32,
    outstanding: VecDeque<usize>,
    asked: VecDeque<u32>,
}

impl Flushes {
    pub(crate) fn new() -> Self {
        Self { first_epoch: 0, outstanding: VecDeque::from([0]), asked: VecDeque::new() }
    }

    /// Records without an outcome.
    pub(crate) fn outstanding(&self) -> usize {
        self.outstanding.iter().sum()
    }

    pub(crate) fn accept(&mut self) -> u32 {
        if let Some(newest) = self.outstanding.back_mut() {
            *newest += 1;
        }
        self.newest_epoch()
    }

    pub(crate) fn ask(&mut self) -> FlushId {
        let epoch = self.newest_epoch();
        self.outstanding.push_back(0);
        self.asked.push_back(epoch);
        FlushId(epoch)
    }

    pub(crate) fn is_asked(&self) -> bool {
        !self.asked.is_empty()
    }

    pub(crate) fn finish(&mut self, epoch: u32) {
        let place = epoch.wrapping_sub(self.first_epoch) as usize;
        if let Some(count) = self.outstanding.get_mut(place) {
            *count -= 1;
        }
    }

    pub(crate) fn next_done(&mut self) -> Option<FlushId> {
        let flush = *self.asked.front()?;
        if self.outstanding.front() != Some(&0) {
            return None;
        }
        self.outstanding.pop_front();
        self.first_epoch = self.first_epoch.wrapping_add(1);
        self.asked.pop_front();
        Some(FlushId(flush))
    }

    pub(crate) fn newest_epoch(&self) -> u32 {
        // At least one epoch always exists, and there are never 2^32 flushes at once.
        self.first_epoch.wrapping_add(self.outstanding.len() as u32).wrapping_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flush_waits_for_earlier_records_only() {
        let mut flushes = Flushes::new();
        let (before, also_before) = (flushes.accept(), flushes.accept());
        let flush = flushes.ask();
        let later = flushes.accept();
        assert_eq!(flushes.next_done(), None);
        flushes.finish(before);
        assert_eq!(flushes.next_done(), None);
        flushes.finish(also_before);
        assert_eq!(flushes.next_done(), Some(flush));
        assert_eq!((flushes.next_done(), flushes.outstanding(), flushes.is_asked()), (None, 1, false));
        flushes.finish(later);
        let second = flushes.ask();
        assert_eq!(flushes.next_done(), Some(second), "nothing to wait for");
    }
}
