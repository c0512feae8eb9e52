//! Whose turn it is. A round gives every file that is due one read, those first that have least to read: under backlog
//! the small ones are through at once, and the huge one still gets its read in each round.
//!
//! Invariants: no file has two turns in a round while another one that is due waits for its first; a file that has to
//! wait for itself alone (its dead letter cannot be written) holds up no other.

use std::collections::{HashSet, VecDeque};

use super::Flow;
use crate::core::tracked_file::TrackedFile;
use crate::types::{FileId, Moment};

/// What to do with a file whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Look at it, and read and cut what is new.
    Look(FileId),
    /// What was read of it before did not find room: cut on with [`Flow::pump`].
    Pump(FileId),
}

/// A round under way.
#[derive(Debug, Default)]
pub(super) struct Round {
    had_their_turn: HashSet<FileId>,
    /// The file that found no room in the midst of its turn, and goes on with it.
    interrupted: Option<FileId>,
    queue: VecDeque<FileId>,
}

impl Round {
    /// Files that are due, with the bytes that are left of them: those that had no turn in this round queue for it.
    fn gather(&mut self, mut due: Vec<(FileId, u64)>) {
        let interrupted = self.interrupted.take();
        due.retain(|(file, _)| !self.had_their_turn.contains(file));
        due.sort_unstable_by_key(|(file, rest)| (Some(*file) != interrupted, *rest, *file));
        self.queue.clear();
        self.queue.extend(due.into_iter().map(|(file, _)| file));
    }

    /// Whose turn it is; `None` ends the round.
    fn next(&mut self) -> Option<FileId> {
        let next = self.queue.pop_front();
        match next {
            Some(file) => drop(self.had_their_turn.insert(file)),
            None => self.had_their_turn.clear(),
        }
        next
    }

    /// There is no room for the file's next record. Its turn is not over: it goes on with it when there is room, unless
    /// it gives way to those who had none.
    fn interrupt(&mut self, file: FileId, gives_way: bool) {
        self.had_their_turn.remove(&file);
        self.interrupted = (!gives_way).then_some(file);
    }
}

impl Flow {
    /// Begins a round, or goes on with the one that was interrupted.
    pub fn go_round(&mut self, now: Moment) {
        let due = self.due(now).into_iter();
        let due = due.filter_map(|id| Some((id, left(self.files.get(id)?)))).collect();
        self.round.gather(due);
    }

    /// Whose turn it is; `None` ends the round.
    pub fn next_turn(&mut self) -> Option<Turn> {
        let id = self.round.next()?;
        let has_leftover = self.files.get(id).is_some_and(|file| file.has_leftover);
        Some(if has_leftover { Turn::Pump(id) } else { Turn::Look(id) })
    }

    /// There is no room for a file's next record, nor for another's. When there is, the round goes on with this file;
    /// but if most of the flow's room is this one's already, with the others.
    pub fn found_no_room(&mut self, id: FileId, now: Moment) {
        let Some(mut file) = self.files.get_mut(id) else { return };
        file.look_at = now;
        let held_by_it = file.held();
        drop(file);
        self.round.interrupt(id, held_by_it > self.files.held() / 2);
    }

    /// A file waits, and no other: nothing is read of it until then.
    pub fn suspend(&mut self, id: FileId, until: Moment) {
        if let Some(mut file) = self.files.get_mut(id) {
            file.look_at = until;
        }
    }
}

/// Bytes that are to be read or cut, as far as is known.
fn left(file: &TrackedFile) -> u64 {
    file.seen_size.saturating_sub(file.cut())
}

#[cfg(test)]
mod tests;
