//! The directory in which the demo's log and checkpoints live.
//!
//! Invariant: it is new and nobody else's, and it is gone with its owner unless it was kept for people to look at.

use std::io;
use std::path::{Path, PathBuf};

/// The directory, removed when this is dropped.
#[derive(Debug)]
pub(super) struct ScratchDirectory {
    path: PathBuf,
    is_kept: bool,
}

impl ScratchDirectory {
    /// Makes one in the system's directory for temporary files.
    ///
    /// # Errors
    ///
    /// It cannot be made.
    pub(super) fn create() -> io::Result<Self> {
        let name = format!("kinesis-agent-demo-{}-{:06x}", std::process::id(), fastrand::u32(..1 << 24));
        let path = std::env::temp_dir().join(name);
        // Fails if something of this name is there.
        std::fs::create_dir(&path)?;
        Ok(Self { path, is_kept: false })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves it where it is.
    pub(super) fn keep(mut self) -> PathBuf {
        self.is_kept = true;
        self.path.clone()
    }
}

impl Drop for ScratchDirectory {
    fn drop(&mut self) {
        if !self.is_kept {
            // What cannot be removed is left to the system's own cleaning.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_unless_it_is_kept() {
        let directory = ScratchDirectory::create().expect("can be made");
        let path = directory.path().to_owned();
        assert!(path.is_dir());
        drop(directory);
        assert!(!path.exists());
        let kept = ScratchDirectory::create().expect("can be made").keep();
        assert!(kept.is_dir());
        std::fs::remove_dir(&kept).expect("is empty");
    }
}
