//! Cutting bytes into records: lines with their newline, as the Java agent sends them, or several lines that begin with
//! one of a pattern.
//!
//! * A record of several lines ends before the next line that begins one, or when the file is [`Tail::Quiet`]; its first
//!   line is never looked at. A line longer than the limit begins a record. An unfinished line decides nothing, because
//!   the pattern may say otherwise of its end: it holds the record back, however quiet the file is.
//! * A line longer than the limit gives, by [`Excess`], one record of exactly the limit, with its other bytes up to and
//!   including the newline passed over; or parts, cut between characters of UTF-8.
//! * A record of several lines that is longer than the limit ends at the last newline within it.
//!
//! Invariants: what is given is adjacent and covers the file; and it is the same whatever the chunks in which the file is
//! read. At most twice the limit has to be held.

use std::sync::Arc;

use memchr::memchr;
use regex::bytes::Regex;

/// What stands at the beginning of the buffer. The number is its length in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// A record, its newline included.
    Record(usize),
    /// A part of a record that is longer than the limit; more of it follows.
    Part(usize),
    /// The last part of such a record.
    LastPart(usize),
    /// The first part of a line that is longer than the limit; the rest is to be passed over.
    Oversized(usize),
    /// Bytes of an over-long line to pass over.
    PassOver(usize),
    /// No complete record: read more.
    Incomplete,
}

/// What is known of the bytes after the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// More may come.
    Growing,
    /// More may come, but none did for so long that a record of several lines counts as complete.
    Quiet,
    /// There are none: what is left is the last record even without a newline.
    Over,
}

/// What is to be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A line, whatever the rules: the file's header.
    HeaderLine,
    /// A record.
    Record,
}

/// What becomes of a record's bytes beyond the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excess {
    /// They are passed over up to the end of their line.
    PassedOver,
    /// They make further parts.
    InParts,
}

/// How a flow's files are cut.
#[derive(Debug, Clone)]
pub struct SplitRules {
    /// Bytes of a record; at least 1.
    pub max_bytes: usize,
    /// What a record's first line begins with; `None`: each line is a record.
    pub start_pattern: Option<Regex>,
    /// What becomes of the bytes beyond `max_bytes`.
    pub excess: Excess,
}

/// Cuts one file.
#[derive(Debug, Clone)]
pub struct Splitter {
    rules: Arc<SplitRules>,
    state: State,
    /// Where in the buffer the line begins that is looked at; the lines before it belong to the record.
    line_start: usize,
    /// Up to where the buffer was searched for that line's end.
    searched: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the beginning of a record.
    Start,
    /// Within a record of which parts were given.
    Rest,
    /// Within a line whose rest is passed over.
    PassingOver,
}

impl Splitter {
    /// A splitter at the beginning of a record.
    #[must_use]
    pub fn new(rules: Arc<SplitRules>) -> Self {
        Self { rules, state: State::Start, line_start: 0, searched: 0 }
    }

    /// What the buffer begins with. The answer stays the same until the caller says [`Splitter::taken`] and drops the
    /// bytes from the buffer; until then the buffer may only grow.
    pub fn split(&mut self, buffer: &[u8], tail: Tail, unit: Unit) -> Split {
        if buffer.is_empty() {
            return Split::Incomplete;
        }
        if self.state == State::PassingOver {
            return Split::PassOver(memchr(b'\n', buffer).map_or(buffer.len(), |place| place + 1));
        }
        while let Some(end) = self.line_end(buffer) {
            if let Some(split) = self.judge_line(buffer, end, unit) {
                return split;
            }
            self.line_start = end;
        }
        self.judge_unfinished(buffer, tail, unit)
    }

    /// What [`Splitter::split`] answered was taken from the buffer, `bytes` of which were it.
    pub fn taken(&mut self, split: Split, bytes: &[u8]) {
        self.state = match split {
            Split::Incomplete => return,
            Split::Oversized(_) => State::PassingOver,
            Split::PassOver(_) if !bytes.ends_with(b"\n") => State::PassingOver,
            Split::Part(_) => State::Rest,
            Split::Record(_) | Split::LastPart(_) | Split::PassOver(_) => State::Start,
        };
        (self.line_start, self.searched) = (0, 0);
    }

    /// Whether a record begins here; within one that is cut into parts or passed over a file cannot be taken up again.
    #[must_use]
    pub fn is_between_records(&self) -> bool {
        self.state == State::Start
    }

    /// Whether [`Splitter::split`] has seen whole lines of a record that [`Tail::Quiet`] may complete.
    #[must_use]
    pub fn awaits_quiet(&self) -> bool {
        self.line_start > 0
    }

    /// Where the line ends that is looked at, if its newline is there.
    fn line_end(&mut self, buffer: &[u8]) -> Option<usize> {
        let from = self.searched.max(self.line_start);
        let newline = memchr(b'\n', &buffer[from..]).map(|place| from + place);
        self.searched = newline.unwrap_or(buffer.len());
        newline.map(|place| place + 1)
    }

    /// What a whole line means for the record; `None` when the record goes on after it.
    fn judge_line(&self, buffer: &[u8], end: usize, unit: Unit) -> Option<Split> {
        let max_bytes = self.rules.max_bytes;
        let line = &buffer[self.line_start..end];
        let start_pattern = self.rules.start_pattern.as_ref().filter(|_| unit == Unit::Record);
        let Some(start_pattern) = start_pattern else {
            return Some(if end <= max_bytes { self.whole(end) } else { self.excess(buffer, unit) });
        };
        if self.line_start > 0 && (line.len() > max_bytes || start_pattern.is_match(line)) {
            return Some(self.whole(self.line_start));
        }
        match (end > max_bytes, self.line_start, self.rules.excess) {
            (false, ..) => None,
            (true, 0, _) => Some(self.excess(buffer, unit)),
            (true, start, Excess::PassedOver) => Some(self.whole(start)),
            (true, start, Excess::InParts) => Some(Split::Part(start)),
        }
    }

    /// What is left when no line is whole any more.
    fn judge_unfinished(&self, buffer: &[u8], tail: Tail, unit: Unit) -> Split {
        let unfinished = &buffer[self.line_start..];
        if unfinished.len() > self.rules.max_bytes {
            return if self.line_start == 0 {
                self.excess(buffer, unit)
            } else {
                self.whole(self.line_start)
            };
        }
        match tail {
            Tail::Growing => Split::Incomplete,
            Tail::Over if unfinished.is_empty() => self.whole(buffer.len()),
            Tail::Over => self.judge_line(buffer, buffer.len(), unit).unwrap_or(self.whole(buffer.len())),
            Tail::Quiet if self.line_start > 0 && unfinished.is_empty() => self.whole(self.line_start),
            Tail::Quiet => Split::Incomplete,
        }
    }

    fn whole(&self, length: usize) -> Split {
        if self.state == State::Rest { Split::LastPart(length) } else { Split::Record(length) }
    }

    fn excess(&self, buffer: &[u8], unit: Unit) -> Split {
        match (self.rules.excess, unit) {
            (Excess::InParts, Unit::Record) => Split::Part(between_characters(buffer, self.rules.max_bytes)),
            _ => Split::Oversized(self.rules.max_bytes),
        }
    }
}

/// The last place up to `most` at which no character of UTF-8 is cut; `most` itself where there is no UTF-8.
fn between_characters(buffer: &[u8], most: usize) -> usize {
    let is_inside = |place: &usize| buffer[*place] & 0b1100_0000 == 0b1000_0000;
    (most.saturating_sub(3).max(1)..=most).rev().find(|place| !is_inside(place)).unwrap_or(most)
}

#[cfg(test)]
mod tests;
