//! Files whose descriptors are given back because the process has not enough of them: which those are, how such a file
//! is looked at by its name, and what becomes of one that is not there any more.
//!
//! A look at the name of a file without a descriptor:
//!
//! | file | its name leads to | decision |
//! |---|---|---|
//! | listed | it, as long as what was read, and not written to since | nothing new |
//! | listed | it, changed | open it |
//! | listed | nothing, or another file | list: it has another name, or none |
//! | away | it | open it: its descriptor is held until it is drained |
//! | away | nothing, or another file | list, once all its records have an outcome |
//!
//! Invariants: what is away is not closed; what was closed and is not found is treated as after a restart, with its
//! checkpoint, so that it is found again wherever a restart would find it.

use super::{Flow, Next, Sight};
use crate::core::tracked_file::{Descriptor, Presence, TrackedFile};
use crate::types::{FileId, Moment, Node};

/// What the name of a file leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glimpse {
    /// Where the file system keeps it.
    pub node: Node,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last written to, in nanoseconds since 1970.
    pub modified: u64,
    /// How many names it has.
    pub links: u64,
}

impl Glimpse {
    fn sight(&self) -> Sight {
        Sight { size: self.size, modified: self.modified, links: self.links }
    }
}

/// What to do with a file without a descriptor after a look at its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glance {
    /// It is as it was; what [`Flow::looked`] says of that.
    Same(Next),
    /// Open it, tell [`Flow::opened_again`], and look at it.
    Open,
    /// It is not there: list the directories.
    List,
    /// It is not there, and that can wait.
    Wait,
}

/// A file that had no descriptor when its name went.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lost {
    file: FileId,
    /// Bytes that had been seen in it and are not acknowledged.
    unread: u64,
}

/// In which order descriptors are given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Read to its end and acknowledged.
    AtRest,
    /// There is more to read, or to acknowledge.
    Busy,
}

impl Flow {
    /// Of these open files those whose descriptors are given back, `count` at most: first those at rest, idle for longest.
    #[must_use]
    pub fn to_give_back(&self, open: impl Iterator<Item = FileId>, count: usize, now: Moment) -> Vec<FileId> {
        let files = open.filter_map(|id| self.files.get(id));
        let mut ranked: Vec<_> =
            files.filter_map(|file| Some((rank(file, now)?, file.grown_at(), file.id))).collect();
        ranked.sort_unstable();
        ranked.into_iter().take(count).map(|(_, _, id)| id).collect()
    }

    /// Notes that a file's descriptor was given back, when it had last been written to at `modified`.
    pub fn gave_back(&mut self, id: FileId, modified: u64) {
        if let Some(mut file) = self.files.get_mut(id) {
            file.descriptor = Descriptor::GivenBack { modified };
        }
    }

    /// Notes that a file was opened again. What was read last is read again, to see that it is what it was.
    pub fn opened_again(&mut self, id: FileId) {
        if let Some(mut file) = self.files.get_mut(id) {
            file.descriptor = Descriptor::TakenAgain;
        }
    }

    /// Judges a look at the name of a file without a descriptor; `None`: there is no such name.
    pub fn glanced(&mut self, id: FileId, glimpse: Option<Glimpse>, now: Moment) -> Glance {
        let pause = self.config.min_time_between_file_polls;
        let Some(mut file) = self.files.get_mut(id) else { return Glance::Wait };
        match glimpse.filter(|glimpse| glimpse.node == file.node) {
            Some(glimpse) if is_unchanged(&file, &glimpse) => {
                drop(file);
                Glance::Same(self.looked(id, glimpse.sight(), now))
            }
            Some(_) => Glance::Open,
            None => {
                file.look_at = now.plus(pause);
                let is_awaited = file.presence != Presence::Listed && file.ledger.outstanding() > 0;
                if is_awaited { Glance::Wait } else { Glance::List }
            }
        }
    }

    /// A file that had no descriptor is not there: it is one of those that a start has not found.
    pub(super) fn lose(&mut self, id: FileId) {
        let Some(mut gone) = self.files.remove(id) else { return };
        if self.by_node.get(&gone.node) == Some(&id) {
            self.by_node.remove(&gone.node);
        }
        let checkpoint = gone.settle();
        self.lost.push(Lost { file: id, unread: gone.size().saturating_sub(checkpoint.fingerprint.offset) });
        self.statistics.rotations.add(1);
        self.epoch += 1;
        self.memory.insert(checkpoint.clone());
        self.remembered.push(checkpoint);
    }

    /// Whether files were lost that should be searched for.
    #[must_use]
    pub fn has_lost(&self) -> bool {
        !self.lost.is_empty()
    }

    /// The search is over. Those that were not found and had been read to their end are finished; answers the others.
    pub fn give_up_lost(&mut self) -> Vec<FileId> {
        let mut unread = Vec::new();
        for lost in std::mem::take(&mut self.lost) {
            let is_missing = self.memory.get(lost.file).is_some_and(|known| !known.is_finished);
            if !is_missing || self.memory.is_there(lost.file) {
                continue;
            }
            if lost.unread > 0 {
                unread.push(lost.file);
            } else if let Some(mut checkpoint) = self.memory.remove(lost.file) {
                checkpoint.is_finished = true;
                if checkpoint.node.birth == 0 {
                    // Its inode is another's now, or will be.
                    checkpoint.node = Node::GONE;
                }
                self.memory.insert(checkpoint.clone());
                self.remembered.push(checkpoint);
            }
        }
        unread
    }
}

/// Whether a file that a listing does not show cannot be reached any more, and nothing of it is under way.
pub(super) fn is_lost(file: &TrackedFile) -> bool {
    matches!(file.descriptor, Descriptor::GivenBack { .. })
        && file.presence != Presence::Ended
        && file.ledger.outstanding() == 0
}

fn is_unchanged(file: &TrackedFile, glimpse: &Glimpse) -> bool {
    let Descriptor::GivenBack { modified } = file.descriptor else { return false };
    let is_at_end = file.fetched() == glimpse.size || file.room.reaches(glimpse.size);
    is_at_end && modified == glimpse.modified && file.presence == Presence::Listed
}

fn rank(file: &TrackedFile, now: Moment) -> Option<Rank> {
    let is_leaving = file.presence != Presence::Listed || file.was_moved || now < file.hurry_until;
    let is_at_rest = file.is_settled() && file.size() == file.fetched();
    match (is_leaving, is_at_rest) {
        (true, _) => None,
        (false, true) => Some(Rank::AtRest),
        (false, false) => Some(Rank::Busy),
    }
}
