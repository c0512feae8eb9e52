//! The chores with files under way: looking, reading, and the search for the rest of a truncated one.

use std::io;
use std::path::Path;

use super::FlowTask;
use super::unreadable::FoundBy;
use crate::clock::Clock;
use crate::core::flow::{Adoption, Flow, Next, Sight};
use crate::core::identity::is_rotated_name;
use crate::core::rotated_name::{kind, rotated_kind};
use crate::fs::{self, FileStatus, OpenFile};
use crate::source_file::Listed;
use crate::types::FileId;

/// What the machine is told of a look.
pub(super) fn sight(status: &FileStatus) -> Sight {
    Sight { size: status.size, modified: status.modified, links: status.links }
}

/// Reads what the machine wants of a file that was looked at.
fn follow_up(
    flow: &mut Flow,
    clock: &Clock,
    file: &OpenFile,
    id: FileId,
    mut next: Next,
) -> io::Result<Next> {
    if let Next::Compare(wanted) = next {
        let probe = file.probe(wanted)?;
        next = flow.compared(id, &probe, clock.now());
    }
    if let Next::Read { offset, length } = next {
        file.read_at(offset, length, flow.read_buffer())?;
        let size_after = file.status()?.size;
        next = flow.read(id, size_after, clock.now());
        if next == Next::Wait {
            next = Next::Drain;
        }
    }
    if let Next::Search(from) = next {
        let size = file.status()?.size;
        let search = file.search_text(from, size)?;
        next = flow.searched(id, search, size, clock.now());
    }
    Ok(next)
}

impl FlowTask {
    /// A file could not be looked at or read: the others come first, and it is tried again later.
    pub(super) fn put_off(&mut self, id: FileId, error: &io::Error) {
        self.flow.put_off(id, self.clock.now());
        if let Some(path) = self.flow.file(id).map(|file| file.path.clone()) {
            self.report_unreadable(&path, error, FoundBy::Look);
        }
    }

    /// A file could be looked at.
    pub(super) fn note_cured(&mut self, id: FileId) {
        if let Some(file) = self.flow.file(id) {
            self.state.unreadable.cured(&file.path);
        }
    }

    /// Looks at a file, and reads and publishes what is new.
    pub(super) fn look(&mut self, id: FileId) -> io::Result<()> {
        let mut next = match self.state.opened.get(&id) {
            Some(opened) => {
                let status = opened.file.status()?;
                self.note_size(id, status.size, self.clock.now());
                self.flow.looked(id, sight(&status), self.clock.now())
            }
            None => self.look_at_name(id)?,
        };
        if let Some(opened) = self.state.opened.get(&id) {
            next = follow_up(&mut self.flow, &self.clock, &opened.file, id, next)?;
        }
        match next {
            Next::Truncated(generation) => self.truncated(id, generation)?,
            Next::Drain => self.pump(id),
            Next::Wait | Next::Read { .. } | Next::Search(_) | Next::Compare(_) => {}
        }
        Ok(())
    }

    /// A file was truncated: its inode goes on as another generation, and its rest may stand in a copy.
    fn truncated(&mut self, old: FileId, new: FileId) -> io::Result<()> {
        let Some(opened) = self.state.opened.get(&old) else { return Ok(()) };
        let file = opened.file.duplicate()?;
        self.keep_open(new, file);
        let Some(path) = self.flow.file(old).map(|file| file.path.clone()) else { return Ok(()) };
        let found = self.search_rest(&path)?;
        if found.contains(&old) {
            tracing::debug!(flow = self.config.id, path = %path.display(), "truncated; its rest is in a copy");
        } else {
            tracing::debug!(flow = self.config.id, path = %path.display(), "truncated; no copy holds more of it");
        }
        Ok(())
    }

    /// Looks for the rest of a truncated file among those whose names rotation made.
    fn search_rest(&mut self, path: &Path) -> io::Result<Vec<FileId>> {
        let real = self.flow.real_path(path).to_owned();
        let mut found = self.search_beside(path)?;
        if real != path {
            found.extend(self.search_beside(&real)?);
        }
        Ok(found)
    }

    fn search_beside(&mut self, path: &Path) -> io::Result<Vec<FileId>> {
        let Some(directory) = path.parent() else { return Ok(Vec::new()) };
        let pattern = &self.config.file_pattern;
        let candidates = fs::list(directory, self.config.link_policy, |name| {
            let candidate = directory.join(name);
            let is_rotated = is_rotated_name(path, &candidate);
            kind(pattern, &candidate).or_else(|| is_rotated.then(|| rotated_kind(name)))
        })?;
        self.take_rest(candidates.files)
    }

    /// Of these files, takes those that go on where a remembered one stopped.
    pub(super) fn take_rest(&mut self, candidates: Vec<Listed>) -> io::Result<Vec<FileId>> {
        let mut taken = Vec::new();
        for candidate in candidates {
            if self.flow.is_tracked(candidate.node) {
                continue;
            }
            let Some(examined) = self.examine(&candidate)? else { continue };
            let now = self.clock.now();
            let Some(adoption) = self.flow.adopt_rest(&examined.found, &examined.answers, now) else {
                continue;
            };
            if let Adoption::Continued(id) = adoption {
                taken.push(id);
            }
            self.hold(adoption, examined.file, &examined.found);
        }
        Ok(taken)
    }
}
