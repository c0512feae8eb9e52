//! A program that writes numbered lines into a log, and the ways in which its log is rotated.
//!
//! Invariants: the writer and the rotation are one thread, so nothing is written between the copy and the truncation
//! of a copytruncate; and rotated files are kept. What a rotation itself loses no reader could save.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::books::line;

/// How a log is rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// `app.log` becomes `app.log.1`, and a new `app.log` is made.
    Rename,
    /// `app.log` is copied to `app.log.1` and truncated.
    CopyTruncate,
    /// `app.log` becomes `app.log.1`, which is compressed at once, and a new `app.log` is made.
    RenameAndCompress,
    /// `app.log` is copied to `app.log.1` and truncated, and the copy is compressed at once.
    CopyTruncateAndCompress,
    /// `app.log` is copied to `app.log.1` and truncated; the copy before goes into the directory `archive`.
    CopyTruncateAndMove,
    /// `app.log` becomes `app.log-2026112107`.
    DateName,
    /// Spring Boot's default: `app.log` becomes `app.log.2026-11-20.0123.tmp`; that is compressed into
    /// `app.log.2026-11-20.0.gz` a while later.
    TemporaryName,
    /// `app.log` becomes `app.log.old`; that is compressed into `app.log-2026112007.gz` when the next one comes.
    OldName,
    /// `app.log` becomes `app.log.previous`, then `app.log.archived`, then `app.log-2026112007.gz`.
    ThreeNames,
    /// `app.log` becomes `archive/1`, and a new one is made.
    MoveAway,
    /// `app.log` is written anew by an editor, and opened again.
    Replace,
    /// `app.log` is a symbolic link, and leads to another file from now on.
    PointElsewhere,
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

    /// How long the present file is.
    pub(crate) fn length(&self) -> u64 {
        self.file.metadata().unwrap().len()
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
                self.rename_to(None);
            }
            Rotation::CopyTruncate => {
                shift(&self.path);
                fs::copy(&self.path, numbered(&self.path, 1)).unwrap();
                self.file.set_len(0).unwrap();
            }
            Rotation::RenameAndCompress => {
                self.rename_to(None);
                compress(&numbered(&self.path, 1));
            }
            Rotation::CopyTruncateAndCompress => {
                shift(&self.path);
                fs::copy(&self.path, numbered(&self.path, 1)).unwrap();
                self.file.set_len(0).unwrap();
                compress(&numbered(&self.path, 1));
            }
            Rotation::CopyTruncateAndMove => {
                if numbered(&self.path, 1).exists() {
                    let archive = self.path.with_file_name("archive");
                    fs::create_dir_all(&archive).unwrap();
                    let before = archive.join(self.rotations.to_string());
                    fs::rename(numbered(&self.path, 1), before).unwrap();
                }
                fs::copy(&self.path, numbered(&self.path, 1)).unwrap();
                self.file.set_len(0).unwrap();
            }
            Rotation::DateName => {
                let name = format!("app.log-20261121{:02}", self.rotations);
                self.rename_to(Some(self.path.with_file_name(name)));
            }
            Rotation::TemporaryName => self.rotate_in_steps(&[".2026-11-20.0123.tmp"], ".2026-11-20."),
            Rotation::OldName => self.rotate_in_steps(&[".old"], "-20261120"),
            Rotation::ThreeNames => self.rotate_in_steps(&[".previous", ".archived"], "-20261120"),
            Rotation::MoveAway => {
                let archive = self.path.with_file_name("archive");
                fs::create_dir_all(&archive).unwrap();
                self.rename_to(Some(archive.join(self.rotations.to_string())));
            }
            Rotation::Replace => {
                let anew = self.path.with_file_name(".app.log.swp");
                fs::copy(&self.path, &anew).unwrap();
                fs::rename(&anew, &self.path).unwrap();
                self.file = append(&self.path);
            }
            Rotation::PointElsewhere => {
                let target = self.path.with_file_name(format!("target-{}", self.rotations));
                let link = self.path.with_file_name(".link");
                self.file = append(&target);
                symlink(&target, &link).unwrap();
                fs::rename(&link, &self.path).unwrap();
            }
            Rotation::NewName => {
                self.path = self.path.with_file_name(format!("app-{}.log", self.rotations));
                self.file = append(&self.path);
            }
        }
    }

    /// Each rotation brings a generation one name further; from the last one it is compressed.
    fn rotate_in_steps(&mut self, steps: &[&str], archive: &str) {
        let named = |added: &str| PathBuf::from(format!("{}{added}", self.path.display()));
        let last = named(steps[steps.len() - 1]);
        if last.exists() {
            compress_into(&last, &named(&format!("{archive}{}.gz", self.rotations)));
        }
        for step in steps.windows(2).rev().filter(|step| named(step[0]).exists()) {
            fs::rename(named(step[0]), named(step[1])).unwrap();
        }
        self.rename_to(Some(named(steps[0])));
    }

    /// Gives the log another name, `.1` if none is said, and makes a new one.
    fn rename_to(&mut self, path: Option<PathBuf>) {
        let path = path.unwrap_or_else(|| {
            shift(&self.path);
            numbered(&self.path, 1)
        });
        fs::rename(&self.path, path).unwrap();
        self.reopen();
    }

    /// Somebody else has rotated the log; the program was told to open it again, or was not.
    pub(crate) fn was_rotated(&mut self, reopens: bool) {
        self.rotations += 1;
        self.first_of_file = self.written;
        if reopens {
            self.reopen();
        }
    }

    /// Opens the log again, as programs do when they are told that it was rotated.
    pub(crate) fn reopen(&mut self) {
        self.file = append(&self.path);
    }
}

/// What gzip does: the compressed file grows beside the plain one, which then goes.
pub(crate) fn compress(path: &Path) {
    let mut name = path.as_os_str().to_owned();
    name.push(".gz");
    compress_into(path, Path::new(&name));
}

fn compress_into(path: &Path, archive: &Path) {
    let mut encoder = GzEncoder::new(File::create(archive).unwrap(), Compression::fast());
    for chunk in fs::read(path).unwrap().chunks(4096) {
        encoder.write_all(chunk).unwrap();
    }
    encoder.finish().unwrap();
    fs::remove_file(path).unwrap();
}

fn append(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).unwrap()
}

/// Makes room for a new `.1`.
fn shift(path: &Path) {
    let is_there = |number: usize| ["", ".gz"].iter().any(|ending| generation(path, number, ending).exists());
    let kept = (1..).take_while(|number| is_there(*number)).count();
    for number in (1..=kept).rev() {
        for ending in ["", ".gz"].into_iter().filter(|ending| generation(path, number, ending).exists()) {
            fs::rename(generation(path, number, ending), generation(path, number + 1, ending)).unwrap();
        }
    }
}

fn generation(path: &Path, number: usize, ending: &str) -> PathBuf {
    let mut name = numbered(path, number).into_os_string();
    name.push(ending);
    name.into()
}

fn numbered(path: &Path, number: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}
