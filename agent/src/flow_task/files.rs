//! The chores with files under way: looking, reading, and the search for the rest of a truncated one.

use std::io;
use std::path::Path;

use super::{FlowTask, Opened};
use crate::core::flow::{Adoption, Next};
use crate::core::identity::is_rotated_name;
use crate::core::rotated_name::{is_compressed, kind, rotated_kind};
use crate::fs::{self, OpenFile};
use crate::source_file::Listed;
use crate::types::FileId;

impl FlowTask {
    /// A file could not be looked at or read: the others come first, and it is tried again later.
    pub(super) fn put_off(&mut self, id: FileId, error: &io::Error) {
        self.flow.put_off(id, self.clock.now());
        if let Some(path) = self.flow.file(id).map(|file| file.path.clone()) {
            self.report_unreadable(&path, error);
        }
    }

    /// Looks at a file, and reads and publishes what is new.
    pub(super) fn look(&mut self, id: FileId) -> io::Result<()> {
        if !self.state.opened.contains_key(&id) {
            self.reopen(id)?;
        }
        let Some(opened) = self.state.opened.get_mut(&id) else { return Ok(()) };
        let status = opened.file.status()?;
        opened.size = status.size;
        self.note_size(id, status.size, self.clock.now());
        let mut next = self.flow.looked(id, status.size, status.links, self.clock.now());
        if let (Next::Read { offset, length }, Some(opened)) = (next, self.state.opened.get(&id)) {
            opened.file.read_at(offset, length, &mut self.state.chunk)?;
            let size_after = opened.file.status()?.size;
            next = self.flow.read(id, &self.state.chunk, size_after, self.clock.now());
            if next == Next::Wait {
                next = Next::Drain;
            }
        }
        match next {
            Next::Truncated(generation) => self.truncated(id, generation)?,
            Next::Drain => self.pump(id),
            Next::Wait | Next::Read { .. } => {}
        }
        Ok(())
    }

    /// Opens a file whose descriptor could not be had before (the process had none left).
    fn reopen(&mut self, id: FileId) -> io::Result<()> {
        let Some(known) = self.flow.file(id) else { return Ok(()) };
        let mut file = OpenFile::open(&known.path)?;
        if known.path.file_name().is_some_and(is_compressed) {
            file.decompress(&[])?;
        }
        let status = file.status()?;
        if status.node != known.node {
            return Err(io::Error::new(io::ErrorKind::NotFound, "another file has taken its name"));
        }
        self.state.opened.insert(id, Opened { file, size: status.size });
        Ok(())
    }

    /// A file was truncated: its inode goes on as another generation, and its rest may stand in a copy.
    fn truncated(&mut self, old: FileId, new: FileId) -> io::Result<()> {
        let Some(opened) = self.state.opened.get(&old) else { return Ok(()) };
        let file = opened.file.duplicate()?;
        let size = opened.size;
        self.state.opened.insert(new, Opened { file, size });
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
        let Some(directory) = path.parent() else { return Ok(Vec::new()) };
        let pattern = &self.config.file_pattern;
        let candidates = fs::list(directory, |name| {
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
