//! What a listing shows: known files under old or new names, files that are gone, and unknown ones.

use std::collections::HashSet;
use std::path::PathBuf;

use super::Flow;
use super::adoption::COPYING;
use super::resting::is_lost;
use crate::checkpoint::FileCheckpoint;
use crate::core::tracked_file::Presence;
use crate::source_file::{Kind, Listed};
use crate::types::{FileId, Moment, Node};

impl Flow {
    /// Sorts out what the directory shows: known files are updated, and the unknown ones are handed back, in the order
    /// in which they are to be decided about: those that are where a remembered one was; then those whose names no
    /// rotation made, because one of the others may be a copy that is just being made of them; then the oldest first.
    pub fn listed(&mut self, listing: &[Listed], now: Moment) -> Vec<Listed> {
        // Of two names of one file the one counts that is followed.
        let mut shown: Vec<_> = listing.iter().collect();
        shown.sort_by(|left, right| (left.kind, &left.path).cmp(&(right.kind, &right.path)));
        self.memory.begin_listing();
        let finished = self.memory.see(shown.iter().copied());
        let (mut unknown, mut seen) = (Vec::new(), HashSet::new());
        for listed in shown {
            if !seen.insert(listed.node) {
                continue;
            }
            match self.by_node.get(&listed.node) {
                Some(file) => self.seen_again(*file, listed, now),
                None if listed.kind != Kind::Followed && finished.contains(&listed.path) => {}
                None => unknown.push(listed.clone()),
            }
        }
        self.miss_unseen(&seen, now);
        self.has_young_copies = false;
        // What was put off because of it is decided now.
        self.epoch += u64::from(self.truncated_family.take().is_some());
        self.parts.retain(|copy, _| seen.contains(copy));
        self.copies.retain(|copy, _| seen.contains(copy));
        self.copies.values_mut().for_each(|copy| copy.is_complete = now.since(copy.since) >= COPYING);
        self.keep_kin(&mut unknown);
        unknown.sort_by_cached_key(|listed| {
            let is_elsewhere = self.memory.at(listed.node).next().is_none();
            let is_rotated = self.links.family(&listed.path) != self.links.real(&listed.path);
            (is_elsewhere, is_rotated, listed.modified, listed.path.clone())
        });
        unknown
    }

    /// Of the files that a listing did not show those without a descriptor are lost, as if the agent had been down.
    fn miss_unseen(&mut self, seen: &HashSet<Node>, now: Moment) {
        for id in self.files.unseen(seen) {
            let Some(mut file) = self.files.get_mut(id) else { continue };
            if is_lost(&file) {
                drop(file);
                self.lose(id);
            } else if file.presence == Presence::Listed {
                file.presence = Presence::Away { quiet_since: now };
                file.look_at = now;
                self.statistics.rotations.add(1);
            }
        }
    }

    /// Drops rotated files of logs that nobody follows.
    fn keep_kin(&self, unknown: &mut Vec<Listed>) {
        if self.config.file_pattern.is_literal() || unknown.iter().all(|listed| listed.kind == Kind::Followed)
        {
            return;
        }
        let followed = unknown.iter().filter(|listed| listed.kind == Kind::Followed);
        let families: HashSet<PathBuf> = followed
            .map(|listed| self.links.family(&listed.path))
            .chain(
                self.files
                    .values()
                    .flat_map(|file| file.paths().map(|path| self.links.family(path)).collect::<Vec<_>>()),
            )
            .chain(self.memory.iter().flat_map(FileCheckpoint::paths).map(|path| self.links.family(path)))
            .collect();
        unknown.retain(|listed| {
            listed.kind == Kind::Followed || families.contains(&self.links.family(&listed.path))
        });
    }

    fn seen_again(&mut self, file: FileId, seen: &Listed, now: Moment) {
        let Some(mut file) = self.files.get_mut(file) else { return };
        let is_followed = seen.kind == Kind::Followed;
        let is_back = is_followed && file.presence != Presence::Listed && !self.once;
        if file.path != seen.path || is_back {
            let node = file.node;
            file.move_to(seen.path.clone(), node);
            file.was_moved = true;
            self.statistics.rotations.add(1);
        }
        if is_followed {
            file.presence = Presence::Listed;
        } else if file.presence == Presence::Listed {
            file.presence = Presence::Away { quiet_since: now };
            file.look_at = now;
        }
    }
}
