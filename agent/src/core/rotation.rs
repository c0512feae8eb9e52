//! What happened to a file between two looks: pure decisions, with their tables.
//!
//! A look at an open file:
//!
//! | size | bytes before the read offset | decision |
//! |---|---|---|
//! | as read | | nothing new |
//! | larger | as remembered | read on |
//! | larger | changed | truncated and grown past the offset: a new generation |
//! | smaller | | truncated: a new generation |
//!
//! A file that the directory shows, against a file that is remembered (open, or from the checkpoints):
//!
//! | device and inode | content of the candidate | name | remembered file | decision |
//! |---|---|---|---|---|
//! | the same | holds at the offset | | | the same file, maybe renamed: continue |
//! | the same | differs | | | truncated or the inode reused: a stranger |
//! | other | holds at the offset | a rotated name of it | truncated, or not found | its copy: continue there |
//! | other | holds at the offset | a rotated name of it | alive and at least as long | its copy: leave it alone |
//! | other | holds at the offset | a rotated name of it | alive and shorter | a stranger that began alike |
//! | other | ends before the offset, begins alike | a rotated name of it | alive | a copy, maybe being made: leave it alone |
//! | other | ends before the offset, begins alike | a rotated name of it | truncated, or not found | a copy of what was read: its end is read |
//! | other | differs, or another name | | | a stranger |
//!
//! Invariant: in doubt a file is a stranger and is read from its beginning: sent twice rather than not at all.

/// What a look at an open file showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// As long as what was read.
    AtEnd,
    /// This many bytes more.
    Grown(u64),
    /// Shorter than what was read.
    Truncated,
}

/// How a file of the directory relates to a remembered one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// The same file.
    Same,
    /// A copy that holds the rest of it.
    RestOf,
    /// A copy of a file that is still there.
    CopyOf,
    /// A copy of a part that was read: only what is added to it is new.
    PartOf,
    /// Nothing to do with it.
    Stranger,
}

/// What is known of the two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// Device and inode are the same.
    pub same_node: bool,
    /// Head and marker of the remembered file stand in the candidate.
    pub content_holds: bool,
    /// The candidate begins as the remembered file does, as far as both are known.
    pub begins_alike: bool,
    /// Up to where the remembered file is done.
    pub offset: u64,
    /// Nothing of the remembered file was read: there is no content to compare.
    pub nothing_read: bool,
    /// The candidate's name is one that rotation gives to the remembered file.
    pub rotated_name: bool,
    /// The size of the remembered file if it is open and not truncated.
    pub alive_size: Option<u64>,
    /// The size of the candidate.
    pub candidate_size: u64,
}

/// Judges a look: `fetched` bytes were read, and the file has `size`.
#[must_use]
pub fn judge_look(fetched: u64, size: u64) -> Look {
    match size.checked_sub(fetched) {
        None => Look::Truncated,
        Some(0) => Look::AtEnd,
        Some(more) => Look::Grown(more),
    }
}

/// Judges a candidate against a remembered file, by the table above.
#[must_use]
pub fn relate(evidence: Evidence) -> Relation {
    let Evidence {
        same_node,
        content_holds,
        begins_alike,
        offset,
        nothing_read,
        rotated_name,
        alive_size,
        candidate_size,
    } = evidence;
    if same_node {
        return if content_holds { Relation::Same } else { Relation::Stranger };
    }
    if nothing_read || !rotated_name {
        return Relation::Stranger;
    }
    let is_part = candidate_size < offset && begins_alike;
    match alive_size {
        None if content_holds => Relation::RestOf,
        None if is_part && candidate_size > 0 => Relation::PartOf,
        Some(size) if content_holds && candidate_size <= size => Relation::CopyOf,
        Some(_) if is_part => Relation::CopyOf,
        _ => Relation::Stranger,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks() {
        for (fetched, size, look) in
            [(10, 10, Look::AtEnd), (10, 15, Look::Grown(5)), (10, 9, Look::Truncated), (0, 0, Look::AtEnd)]
        {
            assert_eq!(judge_look(fetched, size), look, "{fetched} of {size}");
        }
    }

    #[test]
    fn relations() {
        // same node, content holds, begins alike, offset, rotated name, alive size, candidate size
        for (row, relation) in [
            ((true, true, true, 5, false, None, 9), Relation::Same),
            ((true, true, true, 0, false, None, 9), Relation::Same),
            ((true, false, true, 5, false, None, 9), Relation::Stranger),
            ((true, false, false, 5, true, Some(5), 9), Relation::Stranger),
            ((false, true, true, 5, true, None, 9), Relation::RestOf),
            ((false, true, true, 5, true, None, 5), Relation::RestOf),
            ((false, true, true, 5, true, Some(9), 9), Relation::CopyOf),
            ((false, true, true, 5, true, Some(8), 9), Relation::Stranger),
            ((false, true, true, 5, false, None, 9), Relation::Stranger),
            ((false, true, true, 0, true, None, 9), Relation::Stranger),
            ((false, false, false, 5, true, None, 9), Relation::Stranger),
            ((false, false, true, 5, true, Some(9), 4), Relation::CopyOf),
            ((false, false, true, 5, true, Some(9), 0), Relation::CopyOf),
            ((false, false, true, 5, true, None, 4), Relation::PartOf),
            ((false, false, true, 5, true, None, 0), Relation::Stranger),
            ((false, false, false, 5, true, None, 4), Relation::Stranger),
            ((false, false, true, 5, false, None, 4), Relation::Stranger),
        ] {
            let (same_node, content_holds, begins_alike, offset, rotated_name, alive_size, candidate_size) =
                row;
            let evidence = Evidence {
                same_node,
                content_holds,
                begins_alike,
                nothing_read: offset == 0,
                offset,
                rotated_name,
                alive_size,
                candidate_size,
            };
            assert_eq!(relate(evidence), relation, "{evidence:?}");
        }
    }
}
