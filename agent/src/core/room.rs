//! Room at the end of a file: NULs that a program has put behind its text, to fill them later in place.
//!
//! | NULs | are |
//! |---|---|
//! | with other bytes behind them | data |
//! | up to the end of the file | room: not read past, no truncation when they are cut off |
//!
//! Whether other bytes follow is searched for once, because there may be gigabytes of NULs; after that only the bytes at
//! the text's end are looked at, where a program that fills its room goes on. The search is repeated once a minute while
//! the file is written to, for programs that leave a gap.
//!
//! Invariant: NULs are taken for data only when a byte was seen behind them.

use std::time::Duration;

use crate::types::Moment;

/// Between two searches of the same NULs.
const SEARCH_PERIOD: Duration = Duration::from_secs(60);

/// What is known of the NULs behind the bytes that were taken in.
#[derive(Debug, Default)]
pub struct Room {
    /// Up to here they were searched through.
    end: u64,
    /// Here is a byte that is none.
    text_at: u64,
    /// When the search for one reached the end of the file, and when that had last been written to.
    searched: Option<(Moment, u64)>,
}

impl Room {
    /// Whether a file of this size is NULs behind its text, as far as it was searched.
    #[must_use]
    pub fn reaches(&self, size: u64) -> bool {
        self.end == size
    }

    /// The search is to be repeated if the file, last written to at `modified`, was since, and not just now.
    pub fn expire(&mut self, modified: u64, now: Moment) {
        let is_due = |(at, written): (Moment, u64)| written != modified && now.since(at) >= SEARCH_PERIOD;
        if self.searched.is_some_and(is_due) {
            *self = Self { text_at: self.text_at, ..Self::default() };
        }
    }

    /// Where the last search has found a byte that is no NUL.
    #[must_use]
    pub fn text_at(&self) -> u64 {
        self.text_at
    }

    /// How many of the bytes that were read at `offset` are known to be data.
    #[must_use]
    pub fn data_in(&self, offset: u64, bytes: &[u8]) -> usize {
        let text = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let known = usize::try_from(self.text_at.saturating_sub(offset)).unwrap_or(usize::MAX);
        text.max(known.min(bytes.len()))
    }

    /// Nothing but NULs was read up to here. Answers where to search on.
    #[must_use]
    pub fn search_from(&self, read_to: u64) -> u64 {
        self.end.max(read_to)
    }

    /// Nothing but NULs is there up to here.
    pub fn searched_to(&mut self, place: u64) {
        self.end = place;
    }

    /// The search has reached the end of the file, which was last written to at `modified`.
    pub fn is_searched(&mut self, modified: u64, now: Moment) {
        self.searched.get_or_insert((now, modified));
    }

    /// The search has found a byte here that is none.
    pub fn found_text(&mut self, place: u64) {
        *self = Self { text_at: place, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::ORIGIN.plus(Duration::from_secs(seconds))
    }

    #[test]
    fn nuls_are_data_when_something_follows() {
        for (text_at, offset, bytes, data) in [
            (0, 0, &b"one\n\0\0"[..], 4),
            (0, 0, b"\0\0", 0),
            (0, 0, b"a\0b\0", 3),
            (0, 0, b"\0\0\n", 3),
            (0, 0, b"", 0),
            (105, 100, b"a\0\0\0", 4),
            (103, 100, b"a\0\0\0", 3),
            (100, 100, b"\0\0\0\0", 0),
            (99, 100, b"\0\0\0\0", 0),
            (500, 100, b"\0\0\0\0", 4),
        ] {
            let mut room = Room::default();
            room.found_text(text_at);
            assert_eq!(room.data_in(offset, bytes), data, "{text_at} {offset} {bytes:?}");
        }
    }

    #[test]
    fn what_was_searched_is_not_searched_again_until_it_is_old() {
        let mut room = Room::default();
        assert!(!room.reaches(1000));
        assert_eq!(room.search_from(256), 256);
        room.searched_to(700);
        assert_eq!(room.search_from(300), 700);
        room.searched_to(1000);
        room.is_searched(7, at(10));
        for (modified, seconds, is_known) in [(7, 500, true), (8, 69, true), (8, 70, false)] {
            room.expire(modified, at(seconds));
            assert_eq!(room.reaches(1000), is_known, "{modified} {seconds}");
        }
        assert_eq!(room.search_from(300), 300);
    }
}
