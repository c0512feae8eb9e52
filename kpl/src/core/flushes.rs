//! Which records a flush waits for.
//!
//! Every record belongs to an epoch, and every flush ends one: it is done when no record of its epoch, or of an
//! earlier one, is outstanding. An epoch can also end without a flush; its records are then merely in a hurry.
//!
//! Invariant: a flush waits for what was accepted before it and for nothing later.

use std::collections::VecDeque;

use crate::types::FlushId;

/// Records outstanding by epoch.
#[derive(Debug)]
pub(crate) struct Flushes {
    first_epoch: u32,
    /// The last one is the present epoch; there always is one.
    epochs: VecDeque<Epoch>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Epoch {
    outstanding: usize,
    /// Whether somebody waits for its end.
    awaited: bool,
}

impl Flushes {
    pub(crate) fn new() -> Self {
        Self { first_epoch: 0, epochs: VecDeque::from([Epoch::default()]) }
    }

    /// Records without an outcome.
    pub(crate) fn outstanding(&self) -> usize {
        self.epochs.iter().map(|epoch| epoch.outstanding).sum()
    }

    /// Takes a record; answers its epoch.
    pub(crate) fn accept(&mut self) -> u32 {
        if let Some(present) = self.epochs.back_mut() {
            present.outstanding += 1;
        }
        self.present_epoch()
    }

    /// Ends the present epoch with a flush, which [`Flushes::next_done`] will name.
    pub(crate) fn ask(&mut self) -> FlushId {
        let flush = FlushId(self.present_epoch());
        self.end_epoch(true);
        flush
    }

    /// Ends the present epoch, if it has records, for nobody in particular.
    pub(crate) fn hurry(&mut self) {
        if self.epochs.back().is_some_and(|present| present.outstanding > 0) {
            self.end_epoch(false);
        }
    }

    /// Whether the records of `epoch` should leave at once.
    pub(crate) fn is_hurried(&self, epoch: u32) -> bool {
        epoch != self.present_epoch()
    }

    /// Whether any record can be in a hurry.
    pub(crate) fn has_hurried(&self) -> bool {
        self.epochs.len() > 1
    }

    pub(crate) fn finish(&mut self, epoch: u32) {
        let place = epoch.wrapping_sub(self.first_epoch) as usize;
        if let Some(epoch) = self.epochs.get_mut(place) {
            epoch.outstanding -= 1;
        }
    }

    /// A flush that is done, in the order in which they were asked for.
    pub(crate) fn next_done(&mut self) -> Option<FlushId> {
        while self.epochs.len() > 1 && self.epochs.front().is_some_and(|oldest| oldest.outstanding == 0) {
            let ended = self.first_epoch;
            self.first_epoch = self.first_epoch.wrapping_add(1);
            if self.epochs.pop_front().is_some_and(|epoch| epoch.awaited) {
                return Some(FlushId(ended));
            }
        }
        None
    }

    fn end_epoch(&mut self, awaited: bool) {
        if let Some(present) = self.epochs.back_mut() {
            present.awaited = awaited;
        }
        self.epochs.push_back(Epoch::default());
    }

    fn present_epoch(&self) -> u32 {
        // There are never 2^32 epochs at once.
        self.first_epoch.wrapping_add(self.epochs.len() as u32).wrapping_sub(1)
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
        assert_eq!((flushes.next_done(), flushes.outstanding(), flushes.has_hurried()), (None, 1, false));
        flushes.finish(later);
        let second = flushes.ask();
        assert_eq!(flushes.next_done(), Some(second), "nothing to wait for");
    }

    #[test]
    fn haste_without_a_flush_is_told_to_nobody() {
        let mut flushes = Flushes::new();
        flushes.hurry();
        assert!(!flushes.has_hurried(), "nobody is there to hurry");
        let early = flushes.accept();
        flushes.hurry();
        let late = flushes.accept();
        assert!(flushes.is_hurried(early) && !flushes.is_hurried(late));
        let flush = flushes.ask();
        flushes.finish(late);
        assert_eq!(flushes.next_done(), None, "the early one is older than the flush");
        flushes.finish(early);
        assert_eq!((flushes.next_done(), flushes.next_done()), (Some(flush), None));
        assert!(!flushes.has_hurried());
    }
}
