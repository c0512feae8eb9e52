//! A program that writes numbered lines into a log, and the ways in which its log is rotated.
//!
//! Invariants: the writer and the rotation are one thread, so nothing is written between the copy and the truncation
//! of a copytruncate; and rotated files are kept. What a rotation itself loses no reader could save.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::books::line;

/// How a log is rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// `app.log` becomes `app.log.1`, and a new `app.log` is made.
    Rename,
    /// `app.log` is copied to `app.log.1` and truncated.
    CopyTruncate,
    /// The next file has a new name: `app-2.log`.
    NewName,
}

/// The writer.
#[derive(Debug)]
pub(crate) struct LogWriter {
    pub(crate) path: PathBuf,
    file: File,
    /// Lines written, which is the next line's number.
    pub(crate) written: u64,
    /// The first line of the present file.
    pub(crate) first_of_file: u64,
    pub(crate) rotations: u64,
    random: fastrand::Rng,
}

impl LogWriter {
    /// Opens a log to append to it.
    pub(crate) fn open(path: PathBuf) -> Self {
        let file = append(&path);
        Self { path, file, written: 0, first_of_file: 0, rotations: 0, random: fastrand::Rng::with_seed(1) }
    }

    /// Appends so many lines, in writes of random sizes that know nothing of lines.
    pub(crate) fn write_lines(&mut self, lines: u64) {
        let text: String = (self.written..self.written + lines).map(line).collect();
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(self.random.usize(1..=rest.len()));
            self.file.write_all(now).unwrap();
            rest = later;
        }
        self.written += lines;
    }

    /// Appends a few lines every few milliseconds for so long.
    pub(crate) fn write_for(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            let lines = self.random.u64(1..20);
            self.write_lines(lines);
            std::thread::sleep(Duration::from_millis(self.random.u64(1..6)));
        }
    }

    /// Rotates.
    pub(crate) fn rotate(&mut self, rotation: Rotation) {
        self.rotations += 1;
        self.first_of_file = self.written;
        match rotation {
            Rotation::Rename => {
                shift(&self.path);
                fs::rename(&self.path, numbered(&self.path, 1)).unwrap();
                self.file = append(&self.path);
            }
            Rotation::CopyTruncate => {
                shift(&self.path);
                fs::copy(&self.path, numbered(&self.path, 1)).unwrap();
                self.file.set_len(0).unwrap();
            }
            Rotation::NewName => {
                self.path = self.path.with_file_name(format!("app-{}.log", self.rotations));
                self.file = append(&self.path);
            }
        }
    }
}

fn append(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).unwrap()
}

/// Makes room for a new `.1`.
fn shift(path: &Path) {
    let kept = (1..).take_while(|number| numbered(path, *number).exists()).count();
    for number in (1..=kept).rev() {
        fs::rename(numbered(path, number), numbered(path, number + 1)).unwrap();
    }
}

fn numbered(path: &Path, number: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}
