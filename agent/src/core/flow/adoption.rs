//! Files that the directory shows and the flow does not know: whose are they, and from where are they read?

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Flow;
use super::evidence::{Known, Question};
use crate::checkpoint::{FileCheckpoint, Fingerprint, HEAD_BYTES, Probe};
use crate::config::InitialPosition;
use crate::core::former_paths;
use crate::core::identity::{holds, is_rotated_name};
use crate::core::rotation::Relation;
use crate::core::splitter::Splitter;
use crate::core::tracked_file::{Descriptor, Presence, TrackedFile};
use crate::source_file::{Kind, Listed};
use crate::types::{FileId, Moment, Node};

/// How long a file is looked at all the time once a copy of it appeared: a truncation may follow, and what is written
/// before it and not read is in neither.
const HURRY: Duration = Duration::from_secs(2);

/// How long a copy that is being made may stand still.
pub(super) const COPYING: Duration = Duration::from_secs(10);

/// How long it may be taken for granted that a compressed file is a copy to leave alone, without taking it apart again:
/// the file that it seems to be a copy of may be truncated, renamed or read on meanwhile, and then it is none.
pub const COPY_HOLDS: Duration = Duration::from_secs(10);

/// A copy that the last listing showed.
#[derive(Debug, Clone, Copy)]
pub(super) struct SeenCopy {
    pub(super) size: u64,
    /// When it got that size.
    pub(super) since: Moment,
    /// It is as it is for long enough.
    pub(super) is_complete: bool,
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
    /// It was read to its end. Bring the fingerprint of its stored bytes to [`Flow::stored`] if it is compressed.
    Finished(FileId),
    /// It is a copy of a file that is followed, or is becoming one, or it is empty: leave it alone.
    Copy,
}

impl Flow {
    /// Whether a rotated file was there before the flow began: it is not read. Bring the fingerprint at the end of its
    /// stored bytes to [`Flow::predates`].
    #[must_use]
    pub fn is_predecessor(&self, unknown: &Listed) -> bool {
        !self.is_started && unknown.kind != Kind::Followed
    }

    /// Notes that a file was there before the flow began.
    pub fn predates(&mut self, old: &Listed, fingerprint: Fingerprint) {
        let (file, path, node) = (FileId(self.next_file), old.path.clone(), old.node);
        self.next_file += 1;
        self.note_finished(
            FileCheckpoint {
                file,
                path,
                former_paths: Vec::new(),
                node,
                fingerprint,
                is_finished: true,
                origin: None,
            },
            old,
        );
    }

    fn note_finished(&mut self, checkpoint: FileCheckpoint, seen: &Listed) {
        self.memory.insert_finished(checkpoint.clone(), seen);
        self.remembered.push(checkpoint);
    }

    /// Notes how a finished compressed file is recognised without taking it apart.
    pub fn stored(&mut self, file: FileId, fingerprint: Fingerprint, seen: &Listed) {
        if let Some(mut checkpoint) = self.memory.remove(file) {
            checkpoint.fingerprint = fingerprint;
            self.note_finished(checkpoint, seen);
        }
    }

    /// Decides about an unknown file, given what was read of it for each question.
    pub fn adopt(&mut self, unknown: &Listed, answers: &[(Question, Probe)], now: Moment) -> Adoption {
        if let Some((file, size)) = self.parts.get(&unknown.node)
            && self.files.get(*file).is_none()
            && unknown.size >= *size
        {
            self.parts.remove(&unknown.node);
            return Adoption::AlreadyRead(self.start_listed(unknown, now));
        }
        match self.closest(unknown, answers) {
            Some((question, probe, relation)) => self.adopt_as(unknown, &question, &probe, relation, now),
            None => self.adopt_stranger(unknown, now),
        }
    }

    /// Decides about a file of which only the rest of a remembered file is wanted.
    pub fn adopt_rest(
        &mut self,
        found: &Listed,
        answers: &[(Question, Probe)],
        now: Moment,
    ) -> Option<Adoption> {
        let (question, probe, relation) = self.closest(found, answers)?;
        let wanted = match relation {
            Relation::Same | Relation::RestOf => true,
            Relation::PartOf => found.kind == Kind::Followed,
            Relation::CopyOf | Relation::Undecided | Relation::Stranger => false,
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
        related
            .filter(|(_, _, relation)| *relation != Relation::Stranger)
            .min_by_key(|(question, probe, relation)| rank(question, probe, *relation))
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
        let is_all_read = unknown.size == question.fingerprint.offset && unknown.kind != Kind::Followed;
        match (relation, question.known) {
            (Relation::CopyOf, Known::Remembered(file)) if is_all_read => {
                self.copy_of_finished(file, unknown)
            }
            (Relation::CopyOf | Relation::Undecided, known) => {
                let has_changed = self.note_copy(unknown, now);
                let is_growing = has_changed && unknown.size < question.known_size();
                self.has_young_copies |= relation == Relation::Undecided || is_growing;
                if has_changed {
                    self.hurry(known, now);
                }
                Adoption::Copy
            }
            (Relation::PartOf, Known::File(file)) => self.leave_until_acknowledged(file, unknown, now),
            (_, Known::File(file)) => self.continue_in(file, unknown, now),
            (_, Known::Remembered(file)) if is_all_read => self.finished_in(file, unknown),
            (_, Known::Remembered(file)) => self.resume(file, unknown, probe, now),
        }
    }

    /// What is in it was read, but a crash would lose what is not acknowledged if the copy counted as done.
    fn leave_until_acknowledged(&mut self, original: FileId, copy: &Listed, now: Moment) -> Adoption {
        self.parts.insert(copy.node, (original, copy.size));
        self.note_copy(copy, now);
        self.has_young_copies = true;
        Adoption::Copy
    }

    /// Answers whether it is a new copy, or one that has changed.
    fn note_copy(&mut self, copy: &Listed, now: Moment) -> bool {
        let known = self.copies.get(&copy.node);
        let has_changed = known.is_none_or(|known| known.size != copy.size);
        if has_changed {
            self.copies.insert(copy.node, SeenCopy { size: copy.size, since: now, is_complete: false });
        }
        has_changed
    }

    /// A copy was made of a file that is followed: the truncation is near.
    fn hurry(&mut self, known: Known, now: Moment) {
        if let Known::File(file) = known
            && let Some(mut file) = self.files.get_mut(file)
        {
            file.hurry_until = now.plus(HURRY);
            file.look_at = now;
        }
    }

    /// A finished file was found again, or what became of it.
    fn finished_in(&mut self, file: FileId, found: &Listed) -> Adoption {
        if let Some(mut checkpoint) = self.memory.remove(file) {
            let former = std::mem::replace(&mut checkpoint.path, found.path.clone());
            former_paths::remember(&mut checkpoint.former_paths, former, &found.path);
            checkpoint.node = found.node;
            checkpoint.is_finished = true;
            self.note_finished(checkpoint, found);
        }
        Adoption::Finished(file)
    }

    /// A second copy of a finished file is as finished.
    fn copy_of_finished(&mut self, file: FileId, copy: &Listed) -> Adoption {
        let Some(original) = self.memory.get(file) else { return Adoption::Copy };
        let file = FileId(self.next_file);
        let (path, node) = (copy.path.clone(), copy.node);
        let mut former_paths = original.former_paths.clone();
        former_paths::remember(&mut former_paths, original.path.clone(), &path);
        // What is added to it is not what is added to the original.
        let fingerprint = original.fingerprint;
        let copied =
            FileCheckpoint { file, path, former_paths, node, fingerprint, is_finished: true, origin: None };
        self.next_file += 1;
        self.note_finished(copied, copy);
        Adoption::Finished(file)
    }

    /// Whether the directory should be listed again soon, because a copy may be being made.
    #[must_use]
    pub fn has_young_copies(&self) -> bool {
        self.has_young_copies
    }

    /// Changes when what was decided about a copy may be decided otherwise.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    fn adopt_stranger(&mut self, unknown: &Listed, now: Moment) -> Adoption {
        if self
            .truncated_family
            .as_ref()
            .is_some_and(|truncated| *truncated == self.links.family(&unknown.path))
        {
            // Perhaps the next copy of the file that was truncated just now.
            self.has_young_copies = true;
            return Adoption::Copy;
        }
        if unknown.kind != Kind::Followed {
            if unknown.size == 0 {
                return self.leave_empty(unknown, now);
            }
            self.statistics.unseen_generations.add(1);
            return Adoption::New(self.start_listed(unknown, now));
        }
        let file = self.start_listed(unknown, now);
        let from_end =
            !self.is_started && self.config.initial_position == InitialPosition::EndOfFile && !self.once;
        if from_end { Adoption::NewFromEnd(file) } else { Adoption::New(file) }
    }

    /// An empty file under a rotated name: nothing to read, and perhaps the beginning of a copy.
    fn leave_empty(&mut self, unknown: &Listed, now: Moment) -> Adoption {
        if self.note_copy(unknown, now) {
            self.has_young_copies = true;
            let links = &self.links;
            let is_copied = |file: &&TrackedFile| is_rotated_name(links.real(&file.path), &unknown.path);
            let copied: Vec<_> = self.files.values().filter(is_copied).map(|file| file.id).collect();
            copied.into_iter().for_each(|file| self.hurry(Known::File(file), now));
        }
        Adoption::Copy
    }

    fn start_listed(&mut self, unknown: &Listed, now: Moment) -> FileId {
        let file = self.start(unknown.path.clone(), unknown.node, now);
        self.set_presence(file, unknown.kind, now);
        file
    }

    /// A file under a rotated name is on its way out.
    fn set_presence(&mut self, file: FileId, kind: Kind, now: Moment) {
        if let Some(mut file) = self.files.get_mut(file)
            && kind != Kind::Followed
        {
            file.presence = Presence::Away { quiet_since: now };
        }
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
        if let Some(mut file) = self.files.get_mut(file) {
            file.foresee(head);
        }
    }

    /// A new file is to be read from `fingerprint`'s offset instead of its beginning.
    pub fn start_at(&mut self, file: FileId, fingerprint: Fingerprint, probe: Probe, now: Moment) {
        let Some(begun) = self.files.get(file) else { return };
        let (path, node, presence, origin) = (begun.path.clone(), begun.node, begun.presence, begun.origin);
        let mut file = self.track(file, path, node, fingerprint, probe, now);
        (file.presence, file.origin) = (presence, origin);
        self.insert(file);
    }

    /// A truncated file's rest was found in a copy.
    fn continue_in(&mut self, file: FileId, copy: &Listed, now: Moment) -> Adoption {
        if let Some(mut tracked) = self.files.get_mut(file) {
            if self.by_node.get(&tracked.node) == Some(&file) {
                self.by_node.remove(&tracked.node);
                // Nobody had looked at it since it was truncated: what is there now is to be found.
                self.has_young_copies = true;
                self.truncated_family = Some(self.links.family(&tracked.path));
            }
            let lost = tracked.seen_size.saturating_sub(tracked.fetched().max(copy.size));
            self.statistics.bytes_lost_by_truncation.add(lost);
            tracked.move_to(copy.path.clone(), copy.node);
            tracked.descriptor = Descriptor::Held;
            tracked.presence = Presence::Away { quiet_since: now };
            tracked.look_at = now;
            self.is_save_urgent = true;
            self.epoch += 1;
            self.by_node.insert(copy.node, file);
        }
        Adoption::Continued(file)
    }

    /// A remembered file was found again, and there is more of it.
    fn resume(&mut self, file: FileId, found: &Listed, probe: &Probe, now: Moment) -> Adoption {
        let Some(known) = self.memory.remove(file) else {
            return self.adopt_stranger(found, now);
        };
        let mut tracked =
            self.track(file, found.path.clone(), found.node, known.fingerprint, probe.clone(), now);
        tracked.origin = known.origin;
        tracked.former_paths = known.former_paths;
        former_paths::remember(&mut tracked.former_paths, known.path, &found.path);
        if known.fingerprint.offset == 0 {
            tracked.headers_left = self.config.skip_header_lines;
        }
        self.insert(tracked);
        self.set_presence(file, found.kind, now);
        Adoption::Continued(file)
    }

    /// Files that were being followed and that no listing has shown.
    pub fn missing(&self) -> impl Iterator<Item = &FileCheckpoint> {
        self.memory.iter().filter(|known| !known.is_finished && !self.memory.is_there(known.file))
    }

    /// Whether a file may be one of those that are missing, or its copy.
    #[must_use]
    pub fn may_be_missing(&self, candidate: &Listed) -> bool {
        let may_be = |known: &FileCheckpoint| {
            known.node.is_same(&candidate.node)
                || known.path == candidate.path
                || known
                    .paths()
                    .any(|path| is_rotated_name(self.links.real(path), self.links.real(&candidate.path)))
        };
        self.missing().any(may_be)
    }

    /// Forgets the oldest of too many remembered files that are not there any more. Answers those that had not been
    /// read to their end.
    pub fn forget_surplus(&mut self) -> Vec<FileCheckpoint> {
        let mut gone = self.memory.forget_surplus();
        self.forgotten.extend(gone.iter().map(|known| known.file));
        gone.iter().filter_map(|known| known.origin).for_each(|origin| self.origins.forget(origin));
        gone.retain(|known| !known.is_finished);
        gone
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
        self.epoch += 1;
        self.by_node.insert(file.node, id);
        self.files.insert(file);
        id
    }
}

/// Of several remembered files the one with the least rank counts: what goes on in the candidate before what may only
/// begin alike, and of those the one that was read farthest. A few bytes are alike in many files, so a copy of a file of
/// which much is known is not taken for the rest of one of which little was read.
fn rank(question: &Question, probe: &Probe, relation: Relation) -> (u8, u64, bool) {
    let offset = question.fingerprint.offset;
    let is_long_copy = || offset >= HEAD_BYTES as u64 && holds(&question.fingerprint, probe);
    let strength = match relation {
        Relation::Same => 0,
        Relation::RestOf => 1,
        Relation::CopyOf if is_long_copy() => 1,
        Relation::CopyOf | Relation::PartOf | Relation::Undecided | Relation::Stranger => 2,
    };
    (strength, u64::MAX - offset, relation != Relation::RestOf)
}
