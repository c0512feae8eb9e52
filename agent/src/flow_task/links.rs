//! The chore with symbolic links: where they lead, and what rotation has made of the files there.
//!
//! Invariant: where the links of a flow lead is watched and listed as its own directories are.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::FlowTask;
use super::unreadable::FoundBy;
use crate::config::link_policy::{Generations, LinkPolicy, generations_behind};
use crate::core::rotated_name::{generation_kind, kind};
use crate::fs;
use crate::fs::directories::links::follow;
use crate::fs::trusted::agent;
use crate::source_file::Listed;

/// Where the links of a listing lead.
#[derive(Debug, Default)]
pub(super) struct Targets {
    /// The end of each.
    pub(super) ends: HashMap<PathBuf, PathBuf>,
    /// The directories of the ends, and whose generations are meant, with the names of the ends there.
    homes: BTreeMap<(PathBuf, Generations), HashSet<OsString>>,
    /// The directories in which a change may lead one elsewhere.
    pub(super) on_the_way: BTreeSet<PathBuf>,
}

impl Targets {
    pub(super) fn of(links: Vec<PathBuf>, policy: LinkPolicy) -> Self {
        let mut targets = Self::default();
        for link in links {
            let way = follow(&link);
            targets.on_the_way.extend(way.through);
            let generations = match policy {
                LinkPolicy::Trusted => generations_behind(&way.owners, agent()),
                LinkPolicy::All => Generations::OfAnybody,
            };
            if let (Some(home), Some(name)) = (way.end.parent(), way.end.file_name()) {
                // One that is not there yet is heard of where it will be made.
                let there = home.ancestors().find(|ancestor| fs::is_directory(ancestor));
                targets.on_the_way.extend(there.map(Path::to_owned));
                let home = (home.to_owned(), generations);
                targets.homes.entry(home).or_default().insert(name.to_owned());
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
        self.state.owned.clear();
        for ((home, generations), logs) in &targets.homes {
            if *generations == Generations::None {
                continue;
            }
            let pattern = &self.config.file_pattern;
            let is_listed = listed.binary_search(home).is_ok();
            let listing = fs::list(home, self.config.link_policy, |name| {
                let path = home.join(name);
                let is_shown = is_listed && kind(pattern, &path).is_some();
                if is_shown { None } else { generation_kind(pattern, &path, logs) }
            });
            match listing {
                Ok(listing) => {
                    if let Generations::Of(user) = generations {
                        let paths = listing.files.iter().map(|listed| listed.path.clone());
                        self.state.owned.extend(paths.map(|path| (path, *user)));
                    }
                    files.extend(listing.files);
                }
                Err(error) => {
                    self.state.is_partial = true;
                    self.report_unreadable(home, &error, FoundBy::Listing);
                }
            }
        }
        files
    }
}
