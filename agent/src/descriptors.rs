//! The descriptors of followed files that all flows share: how many there may be, and how many there are.
//!
//! Invariant: each [`Held`] is counted once, for as long as it is there.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::core::descriptors::surplus;
use crate::core::idle_pause::Crowd;
use crate::fs;

/// Descriptors that are left to everything else: sockets, the checkpoint database, directories being listed.
const RESERVED: usize = 256;

/// Followed files never get fewer than this, whatever the process may have.
const LEAST: usize = 16;

/// What the operating system grants where it does not tell.
const USUAL_LIMIT: usize = 1024;

/// The descriptors of all flows.
#[derive(Debug)]
pub struct Descriptors {
    limit: usize,
    flows: usize,
    held: AtomicUsize,
    /// Files that are followed, with a descriptor or without.
    files: AtomicUsize,
}

/// A descriptor that is counted.
#[derive(Debug)]
pub struct Held(Arc<Descriptors>);

impl Descriptors {
    /// At most `wanted`, or as many as the process may have without those it needs for something else.
    #[must_use]
    pub fn new(wanted: usize, flows: usize) -> Self {
        let limits = fs::read_text(Path::new("/proc/self/limits")).unwrap_or_default();
        let granted = granted(&limits).unwrap_or(USUAL_LIMIT);
        let limit = wanted.min(granted.saturating_sub(RESERVED).max(LEAST));
        if limit < wanted {
            tracing::debug!(granted, "{limit} files are held open at most, not {wanted}");
        }
        Self { limit, flows, held: AtomicUsize::new(0), files: AtomicUsize::new(0) }
    }

    /// Counts one that was opened.
    #[must_use]
    pub fn hold(self: &Arc<Self>) -> Held {
        self.held.fetch_add(1, Relaxed);
        Held(Arc::clone(self))
    }

    /// How many a flow that holds `own` is to give back.
    #[must_use]
    pub fn surplus(&self, own: usize) -> usize {
        surplus(own, self.held.load(Relaxed), self.limit, self.flows)
    }

    /// Notes that a flow follows `after` files, and not `before` any more. Answers how much there is to look at.
    pub fn follow(&self, before: usize, after: usize) -> Crowd {
        self.files.fetch_add(after, Relaxed);
        let files = self.files.fetch_sub(before, Relaxed) - before;
        Crowd::of(files, self.flows)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.held.fetch_sub(1, Relaxed);
    }
}

/// The soft limit in the text of `/proc/self/limits`.
fn granted(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(usize::MAX),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_as_the_kernel_prints_them() {
        let text = |value| {
            format!(
                "Limit                     Soft Limit           Hard Limit           Units\n\
                     Max processes             95873                95873                processes\n\
                     Max open files            {value}                1048576              files\n"
            )
        };
        for (value, limit) in [("1024", Some(1024)), ("unlimited", Some(usize::MAX)), ("?", None)] {
            assert_eq!(granted(&text(value)), limit, "{value}");
        }
        assert_eq!(granted(""), None);
    }

    #[test]
    fn what_is_held_is_counted() {
        let descriptors = Arc::new(Descriptors::new(1, 1));
        let first = descriptors.hold();
        assert_eq!(descriptors.surplus(1), 0);
        let second = descriptors.hold();
        assert_eq!(descriptors.surplus(2), 1);
        drop((first, second));
        assert_eq!(descriptors.surplus(0), 0);
        assert_eq!(descriptors.follow(0, 3), Crowd::of(3, 1));
        assert_eq!(descriptors.follow(3, 2), Crowd::of(2, 1));
    }
}
