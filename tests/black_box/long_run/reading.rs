//! What has arrived, and how late.

use std::collections::{HashSet, VecDeque};
use std::ops::Range;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::books::Books;

/// What the writers of a round and its reader tell each other.
#[derive(Debug)]
pub(super) struct Scene {
    /// When the present agent started; `None` between two.
    pub(super) life: Mutex<Option<Instant>>,
    books: Mutex<Books>,
    progress: Mutex<Vec<Progress>>,
    history: Mutex<Vec<String>>,
    /// Lines of files that were replaced when they were too short to be known again.
    of_short_files: Mutex<HashSet<u64>>,
}

/// How far one writer's lines have arrived.
#[derive(Debug)]
struct Progress {
    /// Its first line, and the one after the last of its lines that arrived without a gap.
    base: u64,
    arrived: u64,
    /// Up to which line it had written when.
    written: VecDeque<(u64, Instant)>,
    last: u64,
    worst_lag: Duration,
}

/// What became of the lines.
#[derive(Debug)]
pub(super) struct Judgement {
    pub(super) written: u64,
    pub(super) missing: Vec<u64>,
    /// Arrivals beyond the first.
    pub(super) repeated: u64,
    /// Lines that came more than once although their file was long enough to be known again.
    pub(super) repeated_for_no_reason: Vec<u64>,
    pub(super) mangled: usize,
    pub(super) worst_lag: Duration,
}

impl Scene {
    /// Of writers that begin with these lines.
    pub(super) fn new(bases: &[u64]) -> Self {
        let progress = |base: &u64| Progress {
            base: *base,
            arrived: *base,
            written: VecDeque::new(),
            last: *base,
            worst_lag: Duration::ZERO,
        };
        Self {
            life: Mutex::new(None),
            books: Mutex::default(),
            progress: Mutex::new(bases.iter().map(progress).collect()),
            history: Mutex::default(),
            of_short_files: Mutex::default(),
        }
    }

    pub(super) fn note(&self, what: String) {
        self.history.lock().unwrap().push(what);
    }

    pub(super) fn history(&self) -> Vec<String> {
        self.history.lock().unwrap().clone()
    }

    /// A file with these lines is replaced, and so short that its replacement may be taken for another file.
    pub(super) fn short_file(&self, lines: Range<u64>) {
        self.of_short_files.lock().unwrap().extend(lines);
    }

    /// A writer has written the lines before `line`.
    pub(super) fn written(&self, writer: usize, line: u64) {
        let progress = &mut self.progress.lock().unwrap()[writer];
        progress.last = line;
        progress.written.push_back((line, Instant::now()));
    }

    /// Whether a line of this writer and all before it have arrived.
    pub(super) fn has_arrived(&self, writer: usize, line: u64) -> bool {
        self.progress.lock().unwrap()[writer].arrived > line
    }

    /// Takes in what was read.
    pub(super) fn take_in(&self, records: Vec<Bytes>) {
        let mut books = self.books.lock().unwrap();
        books.enter(records);
        let now = Instant::now();
        for progress in self.progress.lock().unwrap().iter_mut() {
            while books.has(progress.arrived) {
                progress.arrived += 1;
            }
            while let Some((line, at)) = progress.written.front().copied()
                && line <= progress.arrived
            {
                progress.worst_lag = progress.worst_lag.max(now - at);
                progress.written.pop_front();
            }
        }
    }

    pub(super) fn is_all_there(&self) -> bool {
        self.progress.lock().unwrap().iter().all(|progress| progress.arrived >= progress.last)
    }

    pub(super) fn judge(&self) -> Judgement {
        let (books, progress) = (self.books.lock().unwrap(), self.progress.lock().unwrap());
        let (mut repeated, of_short_files) = (books.repeated_lines(), self.of_short_files.lock().unwrap());
        repeated.retain(|line| !of_short_files.contains(line));
        let lines = || progress.iter().flat_map(|progress| progress.base..progress.last);
        Judgement {
            written: lines().count() as u64,
            missing: lines().filter(|line| !books.has(*line)).collect(),
            repeated: books.doubled(),
            repeated_for_no_reason: repeated,
            mangled: books.mangled.len(),
            worst_lag: progress.iter().map(|progress| progress.worst_lag).max().unwrap_or_default(),
        }
    }
}
