//! The chores with descriptors: giving back what is too many, and looking at files by their names.
//!
//! Invariant: a descriptor is given back only when the machine says whose; a file is taken for the one that was closed
//! only when device, inode and birth are the same.

use std::io;
use std::path::Path;

use super::files::sight;
use super::{FlowTask, Opened};
use crate::checkpoint::Fingerprint;
use crate::core::flow::{Glance, Glimpse, Next};
use crate::core::identity::holds;
use crate::core::rotated_name::is_compressed;
use crate::core::tracked_file::Presence;
use crate::fs::{self, OpenFile};
use crate::types::{FileId, Moment};

/// Descriptors that are given back when the operating system refuses one.
const GIVEN_BACK: usize = 8;

/// `EMFILE` and `ENFILE`: the process, or the system, has no more descriptors.
const REFUSALS: [i32; 2] = [24, 23];

/// Whether the operating system has no descriptors left.
pub(super) fn is_refused(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|code| REFUSALS.contains(&code))
}

impl FlowTask {
    pub(super) fn keep_open(&mut self, id: FileId, file: OpenFile) {
        self.state.opened.insert(id, Opened { file, _held: self.descriptors.hold() });
    }

    /// Gives back what the agent has too many of, as far as it is this flow's.
    pub(super) fn give_back_surplus(&mut self) {
        let count = self.descriptors.surplus(self.state.opened.len());
        if count > 0 {
            self.give_back(count);
        }
    }

    fn give_back(&mut self, count: usize) {
        let open = self.state.opened.keys().copied();
        for id in self.flow.to_give_back(open, count, self.clock.now()) {
            let Some(Opened { file, .. }) = self.state.opened.get(&id) else { continue };
            // Without its time a file is opened again at its next look.
            let modified = file.status().map_or(0, |status| status.modified);
            self.flow.gave_back(id, modified);
            self.state.opened.remove(&id);
        }
    }

    /// Opens a file; where descriptors are refused, some of those are given back first that may be.
    pub(super) fn open_by_name(&mut self, path: &Path) -> io::Result<OpenFile> {
        match self.open_if_trusted(path) {
            Err(error) if is_refused(&error) => {
                self.give_back(GIVEN_BACK);
                self.open_if_trusted(path)
            }
            result => result,
        }
    }

    fn open_if_trusted(&self, path: &Path) -> io::Result<OpenFile> {
        let file = OpenFile::open_trusted(path, self.config.link_policy)?;
        if let Some(user) = self.state.owned.get(path) {
            file.check_owner(*user)?;
        }
        Ok(file)
    }

    /// Looks at the name of a file without a descriptor, and opens it if there is more to see.
    pub(super) fn look_at_name(&mut self, id: FileId) -> io::Result<Next> {
        let Some(known) = self.flow.file(id) else { return Ok(Next::Wait) };
        let path = known.path.clone();
        let glimpse = fs::status(&path)?.map(|status| Glimpse {
            node: status.node,
            size: status.size,
            modified: status.modified,
            links: status.links,
        });
        match self.flow.glanced(id, glimpse, self.clock.now()) {
            Glance::Same(next) => Ok(next),
            Glance::Open => self.open_again(id, &path),
            Glance::List => {
                self.state.list_at = Moment::ORIGIN;
                Ok(Next::Wait)
            }
            Glance::Wait => Ok(Next::Wait),
        }
    }

    fn open_again(&mut self, id: FileId, path: &Path) -> io::Result<Next> {
        let mut file = self.open_by_name(path)?;
        let Some(known) = self.flow.file(id) else { return Ok(Next::Wait) };
        let found = file.status()?;
        if found.node != known.node {
            // Renamed since it was looked at.
            self.state.list_at = Moment::ORIGIN;
            return Ok(Next::Wait);
        }
        if known.presence != Presence::Listed && path.file_name().is_some_and(is_compressed) {
            file.decompress(found.stored_size, &[])?;
        }
        let status = file.status()?;
        self.keep_open(id, file);
        self.flow.opened_again(id);
        self.note_size(id, status.size, self.clock.now());
        Ok(self.flow.looked(id, sight(&status), self.clock.now()))
    }

    /// The size of a file without a descriptor if a fingerprint still holds in it. Where it cannot be looked into, nothing
    /// says that it was truncated.
    pub(super) fn intact_size_at_rest(&self, id: FileId, fingerprint: &Fingerprint) -> Option<u64> {
        let known = self.flow.file(id)?;
        let there = self.open_if_trusted(&known.path).and_then(|file| Ok((file.status()?, file)));
        match there {
            Ok((status, file)) if status.node == known.node => {
                let is_intact = holds(fingerprint, &file.probe(fingerprint.wanted()).ok()?);
                if is_intact { file.text_end(status.size, 0).ok() } else { None }
            }
            _ => Some(known.size()),
        }
    }

    /// Tells all flows how many files this one follows, and hears how many there are.
    pub(super) fn count_files(&mut self) {
        let count = self.flow.file_count();
        let before = std::mem::replace(&mut self.state.counted, count);
        self.flow.set_crowd(self.descriptors.follow(before, count));
    }
}
