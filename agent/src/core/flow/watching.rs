//! Looking at open files: what a look showed, when to look again, and when a file is given up.

use std::time::Duration;

use super::Flow;
use crate::checkpoint::{Probe, Wanted};
use crate::core::idle_pause::{Crowd, LONGEST_PAUSE, look_after};
use crate::core::rotation::{Look, judge_look};
use crate::core::tracked_file::{Descriptor, Presence, TrackedFile};
use crate::source_file::Search;
use crate::types::{FileId, Moment};

/// Bytes of one read; the files of a flow take turns with it.
const READ_BYTES: u64 = 256 * 1024;

/// The pause between looks at a file of which a copy was just made.
const HURRIED_PAUSE: Duration = Duration::from_millis(5);

/// The pause of a file that waits for the outcome of its oldest record.
const BOOKS_PAUSE: Duration = Duration::from_millis(100);

/// Files whose next look is this near are looked at now, so that thousands of idle files make few wake-ups.
const LOOK_AHEAD: Duration = Duration::from_millis(25);

/// How long a file that was renamed away must be quiet before it is given up: programs write to it until they are
/// told to open the new one.
const QUIET_RENAMED: Duration = Duration::from_secs(60);

/// The same for a file that was deleted, which holds disk space until then.
const QUIET_DELETED: Duration = Duration::from_secs(5);

/// The same while room is filled that a program has made behind its text.
const ROOM_READ_BYTES: u64 = 16 * 1024;

/// What a look at a file showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// Its size in bytes.
    pub size: u64,
    /// When it was last written to, in nanoseconds since 1970.
    pub modified: u64,
    /// How many names it has; 0 when it was deleted.
    pub links: u64,
}

/// What to do with a file after a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing until the next look.
    Wait,
    /// Read this many bytes from this offset, and bring them to [`Flow::read`].
    Read {
        /// Where to begin.
        offset: u64,
        /// How many bytes.
        length: usize,
    },
    /// There are NULs from here on, and maybe nothing else: search for a byte that is none, and bring what the search
    /// came to, to [`Flow::searched`].
    Search(u64),
    /// It is as long as what was read of it, and was written to: read this, and bring it to [`Flow::compared`].
    Compare(Wanted),
    /// It was truncated: a new generation, of this number, begins at its start. Before the next look, search the
    /// files with rotated names for the rest of the old one, with [`Flow::adopt_rest`].
    Truncated(FileId),
    /// It will not give any more bytes: cut what is left with [`Flow::pump`].
    Drain,
}

impl Flow {
    /// Files at which to look now.
    #[must_use]
    pub fn due(&self, now: Moment) -> Vec<FileId> {
        self.files.due(now.plus(LOOK_AHEAD))
    }

    /// How much there is to look at in the whole agent.
    pub fn set_crowd(&mut self, crowd: Crowd) {
        self.crowd = crowd;
    }

    /// Judges a look at a file.
    pub fn looked(&mut self, id: FileId, sight: Sight, now: Moment) -> Next {
        let (once, size) = (self.once, sight.size);
        let Some(mut file) = self.files.get_mut(id) else { return Next::Wait };
        if once && file.target.is_none() {
            file.target = Some(size);
        }
        if file.presence == Presence::Ended {
            return finish(&mut file);
        }
        file.room.expire(sight.modified, now);
        file.last_write.seen(sight.modified, now);
        let is_room = file.room.reaches(size);
        if size >= file.fetched() {
            file.seen_size = if is_room { file.fetched() } else { size };
        }
        file.links = sight.links;
        file.was_moved = false;
        let is_to_be_compared = is_to_be_compared(&file, now);
        if file.descriptor == Descriptor::TakenAgain {
            file.descriptor = Descriptor::Held;
        }
        match judge_look(file.fetched(), size) {
            Look::Truncated => {
                drop(file);
                self.truncated(id, now)
            }
            Look::AtEnd if is_to_be_compared => Next::Compare(file.to_compare()),
            Look::AtEnd => {
                drop(file);
                self.wait_at_end(id, now)
            }
            Look::Grown(_) if file.target.is_some_and(|target| file.cut() >= target) => finish(&mut file),
            Look::Grown(_) if file.ledger.is_long() => {
                file.look_at = now.plus(BOOKS_PAUSE);
                Next::Wait
            }
            Look::Grown(_) if is_room && file.descriptor != Descriptor::Held => {
                drop(file);
                self.wait_at_end(id, now)
            }
            // What is written into it begins at once.
            Look::Grown(more) if is_room => read_on(&file, more.min(ROOM_READ_BYTES)),
            Look::Grown(more) => {
                file.pause = Duration::ZERO;
                if let Presence::Away { quiet_since } = &mut file.presence {
                    *quiet_since = now;
                }
                read_on(&file, more)
            }
        }
    }

    /// There is nothing to read now.
    fn wait_at_end(&mut self, id: FileId, now: Moment) -> Next {
        let shortest_pause = self.config.min_time_between_file_polls;
        let quiet_time = self.config.record_boundaries.multi_line_timeout;
        let Some(mut file) = self.files.get_mut(id) else { return Next::Wait };
        if file.target.is_some() {
            return finish(&mut file);
        }
        let longest_pause = longest_pause(&file, self.crowd, now).max(shortest_pause);
        file.pause = (file.pause * 2).clamp(shortest_pause, longest_pause);
        if now < file.hurry_until {
            file.pause = HURRIED_PAUSE;
        }
        let quiet_at = file.at_end(now, quiet_time);
        let look_at = look_after(now, file.pause);
        file.look_at = look_at.min(quiet_at.unwrap_or(Moment::NEVER)).max(now);
        file.rest();
        match at_end(&mut file, now) {
            Next::Wait if quiet_at.is_some_and(|quiet_at| quiet_at <= now) => Next::Drain,
            next => next,
        }
    }

    /// Takes what was read of a file to see whether it is what it was.
    pub fn compared(&mut self, id: FileId, probe: &Probe, now: Moment) -> Next {
        let Some(mut file) = self.files.get_mut(id) else { return Next::Wait };
        let is_same = file.is_what_was_read(probe);
        if is_same {
            file.last_write.compared();
        }
        drop(file);
        if is_same { self.wait_at_end(id, now) } else { self.truncated(id, now) }
    }

    /// Takes what a search among NULs came to; the file had `size` then.
    pub fn searched(&mut self, id: FileId, search: Search, size: u64, now: Moment) -> Next {
        let Some(mut file) = self.files.get_mut(id) else { return Next::Wait };
        file.look_at = now;
        match search {
            Search::Text(place) => file.room.found_text(place),
            Search::Nuls(place) => {
                file.room.searched_to(place);
                drop(file);
                return self.wait_in_room(id, size, now);
            }
        }
        Next::Wait
    }

    /// Nothing but NULs was read: the rest is to be searched, or the file is at its end.
    fn wait_in_room(&mut self, id: FileId, size: u64, now: Moment) -> Next {
        let Some(mut file) = self.files.get_mut(id) else { return Next::Wait };
        if !file.room.reaches(size) {
            return Next::Wait; // the search goes on when the others had their turn
        }
        let modified = file.last_write.modified();
        file.room.is_searched(modified, now);
        file.seen_size = file.fetched();
        drop(file);
        self.wait_at_end(id, now)
    }

    /// A look at a file failed: the next one comes after the longest pause; with `--once` there is none.
    pub fn put_off(&mut self, id: FileId, now: Moment) {
        if let Some(mut file) = self.files.get_mut(id) {
            file.pause = LONGEST_PAUSE;
            file.look_at = now.plus(LONGEST_PAUSE);
            file.is_drained |= self.once;
        }
    }

    /// Where the next read goes.
    pub fn read_buffer(&mut self) -> &mut Vec<u8> {
        &mut self.read_buffer
    }

    /// Takes what a read gave, from the [read buffer](Flow::read_buffer). `size_after`: the file's size after the read, to
    /// see a truncation during it.
    pub fn read(&mut self, id: FileId, size_after: u64, now: Moment) -> Next {
        let bytes = &mut self.read_buffer;
        let Some(mut file) = self.files.get_mut(id) else { return Next::Wait };
        let end = file.fetched() - file.overlap() as u64 + bytes.len() as u64;
        let (overlap, fetched) = (file.overlap(), file.fetched());
        let data = bytes.get(overlap..).map_or(0, |fresh| file.room.data_in(fetched, fresh));
        let are_nuls = data == 0 && fetched < end;
        bytes.truncate(overlap + data);
        let fresh = data as u64;
        let was_unknown = file.head().is_empty();
        let was_little_known = file.is_little_known();
        // Cut off while it was read, it had what was seen of it.
        let is_cut_off = size_after < end && file.is_repeated_in(bytes);
        if size_after < end || !file.take_in(bytes) {
            if !is_cut_off {
                file.is_replaced();
            }
            drop(file);
            return self.truncated(id, now);
        }
        if are_nuls {
            let from = file.room.search_from(end).min(size_after);
            file.room.searched_to(from);
            file.look_at = now;
            drop(file);
            return if from < size_after {
                Next::Search(from)
            } else {
                self.wait_in_room(id, size_after, now)
            };
        }
        if fresh > 0 {
            file.has_grown(now);
        }
        file.look_at = now;
        // Until its beginning is known to the store, a file cannot be found again if it is rotated while the agent is
        // down.
        self.is_save_urgent |= was_unknown;
        // What was taken for a copy may turn out to be none.
        self.epoch += u64::from(was_little_known);
        self.statistics.bytes_read.add(fresh);
        Next::Wait
    }

    /// An away file that is drained, quiet and acknowledged is given up. Answers those that were.
    pub fn give_up_finished(&mut self) -> Vec<FileId> {
        if self.once {
            return Vec::new();
        }
        let finished = self.files.take_over();
        for file in &finished {
            self.finish(*file);
        }
        finished
    }

    fn truncated(&mut self, id: FileId, now: Moment) -> Next {
        let Some(mut file) = self.files.get_mut(id) else { return Next::Wait };
        file.presence = Presence::Ended;
        file.look_at = now;
        let (path, node) = (file.path.clone(), file.node);
        drop(file);
        self.statistics.rotations.add(1);
        let begun = self.start(path, node, now);
        if let Some(mut begun) = self.files.get_mut(begun) {
            begun.begins_with_hole = Some(true);
        }
        Next::Truncated(begun)
    }
}

/// Whether a file that is as long as what was read of it may be another one by now. One without a descriptor is opened
/// first; one that is on its way out is nobody's to write anew.
fn is_to_be_compared(file: &TrackedFile, now: Moment) -> bool {
    let is_written = match file.descriptor {
        Descriptor::TakenAgain => true,
        Descriptor::Held => file.presence == Presence::Listed && file.last_write.is_to_be_compared(now),
        Descriptor::GivenBack { .. } => false,
    };
    is_written && file.fetched() > 0 && file.target.is_none()
}

/// A file that is on its way out is not left alone for long.
fn longest_pause(file: &TrackedFile, crowd: Crowd, now: Moment) -> Duration {
    match file.presence {
        Presence::Listed => crowd.longest_pause(file.idle_time(now)),
        Presence::Away { .. } | Presence::Ended => LONGEST_PAUSE,
    }
}

/// Reads what is new, or a part of it, and before it again what was read last.
fn read_on(file: &TrackedFile, more: u64) -> Next {
    let overlap = file.overlap();
    // At most READ_BYTES and the overlap, which fit a usize.
    let length = overlap + more.min(READ_BYTES) as usize;
    Next::Read { offset: file.fetched() - overlap as u64, length }
}

fn at_end(file: &mut TrackedFile, now: Moment) -> Next {
    let Presence::Away { quiet_since } = file.presence else { return Next::Wait };
    let quiet = if file.links == 0 { QUIET_DELETED } else { QUIET_RENAMED };
    if now.since(quiet_since) >= quiet { finish(file) } else { Next::Wait }
}

/// The file is over: its last line is cut even without a newline.
fn finish(file: &mut TrackedFile) -> Next {
    file.set_over();
    if file.unconsumed().is_empty() {
        file.is_drained = true;
        return Next::Wait;
    }
    Next::Drain
}
