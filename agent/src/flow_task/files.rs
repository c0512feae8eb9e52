//! The chores with files: listing, adopting, looking, reading, and the search for what rotation took away.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::{FlowTask, Opened, UNWATCHED_RESCAN};
use crate::checkpoint::{FileCheckpoint, Fingerprint, HEAD_BYTES, Probe};
use crate::core::flow::{Adoption, Next, Question};
use crate::core::identity::{holds, is_rotated_name};
use crate::fs::{self, OpenFile};
use crate::source_file::Listed;
use crate::types::FileId;

/// An unknown file, opened, with the answers to the machine's questions about it.
struct Examined {
    file: OpenFile,
    found: Listed,
    answers: Vec<(Question, Probe)>,
}

impl FlowTask {
    /// Lists the directory and takes in what is new.
    pub(super) fn list(&mut self) -> io::Result<()> {
        let pattern = self.config.file_pattern.clone();
        // Watched first and listed then: what appears in between is seen by one of the two.
        self.state.is_watched = self.discovery.watch(pattern.directory(), &self.inbox);
        let listing = fs::list(pattern.directory(), |name| pattern.matches(name))?;
        self.state.unreadable.retain(|path| listing.iter().any(|listed| listed.path == *path));
        for unknown in self.flow.listed(listing, self.clock.now()) {
            if let Err(error) = self.adopt(&unknown) {
                self.report_unreadable(&unknown.path, &error);
            }
        }
        // While the directory is not there (a mount that comes later) its files are not given up.
        if !self.flow.orphans().is_empty() && fs::is_directory(pattern.directory()) {
            self.search_orphans()?;
        }
        let is_first = !std::mem::replace(&mut self.state.has_listed, true);
        if is_first {
            self.flow.started();
            if self.flow.files().next().is_none() {
                tracing::warn!(
                    flow = self.config.id,
                    "no file matches {pattern} yet; one that appears is taken up at once"
                );
            }
        }
        if self.flow.take_save_urgency() || is_first {
            self.save_now();
        }
        let soon = !self.state.is_watched || self.flow.has_young_copies();
        let period = if soon { UNWATCHED_RESCAN } else { self.config.max_time_between_file_tracker_refresh };
        self.state.list_at = self.clock.now().plus(period);
        Ok(())
    }

    fn adopt(&mut self, unknown: &Listed) -> io::Result<()> {
        let Some(Examined { file, found, answers }) = self.examine(unknown)? else { return Ok(()) };
        let adoption = self.flow.adopt(&found, &answers, self.clock.now());
        self.hold(adoption, file, &found);
        Ok(())
    }

    /// Opens a file and answers the machine's questions about it. `None` when it cannot be opened, or is known after
    /// all: between the listing and now another file may have taken the name.
    fn examine(&mut self, listed: &Listed) -> io::Result<Option<Examined>> {
        let file = match OpenFile::open(&listed.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                self.report_unreadable(&listed.path, &error);
                return Ok(None);
            }
        };
        let status = file.status()?;
        if self.flow.is_tracked(status.node) {
            return Ok(None);
        }
        let found = Listed { path: listed.path.clone(), node: status.node, size: status.size };
        let opened = &self.state.opened;
        let intact_size = |known: FileId, fingerprint: &Fingerprint| {
            let known = &opened.get(&known)?.file;
            let is_intact = holds(fingerprint, &known.probe(fingerprint.wanted()).ok()?);
            known.status().ok().filter(|_| is_intact).map(|status| status.size)
        };
        let mut answers = Vec::new();
        for question in self.flow.questions(&found, intact_size) {
            let probe = file.probe(question.fingerprint.wanted())?;
            answers.push((question, probe));
        }
        Ok(Some(Examined { file, found, answers }))
    }

    fn report_unreadable(&mut self, path: &Path, error: &io::Error) {
        if !self.state.unreadable.iter().any(|known| known == path) {
            tracing::warn!(
                flow = self.config.id,
                path = %path.display(),
                "the file cannot be read ({error}); see that the agent's user has read permission, it is tried again"
            );
            self.state.unreadable.push(path.to_owned());
        }
    }

    fn hold(&mut self, adoption: Adoption, file: OpenFile, found: &Listed) {
        let (id, place) = match adoption {
            Adoption::Copy => return,
            Adoption::New(id) => {
                if self.saver.is_lost() && !self.state.has_listed {
                    tracing::warn!(
                        flow = self.config.id,
                        path = %found.path.display(),
                        bytes = found.size,
                        "its checkpoint was lost: the file is sent from its beginning, maybe for a second time"
                    );
                }
                tracing::debug!(flow = self.config.id, path = %found.path.display(), "a new file");
                // If it cannot be read, that is said when it is read.
                if file.read_at(0, HEAD_BYTES, &mut self.state.chunk).is_ok() {
                    self.flow.foresee(id, &self.state.chunk);
                }
                (id, None)
            }
            Adoption::Continued(id) => {
                tracing::debug!(flow = self.config.id, path = %found.path.display(), "found again");
                (id, None)
            }
            Adoption::NewFromEnd(id) => (id, Some(file.last_line_end(found.size))),
            Adoption::AlreadyRead(id) => (id, Some(file.fingerprint_at(found.size))),
        };
        match place {
            Some(Ok((fingerprint, probe))) if fingerprint.offset > 0 => {
                self.flow.start_at(id, fingerprint, probe, self.clock.now());
            }
            // The file is begun at its beginning: sent twice rather than not at all.
            Some(Err(error)) => self.report_unreadable(&found.path, &error),
            _ => {}
        }
        self.state.opened.insert(id, Opened { file, size: found.size });
    }

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
            // Before the first line of a file is published the store knows how the file begins: after a crash its copy
            // would not be recognised otherwise.
            if self.flow.take_save_urgency() {
                self.save_now();
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
        let file = OpenFile::open(&known.path)?;
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

    /// Looks for the rest of a truncated file among those whose names rotation made of `path`.
    fn search_rest(&mut self, path: &Path) -> io::Result<Vec<FileId>> {
        let Some(directory) = path.parent() else { return Ok(Vec::new()) };
        let candidates = fs::list(directory, |name| is_rotated_name(path, &directory.join(name)))?;
        self.take_rest(candidates)
    }

    /// After a restart: files that were rotated out of the pattern, or truncated, while the agent was down.
    fn search_orphans(&mut self) -> io::Result<()> {
        let parents = self.flow.orphans().iter().filter_map(|orphan| orphan.path.parent());
        let directories: BTreeSet<PathBuf> = parents.map(Path::to_owned).collect();
        for directory in directories {
            let mut candidates = fs::list(&directory, |_| true)?;
            candidates.retain(|candidate| self.flow.may_be_orphan(candidate));
            self.take_rest(candidates)?;
        }
        for FileCheckpoint { file, path, fingerprint, .. } in self.flow.give_up_orphans() {
            tracing::warn!(
                flow = self.config.id,
                path = %path.display(),
                file = file.0,
                acknowledged_bytes = fingerprint.offset,
                "a file that was being followed is gone: what was written to it after these bytes, if anything, cannot \
                 be shipped"
            );
        }
        Ok(())
    }

    /// Of these files, takes those that go on where a remembered one stopped.
    fn take_rest(&mut self, candidates: Vec<Listed>) -> io::Result<Vec<FileId>> {
        let mut taken = Vec::new();
        for candidate in candidates {
            if self.flow.is_tracked(candidate.node) {
                continue;
            }
            let Some(Examined { file, found, answers }) = self.examine(&candidate)? else { continue };
            let is_followed = self.is_followed(&found.path);
            let now = self.clock.now();
            let Some(adoption) = self.flow.adopt_rest(&found, &answers, is_followed, now) else { continue };
            if let Adoption::Continued(id) = adoption {
                taken.push(id);
                if !is_followed {
                    self.flow.is_away(id, now);
                }
            }
            self.hold(adoption, file, &found);
        }
        Ok(taken)
    }

    fn is_followed(&self, path: &Path) -> bool {
        let pattern = &self.config.file_pattern;
        path.parent() == Some(pattern.directory())
            && path.file_name().is_some_and(|name| pattern.matches(name))
    }
}
