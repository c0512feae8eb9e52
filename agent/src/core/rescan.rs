//! When a rescan may leave the listing of a directory out, because nothing was made, removed or renamed in it.
//!
//! A directory's time of change says so, but not within the moment of the change: a second change within the grain of the
//! file system's clock leaves no trace. So a listing counts only if the time had stood still for longer than any grain
//! before it began.
//!
//! Invariant: what was listed is left out only while every directory is the one that was listed, with the same time of
//! change; and listed again after a minute all the same, for file systems that keep no such times.

use std::time::Duration;

use crate::source_file::DirectoryMark;
use crate::types::Moment;

/// Longer than the grain of any file system's clock; FAT counts in two seconds.
const GRAIN: Duration = Duration::from_secs(3);

/// Between two listings at most.
const LONGEST: Duration = Duration::from_secs(60);

/// The marks of a flow's directories; `None`: it is not there.
pub type Marks = Vec<Option<DirectoryMark>>;

/// What the last listing says about the next one.
#[derive(Debug, Default)]
pub struct Rescan {
    last: Option<Listing>,
}

#[derive(Debug)]
struct Listing {
    marks: Marks,
    /// Since when the marks are these.
    since: Moment,
    began: Moment,
    counts: bool,
}

impl Rescan {
    /// Notes a listing and the marks from before it began. `is_complete`: every file that it showed is known, so that
    /// nothing has to be asked again.
    pub fn listed(&mut self, marks: Marks, began: Moment, is_complete: bool) {
        let since = match &self.last {
            Some(last) if last.marks == marks => last.since,
            _ => began,
        };
        let counts = is_complete && began.since(since) >= GRAIN;
        self.last = Some(Listing { marks, since, began, counts });
    }

    /// Whether a listing would show what the last one did.
    #[must_use]
    pub fn may_be_left_out(&self, marks: &Marks, now: Moment) -> bool {
        self.last
            .as_ref()
            .is_some_and(|last| last.counts && last.marks == *marks && now.since(last.began) < LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Node;

    fn at(seconds: u64) -> Moment {
        Moment::ORIGIN.plus(Duration::from_secs(seconds))
    }

    fn mark(inode: u64, modified: u64) -> Option<DirectoryMark> {
        Some(DirectoryMark { node: Node { device: 1, inode, birth: 1 }, modified })
    }

    #[test]
    fn a_listing_counts_when_the_marks_had_stood_still() {
        for (first, second, is_complete, now, left_out) in [
            ((0, 5), (10, 5), true, (20, 5), true),
            ((0, 5), (3, 5), true, (20, 5), true),
            ((0, 5), (2, 5), true, (20, 5), false),
            ((0, 5), (10, 6), true, (20, 6), false),
            ((0, 5), (10, 5), true, (20, 6), false),
            ((0, 5), (10, 5), false, (20, 5), false),
            ((0, 5), (10, 5), true, (69, 5), true),
            ((0, 5), (10, 5), true, (70, 5), false),
        ] {
            let mut rescan = Rescan::default();
            assert!(!rescan.may_be_left_out(&vec![mark(1, first.1)], at(first.0)));
            rescan.listed(vec![mark(1, first.1)], at(first.0), true);
            assert!(!rescan.may_be_left_out(&vec![mark(1, second.1)], at(second.0)));
            rescan.listed(vec![mark(1, second.1)], at(second.0), is_complete);
            let row = (first, second, is_complete, now);
            assert_eq!(rescan.may_be_left_out(&vec![mark(1, now.1)], at(now.0)), left_out, "{row:?}");
        }
    }

    #[test]
    fn another_directory_is_listed() {
        let mut rescan = Rescan::default();
        let marks = vec![mark(1, 5), None];
        rescan.listed(marks.clone(), at(0), true);
        rescan.listed(marks.clone(), at(10), true);
        assert!(rescan.may_be_left_out(&marks, at(11)));
        for other in [vec![mark(2, 5), None], vec![mark(1, 5), mark(2, 5)], vec![mark(1, 5)], vec![]] {
            assert!(!rescan.may_be_left_out(&other, at(11)), "{other:?}");
        }
    }
}
