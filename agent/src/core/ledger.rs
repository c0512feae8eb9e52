//! Which bytes of a file are done: the books of one generation.
//!
//! Every record opens a span of the file's bytes, in order; the span closes when the record is acknowledged, or at
//! once when the record was dropped by a rule.
//!
//! Invariant: the acknowledged offset is the end of the contiguous run of closed spans from the beginning; it never
//! passes over an open one.

use std::collections::VecDeque;

/// Spans in the books of a file that waits for its oldest record: 8 MiB of them.
const LONG: usize = 1 << 20;

/// The spans of one file that are not yet part of the contiguous run.
#[derive(Debug)]
pub struct Ledger {
    acknowledged: u64,
    /// Sequence number of the first span below.
    first: u32,
    spans: VecDeque<Span>,
    open: usize,
}

/// Where a span ends, and in the lowest bit whether it is open: thousands of files have spans. No file has 2^63 bytes.
#[derive(Debug, Clone, Copy)]
struct Span(u64);

impl Span {
    fn new(end: u64, is_open: bool) -> Self {
        Self(end << 1 | u64::from(is_open))
    }

    fn end(self) -> u64 {
        self.0 >> 1
    }

    fn is_open(self) -> bool {
        self.0 & 1 == 1
    }
}

impl Ledger {
    /// The books of a file whose bytes before `offset` are done.
    #[must_use]
    pub fn new(offset: u64) -> Self {
        Self { acknowledged: offset, first: 0, spans: VecDeque::new(), open: 0 }
    }

    /// The sequence number that the next opened span will get.
    #[must_use]
    pub fn next_sequence(&self) -> u32 {
        // Fewer spans than 2^32 are held at once: each stands for a record in memory.
        self.first.wrapping_add(self.spans.len() as u32)
    }

    /// Opens the span that ends at `end` and begins where the one before ended.
    pub fn open(&mut self, end: u64) {
        debug_assert!(
            end >= self.spans.back().map_or(self.acknowledged, |span| span.end()),
            "spans are in order"
        );
        self.spans.push_back(Span::new(end, true));
        self.open += 1;
    }

    /// Notes bytes up to `end` for which nothing is sent.
    pub fn pass_over(&mut self, end: u64) {
        match self.spans.back_mut() {
            None => self.acknowledged = end,
            Some(last) if !last.is_open() => *last = Span::new(end, false),
            Some(_) => self.spans.push_back(Span::new(end, false)),
        }
    }

    /// Closes a span. Answers whether it was open.
    pub fn close(&mut self, sequence: u32) -> bool {
        let place = sequence.wrapping_sub(self.first) as usize;
        let Some(span) = self.spans.get_mut(place) else { return false };
        let was_open = span.is_open();
        *span = Span::new(span.end(), false);
        self.open -= usize::from(was_open);
        while let Some(span) = self.spans.pop_front_if(|span| !span.is_open()) {
            self.acknowledged = span.end();
            self.first = self.first.wrapping_add(1);
        }
        was_open
    }

    /// Where an open span begins and ends.
    #[must_use]
    pub fn span(&self, sequence: u32) -> Option<(u64, u64)> {
        let place = sequence.wrapping_sub(self.first) as usize;
        let span = self.spans.get(place).filter(|span| span.is_open())?;
        let before = place.checked_sub(1).and_then(|before| self.spans.get(before));
        Some((before.map_or(self.acknowledged, |before| before.end()), span.end()))
    }

    /// Whether so many records follow on one without an outcome that the file should wait for it: the books would take
    /// memory without bound, and after a crash all of them are sent again.
    #[must_use]
    pub fn is_long(&self) -> bool {
        self.spans.len() >= LONG
    }

    /// Gives back the memory of spans that are no more.
    pub fn shrink(&mut self) {
        self.spans.shrink_to_fit();
    }

    /// The end of the contiguous run of closed spans.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// Spans that are open.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.open
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_run_stops_at_the_first_open_span() {
        let mut ledger = Ledger::new(100);
        for end in [110, 120, 130] {
            ledger.open(end);
        }
        assert_eq!(
            [0, 2, 3].map(|sequence| ledger.span(sequence)),
            [Some((100, 110)), Some((120, 130)), None]
        );
        assert!(ledger.close(2) && ledger.close(1));
        assert_eq!(ledger.span(1), None, "it is closed");
        assert_eq!((ledger.acknowledged(), ledger.outstanding()), (100, 1));
        assert!(ledger.close(0) && !ledger.close(0));
        assert_eq!((ledger.acknowledged(), ledger.outstanding()), (130, 0));
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_naive_model(
            steps in proptest::collection::vec((0..4u8, any::<prop::sample::Index>()), 1..300)
        ) {
            let mut ledger = Ledger::new(0);
            let mut model: Vec<(u64, bool)> = Vec::new(); // end, open
            let mut sequences: Vec<(u32, usize)> = Vec::new(); // of open spans, place in the model
            let mut end = 0;
            for (step, which) in steps {
                end += 10;
                match step {
                    0 | 1 => {
                        sequences.push((ledger.next_sequence(), model.len()));
                        ledger.open(end);
                        model.push((end, true));
                    }
                    2 => {
                        ledger.pass_over(end);
                        model.push((end, false));
                    }
                    _ if !sequences.is_empty() => {
                        let (sequence, place) = sequences.swap_remove(which.index(sequences.len()));
                        prop_assert!(ledger.close(sequence));
                        model[place].1 = false;
                    }
                    _ => {}
                }
                let run = model.iter().take_while(|(_, open)| !open).last().map_or(0, |(end, _)| *end);
                prop_assert_eq!(ledger.acknowledged(), run);
                prop_assert_eq!(ledger.outstanding(), sequences.len());
            }
        }
    }
}
