//! The chore of a rescan: a listing that is left out where the directories show that it would show nothing new.
//!
//! Invariant: files that are not under way are looked at in every rescan: nothing else sees that one of them grows.

use std::path::PathBuf;

use super::FlowTask;
use crate::core::rescan::Marks;
use crate::fs;
use crate::source_file::Listed;
use crate::types::Moment;

impl FlowTask {
    /// Lists, or sees that it need not be.
    pub(super) fn rescan(&mut self) -> std::io::Result<()> {
        let is_ordered = self.state.list_at == Moment::ORIGIN;
        let now = self.clock.now();
        if !is_ordered && self.state.rescan.may_be_left_out(&self.marks(), now) && self.are_unchanged() {
            self.plan_rescan();
            return Ok(());
        }
        self.list()
    }

    /// The marks of the directories that the last listing was of.
    pub(super) fn marks(&self) -> Marks {
        marks_of(&self.state.directories)
    }

    fn are_unchanged(&self) -> bool {
        let is_unchanged = |known: &Listed| {
            let there = fs::status(&known.path).ok().flatten();
            there.is_some_and(|there| {
                (there.node, there.stored_size, there.modified)
                    == (known.node, known.stored_size, known.modified)
            })
        };
        self.state.at_rest.iter().all(is_unchanged)
    }

    /// Notes what a listing showed, once it was sorted out. `unknown`: the files that were not known before.
    pub(super) fn note_listing(
        &mut self,
        marks: Marks,
        began: Moment,
        mut listing: Vec<Listed>,
        unknown: &[Listed],
    ) {
        let is_known = |unknown: &Listed| self.flow.is_tracked(unknown.node);
        let is_complete = self.state.is_watched
            && !self.state.is_partial
            && !self.flow.has_young_copies()
            && unknown.iter().all(is_known);
        listing.retain(|listed| is_complete && !self.flow.is_tracked(listed.node));
        listing.shrink_to_fit();
        self.state.at_rest = listing;
        self.state.rescan.listed(marks, began, is_complete);
    }
}

pub(super) fn marks_of(directories: &[PathBuf]) -> Marks {
    directories.iter().map(|directory| fs::directory_mark(directory)).collect()
}
