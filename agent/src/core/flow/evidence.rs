//! What is to be found out about an unknown file, and what the answers say.
//!
//! Invariant: files that are where a remembered one was are compared with that one first; only a stranger is compared
//! with the others.

use super::Flow;
use super::naming::Naming;
use crate::checkpoint::{FileCheckpoint, Fingerprint, Probe};
use crate::core::identity::holds;
use crate::core::rotation::{Evidence, Name, Relation, relate, relate_part};
use crate::core::tracked_file::Presence;
use crate::source_file::{Kind, Listed};
use crate::types::{FileId, Node};

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
    /// What the fingerprint is about.
    pub point: Point,
}

/// A place in a remembered file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Up to where it was read, or is done.
    End,
    /// One before, by which a copy of its beginning is recognised.
    Before,
}

impl Question {
    /// Up to where the content of the known file is known.
    pub(super) fn known_size(&self) -> u64 {
        self.fingerprint.offset.max(u64::from(self.fingerprint.head.length))
    }
}

impl Flow {
    /// Remembered files that were where an unknown one is: to be asked about before [`Flow::questions`]. If one of
    /// them is [recognised](Flow::recognises), nothing else is to be asked.
    #[must_use]
    pub fn own_questions(&self, unknown: &Listed) -> Vec<Question> {
        let naming = Naming::of(unknown, &self.links);
        let known = self.memory.at(unknown.node);
        known
            .map(|known| self.question_about(known, naming.relation(&known.path, &known.former_paths, false)))
            .collect()
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
        let naming = Naming::of(unknown, &self.links);
        let remembered = self.memory.iter().filter(|known| !known.node.is_same(&unknown.node));
        let remembered = remembered.filter_map(|known| {
            let name = naming.relation(&known.path, &known.former_paths, false);
            (name != Name::Other).then(|| self.question_about(known, name))
        });
        // A gzip file's content has no known size yet.
        let part_size = (unknown.kind != Kind::Compressed).then_some(unknown.size);
        let files = self.files.values().flat_map(|file| {
            let is_listed = file.presence == Presence::Listed && !file.was_moved;
            let name = naming.relation(&file.path, &file.former_paths, is_listed);
            if name == Name::Other && file.node != unknown.node {
                return Vec::new();
            }
            let (known, fingerprint) = (Known::File(file.id), file.fingerprint());
            let is_ended = file.presence == Presence::Ended;
            let alive_size = if is_ended { None } else { intact_size(file.id, &fingerprint) };
            let at = |fingerprint, point| Question { known, fingerprint, alive_size, name, point };
            let parts = file.fingerprints_of_parts(part_size).filter(|_| name != Name::Same);
            let parts = parts.map(|fingerprint| at(fingerprint, Point::Before));
            std::iter::once(at(fingerprint, Point::End)).chain(parts).collect()
        });
        remembered.chain(files).collect()
    }

    fn question_about(&self, known: &FileCheckpoint, name: Name) -> Question {
        let fingerprint = known.fingerprint;
        // One that is finished and still there is not to be found elsewhere.
        let alive_size = self.memory.is_there(known.file).then_some(fingerprint.offset);
        Question { known: Known::Remembered(known.file), fingerprint, alive_size, name, point: Point::End }
    }

    pub(super) fn relation(&self, unknown: &Listed, question: &Question, probe: &Probe) -> Relation {
        match question.point {
            Point::End => self.relation_at_end(unknown, question, probe),
            Point::Before => self.relation_of_part(unknown, question, probe),
        }
    }

    fn relation_of_part(&self, unknown: &Listed, question: &Question, probe: &Probe) -> Relation {
        let Known::File(file) = question.known else { return Relation::Stranger };
        let Some(file) = self.files.get(file) else { return Relation::Stranger };
        let is_shorter = unknown.size < file.fetched() && file.node != unknown.node;
        let is_hole = probe.marker.iter().all(|byte| *byte == 0);
        let holds = is_shorter && !is_hole && holds(&question.fingerprint, probe);
        relate_part(question.name, question.alive_size.is_some(), holds)
    }

    fn relation_at_end(&self, unknown: &Listed, question: &Question, probe: &Probe) -> Relation {
        let node = match question.known {
            // A truncated file keeps its node in the books; what is there now is another generation.
            Known::File(file) if self.is_ended(file) => Some(Node::GONE),
            Known::File(file) => self.files.get(file).map(|file| file.node),
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

    /// Whether it may be a copy of a file under way that is being made: what is alike is its beginning, which proves
    /// nothing once it is complete.
    fn begins_alike(&self, unknown: &Listed, question: &Question, probe: &Probe) -> bool {
        let Known::File(file) = question.known else { return false };
        let seen = self.copies.get(&unknown.node);
        let may_be_copied = question.alive_size.is_some()
            && seen.is_none_or(|copy| !copy.is_complete || copy.size != unknown.size);
        may_be_copied && self.files.get(file).is_some_and(|file| file.head().agrees(0, &probe.head))
    }

    fn is_ended(&self, file: FileId) -> bool {
        self.files.get(file).is_some_and(|file| file.presence == Presence::Ended)
    }

    fn is_away(&self, file: FileId) -> bool {
        let file = self.files.get(file);
        file.is_some_and(|file| matches!(file.presence, Presence::Away { .. }))
    }
}
