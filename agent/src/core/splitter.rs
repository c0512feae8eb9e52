//! Cutting bytes into records: lines with their newline, as the Java agent sends them.
//!
//! A line longer than the limit gives one record of exactly the limit; its other bytes, up to and including the
//! newline, are passed over and counted.
//!
//! Invariant: records and passed-over bytes are adjacent and cover the file, whatever the chunks in which it is read.

use memchr::memchr;

/// What stands at the beginning of the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// A record of this many bytes, its newline included.
    Record(usize),
    /// The first part of a line that is longer than the limit; the rest is to be passed over.
    Oversized(usize),
    /// This many bytes of an over-long line to pass over.
    PassOver(usize),
    /// No complete record: read more.
    Incomplete,
}

/// Cuts one file; the state is whether it is inside an over-long line.
#[derive(Debug, Clone)]
pub struct Splitter {
    max_bytes: usize,
    passing_over: bool,
}

impl Splitter {
    /// A splitter at the beginning of a line, for records of at most `max_bytes`.
    #[must_use]
    pub fn new(max_bytes: usize) -> Self {
        Self { max_bytes, passing_over: false }
    }

    /// What the buffer begins with. The caller consumes as many bytes as the answer says, and asks again.
    ///
    /// With `at_end` the buffer holds the file's last bytes: a line without newline is a record too.
    pub fn split(&mut self, buffer: &[u8], at_end: bool) -> Split {
        if buffer.is_empty() {
            return Split::Incomplete;
        }
        let newline = memchr(b'\n', buffer);
        if self.passing_over {
            self.passing_over = newline.is_none() && !at_end;
            return Split::PassOver(newline.map_or(buffer.len(), |place| place + 1));
        }
        match newline.map(|place| place + 1) {
            Some(length) if length <= self.max_bytes => Split::Record(length),
            None if buffer.len() < self.max_bytes || (at_end && buffer.len() == self.max_bytes) => {
                if at_end {
                    Split::Record(buffer.len())
                } else {
                    Split::Incomplete
                }
            }
            _ => {
                self.passing_over = true;
                Split::Oversized(self.max_bytes)
            }
        }
    }

    /// Takes an [`Split::Oversized`] back that could not be handed on yet.
    pub fn undo_oversized(&mut self) {
        self.passing_over = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Feeds `content` in chunks of these sizes; answers the records and the bytes covered.
    fn split_all(content: &[u8], chunks: &[usize], max_bytes: usize) -> (Vec<Vec<u8>>, usize) {
        let mut splitter = Splitter::new(max_bytes);
        let (mut records, mut buffer, mut covered, mut read) = (Vec::new(), Vec::new(), 0, 0);
        for chunk in chunks.iter().copied().chain([usize::MAX]) {
            let end = read + chunk.min(content.len() - read);
            buffer.extend_from_slice(&content[read..end]);
            read = end;
            let at_end = chunk == usize::MAX;
            loop {
                let length = match splitter.split(&buffer, at_end) {
                    Split::Incomplete => break,
                    Split::Record(length) | Split::Oversized(length) => {
                        records.push(buffer[..length].to_vec());
                        length
                    }
                    Split::PassOver(length) => length,
                };
                buffer.drain(..length);
                covered += length;
            }
        }
        (records, covered)
    }

    /// What the records of `content` are, said the slow way.
    fn model(content: &[u8], max_bytes: usize) -> Vec<Vec<u8>> {
        content
            .split_inclusive(|byte| *byte == b'\n')
            .map(|line| line[..line.len().min(max_bytes)].to_vec())
            .collect()
    }

    #[test]
    fn lines_keep_their_newline_and_an_unfinished_line_waits() {
        let mut splitter = Splitter::new(100);
        assert_eq!(splitter.split(b"one\r\n\ntwo", false), Split::Record(5));
        assert_eq!(splitter.split(b"\ntwo", false), Split::Record(1));
        assert_eq!(splitter.split(b"two", false), Split::Incomplete);
        assert_eq!(splitter.split(b"two", true), Split::Record(3));
    }

    #[test]
    fn an_over_long_line_is_cut_once_and_the_next_line_is_whole() {
        let content = [&[b'x'; 25][..], b"\nnext\n"].concat();
        let (records, covered) = split_all(&content, &[7, 7, 7], 10);
        assert_eq!(records, [vec![b'x'; 10], b"next\n".to_vec()]);
        assert_eq!(covered, content.len());
    }

    proptest! {
        #[test]
        fn chunks_do_not_matter(
            content in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'a'), any::<u8>()], 0..400),
            chunks in proptest::collection::vec(0..40usize, 0..30),
            max_bytes in 1..30usize,
        ) {
            let (records, covered) = split_all(&content, &chunks, max_bytes);
            prop_assert_eq!(records, model(&content, max_bytes));
            prop_assert_eq!(covered, content.len());
        }
    }
}
