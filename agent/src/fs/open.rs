//! Opening files that others may exchange for something else at any time.
//!
//! Invariant: no open waits, and nothing but a regular file is opened. What a name leads to is looked at without opening
//! it, because to open a FIFO or a device may do something; and again when it is open, because it may be something else
//! by then.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

/// Nothing here waits, becomes the process's terminal or is inherited.
pub(super) const NEVER_WAIT: OFlags = OFlags::NONBLOCK.union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// What stands under a name is no regular file.
#[derive(Debug, thiserror::Error)]
#[error("it is {0}, no regular file")]
struct NotRegular(&'static str);

/// Opens the regular file that a name leads to, to read it.
///
/// # Errors
///
/// It cannot be opened, or is no regular file.
pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    let place = open(path, OFlags::PATH | OFlags::CLOEXEC)?;
    check_regular(&place.metadata()?)?;
    let file = open(path, OFlags::RDONLY | NEVER_WAIT)?;
    check_regular(&file.metadata()?)?;
    Ok(file)
}

/// Opens one of the agent's own files to read and write, and makes it if it is not there.
///
/// # Errors
///
/// It cannot be opened or made, or is no regular file.
pub(super) fn open_own(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | NEVER_WAIT;
    let file = File::from(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?);
    check_regular(&file.metadata()?)?;
    Ok(file)
}

fn open(path: &Path, flags: OFlags) -> io::Result<File> {
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}

/// Whether this is a regular file; if not, the error says what it is.
pub(super) fn check_regular(metadata: &Metadata) -> io::Result<()> {
    match what_it_is(metadata) {
        None => Ok(()),
        Some(other) => Err(io::Error::new(io::ErrorKind::InvalidInput, NotRegular(other))),
    }
}

/// What something is that is no regular file.
fn what_it_is(metadata: &Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return None;
    }
    Some(match () {
        () if kind.is_dir() => "a directory",
        () if kind.is_fifo() => "a FIFO",
        () if kind.is_socket() => "a socket",
        () if kind.is_block_device() || kind.is_char_device() => "a device",
        () => "something else",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{CWD, FileType, mknodat};

    #[test]
    fn nothing_but_regular_files_is_opened_and_no_open_waits() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let of = |name: &str| scratch.path().join(name);
        mknodat(CWD, of("fifo"), FileType::Fifo, Mode::RWXU, 0).expect("makes a FIFO");
        let _listener = std::os::unix::net::UnixListener::bind(of("socket")).expect("binds");
        std::os::unix::fs::symlink("fifo", of("link")).expect("links");
        for (path, expected) in [
            (of("fifo"), "a FIFO"),
            (of("link"), "a FIFO"),
            (of("socket"), "a socket"),
            (scratch.path().to_owned(), "a directory"),
            ("/dev/null".into(), "a device"),
        ] {
            let refused = open_regular(&path).expect_err("no regular file").to_string();
            assert_eq!(refused, format!("it is {expected}, no regular file"), "{}", path.display());
        }
        assert_eq!(open_regular(&of("none")).expect_err("nothing").kind(), io::ErrorKind::NotFound);
    }
}
