//! Files that the directory shows and the flow does not know: whose are they, and from where are they read?

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Flow;
use crate::checkpoint::{FileCheckpoint, Fingerprint, Print, Probe};
use crate::config::InitialPosition;
use crate::core::identity::{holds, is_rotated_name};
use crate::core::rotation::{Evidence, Relation, relate};
use crate::core::splitter::Splitter;
use crate::core::tracked_file::{Presence, TrackedFile};
use crate::source_file::Listed;
use crate::types::{FileId, Moment, Node};

/// A remembered file that an unknown one may have to do with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// One that is under way.
    File(FileId),
    /// One of the checkpoints whose files were not found yet.
    Orphan(FileId),
}

/// What the shell has to find out about an unknown file: whether this fingerprint holds in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Whose fingerprint it is.
    pub known: Known,
    /// What to compare with.
    pub fingerprint: Fingerprint,
    /// The size of the known file, if it is open and not truncated.
    pub alive_size: Option<u64>,
}

/// What becomes of an unknown file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adoption {
    /// It is read as this file, from where that one stands. Open it.
    Continued(FileId),
    /// It is a new file, read from its beginning. Open it.
    New(FileId),
    /// It is a new file, read from its last line's end. Open it, find that place and bring it to [`Flow::start_at`].
    NewFromEnd(FileId),
    /// Everything in it was read elsewhere; what is added to it is new. Open it and bring its present end to
    /// [`Flow::start_at`].
    AlreadyRead(FileId),
    /// It is a copy of a file that is followed, or is becoming one: leave it alone.
    Copy,
}

impl Flow {
    /// Sorts out what the directory shows: known files are updated, and the unknown ones are handed back.
    pub fn listed(&mut self, listing: Vec<Listed>, now: Moment) -> Vec<Listed> {
        let mut unknown = Vec::new();
        let mut seen = HashSet::new();
        for listed in listing {
            if !seen.insert(listed.node) {
                continue; // a second name of the same file
            }
            match self.by_node.get(&listed.node) {
                Some(file) => self.seen_again(*file, listed.path),
                None => unknown.push(listed),
            }
        }
        for file in self.files.values_mut() {
            if file.presence == Presence::Listed && !seen.contains(&file.node) {
                file.presence = Presence::Away { quiet_since: now };
                file.look_at = now;
                self.statistics.rotations.add(1);
            }
        }
        self.has_young_copies = false;
        unknown
    }

    fn seen_again(&mut self, file: FileId, path: PathBuf) {
        let Some(file) = self.files.get_mut(&file) else { return };
        if file.path != path || (file.presence != Presence::Listed && !self.once) {
            let node = file.node;
            file.move_to(path, node);
            self.statistics.rotations.add(1);
        }
        file.presence = Presence::Listed;
    }

    /// What to find out about an unknown file before [`Flow::adopt`]. `intact_size` tells the present size of an open
    /// one in which the fingerprint still holds: of one that was not truncated since it was read.
    #[must_use]
    pub fn questions(
        &self,
        unknown: &Listed,
        intact_size: impl Fn(FileId, &Fingerprint) -> Option<u64>,
    ) -> Vec<Question> {
        let may_concern =
            |node: Node, path: &Path| node == unknown.node || is_rotated_name(path, &unknown.path);
        let orphans =
            self.orphans.iter().filter(|orphan| may_concern(orphan.node, &orphan.path)).map(|orphan| {
                Question {
                    known: Known::Orphan(orphan.file),
                    fingerprint: orphan.fingerprint,
                    alive_size: None,
                }
            });
        let files = self.files.values().filter(|file| may_concern(file.node, &file.path)).map(|file| {
            let fingerprint = file.fingerprint();
            let is_ended = file.presence == Presence::Ended;
            let alive_size = if is_ended { None } else { intact_size(file.id, &fingerprint) };
            Question { known: Known::File(file.id), fingerprint, alive_size }
        });
        orphans.chain(files).collect()
    }

    /// Decides about an unknown file, given what was read of it for each question.
    pub fn adopt(&mut self, unknown: &Listed, answers: &[(Question, Probe)], now: Moment) -> Adoption {
        match self.closest(unknown, answers) {
            Some((question, probe, relation)) => self.adopt_as(unknown, &question, &probe, relation, now),
            None => self.adopt_stranger(unknown, now),
        }
    }

    /// Decides about a file with a rotated name, of which only the rest of a remembered file is wanted. `is_followed`:
    /// the flow's pattern matches it, so that it will be listed too.
    pub fn adopt_rest(
        &mut self,
        found: &Listed,
        answers: &[(Question, Probe)],
        is_followed: bool,
        now: Moment,
    ) -> Option<Adoption> {
        let (question, probe, relation) = self.closest(found, answers)?;
        let wanted = match relation {
            Relation::Same | Relation::RestOf => true,
            Relation::PartOf => is_followed,
            Relation::CopyOf | Relation::Stranger => false,
        };
        wanted.then(|| self.adopt_as(found, &question, &probe, relation, now))
    }

    /// The remembered file to which an unknown one is related, if there is one.
    fn closest(
        &self,
        unknown: &Listed,
        answers: &[(Question, Probe)],
    ) -> Option<(Question, Probe, Relation)> {
        let related = answers
            .iter()
            .map(|(question, probe)| (question, probe, self.relation(unknown, question, probe)));
        // The same file before copies, and of several originals the one that was read farthest.
        let rank = |question: &Question, relation| {
            (relation != Relation::Same, u64::MAX - question.fingerprint.offset)
        };
        related
            .filter(|(_, _, relation)| *relation != Relation::Stranger)
            .min_by_key(|(question, _, relation)| rank(question, *relation))
            .map(|(question, probe, relation)| (question.clone(), probe.clone(), relation))
    }

    fn adopt_as(
        &mut self,
        unknown: &Listed,
        question: &Question,
        probe: &Probe,
        relation: Relation,
        now: Moment,
    ) -> Adoption {
        match (relation, question.known) {
            (Relation::CopyOf, _) => {
                self.has_young_copies |= unknown.size < question.fingerprint.offset;
                Adoption::Copy
            }
            (Relation::PartOf, _) => {
                Adoption::AlreadyRead(self.start(unknown.path.clone(), unknown.node, now))
            }
            (_, Known::File(file)) => self.continue_in(file, unknown, now),
            (_, Known::Orphan(file)) => self.resume(file, unknown, probe, now),
        }
    }

    /// Whether the directory should be listed again soon, because a copy may be being made.
    #[must_use]
    pub fn has_young_copies(&self) -> bool {
        self.has_young_copies
    }

    fn relation(&self, unknown: &Listed, question: &Question, probe: &Probe) -> Relation {
        let (node, path, begins_alike) = match question.known {
            Known::File(file) => {
                let Some(file) = self.files.get(&file) else { return Relation::Stranger };
                let known = file.head().len().min(probe.head.len());
                (file.node, file.path.as_path(), file.head()[..known] == probe.head[..known])
            }
            Known::Orphan(file) => {
                let Some(orphan) = self.orphans.iter().find(|orphan| orphan.file == file) else {
                    return Relation::Stranger;
                };
                let alike = Print::of(&probe.head) == orphan.fingerprint.head;
                (orphan.node, orphan.path.as_path(), alike)
            }
        };
        // A truncated file keeps its node in the books; what is there now is another generation.
        let same_node =
            node == unknown.node && !matches!(question.known, Known::File(file) if self.is_ended(file));
        relate(Evidence {
            same_node,
            content_holds: holds(&question.fingerprint, probe),
            begins_alike,
            nothing_read: question.fingerprint.head.length == 0,
            offset: question.fingerprint.offset,
            rotated_name: is_rotated_name(path, &unknown.path),
            alive_size: question.alive_size,
            candidate_size: unknown.size,
        })
    }

    fn adopt_stranger(&mut self, unknown: &Listed, now: Moment) -> Adoption {
        let file = self.start(unknown.path.clone(), unknown.node, now);
        let from_end =
            !self.is_started && self.config.initial_position == InitialPosition::EndOfFile && !self.once;
        if from_end { Adoption::NewFromEnd(file) } else { Adoption::New(file) }
    }

    /// A file of which nothing is known, from its beginning.
    pub(super) fn start(&mut self, path: PathBuf, node: Node, now: Moment) -> FileId {
        let mut file =
            self.track(FileId(self.next_file), path, node, Fingerprint::default(), Probe::default(), now);
        self.next_file += 1;
        file.headers_left = self.config.skip_header_lines;
        self.insert(file)
    }

    /// Notes how a new file begins that is not read yet.
    pub fn foresee(&mut self, file: FileId, head: &[u8]) {
        if let Some(file) = self.files.get_mut(&file) {
            file.foresee(head);
        }
    }

    /// A new file is to be read from `fingerprint`'s offset instead of its beginning.
    pub fn start_at(&mut self, file: FileId, fingerprint: Fingerprint, probe: Probe, now: Moment) {
        let Some(begun) = self.files.get(&file) else { return };
        let (path, node) = (begun.path.clone(), begun.node);
        let file = self.track(file, path, node, fingerprint, probe, now);
        self.insert(file);
    }

    /// A truncated file's rest was found in a copy.
    fn continue_in(&mut self, file: FileId, copy: &Listed, now: Moment) -> Adoption {
        if let Some(tracked) = self.files.get_mut(&file) {
            if self.by_node.get(&tracked.node) == Some(&file) {
                self.by_node.remove(&tracked.node);
            }
            tracked.move_to(copy.path.clone(), copy.node);
            tracked.presence = Presence::Away { quiet_since: now };
            tracked.look_at = now;
            self.is_save_urgent = true;
            self.by_node.insert(copy.node, file);
        }
        Adoption::Continued(file)
    }

    /// A file was found again after a restart.
    fn resume(&mut self, file: FileId, found: &Listed, probe: &Probe, now: Moment) -> Adoption {
        let Some(place) = self.orphans.iter().position(|orphan| orphan.file == file) else {
            return self.adopt_stranger(found, now);
        };
        let orphan = self.orphans.swap_remove(place);
        let mut tracked =
            self.track(file, found.path.clone(), found.node, orphan.fingerprint, probe.clone(), now);
        if orphan.fingerprint.offset == 0 {
            tracked.headers_left = self.config.skip_header_lines;
        }
        self.insert(tracked);
        Adoption::Continued(file)
    }

    /// Checkpoints whose files the directory does not show under a name that the flow follows.
    #[must_use]
    pub fn orphans(&self) -> &[FileCheckpoint] {
        &self.orphans
    }

    /// Whether a file may be one of the orphans, or its copy.
    #[must_use]
    pub fn may_be_orphan(&self, candidate: &Listed) -> bool {
        let may_be = |orphan: &FileCheckpoint| {
            orphan.node == candidate.node
                || orphan.path == candidate.path
                || is_rotated_name(&orphan.path, &candidate.path)
        };
        self.orphans.iter().any(may_be)
    }

    /// Gives the orphans up: their files cannot be found.
    pub fn give_up_orphans(&mut self) -> Vec<FileCheckpoint> {
        self.forgotten.extend(self.orphans.iter().map(|orphan| orphan.file));
        std::mem::take(&mut self.orphans)
    }

    /// A file that was found outside the pattern (renamed away while the agent was down) is on its way out.
    pub fn is_away(&mut self, file: FileId, now: Moment) {
        if let Some(file) = self.files.get_mut(&file) {
            file.presence = Presence::Away { quiet_since: now };
        }
    }

    fn track(
        &self,
        id: FileId,
        path: PathBuf,
        node: Node,
        fingerprint: Fingerprint,
        probe: Probe,
        now: Moment,
    ) -> TrackedFile {
        let splitter = Splitter::new(Arc::clone(&self.split_rules));
        let mut file = TrackedFile::new(id, path, node, fingerprint, (probe.head, probe.marker), splitter);
        file.look_at = now;
        file
    }

    fn insert(&mut self, file: TrackedFile) -> FileId {
        let id = file.id;
        self.is_save_urgent = true;
        self.by_node.insert(file.node, id);
        self.files.insert(id, file);
        id
    }
}
