//! Records that cannot be sent: where they stand, and files that are stopped at them.
//!
//! Invariant: a stopped file holds its checkpoint before the record at which it stopped, and is not given up.

use std::path::Path;

use super::Flow;
use crate::types::{FileId, RecordTag};

/// Where a published record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whereabouts<'a> {
    /// The file, where it was last seen.
    pub path: &'a Path,
    /// Where the record begins.
    pub offset: u64,
    /// How many bytes of the file it is.
    pub length: u64,
}

impl Flow {
    /// Where a record stands that has no outcome yet.
    #[must_use]
    pub fn whereabouts(&self, tag: RecordTag) -> Option<Whereabouts<'_>> {
        let file = self.files.get(tag.file)?;
        let (offset, end) = file.ledger.span(tag.sequence)?;
        Some(Whereabouts { path: &file.path, offset, length: end - offset })
    }

    /// A published record is safe in the dead-letter file.
    pub fn dead_lettered(&mut self, tag: RecordTag) {
        let file = self.files.get_mut(tag.file);
        if file.is_some_and(|mut file| file.ledger.close(tag.sequence)) {
            self.statistics.records_dead_lettered.add(1);
        }
    }

    /// A published record is refused for good and holds its file: nothing more is read of that.
    pub fn stop_at(&mut self, tag: RecordTag) {
        self.held_records += 1;
        self.stop_file(tag.file);
    }

    /// Nothing more is read of a file.
    pub fn stop_file(&mut self, id: FileId) {
        let Some(mut file) = self.files.get_mut(id) else { return };
        file.is_stopped = true;
        drop(file);
        let stopped = self.files.values().filter(|file| file.is_stopped).count();
        self.statistics.files_stopped.set(stopped as u64);
    }

    /// Records published that will yet have an outcome.
    #[must_use]
    pub fn awaited(&self) -> usize {
        self.outstanding() - self.held_records
    }

    /// With `--once`: as [`Flow::is_all_cut`], but for files that are stopped.
    #[must_use]
    pub fn is_all_cut_or_stopped(&self) -> bool {
        self.files.values().all(|file| file.is_drained || file.is_stopped)
    }
}
