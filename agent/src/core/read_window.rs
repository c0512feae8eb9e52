//! The bytes of a file that are in memory: those that are not cut into records yet, and before them the ones by which the
//! file is known again.
//!
//! Nothing is copied where a read can be taken over whole: a read repeats what is in the window, so the window and the
//! buffer of the read change places. Between two reads a file keeps next to nothing; thousands are open at once.
//!
//! Invariant: before the first byte that is not cut there are [`MARKER_BYTES`] that are, or as many as the file has
//! before it (of one that was taken up again: as many as its fingerprint covers).

use crate::checkpoint::{MARKER_BYTES, REPEATED_BYTES};

/// Buffers that are larger are given back at once.
const SPARE_BYTES: usize = 1 << 20;

/// The window.
#[derive(Debug)]
pub struct ReadWindow {
    bytes: Vec<u8>,
    consumed: usize,
}

impl ReadWindow {
    /// The window of a file of which these bytes before the offset are known.
    #[must_use]
    pub fn new(marker: Vec<u8>) -> Self {
        Self { consumed: marker.len(), bytes: marker }
    }

    /// The bytes that the next read repeats, to see that the file is still the same.
    #[must_use]
    pub fn overlap(&self) -> &[u8] {
        let kept = self.kept();
        if kept.len() <= REPEATED_BYTES { kept } else { self.marker() }
    }

    /// The last bytes that were taken in.
    #[must_use]
    pub fn marker(&self) -> &[u8] {
        last(&self.bytes)
    }

    /// The last bytes that were cut.
    #[must_use]
    pub fn cut_marker(&self) -> &[u8] {
        last(self.consumed())
    }

    /// The bytes that are cut, as far as they are here.
    #[must_use]
    pub fn consumed(&self) -> &[u8] {
        &self.bytes[..self.consumed]
    }

    /// The bytes that are not.
    #[must_use]
    pub fn unconsumed(&self) -> &[u8] {
        &self.bytes[self.consumed..]
    }

    /// Marks the next `length` bytes as cut.
    pub fn consume(&mut self, length: usize) {
        self.consumed += length;
    }

    /// Takes in a read that begins with [`ReadWindow::overlap`]. Its buffer is another one afterwards.
    pub fn take_in(&mut self, read: &mut Vec<u8>) {
        let (overlap, kept) = (self.overlap().len(), self.kept().len());
        if overlap == kept {
            std::mem::swap(&mut self.bytes, read);
            self.consumed = self.consumed.min(MARKER_BYTES);
        } else {
            self.forget_consumed();
            self.bytes.extend_from_slice(&read[overlap..]);
        }
    }

    /// Keeps what is needed, and gives the buffer back: to `spare`, if it is roomier than that.
    pub fn release(&mut self, spare: &mut Vec<u8>) {
        let kept = self.kept();
        if kept.len() > REPEATED_BYTES || kept.len() == self.bytes.capacity() {
            return;
        }
        let small = kept.to_vec();
        self.consumed = self.consumed.min(MARKER_BYTES);
        let roomy = std::mem::replace(&mut self.bytes, small);
        if (spare.capacity()..=SPARE_BYTES).contains(&roomy.capacity()) {
            *spare = roomy;
        }
    }

    /// Gives back what an idle file does not need, however long its unfinished record is.
    pub fn rest(&mut self) {
        self.forget_consumed();
        self.bytes.shrink_to_fit();
    }

    fn forget_consumed(&mut self) {
        let begun = self.consumed.min(MARKER_BYTES);
        self.bytes.drain(..self.consumed - begun);
        self.consumed = begun;
    }

    /// What is not cut, and before it what a marker needs.
    fn kept(&self) -> &[u8] {
        &self.bytes[self.consumed.saturating_sub(MARKER_BYTES)..]
    }
}

fn last(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.len().saturating_sub(MARKER_BYTES)..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn between_reads_it_keeps_next_to_nothing() {
        let mut window = ReadWindow::new(Vec::new());
        let mut spare = Vec::new();
        let mut read = vec![b'x'; 100_000];
        window.take_in(&mut read);
        window.consume(99_900);
        window.release(&mut spare);
        assert_eq!((window.bytes.capacity(), window.unconsumed().len()), (MARKER_BYTES + 100, 100));
        assert!(spare.capacity() >= 100_000, "the buffer serves the next read");
        window.take_in(&mut [window.overlap(), &[b'y'; 90_000]].concat());
        window.consume(40_000);
        window.release(&mut spare);
        window.rest();
        assert_eq!((window.bytes.capacity(), window.unconsumed().len()), (MARKER_BYTES + 50_100, 50_100));
    }

    proptest! {
        /// Whatever is read, cut and given back, in whatever steps: the file's bytes come out, and markers are whole.
        #[test]
        fn it_agrees_with_the_file(
            steps in proptest::collection::vec((0..30_000usize, 0..30_000usize, 0..3u8), 1..40)
        ) {
            let content: Vec<u8> = (0..1_000_000u32).map(|place| (place / 7 % 251) as u8).collect();
            let (mut window, mut read, mut fetched, mut cut) = (ReadWindow::new(Vec::new()), Vec::new(), 0, 0);
            for (more, taken, end) in steps {
                let start = fetched - window.overlap().len();
                fetched = (fetched + more).min(content.len());
                read.clear();
                read.extend_from_slice(&content[start..fetched]);
                window.take_in(&mut read);
                let taken = taken.min(window.unconsumed().len());
                window.consume(taken);
                cut += taken;
                match end {
                    0 => {}
                    1 => window.release(&mut read),
                    _ => window.rest(),
                }
                prop_assert_eq!(window.unconsumed(), &content[cut..fetched]);
                prop_assert_eq!(window.cut_marker(), &content[cut.saturating_sub(MARKER_BYTES)..cut]);
                prop_assert_eq!(window.marker(), &content[fetched.saturating_sub(MARKER_BYTES)..fetched]);
                prop_assert_eq!(window.overlap(), &content[fetched - window.overlap().len()..fetched]);
            }
        }
    }
}
