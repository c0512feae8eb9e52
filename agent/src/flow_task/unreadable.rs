//! What cannot be listed, opened or read, and what was said of it.
//!
//! Invariants: the same trouble at the same place is said once until it is cured, and what is cured is forgotten: by the
//! next listing, or when the file is looked at again. A listing that finds much says a little of it, and how much there is.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::FlowTask;
use super::resting::is_refused;
use crate::config::link_policy::Untrusted;
use crate::shown;
use crate::status_report::UnreadableReport;

/// Of one listing so many are told in the log; `status` tells all of them.
const TOLD_AT_ONCE: usize = 10;

/// So many are shown by `status`.
const SHOWN: usize = 1000;

/// Places with trouble.
#[derive(Debug, Default)]
pub(super) struct Unreadable {
    at: BTreeMap<PathBuf, Trouble>,
    /// Told of since the last listing began.
    told: usize,
    untold: usize,
}

#[derive(Debug)]
struct Trouble {
    why: String,
    found_by: FoundBy,
}

/// Who found a trouble, and so will see that it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FoundBy {
    /// The last listing, or one of the files that it showed.
    Listing,
    /// One before that.
    EarlierListing,
    /// A look at a file under way.
    Look,
}

impl Unreadable {
    pub(super) fn is_empty(&self) -> bool {
        self.at.is_empty()
    }

    pub(super) fn begin_listing(&mut self) {
        for trouble in self.at.values_mut().filter(|trouble| trouble.found_by == FoundBy::Listing) {
            trouble.found_by = FoundBy::EarlierListing;
        }
    }

    /// Forgets what this listing did not find any more.
    fn end_listing(&mut self) -> usize {
        self.at.retain(|_, trouble| trouble.found_by != FoundBy::EarlierListing);
        self.told = 0;
        std::mem::take(&mut self.untold)
    }

    /// A file was looked at.
    pub(super) fn cured(&mut self, path: &Path) {
        if !self.at.is_empty() {
            self.at.remove(path);
        }
    }

    /// Notes a trouble. Answers whether it is to be told.
    fn note(&mut self, path: &Path, why: &str, found_by: FoundBy) -> bool {
        let trouble = Trouble { why: why.to_owned(), found_by };
        let known = self.at.insert(path.to_owned(), trouble).is_some_and(|known| known.why == why);
        if known {
            return false;
        }
        let is_told = self.told < TOLD_AT_ONCE;
        self.told += usize::from(is_told);
        self.untold += usize::from(!is_told);
        is_told
    }

    pub(super) fn reports(&self) -> Vec<UnreadableReport> {
        let report = |(path, trouble): (&PathBuf, &Trouble)| UnreadableReport {
            path: path.display().to_string(),
            why: trouble.why.clone(),
        };
        self.at.iter().take(SHOWN).map(report).collect()
    }
}

impl FlowTask {
    pub(super) fn report_unreadable(&mut self, path: &Path, error: &io::Error, found_by: FoundBy) {
        if is_refused(error) {
            if self.may_report() {
                tracing::error!(
                    flow = self.config.id,
                    "there are no descriptors left ({error}): files are read when there are; lower maxOpenFiles, or raise \
                     LimitNOFILE of the service"
                );
            }
            return;
        }
        let why = format!("{error}{}", cure(error));
        if self.state.unreadable.note(path, &why, found_by) {
            tracing::warn!(
                flow = self.config.id,
                path = shown::path(path),
                "not read: {why}; it is tried again"
            );
        }
    }

    pub(super) fn end_listing(&mut self) {
        let untold = self.state.unreadable.end_listing();
        if untold > 0 {
            tracing::warn!(flow = self.config.id, places = untold, "more cannot be read; status names them");
        }
    }
}

/// What to do about it, where the error does not say it itself.
fn cure(error: &io::Error) -> &'static str {
    match error.kind() {
        _ if error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Untrusted>) => "",
        io::ErrorKind::PermissionDenied => {
            "; give the agent's user the right to read it and to enter its directories (group, ACL, or the unit's drop-in)"
        }
        io::ErrorKind::NotConnected | io::ErrorKind::StaleNetworkFileHandle => {
            "; see that its file system is mounted"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cured_is_forgotten_and_what_stays_is_told_once() {
        let mut unreadable = Unreadable::default();
        let [one, two, read] = ["/one", "/two", "/read"].map(Path::new);
        unreadable.begin_listing();
        assert!(unreadable.note(one, "denied", FoundBy::Listing));
        assert!(unreadable.note(two, "denied", FoundBy::Listing));
        assert!(unreadable.note(read, "broken", FoundBy::Look));
        unreadable.end_listing();
        unreadable.begin_listing();
        assert!(!unreadable.note(one, "denied", FoundBy::Listing), "it was told");
        unreadable.end_listing();
        let places = |unreadable: &Unreadable| {
            unreadable.reports().into_iter().map(|report| report.path).collect::<Vec<_>>()
        };
        assert_eq!(places(&unreadable), ["/one", "/read"]);
        assert!(
            !unreadable.note(read, "broken", FoundBy::Look) && unreadable.note(read, "other", FoundBy::Look)
        );
        unreadable.cured(read);
        assert!(unreadable.note(one, "another reason", FoundBy::Listing));
        assert_eq!(places(&unreadable), ["/one"]);
    }

    #[test]
    fn of_many_a_few_are_told() {
        let mut unreadable = Unreadable::default();
        for _ in 0..2 {
            unreadable.begin_listing();
            let told = (0..1000).filter(|number| {
                unreadable.note(Path::new(&format!("/{number}")), "denied", FoundBy::Listing)
            });
            assert!(told.count() <= TOLD_AT_ONCE);
            assert!([990, 0].contains(&unreadable.end_listing()));
        }
        assert_eq!(unreadable.reports().len(), SHOWN);
    }
}
