//! Files that are not under way: those that were finished, and those that a start has not found yet.
//!
//! A rotated file that was read stays in its directory for as long as the rotation keeps it, so it has to be remembered
//! for as long; and once more when it is compressed or copied, by its content.
//!
//! Invariants: what the directory shows is never forgotten; what it does not show is bounded.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use crate::checkpoint::FileCheckpoint;
use crate::source_file::Listed;
use crate::types::{FileId, Node};

/// Files that the directory does not show are remembered up to this many: they may be compressed or moved just now, or
/// on a disk that is mounted later.
const UNLISTED_FILES: usize = 512;

/// The files.
#[derive(Debug, Default)]
pub(super) struct Memory {
    files: BTreeMap<FileId, Remembered>,
    /// By device and inode.
    by_place: HashMap<(u64, u64), Vec<FileId>>,
}

/// One file.
#[derive(Debug)]
struct Remembered {
    checkpoint: FileCheckpoint,
    /// Size and time of the last write when it was seen that it is finished.
    verified: Option<(u64, u64)>,
    is_listed: bool,
}

impl Remembered {
    fn is_there(&self) -> bool {
        self.is_listed && self.verified.is_some()
    }
}

impl Memory {
    pub(super) fn new(checkpoints: Vec<FileCheckpoint>) -> Self {
        let mut memory = Self::default();
        checkpoints.into_iter().for_each(|checkpoint| memory.insert(checkpoint));
        memory
    }

    pub(super) fn insert(&mut self, checkpoint: FileCheckpoint) {
        self.put(Remembered { checkpoint, verified: None, is_listed: false });
    }

    fn put(&mut self, remembered: Remembered) {
        let (file, node) = (remembered.checkpoint.file, remembered.checkpoint.node);
        self.remove(file);
        self.by_place.entry(place(&node)).or_default().push(file);
        self.files.insert(file, remembered);
    }

    /// Notes that a file is finished as it stands there.
    pub(super) fn insert_finished(&mut self, checkpoint: FileCheckpoint, seen: &Listed) {
        let verified = Some((seen.stored_size, seen.modified));
        self.put(Remembered { checkpoint, verified, is_listed: true });
    }

    pub(super) fn remove(&mut self, file: FileId) -> Option<FileCheckpoint> {
        let checkpoint = self.files.remove(&file)?.checkpoint;
        if let Entry::Occupied(mut there) = self.by_place.entry(place(&checkpoint.node)) {
            there.get_mut().retain(|other| *other != file);
            if there.get().is_empty() {
                there.remove();
            }
        }
        Some(checkpoint)
    }

    pub(super) fn get(&self, file: FileId) -> Option<&FileCheckpoint> {
        self.files.get(&file).map(|remembered| &remembered.checkpoint)
    }

    /// Whether the directory shows it. A node alone proves nothing: there may be another file by now.
    pub(super) fn is_there(&self, file: FileId) -> bool {
        self.files.get(&file).is_some_and(Remembered::is_there)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &FileCheckpoint> {
        self.files.values().map(|remembered| &remembered.checkpoint)
    }

    /// Those that were where this node is.
    pub(super) fn at(&self, node: Node) -> impl Iterator<Item = &FileCheckpoint> {
        let there = self.by_place.get(&place(&node)).into_iter().flatten();
        there.filter_map(|file| self.get(*file)).filter(move |known| known.node.is_same(&node))
    }

    /// A listing begins: nothing is seen yet.
    pub(super) fn begin_listing(&mut self) {
        self.files.values_mut().for_each(|remembered| remembered.is_listed = false);
    }

    /// Notes that these files are in the directory. Answers those that are finished and unchanged since that was seen.
    pub(super) fn see<'a>(&mut self, listing: impl IntoIterator<Item = &'a Listed>) -> HashSet<PathBuf> {
        let by_place: HashMap<_, _> =
            listing.into_iter().map(|listed| (place(&listed.node), listed)).collect();
        let mut finished = HashSet::new();
        for remembered in self.files.values_mut() {
            let node = &remembered.checkpoint.node;
            let Some(listed) = by_place.get(&place(node)).filter(|listed| listed.node.is_same(node)) else {
                continue;
            };
            remembered.is_listed = true;
            if remembered.verified == Some((listed.stored_size, listed.modified)) {
                finished.insert(listed.path.clone());
            }
        }
        finished
    }

    /// Forgets the oldest of too many that the directory does not show.
    pub(super) fn forget_surplus(&mut self) -> Vec<FileCheckpoint> {
        let gone = self.files.iter().filter(|(_, remembered)| !remembered.is_there());
        let unlisted: Vec<FileId> = gone.map(|(file, _)| *file).collect();
        let surplus = unlisted.len().saturating_sub(UNLISTED_FILES);
        unlisted[..surplus].iter().filter_map(|file| self.remove(*file)).collect()
    }
}

fn place(node: &Node) -> (u64, u64) {
    (node.device, node.inode)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Fingerprint;
    use crate::source_file::Kind;

    fn node(inode: u32) -> Node {
        Node { device: 1, inode: inode.into(), birth: 0 }
    }

    fn checkpoint(number: u32) -> FileCheckpoint {
        let path = format!("/log/app.log.{number}").into();
        let fingerprint = Fingerprint::default();
        FileCheckpoint {
            file: FileId(number),
            path,
            former_paths: Vec::new(),
            node: node(number),
            fingerprint,
            is_finished: true,
            origin: None,
        }
    }

    fn listed(number: u32, modified: u64) -> Listed {
        let FileCheckpoint { path, node, .. } = checkpoint(number);
        Listed { path, node, size: 5, stored_size: 5, modified, kind: Kind::Rotated }
    }

    #[test]
    fn a_finished_file_that_changed_is_looked_at_again() {
        let mut memory = Memory::default();
        memory.insert_finished(checkpoint(1), &listed(1, 7));
        assert_eq!(memory.see(&[listed(1, 7), listed(2, 7)]), HashSet::from(["/log/app.log.1".into()]));
        assert!(memory.see(&[listed(1, 8)]).is_empty() && memory.see(&[]).is_empty());
    }

    #[test]
    fn what_is_there_is_never_forgotten() {
        let count = UNLISTED_FILES as u32 + 20;
        let mut memory = Memory::new((10..count).map(checkpoint).collect());
        (0..10).for_each(|number| memory.insert_finished(checkpoint(number), &listed(number, 0)));
        memory.begin_listing();
        memory.see(&(0..12).map(|number| listed(number, 0)).collect::<Vec<_>>());
        let forgotten: Vec<_> = memory.forget_surplus().iter().map(|gone| gone.file.0).collect();
        // Of 10 and 11 only their places are taken, perhaps by other files.
        assert_eq!(forgotten, (10..20).collect::<Vec<_>>());
        assert!(memory.is_there(FileId(9)) && memory.get(FileId(20)).is_some());
        assert!(memory.forget_surplus().is_empty());
    }
}
