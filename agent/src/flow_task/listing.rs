//! The chores with directories: listing them, and the search for files that a start did not find.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use super::links::Targets;
use super::rescan::marks_of;
use super::unreadable::FoundBy;
use super::{FlowTask, UNWATCHED_RESCAN};
use crate::core::rescan::Marks;
use crate::core::rotated_name::{kind, rotated_kind};
use crate::fs;
use crate::fs::directories::{self, Directories};
use crate::shown;
use crate::source_file::Listed;
use crate::types::Moment;

impl FlowTask {
    /// Lists the directories and takes in what is new.
    pub(super) fn list(&mut self) -> io::Result<()> {
        let began = self.clock.now();
        self.state.unreadable.begin_listing();
        let (listing, marks) = self.list_files()?;
        let nodes: HashSet<_> = listing.iter().map(|listed| listed.node).collect();
        self.state.passed_over.retain(|node, _| nodes.contains(node));
        let unknown = self.flow.listed(&listing, self.clock.now());
        for unknown in &unknown {
            if let Err(error) = self.adopt(unknown) {
                self.report_unreadable(&unknown.path, &error, FoundBy::Listing);
            }
        }
        self.end_listing();
        // While the directory is not there (a mount that comes later) its files are not given up.
        if fs::is_directory(self.config.file_pattern.root()) {
            self.search_missing()?;
            if !self.state.is_partial {
                self.forget_surplus();
            }
        }
        let is_first = !std::mem::replace(&mut self.state.has_listed, true);
        if is_first {
            self.flow.started();
            if self.flow.files().next().is_none() {
                tracing::warn!(
                    flow = self.config.id,
                    "no file matches {} yet; one that appears is taken up at once",
                    self.config.file_pattern
                );
            }
        }
        if self.flow.take_save_urgency() || is_first {
            self.save_now();
        }
        self.note_listing(marks, began, listing, &unknown);
        self.plan_rescan();
        self.count_files();
        Ok(())
    }

    pub(super) fn plan_rescan(&mut self) {
        if std::mem::take(&mut self.state.is_led_elsewhere) {
            // What changed there before it was watched.
            self.state.list_at = Moment::ORIGIN;
            return;
        }
        let soon = !self.state.is_watched || self.flow.has_young_copies();
        let period = if soon { UNWATCHED_RESCAN } else { self.config.max_time_between_file_tracker_refresh };
        self.state.list_at = self.clock.now().plus(period);
    }

    fn list_files(&mut self) -> io::Result<(Vec<Listed>, Marks)> {
        let found = self.watched_directories();
        let directories = found.passed.iter().chain(&found.matching).chain(&found.through).cloned().collect();
        let before = std::mem::replace(&mut self.state.directories, directories);
        let mut marks = self.marks();
        self.state.is_partial = !found.unreadable.is_empty();
        let is_only = self.config.file_pattern.levels().is_empty();
        let (mut files, mut skipped, mut links) = (Vec::new(), Vec::new(), Vec::new());
        for directory in &found.matching {
            let pattern = &self.config.file_pattern;
            match fs::list(directory, self.config.link_policy, |name| kind(pattern, &directory.join(name))) {
                Ok(listing) => {
                    for (path, error) in &listing.refused {
                        self.report_unreadable(path, error, FoundBy::Listing);
                    }
                    files.extend(listing.files);
                    skipped.extend(listing.skipped);
                    links.extend(listing.links);
                }
                Err(error) => {
                    self.state.is_partial = true;
                    self.report_unreadable(directory, &error, FoundBy::Listing);
                    if is_only {
                        let error = format!("{}: {error}", shown::path(directory));
                        return Err(io::Error::other(error));
                    }
                }
            }
        }
        for (directory, error) in &found.unreadable {
            self.report_unreadable(directory, error, FoundBy::Listing);
        }
        self.note_skipped(skipped);
        let targets = Targets::of(links, self.config.link_policy);
        marks.extend(self.watch_targets(&targets, &before));
        files.extend(self.list_generations(&targets, &found.matching));
        self.flow.links_lead(targets.ends);
        Ok((files, marks))
    }

    /// Watched first and listed then: what appears in between is seen by one of the two.
    fn watched_directories(&mut self) -> Directories {
        let (root, levels) = (self.config.file_pattern.root(), self.config.file_pattern.levels());
        let mut found = directories::find(root, levels);
        self.state.is_watched = self.watch(&found);
        if !levels.is_empty() {
            // A directory that appeared before its parent was watched.
            found = directories::find(root, levels);
            self.state.is_watched &= self.watch(&found);
        }
        found
    }

    fn watch(&self, found: &Directories) -> bool {
        let is_any = !found.matching.is_empty() || !found.passed.is_empty();
        let directories = found.passed.iter().chain(&found.matching).chain(&found.through);
        self.watch_all(directories) && is_any
    }

    fn watch_all<'a>(&self, directories: impl Iterator<Item = &'a PathBuf>) -> bool {
        // No short cut: the others are watched even if one is not.
        directories.filter(|directory| !self.discovery.watch(directory, &self.inbox)).count() == 0
    }

    /// Watches where links lead, and answers the marks there. `before`: the directories of the listing before.
    fn watch_targets(&mut self, targets: &Targets, before: &[PathBuf]) -> Marks {
        let directories: Vec<_> = targets.on_the_way.iter().cloned().collect();
        self.state.is_watched &= self.watch_all(directories.iter());
        let before: HashSet<&PathBuf> = before.iter().collect();
        self.state.is_led_elsewhere = directories.iter().any(|directory| !before.contains(directory));
        let marks = marks_of(&directories);
        self.state.directories.extend(directories);
        marks
    }

    fn note_skipped(&mut self, skipped: Vec<PathBuf>) {
        for path in skipped.iter().filter(|path| !self.state.skipped.contains(path)) {
            let flow = &self.config.id;
            tracing::info!(flow, path = %path.display(), "matches and is no regular file, left alone");
        }
        self.state.skipped = skipped;
    }

    /// After a restart, and when files are lost that had no descriptor: those that were rotated out of the pattern, or
    /// truncated, while nobody looked.
    fn search_missing(&mut self) -> io::Result<()> {
        let is_start = !std::mem::replace(&mut self.state.has_searched, true);
        if !is_start && !self.flow.has_lost() {
            return Ok(());
        }
        let paths = self.flow.missing().map(|missing| missing.path.as_path());
        let names = paths.flat_map(|path| [path, self.flow.real_path(path)]);
        let parents: BTreeSet<PathBuf> = names.filter_map(Path::parent).map(Path::to_owned).collect();
        for parent in parents {
            // Rotation may move files into a directory below.
            let below = directories::below(&parent).unwrap_or_default();
            for directory in std::iter::once(parent.clone()).chain(below) {
                let list = fs::list(&directory, self.config.link_policy, |name| Some(rotated_kind(name)));
                let Ok(listing) = list else { continue };
                let mut candidates = listing.files;
                candidates.retain(|candidate| self.flow.may_be_missing(candidate));
                for candidate in candidates.iter_mut().filter(|_| directory == parent) {
                    candidate.kind =
                        kind(&self.config.file_pattern, &candidate.path).unwrap_or(candidate.kind);
                }
                self.take_rest(candidates)?;
            }
        }
        let lost = self.flow.give_up_lost();
        for missing in self.flow.missing().filter(|missing| is_start || lost.contains(&missing.file)) {
            tracing::warn!(
                flow = self.config.id,
                path = %missing.path.display(),
                file = missing.file.0,
                acknowledged_bytes = missing.fingerprint.offset,
                "a file that was being followed is not there: what was written to it after these bytes, if anything, is \
                 shipped only if it comes back"
            );
        }
        Ok(())
    }

    fn forget_surplus(&mut self) {
        for gone in self.flow.forget_surplus() {
            tracing::warn!(
                flow = self.config.id,
                path = %gone.path.display(),
                acknowledged_bytes = gone.fingerprint.offset,
                "a file that is not there is given up for good: too many are"
            );
        }
    }
}
