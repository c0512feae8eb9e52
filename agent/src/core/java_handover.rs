//! Where each file of a flow goes on that the Java agent has followed so far.
//!
//! The Java agent reads one file of a flow at a time, the newest; the row that it wrote last is of that one. Of the files
//! beside it those that are newer would have come next, and those that are older are done, or were never its business:
//!
//! | the file | is read |
//! |---|---|
//! | has a row with its inode, is long enough, and a line ends at the row's offset | from there |
//! | has such a row, but is shorter or does not end a line there (truncated, or the inode reused) | from its beginning |
//! | is the copy of the truncated file of the last row, by name, time, size and that line's end | from the row's offset |
//! | has no row and is newer than the last row's file | from its beginning |
//! | has no row and is older | from its end; not at all if only rotation made its name of one that the pattern matches |
//!
//! Newer means, as there: changed later, or at the same time and smaller. If the last row's file is not found, or was
//! truncated, the time of change in its row counts.
//!
//! Invariant: in doubt whether the Java agent has sent a line, it is sent.

use std::collections::HashMap;

use crate::core::identity::is_rotated_name;
use crate::java_checkpoint::JavaCheckpoint;
use crate::source_file::{Kind, Listed};
use crate::types::Node;

/// A file that may be concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The file.
    pub file: Listed,
    /// When it was last changed, in milliseconds since 1970.
    pub modified_ms: i64,
    /// The flow's listing shows it: its pattern matches the name, or one that the file had before it was rotated.
    pub is_listed: bool,
}

/// Where a file goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoOn {
    /// Behind this byte.
    At(u64),
    /// Behind its last complete line.
    AtEnd,
    /// At its beginning, as any new file.
    AtBeginning,
    /// Nowhere: it was rotated before, and is remembered as finished.
    Finished,
}

/// Says for each candidate where it goes on; `None`: it is none of the flow's business. `rows` are the flow's.
/// `ends_line` tells whether a line of the candidate ends before this offset.
#[must_use]
pub fn hand_over(
    rows: &[JavaCheckpoint],
    candidates: &[Candidate],
    ends_line: impl Fn(&Candidate, u64) -> bool,
) -> Vec<Option<GoOn>> {
    let Some(last) = rows.iter().max_by(|left, right| left.updated.cmp(&right.updated)) else {
        return vec![None; candidates.len()];
    };
    let fits = |candidate: &Candidate, row: &JavaCheckpoint| {
        candidate.file.size >= row.offset && ends_line(candidate, row.offset)
    };
    let found = rows_of(rows, candidates);
    let of_last = found.iter().position(|row| row.is_some_and(|row| std::ptr::eq(row, last)));
    let intact = of_last.map(|place| &candidates[place]).filter(|there| fits(there, last));
    let is_truncated = of_last.is_some() && intact.is_none();
    let copy = if is_truncated { copy_of(last, candidates, &found, &fits) } else { None };
    let reference =
        intact.map_or((last.modified_ms, last.size), |there| (there.modified_ms, there.file.size));
    let go_on = |(place, candidate): (usize, &Candidate)| match found[place] {
        Some(row) if fits(candidate, row) => Some(GoOn::At(row.offset)),
        Some(_) => candidate.is_listed.then_some(GoOn::AtBeginning),
        None if copy == Some(place) => Some(GoOn::At(last.offset)),
        None if !candidate.is_listed => None,
        None if is_newer(candidate, reference) => Some(GoOn::AtBeginning),
        None if candidate.file.kind == Kind::Followed => Some(GoOn::AtEnd),
        None => Some(GoOn::Finished),
    };
    candidates.iter().enumerate().map(go_on).collect()
}

/// The row of each candidate.
fn rows_of<'a>(rows: &'a [JavaCheckpoint], candidates: &[Candidate]) -> Vec<Option<&'a JavaCheckpoint>> {
    let by_node = newest_by_node(rows);
    let row_of = |candidate: &Candidate| {
        // Of compressed bytes an offset says nothing.
        if candidate.file.kind == Kind::Compressed {
            return None;
        }
        let same_node = by_node.get(&place(candidate.file.node)).copied();
        same_node.or_else(|| rows.iter().find(|row| is_renumbered(row, candidate)))
    };
    candidates.iter().map(row_of).collect()
}

/// The first copy that was made of a truncated file since its row was written.
fn copy_of(
    truncated: &JavaCheckpoint,
    candidates: &[Candidate],
    found: &[Option<&JavaCheckpoint>],
    fits: &impl Fn(&Candidate, &JavaCheckpoint) -> bool,
) -> Option<usize> {
    let is_copy = |(place, candidate): &(usize, &Candidate)| {
        found[*place].is_none()
            && candidate.file.kind != Kind::Compressed
            && is_rotated_name(&truncated.path, &candidate.file.path)
            && candidate.modified_ms >= truncated.modified_ms
            && candidate.file.size >= truncated.size
            && fits(candidate, truncated)
    };
    let copies = candidates.iter().enumerate().filter(is_copy);
    copies.min_by_key(|(_, candidate)| candidate.modified_ms).map(|(place, _)| place)
}

/// An inode is reused, and the rows of files that are gone stay: the row that was written last tells of the file.
fn newest_by_node(rows: &[JavaCheckpoint]) -> HashMap<(u64, u64), &JavaCheckpoint> {
    let mut by_node: HashMap<(u64, u64), &JavaCheckpoint> = HashMap::new();
    for row in rows {
        let Some(node) = row.node else { continue };
        let known = by_node.entry(place(node)).or_insert(row);
        if known.updated < row.updated {
            *known = row;
        }
    }
    by_node
}

/// The Java agent knows no births.
fn place(node: Node) -> (u64, u64) {
    (node.device, node.inode)
}

/// Devices may get other numbers when the machine starts; a file that kept inode and path is still itself.
fn is_renumbered(row: &JavaCheckpoint, candidate: &Candidate) -> bool {
    row.path == candidate.file.path && row.node.is_some_and(|node| node.inode == candidate.file.node.inode)
}

fn is_newer(candidate: &Candidate, (modified_ms, size): (i64, u64)) -> bool {
    candidate.modified_ms > modified_ms
        || (candidate.modified_ms == modified_ms && candidate.file.size < size)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::FilePattern;
    use crate::core::rotated_name::kind;

    fn row(path: &str, inode: u64, offset: u64, updated: u32) -> JavaCheckpoint {
        JavaCheckpoint {
            flow: "flow".into(),
            path: path.into(),
            node: Some(Node { device: 1, inode, birth: 0 }),
            modified_ms: 1000,
            size: 500,
            offset,
            updated: format!("2026-11-21 10:00:{updated:02}.000"),
        }
    }

    fn file(path: &str, inode: u64, size: u64, modified_ms: i64) -> Candidate {
        let pattern = FilePattern::parse("/app.log*").expect("a lawful pattern");
        let kind = kind(&pattern, Path::new(path));
        let file = Listed {
            path: path.into(),
            node: Node { device: 1, inode, birth: 5 },
            size,
            stored_size: size,
            modified: 0,
            kind: kind.unwrap_or(Kind::Rotated),
        };
        Candidate { file, modified_ms, is_listed: kind.is_some() }
    }

    /// Lines of ten bytes.
    fn decide(rows: &[JavaCheckpoint], files: &[Candidate]) -> Vec<Option<GoOn>> {
        hand_over(rows, files, |_, offset| offset % 10 == 0)
    }

    #[test]
    fn every_file_goes_on_where_the_java_agent_was() {
        use GoOn::{At, AtBeginning, AtEnd, Finished};
        for (name, rows, files) in [
            (
                "half shipped",
                vec![row("/app.log", 7, 300, 1)],
                vec![(file("/app.log", 7, 500, 1000), Some(At(300)))],
            ),
            (
                "rotated meanwhile",
                vec![row("/app.log", 7, 300, 1)],
                vec![
                    (file("/app.log", 8, 90, 2000), Some(AtBeginning)),
                    (file("/app.log.1", 7, 500, 1000), Some(At(300))),
                    (file("/app.log.2", 6, 500, 900), Some(AtEnd)),
                ],
            ),
            (
                "rotated out of the pattern",
                vec![row("/app.log", 7, 300, 1)],
                vec![(file("/old/a.1", 7, 500, 1000), Some(At(300))), (file("/old/b.1", 6, 500, 2000), None)],
            ),
            (
                "copied and truncated meanwhile",
                vec![row("/app.log", 7, 300, 1)],
                vec![
                    (file("/app.log", 7, 20, 3000), Some(AtBeginning)),
                    (file("/app.log.1", 9, 600, 2500), Some(AtBeginning)),
                    (file("/app.log.2", 8, 500, 2000), Some(At(300))),
                    (file("/app.log.3", 6, 500, 900), Some(AtEnd)),
                ],
            ),
            (
                "an older row of a reused inode",
                vec![row("/app.log.1", 7, 450, 1), row("/app.log", 7, 300, 2)],
                vec![(file("/app.log", 7, 500, 1000), Some(At(300)))],
            ),
            (
                "several files with rows",
                vec![row("/app.log.a", 7, 300, 1), row("/app.log.b", 8, 400, 2)],
                vec![
                    (file("/app.log.a", 7, 500, 3000), Some(At(300))),
                    (file("/app.log.b", 8, 500, 1000), Some(At(400))),
                ],
            ),
            (
                "the offset is within a line",
                vec![row("/app.log", 7, 301, 1)],
                vec![(file("/app.log", 7, 500, 1000), Some(AtBeginning))],
            ),
            (
                "gone",
                vec![row("/app.log", 7, 300, 1)],
                vec![
                    (file("/app.log", 8, 500, 1001), Some(AtBeginning)),
                    (file("/app.log.1", 9, 600, 999), Some(AtEnd)),
                    (file("/app.log.2", 10, 400, 1000), Some(AtBeginning)),
                ],
            ),
            (
                "rotated and compressed before, and meanwhile",
                vec![row("/app.log", 7, 300, 1), row("/app.log.2", 3, 90, 0)],
                vec![
                    (file("/app.log", 7, 500, 1000), Some(At(300))),
                    (file("/app.log.2.gz", 3, 100, 900), Some(Finished)),
                    (file("/app.log.1.gz", 4, 100, 1001), Some(AtBeginning)),
                ],
            ),
            ("no rows", vec![], vec![(file("/app.log", 7, 500, 1000), None)]),
        ] {
            let (files, expected): (Vec<_>, Vec<_>) = files.into_iter().unzip();
            assert_eq!(decide(&rows, &files), expected, "{name}");
        }
    }

    #[test]
    fn a_device_with_another_number_is_the_same_device() {
        let mut moved = file("/app.log", 7, 500, 1000);
        moved.file.node.device = 9;
        assert_eq!(decide(&[row("/app.log", 7, 300, 1)], &[moved.clone()]), [Some(GoOn::At(300))]);
        moved.file.path = "/app.log.1".into();
        assert_eq!(decide(&[row("/app.log", 7, 300, 1)], &[moved]), [Some(GoOn::AtEnd)]);
    }
}
