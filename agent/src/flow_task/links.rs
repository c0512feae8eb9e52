//! The chore with symbolic links: where they lead, and what rotation has made of the files there.
//!
//! Invariant: where the links of a flow lead is watched and listed as its own directories are.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::FlowTask;
use crate::core::rotated_name::{generation_kind, kind};
use crate::fs;
use crate::fs::directories::links::follow;
use crate::source_file::Listed;

/// Where the links of a listing lead.
#[derive(Debug, Default)]
pub(super) struct Targets {
    /// The end of each.
    pub(super) ends: HashMap<PathBuf, PathBuf>,
    /// The directories of the ends, with their names there.
    homes: BTreeMap<PathBuf, HashSet<OsString>>,
    /// The directories in which a change may lead one elsewhere.
    pub(super) on_the_way: BTreeSet<PathBuf>,
}

impl Targets {
    pub(super) fn of(links: Vec<PathBuf>) -> Self {
        let mut targets = Self::default();
        for link in links {
            let way = follow(&link);
            targets.on_the_way.extend(way.through);
            if let (Some(home), Some(name)) = (way.end.parent(), way.end.file_name()) {
                // One that is not there yet is heard of where it will be made.
                let there = home.ancestors().find(|ancestor| fs::is_directory(ancestor));
                targets.on_the_way.extend(there.map(Path::to_owned));
                targets.homes.entry(home.to_owned()).or_default().insert(name.to_owned());
            }
            targets.ends.insert(link, way.end);
        }
        targets
    }
}

impl FlowTask {
    /// What rotation has made of the files to which links lead. `listed`: directories that were listed themselves.
    pub(super) fn list_generations(&mut self, targets: &Targets, listed: &[PathBuf]) -> Vec<Listed> {
        let mut files = Vec::new();
        for (home, logs) in &targets.homes {
            let pattern = &self.config.file_pattern;
            let is_listed = listed.binary_search(home).is_ok();
            let listing = fs::list(home, |name| {
                let path = home.join(name);
                let is_shown = is_listed && kind(pattern, &path).is_some();
                if is_shown { None } else { generation_kind(pattern, &path, logs) }
            });
            match listing {
                Ok(listing) => files.extend(listing.files),
                Err(error) => {
                    self.state.is_partial = true;
                    self.report_unreadable(home, &error);
                }
            }
        }
        files
    }
}
