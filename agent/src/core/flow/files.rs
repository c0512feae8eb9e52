//! The files under way, and what would otherwise be found only by asking each of them: which are to be looked at and
//! when, which have something to save, which may be given up, and the sums over all of them.
//!
//! Invariant: the books agree with every file, because a file is changed only through a [`FileMut`], which notes it when
//! it goes. What an idle flow does costs nothing for each of its files.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::{Deref, DerefMut};

use crate::core::tracked_file::{Presence, TrackedFile};
use crate::types::{FileId, Moment, Node};

/// The files.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Boxed, because the tree's nodes are half empty when numbers only grow.
    entries: BTreeMap<FileId, Box<Entry>>,
    books: Books,
}

#[derive(Debug)]
struct Entry {
    file: TrackedFile,
    noted: Noted,
}

/// What the books say of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Noted {
    look_at: Option<Moment>,
    has_news: bool,
    is_over: bool,
    outstanding: usize,
    behind: u64,
    held: u64,
}

#[derive(Debug, Default)]
struct Books {
    looks: BTreeSet<(Moment, FileId)>,
    news: Vec<FileId>,
    over: Vec<FileId>,
    outstanding: usize,
    behind: u64,
    held: u64,
}

/// A file that may be changed.
pub(super) struct FileMut<'a> {
    entry: &'a mut Entry,
    books: &'a mut Books,
}

impl Deref for FileMut<'_> {
    type Target = TrackedFile;

    fn deref(&self) -> &TrackedFile {
        &self.entry.file
    }
}

impl DerefMut for FileMut<'_> {
    fn deref_mut(&mut self) -> &mut TrackedFile {
        &mut self.entry.file
    }
}

impl Drop for FileMut<'_> {
    fn drop(&mut self) {
        self.books.note(self.entry);
    }
}

impl Files {
    pub(super) fn get(&self, id: FileId) -> Option<&TrackedFile> {
        self.entries.get(&id).map(|entry| &entry.file)
    }

    pub(super) fn get_mut(&mut self, id: FileId) -> Option<FileMut<'_>> {
        let Self { entries, books } = self;
        entries.get_mut(&id).map(|entry| FileMut { entry, books })
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &TrackedFile> {
        self.entries.values().map(|entry| &entry.file)
    }

    /// Those whose nodes are not among these.
    pub(super) fn unseen(&self, seen: &HashSet<Node>) -> Vec<FileId> {
        self.values().filter(|file| !seen.contains(&file.node)).map(|file| file.id).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn insert(&mut self, file: TrackedFile) {
        self.remove(file.id);
        let id = file.id;
        self.entries.insert(id, Box::new(Entry { file, noted: Noted::default() }));
        drop(self.get_mut(id)); // which notes it
    }

    pub(super) fn remove(&mut self, id: FileId) -> Option<TrackedFile> {
        let Entry { file, noted } = *self.entries.remove(&id)?;
        self.books.forget(id, &noted);
        Some(file)
    }

    /// Files whose next look is not later than this, in the order of their numbers.
    pub(super) fn due(&self, until: Moment) -> Vec<FileId> {
        let due = self.books.looks.range(..=(until, FileId(u32::MAX)));
        let mut due: Vec<_> = due.map(|(_, id)| *id).collect();
        due.sort_unstable();
        due
    }

    pub(super) fn next_look(&self) -> Moment {
        self.books.looks.first().map_or(Moment::NEVER, |(look_at, _)| *look_at)
    }

    /// Files that have something to save and were not answered since.
    pub(super) fn take_news(&mut self) -> Vec<FileId> {
        let news = std::mem::take(&mut self.books.news);
        for id in &news {
            if let Some(entry) = self.entries.get_mut(id) {
                entry.noted.has_news = false;
            }
        }
        news
    }

    pub(super) fn have_news(&self) -> bool {
        !self.books.news.is_empty()
    }

    /// Files that may be given up.
    pub(super) fn take_over(&mut self) -> Vec<FileId> {
        let mut over = std::mem::take(&mut self.books.over);
        over.retain(|id| {
            let Some(entry) = self.entries.get_mut(id) else { return false };
            entry.noted.is_over = false;
            is_over(&entry.file)
        });
        over
    }

    pub(super) fn outstanding(&self) -> usize {
        self.books.outstanding
    }

    pub(super) fn behind(&self) -> u64 {
        self.books.behind
    }

    pub(super) fn held(&self) -> u64 {
        self.books.held
    }
}

impl Books {
    fn note(&mut self, entry: &mut Entry) {
        let Entry { file, noted } = entry;
        let now = Noted::of(file);
        if noted.look_at != now.look_at {
            noted.look_at.map(|look_at| self.looks.remove(&(look_at, file.id)));
            now.look_at.map(|look_at| self.looks.insert((look_at, file.id)));
        }
        if now.has_news && !noted.has_news {
            self.news.push(file.id);
        }
        if now.is_over && !noted.is_over {
            self.over.push(file.id);
        }
        self.outstanding = self.outstanding - noted.outstanding + now.outstanding;
        self.behind = self.behind - noted.behind + now.behind;
        self.held = self.held - noted.held + now.held;
        // What stands in a list stays noted until it is taken.
        let (has_news, is_over) = (noted.has_news || now.has_news, noted.is_over || now.is_over);
        *noted = Noted { has_news, is_over, ..now };
    }

    fn forget(&mut self, id: FileId, noted: &Noted) {
        noted.look_at.map(|look_at| self.looks.remove(&(look_at, id)));
        if noted.has_news {
            self.news.retain(|other| *other != id);
        }
        if noted.is_over {
            self.over.retain(|other| *other != id);
        }
        self.outstanding -= noted.outstanding;
        self.behind -= noted.behind;
        self.held -= noted.held;
    }
}

impl Noted {
    fn of(file: &TrackedFile) -> Self {
        let is_looked_at = !file.is_drained && !file.is_stopped;
        Self {
            look_at: is_looked_at.then_some(file.look_at),
            has_news: file.has_news(),
            is_over: is_over(file),
            outstanding: file.ledger.outstanding(),
            behind: file.size().saturating_sub(file.ledger.acknowledged()),
            held: file.held(),
        }
    }
}

/// An away file that is drained and acknowledged.
fn is_over(file: &TrackedFile) -> bool {
    file.presence != Presence::Listed && file.is_drained && file.is_settled()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Fingerprint;
    use crate::core::splitter::{Excess, SplitRules, Splitter};
    use std::sync::Arc;
    use std::time::Duration;

    fn file(id: u32) -> TrackedFile {
        let rules =
            Arc::new(SplitRules { max_bytes: 1 << 20, start_pattern: None, excess: Excess::PassedOver });
        let node = Node { device: 1, inode: u64::from(id), birth: 3 };
        let nothing = (Vec::new(), Vec::new());
        TrackedFile::new(
            FileId(id),
            "/log/a".into(),
            node,
            Fingerprint::default(),
            nothing,
            Splitter::new(rules),
        )
    }

    /// The books are what one would find by asking every file, after any changes.
    #[test]
    fn the_books_agree_with_the_files() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut files = Files::default();
        for step in 0..5_000 {
            let id = FileId(random.u32(..20));
            match random.u32(..12) {
                0 | 1 => files.insert(file(id.0)),
                2 => drop(files.remove(id)),
                3 => files.take_news().into_iter().for_each(|id| {
                    files.get_mut(id).and_then(|mut file| file.checkpoint());
                }),
                4 => files.take_over().into_iter().for_each(|id| drop(files.remove(id))),
                _ => {
                    if let Some(mut file) = files.get_mut(id) {
                        change(&mut file, &mut random);
                    }
                }
            }
            compare(&files, step);
        }
    }

    fn change(file: &mut TrackedFile, random: &mut fastrand::Rng) {
        file.look_at = moment(random.u64(..50));
        file.is_stopped = random.u32(..9) == 0;
        file.is_drained = random.bool();
        file.presence = if random.bool() { Presence::Listed } else { Presence::Ended };
        file.seen_size = file.fetched() + random.u64(..100);
        match random.u32(..4) {
            0 => {
                let repeated = b"x\n".repeat(file.overlap() / 2);
                assert!(file.take_in(&mut [&repeated[..], b"x\n"].concat()));
            }
            1 => {
                file.consume(file.unconsumed().len());
                let cut = file.cut();
                file.ledger.open(cut);
            }
            2 => drop(file.ledger.close(file.ledger.next_sequence().wrapping_sub(1))),
            _ => {
                file.consume(file.unconsumed().len());
                file.ledger.pass_over(file.cut());
                file.set_landmark();
            }
        }
    }

    fn moment(seconds: u64) -> Moment {
        Moment::ORIGIN.plus(Duration::from_secs(seconds))
    }

    fn compare(files: &Files, step: u32) {
        let looks = || files.values().filter(|file| !file.is_drained && !file.is_stopped);
        let due: Vec<_> = looks().filter(|file| file.look_at <= moment(25)).map(|file| file.id).collect();
        assert_eq!(files.due(moment(25)), due, "step {step}");
        let next = looks().map(|file| file.look_at).min();
        assert_eq!(files.next_look(), next.unwrap_or(Moment::NEVER), "step {step}");
        let outstanding: usize = files.values().map(|file| file.ledger.outstanding()).sum();
        assert_eq!(files.outstanding(), outstanding, "step {step}");
        let behind = |file: &TrackedFile| file.size().saturating_sub(file.ledger.acknowledged());
        assert_eq!(files.behind(), files.values().map(behind).sum::<u64>(), "step {step}");
        assert_eq!(files.held(), files.values().map(TrackedFile::held).sum::<u64>(), "step {step}");
        for file in files.values() {
            let id = file.id;
            assert!(!file.has_news() || files.books.news.contains(&id), "step {step}: {id:?} is to be saved");
            assert!(!is_over(file) || files.books.over.contains(&id), "step {step}: {id:?} is over");
        }
    }
}
