//! What was delivered against what was written.

use std::collections::HashSet;

use super::Shell;
use crate::checkpoint::HEAD_BYTES;

impl Shell {
    pub(in crate::core::flow::tests) fn missing(&self) -> Vec<&String> {
        let is_lost = |line: &String| self.world.in_no_file.contains(line);
        let is_missing = |line: &&String| !self.delivered.contains_key(*line) && !is_lost(line);
        self.world.written.iter().filter(is_missing).collect()
    }

    pub(in crate::core::flow::tests) fn doubled(&self) -> Vec<&String> {
        let is_doubled = |line: &&String| self.delivered.get(*line).is_some_and(|copies| *copies > 1);
        self.world.written.iter().filter(is_doubled).collect()
    }

    /// Of those the ones that stand so far behind in their file that it was known for sure.
    pub(in crate::core::flow::tests) fn doubled_in_known_files(&self) -> Vec<&String> {
        let is_far = |line: &&String| self.world.places[self.number(line)] >= HEAD_BYTES;
        self.doubled().into_iter().filter(is_far).collect()
    }

    /// What was delivered and never written: no record may be cut, joined or made up.
    pub(in crate::core::flow::tests) fn mangled(&self) -> Vec<&String> {
        let written: HashSet<&String> = self.world.written.iter().collect();
        self.delivered.keys().filter(|delivered| !written.contains(delivered)).collect()
    }

    /// A written line's number.
    pub(in crate::core::flow::tests) fn number(&self, line: &str) -> usize {
        self.world.written.iter().position(|written| written == line).unwrap_or(0)
    }

    /// Lines that were delivered under several ids, so that readers cannot know that they are the same; only those that
    /// stand so far behind in their file that it was known for sure.
    pub(in crate::core::flow::tests) fn renamed_in_known_files(&self) -> Vec<&String> {
        let mut seen = HashSet::new();
        let renamed = self.ids.values().filter(|line| !seen.insert(*line));
        renamed.filter(|line| self.world.places[self.number(line)] >= HEAD_BYTES).collect()
    }
}
