//! The chores with files: listing, adopting, looking, reading, and the search for what rotation took away.

use std::io;
use std::path::Path;

use super::{FlowTask, Opened, UNWATCHED_RESCAN};
use crate::checkpoint::{FileCheckpoint, Probe};
use crate::checkpoint_store::FlowSave;
use crate::core::flow::{Adoption, Next, Question};
use crate::core::identity::is_rotated_name;
use crate::fs::{self, OpenFile};
use crate::source_file::Listed;
use crate::types::FileId;

impl FlowTask {
    /// Lists the directory and takes in what is new.
    pub(super) fn list(&mut self) -> io::Result<()> {
        let pattern = self.config.file_pattern.clone();
        if !self.state.is_watched {
            // Watched first and listed then: what appears in between is seen by one of the two.
            self.state.is_watched = self.discovery.watch(pattern.directory(), &self.inbox);
        }
        let listing = fs::list(pattern.directory(), |name| pattern.matches(name))?;
        self.state.unreadable.retain(|path| listing.iter().any(|listed| listed.path == *path));
        for unknown in self.flow.listed(listing, self.clock.now()) {
            self.adopt(&unknown)?;
        }
        if !self.flow.orphans().is_empty() && self.state.is_watched {
            self.search_orphans()?;
        }
        if !self.state.has_listed {
            self.flow.started();
            self.state.has_listed = true;
            self.save_start();
        }
        let soon = !self.state.is_watched || self.flow.has_young_copies();
        let period = if soon { UNWATCHED_RESCAN } else { self.config.max_time_between_file_tracker_refresh };
        self.state.list_at = self.clock.now().plus(period);
        Ok(())
    }

    /// Notes at once where the flow began, so that a crash in its first second does not make it begin elsewhere.
    fn save_start(&mut self) {
        let (saved, forgotten) = self.flow.checkpoints();
        let save = FlowSave { flow: self.config.id.clone(), saved, forgotten };
        if let Err(error) = self.saver.save_now(save) {
            tracing::error!(flow = self.config.id, %error, "the flow's start could not be saved, trying again");
        }
    }

    fn adopt(&mut self, unknown: &Listed) -> io::Result<()> {
        let Some((file, found, answers)) = self.examine(unknown)? else { return Ok(()) };
        let adoption = self.flow.adopt(&found, &answers, self.clock.now());
        self.hold(adoption, file, &found)
    }

    /// Opens a file and answers the machine's questions about it. `None` when it cannot be opened, or is known after
    /// all: between the listing and now another file may have taken the name.
    fn examine(&mut self, listed: &Listed) -> io::Result<Option<(OpenFile, Listed, Vec<(Question, Probe)>)>> {
        let file = match OpenFile::open(&listed.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                self.report_unreadable(&listed.path, &error);
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let status = file.status()?;
        if self.flow.is_tracked(status.node) {
            return Ok(None);
        }
        let found = Listed { path: listed.path.clone(), node: status.node, size: status.size };
        let opened = &self.state.opened;
        let size_of = |known: FileId| opened.get(&known).and_then(|known| known.file.status().ok()).map(|known| known.size);
        let mut answers = Vec::new();
        for question in self.flow.questions(&found, size_of) {
            let probe = file.probe(question.fingerprint.wanted())?;
            answers.push((question, probe));
        }
        Ok(Some((file, found, answers)))
    }

    fn report_unreadable(&mut self, path: &Path, error: &io::Error) {
        if !self.state.unreadable.iter().any(|known| known == path) {
            tracing::warn!(
                flow = self.config.id,
                path = %path.display(),
                "the file cannot be read ({error}); give the agent's user read permission, it is tried again"
            );
            self.state.unreadable.push(path.to_owned());
        }
    }

    fn hold(&mut self, adoption: Adoption, file: OpenFile, found: &Listed) -> io::Result<()> {
        let now = self.clock.now();
        let id = match adoption {
            Adoption::Copy => return Ok(()),
            Adoption::New(id) => {
                tracing::debug!(flow = self.config.id, path = %found.path.display(), "a new file");
                id
            }
            Adoption::Continued(id) => {
                tracing::debug!(flow = self.config.id, path = %found.path.display(), "found again");
                id
            }
            Adoption::NewFromEnd(id) => {
                let (fingerprint, probe) = file.last_line_end(found.size)?;
                if fingerprint.offset > 0 {
                    self.flow.start_at(id, fingerprint, probe, now);
                }
                id
            }
            Adoption::AlreadyRead(id) => {
                let (fingerprint, probe) = file.fingerprint_at(found.size)?;
                self.flow.start_at(id, fingerprint, probe, now);
                id
            }
        };
        self.state.opened.insert(id, Opened { file, size: found.size });
        Ok(())
    }

    /// Looks at a file, and reads and publishes what is new.
    pub(super) fn look(&mut self, id: FileId) -> io::Result<()> {
        let Some(opened) = self.state.opened.get_mut(&id) else { return Ok(()) };
        let status = opened.file.status()?;
        opened.size = status.size;
        let mut next = self.flow.looked(id, status.size, status.links, self.clock.now());
        if let Next::Read { offset, length } = next {
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

    /// A file was truncated: its inode goes on as another generation, and its rest may stand in a copy.
    fn truncated(&mut self, old: FileId, new: FileId) -> io::Result<()> {
        let Some(opened) = self.state.opened.get(&old) else { return Ok(()) };
        let file = opened.file.duplicate()?;
        let size = opened.size;
        self.state.opened.insert(new, Opened { file, size });
        let Some(path) = self.flow.file(old).map(|file| file.path.clone()) else { return Ok(()) };
        let found = self.search_rest(&path, true)?;
        if found.contains(&old) {
            tracing::debug!(flow = self.config.id, path = %path.display(), "truncated; its rest is in a copy");
        } else {
            tracing::debug!(flow = self.config.id, path = %path.display(), "truncated; no copy holds more of it");
        }
        Ok(())
    }

    /// Looks for remembered files among those whose names rotation made of `path`, or that have taken its place.
    fn search_rest(&mut self, path: &Path, is_away: bool) -> io::Result<Vec<FileId>> {
        let Some(directory) = path.parent() else { return Ok(Vec::new()) };
        let candidates = fs::list(directory, |name| {
            let candidate = directory.join(name);
            candidate == path || is_rotated_name(path, &candidate)
        })?;
        let mut found_files = Vec::new();
        for candidate in candidates {
            if self.flow.is_tracked(candidate.node) {
                continue;
            }
            let Some((file, found, answers)) = self.examine(&candidate)? else { continue };
            let is_followed = self.is_followed(&found.path);
            let now = self.clock.now();
            let Some(adoption) = self.flow.adopt_rest(&found, &answers, is_followed, now) else { continue };
            if let Adoption::Continued(id) = adoption {
                found_files.push(id);
                if is_away && !is_followed {
                    self.flow.is_away(id, now);
                }
            }
            self.hold(adoption, file, &found)?;
        }
        Ok(found_files)
    }

    /// After a restart: files that were rotated out of the pattern, or truncated, while the agent was down.
    fn search_orphans(&mut self) -> io::Result<()> {
        for FileCheckpoint { file, path, fingerprint, .. } in self.flow.orphans().to_vec() {
            if !self.flow.orphans().iter().any(|orphan| orphan.file == file) {
                continue; // found while looking for another one
            }
            self.search_rest(&path, true)?;
            if self.flow.orphans().iter().any(|orphan| orphan.file == file) {
                self.flow.give_up_orphan(file);
                tracing::warn!(
                    flow = self.config.id,
                    path = %path.display(),
                    acknowledged_bytes = fingerprint.offset,
                    "a file that was being followed is gone: what was written to it after these bytes, if anything, \
                     cannot be shipped"
                );
            }
        }
        Ok(())
    }

    fn is_followed(&self, path: &Path) -> bool {
        let pattern = &self.config.file_pattern;
        path.parent() == Some(pattern.directory()) && path.file_name().is_some_and(|name| pattern.matches(name))
    }
}
