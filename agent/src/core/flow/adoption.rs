//! Files that the directory shows and the flow does not know: whose are they, and from where are they read?

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use super::Flow;
use super::naming::Naming;
use crate::checkpoint::{FileCheckpoint, Fingerprint, Print, Probe};
use crate::config::InitialPosition;
use crate::core::identity::{holds, is_rotated_name};
use crate::core::rotated_name::family;
use crate::core::rotation::{Evidence, Name, Relation, relate};
use crate::core::splitter::Splitter;
use crate::core::tracked_file::{Presence, TrackedFile};
use crate::source_file::{Kind, Listed};
use crate::types::{FileId, Moment, Node};

/// How long a file is looked at all the time once a copy of it appeared: a truncation may follow, and what is written
/// before it and not read is in neither.
const HURRY: Duration = Duration::from_secs(2);

/// How long a copy that is being made may stand still.
const COPYING: Duration = Duration::from_secs(10);

/// A copy that the last listing showed.
#[derive(Debug, Clone, Copy)]
pub(super) struct SeenCopy {
    size: u64,
    /// When it got that size.
    since: Moment,
    /// It is as it is for long enough.
    is_complete: bool,
}

/// A remembered file that an unknown one may have to do with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// One that is under way.
    File(FileId),
    /// One that is finished, or was not found yet.
    Remembered(FileId),
}

/// What the shell has to find out about an unknown file: whether this fingerprint holds in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Whose fingerprint it is.
    pub known: Known,
    /// What to compare with.
    pub fingerprint: Fingerprint,
    /// The size of the known file, if it is there and not truncated.
    pub alive_size: Option<u64>,
    /// What the names have to do with each other.
    pub name: Name,
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

impl Question {
    /// Up to where the content of the known file is known.
    fn known_size(&self) -> u64 {
        self.fingerprint.offset.max(u64::from(self.fingerprint.head.length))
    }
}

impl Flow {
    /// Sorts out what the directory shows: known files are updated, and the unknown ones are handed back, in the order
    /// in which they are to be decided about: those that are where a remembered one was, then the oldest first.
    pub fn listed(&mut self, mut listing: Vec<Listed>, now: Moment) -> Vec<Listed> {
        // Of two names of one file the one counts that is followed.
        listing.sort_by(|left, right| (left.kind, &left.path).cmp(&(right.kind, &right.path)));
        self.memory.begin_listing();
        let finished = self.memory.see(&listing);
        let (mut unknown, mut seen) = (Vec::new(), HashSet::new());
        for listed in listing {
            if !seen.insert(listed.node) {
                continue;
            }
            match self.by_node.get(&listed.node) {
                Some(file) => self.seen_again(*file, listed, now),
                None if listed.kind != Kind::Followed && finished.contains(&listed.path) => {}
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
        self.copies.retain(|copy, _| seen.contains(copy));
        self.copies.values_mut().for_each(|copy| copy.is_complete = now.since(copy.since) >= COPYING);
        self.keep_kin(&mut unknown);
        unknown.sort_by_cached_key(|listed| {
            (self.memory.at(listed.node).next().is_none(), listed.modified, listed.path.clone())
        });
        unknown
    }

    /// Drops rotated files of logs that nobody follows.
    fn keep_kin(&self, unknown: &mut Vec<Listed>) {
        if self.config.file_pattern.is_literal() || unknown.iter().all(|listed| listed.kind == Kind::Followed)
        {
            return;
        }
        let followed = unknown.iter().filter(|listed| listed.kind == Kind::Followed);
        let families: HashSet<PathBuf> = followed
            .map(|listed| family(&listed.path))
            .chain(self.files.values().map(|file| family(&file.path)))
            .chain(self.memory.families())
            .collect();
        unknown.retain(|listed| listed.kind == Kind::Followed || families.contains(&family(&listed.path)));
    }

    fn seen_again(&mut self, file: FileId, seen: Listed, now: Moment) {
        let Some(file) = self.files.get_mut(&file) else { return };
        let is_followed = seen.kind == Kind::Followed;
        let is_back = is_followed && file.presence != Presence::Listed && !self.once;
        if file.path != seen.path || is_back {
            let node = file.node;
            file.move_to(seen.path, node);
            file.was_moved = true;
            self.statistics.rotations.add(1);
        }
        if is_followed {
            file.presence = Presence::Listed;
        } else if file.presence == Presence::Listed {
            file.presence = Presence::Away { quiet_since: now };
            file.look_at = now;
        }
    }

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
        self.note_finished(FileCheckpoint { file, path, node, fingerprint, is_finished: true }, old);
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

    /// Remembered files that were where an unknown one is: to be asked about before [`Flow::questions`]. If one of
    /// them is [recognised](Flow::recognises), nothing else is to be asked.
    #[must_use]
    pub fn own_questions(&self, unknown: &Listed) -> Vec<Question> {
        let naming = Naming::of(unknown);
        let known = self.memory.at(unknown.node);
        known.map(|known| self.question_about(known, naming.relation(&known.path, false))).collect()
    }

    /// Whether the answers say that it is one of the remembered files.
    #[must_use]
    pub fn recognises(&self, unknown: &Listed, answers: &[(Question, Probe)]) -> bool {
        answers.iter().any(|(question, probe)| self.relation(unknown, question, probe) == Relation::Same)
    }

    /// What to find out about an unknown file before [`Flow::adopt`]. `intact_size` tells the present size of an open
    /// one in which the fingerprint still holds: of one that was not truncated since it was read.
    #[must_use]
    pub fn questions(
        &self,
        unknown: &Listed,
        intact_size: impl Fn(FileId, &Fingerprint) -> Option<u64>,
    ) -> Vec<Question> {
        if unknown.size == 0 && unknown.kind != Kind::Followed {
            return Vec::new(); // it has no content to compare
        }
        let naming = Naming::of(unknown);
        let remembered = self.memory.iter().filter(|known| !known.node.is_same(&unknown.node));
        let remembered = remembered.filter_map(|known| {
            let name = naming.relation(&known.path, false);
            (name != Name::Other).then(|| self.question_about(known, name))
        });
        let files = self.files.values().filter_map(|file| {
            let name = naming.relation(&file.path, file.presence == Presence::Listed && !file.was_moved);
            if name == Name::Other && file.node != unknown.node {
                return None;
            }
            let (known, fingerprint) = (Known::File(file.id), file.fingerprint());
            let is_ended = file.presence == Presence::Ended;
            let alive_size = if is_ended { None } else { intact_size(file.id, &fingerprint) };
            Some(Question { known, fingerprint, alive_size, name })
        });
        remembered.chain(files).collect()
    }

    fn question_about(&self, known: &FileCheckpoint, name: Name) -> Question {
        let fingerprint = known.fingerprint;
        // One that is finished and still there is not to be found elsewhere.
        let alive_size = self.memory.is_there(known.file).then_some(fingerprint.offset);
        Question { known: Known::Remembered(known.file), fingerprint, alive_size, name }
    }

    /// Decides about an unknown file, given what was read of it for each question.
    pub fn adopt(&mut self, unknown: &Listed, answers: &[(Question, Probe)], now: Moment) -> Adoption {
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
            (Relation::PartOf, _) => Adoption::AlreadyRead(self.start_listed(unknown, now)),
            (_, Known::File(file)) => self.continue_in(file, unknown, now),
            (_, Known::Remembered(file)) if is_all_read => self.finished_in(file, unknown),
            (_, Known::Remembered(file)) => self.resume(file, unknown, probe, now),
        }
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
            && let Some(file) = self.files.get_mut(&file)
        {
            file.hurry_until = now.plus(HURRY);
            file.look_at = now;
        }
    }

    /// A finished file was found again, or what became of it.
    fn finished_in(&mut self, file: FileId, found: &Listed) -> Adoption {
        if let Some(mut checkpoint) = self.memory.remove(file) {
            checkpoint.path.clone_from(&found.path);
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
        let copied = FileCheckpoint { file, path, node, is_finished: true, ..original.clone() };
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

    fn relation(&self, unknown: &Listed, question: &Question, probe: &Probe) -> Relation {
        let node = match question.known {
            // A truncated file keeps its node in the books; what is there now is another generation.
            Known::File(file) if self.is_ended(file) => Some(Node::GONE),
            Known::File(file) => self.files.get(&file).map(|file| file.node),
            Known::Remembered(file) => self.memory.get(file).map(|known| known.node),
        };
        let Some(node) = node else { return Relation::Stranger };
        // Of a file that was truncated just now a copy is expected.
        let name = match (question.name, question.known, question.alive_size) {
            (Name::Akin, Known::File(_), None) => Name::Rotated,
            (name, ..) => name,
        };
        let offset = question.fingerprint.offset;
        let is_hole = !probe.head.is_empty() && probe.head.iter().chain(&probe.marker).all(|byte| *byte == 0);
        let content_holds = holds(&question.fingerprint, probe);
        let begins_alike =
            unknown.size < question.known_size() && self.begins_alike(unknown, question, probe);
        relate(Evidence {
            same_node: node.is_same(&unknown.node),
            content_holds,
            begins_alike,
            // A hole is like any other.
            nothing_read: question.fingerprint.head.length == 0
                || (is_hole && (content_holds || begins_alike)),
            known_size: question.known_size(),
            offset,
            name,
            alive_size: question.alive_size,
            candidate_size: unknown.size,
            is_away: matches!(question.known, Known::File(file) if self.is_away(file)),
            is_followed: unknown.kind == Kind::Followed,
        })
    }

    fn begins_alike(&self, unknown: &Listed, question: &Question, probe: &Probe) -> bool {
        // Holes are all alike. While the other file is there that only means to look again, for as long as this one may
        // be a copy that is being made.
        let may_be_copied = question.alive_size.is_some()
            && self
                .copies
                .get(&unknown.node)
                .is_none_or(|copy| !copy.is_complete || copy.size != unknown.size);
        if !may_be_copied && probe.head.iter().all(|byte| *byte == 0) {
            return false;
        }
        match question.known {
            Known::File(file) => self.files.get(&file).is_some_and(|file| {
                let known = file.head().len().min(probe.head.len());
                file.head()[..known] == probe.head[..known]
            }),
            Known::Remembered(_) => Print::of(&probe.head) == question.fingerprint.head,
        }
    }

    fn is_ended(&self, file: FileId) -> bool {
        self.files.get(&file).is_some_and(|file| file.presence == Presence::Ended)
    }

    fn is_away(&self, file: FileId) -> bool {
        let file = self.files.get(&file);
        file.is_some_and(|file| matches!(file.presence, Presence::Away { .. }))
    }

    fn adopt_stranger(&mut self, unknown: &Listed, now: Moment) -> Adoption {
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
            let is_copied = |file: &&TrackedFile| is_rotated_name(&file.path, &unknown.path);
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
        if let Some(file) = self.files.get_mut(&file)
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
        if let Some(file) = self.files.get_mut(&file) {
            file.foresee(head);
        }
    }

    /// A new file is to be read from `fingerprint`'s offset instead of its beginning.
    pub fn start_at(&mut self, file: FileId, fingerprint: Fingerprint, probe: Probe, now: Moment) {
        let Some(begun) = self.files.get(&file) else { return };
        let (path, node, presence) = (begun.path.clone(), begun.node, begun.presence);
        let mut file = self.track(file, path, node, fingerprint, probe, now);
        file.presence = presence;
        self.insert(file);
    }

    /// A truncated file's rest was found in a copy.
    fn continue_in(&mut self, file: FileId, copy: &Listed, now: Moment) -> Adoption {
        if let Some(tracked) = self.files.get_mut(&file) {
            if self.by_node.get(&tracked.node) == Some(&file) {
                self.by_node.remove(&tracked.node);
                // Nobody had looked at it since it was truncated: what is there now is to be found.
                self.has_young_copies = true;
            }
            let lost = tracked.seen_size.saturating_sub(tracked.fetched().max(copy.size));
            self.statistics.bytes_lost_by_truncation.add(lost);
            tracked.move_to(copy.path.clone(), copy.node);
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
                || is_rotated_name(&known.path, &candidate.path)
        };
        self.missing().any(may_be)
    }

    /// Forgets the oldest of too many remembered files that are not there any more. Answers those that had not been
    /// read to their end.
    pub fn forget_surplus(&mut self) -> Vec<FileCheckpoint> {
        let mut gone = self.memory.forget_surplus();
        self.forgotten.extend(gone.iter().map(|known| known.file));
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
        let splitter = Splitter::new(self.limits().line_bytes);
        let mut file = TrackedFile::new(id, path, node, fingerprint, (probe.head, probe.marker), splitter);
        file.look_at = now;
        file
    }

    fn insert(&mut self, file: TrackedFile) -> FileId {
        let id = file.id;
        self.is_save_urgent = true;
        self.epoch += 1;
        self.by_node.insert(file.node, id);
        self.files.insert(id, file);
        id
    }
}
