//! One generation of a file under way: what was read of it, what is done, and where it stands.
//!
//! Invariants: bytes are taken in once and in order; a checkpoint is given only for a position whose fingerprint was
//! taken from the bytes themselves when they were read, so that a file truncated meanwhile cannot forge it.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::checkpoint::{FileCheckpoint, Fingerprint, HEAD_BYTES, Print, Probe, Wanted};
use crate::core::content_sum::ContentSum;
use crate::core::file_head::FileHead;
use crate::core::former_paths;
use crate::core::identity::holds;
use crate::core::last_write::LastWrite;
use crate::core::ledger::Ledger;
use crate::core::read_window::ReadWindow;
use crate::core::room::Room;
use crate::core::splitter::{Split, Splitter, Tail, Unit};
use crate::core::trail::{Place, Trail};
use crate::types::{FileId, Moment, Node, Origin};

/// Where a file stands in relation to its directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// The directory shows it under a name that the flow follows.
    Listed,
    /// It was renamed away or deleted, and its descriptor is held. Since when it has not grown.
    Away {
        /// When it was last seen to grow, or to go.
        quiet_since: Moment,
    },
    /// It was truncated: what was read of it is all that there is, unless its copy is found.
    Ended,
}

/// Whether its descriptor is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Descriptor {
    /// It is.
    Held,
    /// It was given back, when the file had last been written to at this time.
    GivenBack {
        /// In nanoseconds since 1970.
        modified: u64,
    },
    /// It was given back and taken again: whether the file is what it was has not been seen yet.
    TakenAgain,
}

/// One generation of a file.
#[derive(Debug)]
pub struct TrackedFile {
    /// Its number.
    pub id: FileId,
    /// Where it was last seen.
    pub path: PathBuf,
    /// See [`FileCheckpoint::former_paths`].
    pub former_paths: Vec<PathBuf>,
    /// Where the file system keeps it.
    pub node: Node,
    /// Where it stands.
    pub presence: Presence,
    /// Whether it is held open.
    pub descriptor: Descriptor,
    /// The books.
    pub ledger: Ledger,
    /// Cuts its records.
    pub splitter: Splitter,
    /// Header lines still to be dropped.
    pub headers_left: u64,
    /// With `--once`: the size at the first look, up to which it is shipped.
    pub target: Option<u64>,
    /// When to look at it next, and how long to wait if there is nothing new.
    pub look_at: Moment,
    /// The present pause between looks.
    pub pause: Duration,
    /// Everything that will be read was read, and its last line was cut.
    pub is_drained: bool,
    /// A record of it is refused for good, and the flow's policy is to stop the file.
    pub is_stopped: bool,
    /// What was read of it last was not all published: there was no room.
    pub has_leftover: bool,
    /// Until then it is looked at all the time: a copy of it is being made, and a truncation may follow.
    pub hurry_until: Moment,
    /// It got another name since it was last looked at; so it may have been truncated before, and copied.
    pub was_moved: bool,
    /// Up to where there was something to read when it was last looked at.
    pub seen_size: u64,
    /// The NULs behind its text.
    pub room: Room,
    /// When it was last written to, and compared.
    pub last_write: LastWrite,
    /// Whether the NULs with which it begins are the hole that a truncation leaves; `None` while nobody asked.
    pub begins_with_hole: Option<bool>,
    /// How many names it had then; 0 when it was deleted.
    pub links: u64,
    /// Its name in the ids of its records, as soon as it has one.
    pub origin: Option<Origin>,
    is_over: bool,
    /// As `seen_size`, when bytes of this very file were read last.
    verified_size: u64,
    /// Of what was taken in.
    sum: ContentSum,
    /// When bytes were taken in last.
    grown_at: Moment,
    /// Whether it has not grown since for as long as completes a record of several lines.
    is_quiet: bool,
    head: FileHead,
    saved: Saved,
    fetched: u64,
    /// The bytes before `fetched`.
    window: ReadWindow,
    /// Positions whose bytes are not all acknowledged.
    landmarks: VecDeque<Landmark>,
    /// The last one whose bytes are.
    settled: Landmark,
    trail: Trail,
}

/// A position to which a checkpoint can be set, with the print of the bytes before it.
#[derive(Debug, Clone, Copy)]
struct Landmark {
    offset: u64,
    marker: Print,
}

/// What the store knows of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Saved {
    Nothing,
    UpTo { offset: u64, head_length: usize, origin: Option<Origin> },
}

impl TrackedFile {
    /// A file to be read from `fingerprint`'s offset, with the bytes that were probed there.
    #[must_use]
    pub fn new(
        id: FileId,
        path: PathBuf,
        node: Node,
        fingerprint: Fingerprint,
        (head, marker): (Vec<u8>, Vec<u8>),
        splitter: Splitter,
    ) -> Self {
        let mut trail = Trail::default();
        trail.push(Place { offset: fingerprint.offset, marker: fingerprint.marker });
        Self {
            id,
            path,
            former_paths: Vec::new(),
            node,
            presence: Presence::Listed,
            descriptor: Descriptor::Held,
            ledger: Ledger::new(fingerprint.offset),
            splitter,
            headers_left: 0,
            target: None,
            look_at: Moment::ORIGIN,
            pause: Duration::ZERO,
            is_drained: false,
            is_stopped: false,
            has_leftover: false,
            hurry_until: Moment::ORIGIN,
            was_moved: false,
            seen_size: fingerprint.offset,
            room: Room::default(),
            last_write: LastWrite::default(),
            begins_with_hole: None,
            links: 1,
            origin: None,
            is_over: false,
            verified_size: fingerprint.offset,
            sum: ContentSum::default(),
            grown_at: Moment::ORIGIN,
            is_quiet: false,
            head: FileHead::new(head),
            saved: Saved::Nothing,
            fetched: fingerprint.offset,
            window: ReadWindow::new(marker),
            landmarks: VecDeque::new(),
            settled: Landmark { offset: fingerprint.offset, marker: fingerprint.marker },
            trail,
        }
    }

    /// All paths under which it is known, the present one first.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(&self.path).chain(&self.former_paths).map(PathBuf::as_path)
    }

    /// Up to where bytes were taken in.
    #[must_use]
    pub fn fetched(&self) -> u64 {
        self.fetched
    }

    /// Up to where bytes were cut into records.
    #[must_use]
    pub fn cut(&self) -> u64 {
        self.fetched - self.unconsumed().len() as u64
    }

    /// Bytes that are published and not acknowledged.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.cut() - self.ledger.acknowledged()
    }

    /// Bytes before [`TrackedFile::fetched`] that a read repeats, to see that the file is still the same.
    #[must_use]
    pub fn overlap(&self) -> usize {
        self.window.overlap().len()
    }

    /// Notes the first bytes of a file that will be read from its beginning, so that it can be found again before it
    /// is read.
    pub fn foresee(&mut self, head: &[u8]) {
        if self.fetched == 0 && self.head.is_empty() {
            self.head.learn(0, &head[..self.room.data_in(0, head)]);
        }
    }

    /// Takes in what a read gave, which began [`TrackedFile::overlap`] bytes before the offset, and leaves another buffer
    /// in its place. Answers whether those bytes, and the head as far as it is known, are the remembered ones; if not,
    /// nothing is taken in.
    pub fn take_in(&mut self, read: &mut Vec<u8>) -> bool {
        let Some(fresh) = read.strip_prefix(self.window.overlap()) else { return false };
        // While the head is incomplete it reaches at least to where the fresh bytes begin.
        let begun = usize::try_from(self.fetched).unwrap_or(usize::MAX).min(self.head.len());
        if !self.head.agrees(begun, fresh) {
            return false;
        }
        self.head.learn(begun, fresh);
        self.sum.add(fresh);
        self.fetched += fresh.len() as u64;
        self.window.take_in(read);
        self.is_quiet = false;
        self.verified_size = self.seen_size;
        self.last_write.compared();
        true
    }

    /// What is at its place is not this generation any more: what was seen of its size since it was read was another
    /// one's.
    pub fn is_replaced(&mut self) {
        self.seen_size = self.verified_size.max(self.fetched);
    }

    /// Whether a read begins with the bytes that were taken in last.
    #[must_use]
    pub fn is_repeated_in(&self, read: &[u8]) -> bool {
        read.starts_with(self.window.overlap())
    }

    /// What to read to see whether the bytes that were taken in are still there.
    #[must_use]
    pub fn to_compare(&self) -> Wanted {
        match usize::try_from(self.fetched) {
            Ok(all) if self.sum.is_of_all(self.fetched) => {
                Wanted { head_length: all, marker_start: 0, marker_length: 0 }
            }
            _ => self.fingerprint().wanted(),
        }
    }

    /// Whether what was read of [`TrackedFile::to_compare`] are the bytes that were taken in.
    #[must_use]
    pub fn is_what_was_read(&self, probe: &Probe) -> bool {
        if self.sum.is_of_all(self.fetched) {
            return ContentSum::of(&probe.head) == self.sum;
        }
        holds(&self.fingerprint(), probe)
    }

    /// The bytes that were read and not cut yet.
    #[must_use]
    pub fn unconsumed(&self) -> &[u8] {
        self.window.unconsumed()
    }

    /// What is to be cut next; see [`Splitter::split`].
    pub fn split(&mut self) -> Split {
        let tail = match (self.is_over, self.is_quiet) {
            (true, _) => Tail::Over,
            (false, true) => Tail::Quiet,
            (false, false) => Tail::Growing,
        };
        let unit = if self.headers_left > 0 { Unit::HeaderLine } else { Unit::Record };
        self.splitter.split(self.window.unconsumed(), tail, unit)
    }

    /// Marks the next `length` bytes, which [`TrackedFile::split`] answered, as cut.
    pub fn take(&mut self, split: Split, length: usize) {
        self.splitter.taken(split, &self.window.unconsumed()[..length]);
        self.consume(length);
    }

    /// How many of the bytes that come next are, or may be, a hole: the NULs at the very beginning of a file that a writer
    /// without `O_APPEND` leaves after a truncation. They are in the copies of that file, too.
    #[must_use]
    pub fn hole(&self) -> usize {
        if self.begins_with_hole == Some(false) || !self.splitter.is_between_records() {
            return 0;
        }
        let (before, after) = (self.window.consumed(), self.window.unconsumed());
        let is_inside = match before.last() {
            None => self.cut() == 0,
            Some(0) => before.iter().all(|byte| *byte == 0),
            Some(_) => false,
        };
        if is_inside { after.iter().take_while(|byte| **byte == 0).count() } else { 0 }
    }

    /// How many NULs come next, as far as that is known.
    #[must_use]
    pub fn nuls_ahead(&self) -> u64 {
        let after = self.unconsumed();
        match after.iter().position(|byte| *byte != 0) {
            Some(text) => text as u64,
            None => (after.len() as u64).max(self.room.text_at().saturating_sub(self.cut())),
        }
    }

    /// Marks the next `length` bytes as cut.
    pub fn consume(&mut self, length: usize) {
        self.window.consume(length);
    }

    /// Notes when bytes were taken in.
    pub fn has_grown(&mut self, now: Moment) {
        self.grown_at = now;
    }

    /// When bytes were taken in last; the clock's origin if none were.
    #[must_use]
    pub fn grown_at(&self) -> Moment {
        self.grown_at
    }

    /// How long no bytes were taken in.
    #[must_use]
    pub fn idle_time(&self, now: Moment) -> Duration {
        now.since(self.grown_at)
    }

    /// The file shows no new bytes now. Answers when a record of several lines is complete that began with the last ones,
    /// if there is one that waits for that.
    pub fn at_end(&mut self, now: Moment, quiet_time: Duration) -> Option<Moment> {
        if self.is_quiet || !self.splitter.awaits_quiet() {
            return None;
        }
        let quiet_at = self.grown_at.plus(quiet_time);
        self.is_quiet = quiet_at <= now;
        Some(quiet_at)
    }

    /// Gives back what is not needed between two reads; see [`ReadWindow::release`].
    pub fn release_buffer(&mut self, spare: &mut Vec<u8>) {
        self.window.release(spare);
    }

    /// Gives back what an idle file does not need.
    pub fn rest(&mut self) {
        self.window.rest();
        if self.ledger.outstanding() == 0 {
            self.ledger.shrink();
            self.landmarks.shrink_to_fit();
        }
    }

    /// Remembers the present cut as a position to which a checkpoint can be set, if the file can be taken up again
    /// there: not within its header, and not within an over-long record. To be called when a read was cut, or
    /// there is no room for more.
    pub fn set_landmark(&mut self) {
        let is_between = self.splitter.is_between_records() || self.is_over;
        if self.headers_left > 0 || !is_between {
            return;
        }
        let offset = self.cut();
        if offset == self.landmarks.back().map_or(self.settled.offset, |landmark| landmark.offset) {
            return;
        }
        let marker = Print::of(self.window.cut_marker());
        self.landmarks.push_back(Landmark { offset, marker });
        self.trail.push(Place { offset, marker });
    }

    /// By what a copy of the beginning of the file is recognised that has `size` bytes: the last place that it has, or,
    /// where its size is not known, each.
    pub fn fingerprints_of_parts(&self, size: Option<u64>) -> impl Iterator<Item = Fingerprint> {
        let last = size.map(|size| self.trail.last_within(size));
        let places = self.trail.iter().filter(move |place| last.is_none_or(|last| last == Some(*place)));
        places.map(|Place { offset, marker }| Fingerprint { offset, head: self.head.print(), marker })
    }

    /// The fingerprint of everything taken in; for finding a copy of the file after it was truncated.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint { offset: self.fetched, head: self.head.print(), marker: Print::of(self.window.marker()) }
    }

    /// The first bytes of the file, as far as they were read.
    #[must_use]
    pub fn head(&self) -> &FileHead {
        &self.head
    }

    /// Whether what was read of it may be the same in another file: a header line, or a hole.
    #[must_use]
    pub fn is_little_known(&self) -> bool {
        self.fetched < HEAD_BYTES as u64 || self.head.is_blank()
    }

    /// The file goes on somewhere else, or under another name.
    pub fn move_to(&mut self, path: PathBuf, node: Node) {
        let former = std::mem::replace(&mut self.path, path);
        former_paths::remember(&mut self.former_paths, former, &self.path);
        self.node = node;
        self.is_over = false;
        self.is_drained = false;
        self.saved = Saved::Nothing;
        (self.room, self.last_write) = (Room::default(), LastWrite::default());
    }

    /// What is to be saved now: the last landmark before which every byte is acknowledged, unless it is saved.
    pub fn checkpoint(&mut self) -> Option<FileCheckpoint> {
        let settled = self.settle();
        let (offset, origin) = (settled.fingerprint.offset, self.origin);
        let saved = Saved::UpTo { offset, head_length: self.head.len(), origin };
        let is_saved = std::mem::replace(&mut self.saved, saved) == saved;
        (!is_saved).then_some(settled)
    }

    /// The fingerprint at the last landmark before which every byte is acknowledged.
    #[must_use]
    pub fn acknowledged_fingerprint(&self) -> Fingerprint {
        let acknowledged = self.ledger.acknowledged();
        let landmarks = self.landmarks.iter().take_while(|landmark| landmark.offset <= acknowledged);
        let Landmark { offset, marker } = *landmarks.last().unwrap_or(&self.settled);
        Fingerprint { offset, head: self.head.print(), marker }
    }

    /// Whether [`TrackedFile::checkpoint`] would answer something. Costs next to nothing.
    #[must_use]
    pub fn has_news(&self) -> bool {
        let acknowledged = self.ledger.acknowledged();
        let moves = self.landmarks.front().is_some_and(|landmark| landmark.offset <= acknowledged);
        let (offset, origin) = (self.settled.offset, self.origin);
        let settled = Saved::UpTo { offset, head_length: self.head.len(), origin };
        moves || self.saved != settled
    }

    /// How many bytes there are of it, as far as that was seen.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self.presence {
            // What was read of it is all that there is, unless a copy is found.
            Presence::Ended => self.fetched,
            Presence::Listed | Presence::Away { .. } => self.seen_size.max(self.fetched),
        }
    }

    /// The last landmark before which every byte is acknowledged, saved or not.
    pub fn settle(&mut self) -> FileCheckpoint {
        let acknowledged = self.ledger.acknowledged();
        while let Some(landmark) = self.landmarks.pop_front_if(|landmark| landmark.offset <= acknowledged) {
            self.settled = landmark;
        }
        let Landmark { offset, marker } = self.settled;
        let fingerprint = Fingerprint { offset, head: self.head.print(), marker };
        let (file, path, node) = (self.id, self.path.clone(), self.node);
        let former_paths = self.former_paths.clone();
        FileCheckpoint {
            file,
            path,
            former_paths,
            node,
            fingerprint,
            is_finished: false,
            origin: self.origin,
        }
    }

    /// No more bytes will be read: an unfinished last line is all that there is of it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Notes that no more bytes will be read.
    pub fn set_over(&mut self) {
        self.is_over = true;
    }

    /// Everything read is cut and acknowledged.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.ledger.outstanding() == 0 && self.unconsumed().is_empty()
    }
}

#[cfg(test)]
mod tests;
