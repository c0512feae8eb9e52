//! The log file of the demo's application, and the two ways in which logrotate rotates it.
//!
//! Invariants: the file is opened for appending, so that writing goes on at the new end after a truncation; nothing is
//! written between the copy and the truncation of a copytruncate; `.1` is the newest of the old files.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Old files that are kept: `.1`, `.2` and `.3`.
const KEPT: u32 = 3;

/// A log that buffers writes pieces of this size, so lines are torn between two writes.
const WRITE_BYTES: usize = 8192;

/// How a log is rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rotation {
    /// The file is renamed and a new one is made.
    Rename,
    /// The file is copied and then emptied.
    CopyTruncate,
}

/// The log, open.
#[derive(Debug)]
pub(super) struct AccessLog {
    path: PathBuf,
    file: File,
}

impl Rotation {
    /// The kinds take turns; renaming comes first.
    pub(super) fn of_turn(turn: u64) -> Self {
        if turn.is_multiple_of(2) { Self::Rename } else { Self::CopyTruncate }
    }
}

impl AccessLog {
    /// Opens the log, making it if it is not there.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), file: open_to_append(path)? })
    }

    /// Appends whole lines.
    pub(super) fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        lines.chunks(WRITE_BYTES).try_for_each(|piece| self.file.write_all(piece))
    }

    /// Rotates.
    pub(super) fn rotate(&mut self, rotation: Rotation) -> io::Result<()> {
        self.shift_old_files()?;
        let newest_old = self.old_file(1);
        match rotation {
            Rotation::Rename => {
                rename(&self.path, &newest_old)?;
                self.file = open_to_append(&self.path)?;
            }
            Rotation::CopyTruncate => {
                std::fs::copy(&self.path, &newest_old)?;
                self.file.set_len(0)?;
            }
        }
        Ok(())
    }

    /// Frees the name `.1`; the oldest file is overwritten.
    fn shift_old_files(&self) -> io::Result<()> {
        for number in (1..KEPT).rev() {
            match rename(&self.old_file(number), &self.old_file(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn old_file(&self, number: u32) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }
}

fn open_to_append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

#[expect(clippy::disallowed_methods, reason = "plays the application and its logrotate, not the agent")]
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::read_text;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn both_rotations_keep_every_line_and_three_old_files() {
        let directory = tempfile::tempdir().expect("a scratch directory");
        let path = directory.path().join("access.log");
        let mut log = AccessLog::open(&path).expect("opens");
        let inode = |path: &Path| path.symlink_metadata().expect("exists").ino();
        for turn in 0..5 {
            log.write(format!("line {turn}\n").as_bytes()).expect("writes");
            let before = inode(&path);
            log.rotate(Rotation::of_turn(turn)).expect("rotates");
            assert_eq!(inode(&path) == before, Rotation::of_turn(turn) == Rotation::CopyTruncate);
        }
        log.write(b"line 5\n").expect("writes");
        let text = |name: &str| read_text(&directory.path().join(name)).ok();
        let kept = ["access.log", "access.log.1", "access.log.2", "access.log.3", "access.log.4"].map(text);
        let expected = [Some(5), Some(4), Some(3), Some(2), None];
        assert_eq!(kept, expected.map(|turn| turn.map(|turn: u32| format!("line {turn}\n"))));
    }
}
