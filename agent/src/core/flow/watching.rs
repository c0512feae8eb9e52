//! Looking at open files: what a look showed, when to look again, and when a file is given up.

use std::time::Duration;

use super::Flow;
use crate::core::rotation::{Look, judge_look};
use crate::core::tracked_file::{Presence, TrackedFile};
use crate::types::{FileId, Moment};

/// Bytes of one read; the files of a flow take turns with it.
const READ_BYTES: u64 = 256 * 1024;

/// The longest pause between two looks at an idle file.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The pause between looks at a file of which a copy was just made.
const HURRIED_PAUSE: Duration = Duration::from_millis(5);

/// Files whose next look is this near are looked at now, so that thousands of idle files make few wake-ups.
const LOOK_AHEAD: Duration = Duration::from_millis(25);

/// How long a file that was renamed away must be quiet before it is given up: programs write to it until they are
/// told to open the new one.
const QUIET_RENAMED: Duration = Duration::from_secs(60);

/// The same for a file that was deleted, which holds disk space until then.
const QUIET_DELETED: Duration = Duration::from_secs(5);

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
        let now = now.plus(LOOK_AHEAD);
        self.files
            .values()
            .filter(|file| file.look_at <= now && !file.is_drained && !file.is_stopped)
            .map(|file| file.id)
            .collect()
    }

    /// Judges a look at an open file. `links`: how many names it has; 0 when it was deleted.
    pub fn looked(&mut self, id: FileId, size: u64, links: u64, now: Moment) -> Next {
        let once = self.once;
        let shortest_pause = self.config.min_time_between_file_polls;
        let quiet_time = self.config.record_boundaries.multi_line_timeout;
        let Some(file) = self.files.get_mut(&id) else { return Next::Wait };
        if once && file.target.is_none() {
            file.target = Some(size);
        }
        if file.presence == Presence::Ended {
            return finish(file);
        }
        if size >= file.fetched() {
            file.seen_size = size;
        }
        file.links = links;
        file.was_moved = false;
        match judge_look(file.fetched(), size) {
            Look::Truncated => self.truncated(id, now),
            Look::AtEnd if file.target.is_some() => finish(file),
            Look::AtEnd => {
                file.pause = (file.pause * 2).clamp(shortest_pause, LONGEST_PAUSE.max(shortest_pause));
                if now < file.hurry_until {
                    file.pause = HURRIED_PAUSE;
                }
                let quiet_at = file.at_end(now, quiet_time);
                file.look_at = now.plus(file.pause).min(quiet_at.unwrap_or(Moment::NEVER)).max(now);
                file.release_buffer();
                match at_end(file, links, now) {
                    Next::Wait if quiet_at.is_some_and(|quiet_at| quiet_at <= now) => Next::Drain,
                    next => next,
                }
            }
            Look::Grown(_) if file.target.is_some_and(|target| file.cut() >= target) => finish(file),
            Look::Grown(more) => {
                file.pause = Duration::ZERO;
                if let Presence::Away { quiet_since } = &mut file.presence {
                    *quiet_since = now;
                }
                let overlap = file.overlap();
                // At most READ_BYTES and the overlap, which fit a usize.
                let length = overlap + more.min(READ_BYTES) as usize;
                Next::Read { offset: file.fetched() - overlap as u64, length }
            }
        }
    }

    /// A look at a file failed: the next one comes after the longest pause; with `--once` there is none.
    pub fn put_off(&mut self, id: FileId, now: Moment) {
        if let Some(file) = self.files.get_mut(&id) {
            file.pause = LONGEST_PAUSE;
            file.look_at = now.plus(LONGEST_PAUSE);
            file.is_drained |= self.once;
        }
    }

    /// Takes what a read gave. `size_after`: the file's size after the read, to see a truncation during it.
    pub fn read(&mut self, id: FileId, bytes: &[u8], size_after: u64, now: Moment) -> Next {
        let Some(file) = self.files.get_mut(&id) else { return Next::Wait };
        let end = file.fetched() - file.overlap() as u64 + bytes.len() as u64;
        let fresh = bytes.len().saturating_sub(file.overlap()) as u64;
        let was_unknown = file.head().is_empty();
        let was_little_known = file.is_little_known();
        if size_after < end || !file.take_in(bytes) {
            return self.truncated(id, now);
        }
        file.has_grown(now);
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
        let gone =
            |file: &TrackedFile| file.presence != Presence::Listed && file.is_drained && file.is_settled();
        let finished: Vec<_> =
            self.files.values().filter(|file| gone(file) && !self.once).map(|file| file.id).collect();
        for file in &finished {
            self.finish(*file);
        }
        finished
    }

    fn truncated(&mut self, id: FileId, now: Moment) -> Next {
        let Some(file) = self.files.get_mut(&id) else { return Next::Wait };
        file.presence = Presence::Ended;
        file.look_at = now;
        let (path, node) = (file.path.clone(), file.node);
        self.statistics.rotations.add(1);
        Next::Truncated(self.start(path, node, now))
    }
}

fn at_end(file: &mut TrackedFile, links: u64, now: Moment) -> Next {
    let Presence::Away { quiet_since } = file.presence else { return Next::Wait };
    let quiet = if links == 0 { QUIET_DELETED } else { QUIET_RENAMED };
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
