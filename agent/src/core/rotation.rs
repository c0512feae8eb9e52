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
//! A file that the directory shows, against a file that is remembered (open, or from the checkpoints). *The same* node
//! is device, inode and birth, as far as they are known; content *holds* when the head, and the bytes before the offset,
//! are the remembered ones; *long* is at least the 1,024 bytes of a head, so that no header line is taken for a whole. What
//! is *known* of a remembered file reaches to its offset, or to the end of its head if that is farther.
//! A name is *rotated* when it begins with the remembered one and is longer, *akin* when both come from one name by
//! what rotation adds (`app.log.1` and `app.log-20261121`; see [`rotated_name`](crate::core::rotated_name)). A gzip file
//! is judged by what is in it, like any other.
//!
//! | node | content of the candidate | name | remembered file | decision |
//! |---|---|---|---|---|
//! | the same | holds at the offset | | | the same file, maybe renamed: continue |
//! | the same | differs | | | truncated, or the inode reused: a stranger |
//! | other | | rotated | alive, has bytes, nothing of it (or a hole) was read | cannot be judged yet: leave it alone, look again |
//! | other | holds at the offset | rotated | truncated, or not found | its copy: continue there |
//! | other | holds at the offset | rotated | alive and at least as long | its copy: leave it alone |
//! | other | holds at the offset | rotated | alive and shorter | a stranger that began alike |
//! | other | holds at a long offset, or not all is read | rotated | the same, but its name is gone | leave it alone until that is given up: it may have been replaced |
//! | other | the same | rotated or akin | alive | a copy: leave it alone |
//! | other | ends before what is known, begins alike, still growing | rotated | alive, under way | a copy, maybe being made: leave it alone |
//! | other | ends before what was read, and holds at a place behind the head that was read | rotated or akin | truncated | a copy of what was read: its end is read, once what was read is acknowledged |
//! | other | holds, and what is known is long | the very name, or akin | truncated, or not found | its copy or replacement: continue there |
//! | other | holds, and what is known is long | the very name | replaced (by an editor), its descriptor still held | leave it alone until that is given up |
//! | other | holds, and ends where what is known does | akin, and not followed by itself | truncated, or not found | it, compressed or copied: continue there |
//! | other | as for rotated names | akin | under way, and truncated just now | as for rotated names |
//! | other | as for rotated names | akin, and not followed by itself | alive | as for rotated names |
//! | other | holds, and what is known is long | akin | alive and at least as long | its copy: leave it alone |
//! | other | anything else | | | a stranger |
//!
//! What becomes of a stranger, by its name:
//!
//! | name | flow's first listing | later |
//! |---|---|---|
//! | matches the pattern | read from `initialPosition` | read from its beginning |
//! | rotated, of a log that is followed | finished before the flow began: never read | a generation that nobody saw: read from its beginning |
//! | rotated, empty | left alone | left alone |
//!
//! Sizes are those of the text: NULs at the end of a file are room that a program has made (see
//! [`room`](crate::core::room)), and in none of the comparisons. After a truncation the file of a writer without `O_APPEND`
//! begins with a hole, and so do its copies: those NULs are passed over and counted, because no line is in them.
//!
//! Invariant: in doubt a file is a stranger and is read from its beginning: sent twice rather than not at all.

use crate::checkpoint::HEAD_BYTES;

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
    /// Not to be known before more of the remembered file is read.
    Undecided,
    /// Nothing to do with it.
    Stranger,
}

/// What a candidate's name has to do with the remembered one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// It is that name.
    Same,
    /// Rotation makes it of that name.
    Rotated,
    /// Rotation makes both of one name.
    Akin,
    /// Nothing.
    Other,
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
    /// Nothing of the remembered file was read, or a hole only: there is no content to compare.
    pub nothing_read: bool,
    /// Up to where its content is known: at least the offset, and farther if only its head was read.
    pub known_size: u64,
    /// What the candidate's name has to do with the remembered file's.
    pub name: Name,
    /// The size of the remembered file if it is open and not truncated.
    pub alive_size: Option<u64>,
    /// The size of the candidate.
    pub candidate_size: u64,
    /// The remembered file is open and its name is gone.
    pub is_away: bool,
    /// The candidate would be followed without the remembered file, too.
    pub is_followed: bool,
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

/// Judges a candidate that is shorter than what was read of a remembered file: `holds` says whether its content is the
/// remembered one at a place behind the head.
#[must_use]
pub fn relate_part(name: Name, is_alive: bool, holds: bool) -> Relation {
    match (name, holds, is_alive) {
        (Name::Rotated | Name::Akin, true, false) => Relation::PartOf,
        (Name::Rotated | Name::Akin, true, true) => Relation::CopyOf,
        _ => Relation::Stranger,
    }
}

/// Judges a candidate against a remembered file, by the table above.
#[must_use]
pub fn relate(evidence: Evidence) -> Relation {
    match (evidence.same_node, evidence.content_holds, evidence.name) {
        (true, true, _) => Relation::Same,
        (true, false, _) | (_, _, Name::Other) => Relation::Stranger,
        (false, _, Name::Rotated) => relate_rotated(evidence),
        (false, _, Name::Akin) if evidence.alive_size.is_some() && !evidence.is_followed => {
            relate_rotated(evidence)
        }
        (false, _, Name::Same | Name::Akin) => relate_akin(evidence),
    }
}

fn relate_rotated(evidence: Evidence) -> Relation {
    let Evidence { content_holds, begins_alike, offset, nothing_read, alive_size, candidate_size, .. } =
        evidence;
    let is_long = offset >= HEAD_BYTES as u64;
    if nothing_read {
        let has_bytes = alive_size.is_some_and(|size| size > 0);
        return if has_bytes { Relation::Undecided } else { Relation::Stranger };
    }
    let is_part = candidate_size < evidence.known_size && begins_alike;
    match alive_size {
        None if content_holds => Relation::RestOf,
        Some(size) if content_holds && candidate_size <= size => Relation::CopyOf,
        Some(_) if is_part => Relation::CopyOf,
        Some(size) if content_holds && evidence.is_away && (is_long || offset < size) => Relation::Undecided,
        _ => Relation::Stranger,
    }
}

fn relate_akin(evidence: Evidence) -> Relation {
    let Evidence { content_holds, offset, known_size, name, alive_size, candidate_size, is_followed, .. } =
        evidence;
    let is_all = candidate_size == known_size && !is_followed;
    if content_holds && evidence.is_away && alive_size.is_some_and(|size| offset < size) {
        return Relation::Undecided;
    }
    if !content_holds || (known_size < HEAD_BYTES as u64 && !is_all) || evidence.nothing_read {
        return Relation::Stranger;
    }
    match (alive_size, name) {
        (None, _) => Relation::RestOf,
        (Some(_), Name::Same) => Relation::Undecided,
        (Some(size), _) if candidate_size <= size => Relation::CopyOf,
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
        use Name::{Akin, Other, Rotated, Same};
        // same node, content holds, begins alike, offset, name, alive size, candidate size
        for (row, relation) in [
            ((true, true, true, 5, Other, None, 9), Relation::Same),
            ((true, true, true, 0, Other, None, 9), Relation::Same),
            ((true, false, true, 5, Same, None, 9), Relation::Stranger),
            ((true, false, false, 5, Rotated, Some(5), 9), Relation::Stranger),
            ((false, true, true, 5, Rotated, None, 9), Relation::RestOf),
            ((false, true, true, 5, Rotated, None, 5), Relation::RestOf),
            ((false, true, true, 5, Rotated, Some(9), 9), Relation::CopyOf),
            ((false, true, true, 5, Rotated, Some(8), 9), Relation::Stranger),
            ((false, true, true, 5, Other, None, 9), Relation::Stranger),
            ((false, true, true, 0, Rotated, None, 9), Relation::Stranger),
            ((false, true, true, 0, Rotated, Some(0), 9), Relation::Stranger),
            ((false, true, true, 0, Rotated, Some(1), 9), Relation::Undecided),
            ((false, false, false, 5, Rotated, None, 9), Relation::Stranger),
            ((false, false, true, 5, Rotated, Some(9), 4), Relation::CopyOf),
            ((false, false, true, 5, Rotated, Some(9), 0), Relation::CopyOf),
            ((false, false, true, 2000, Rotated, None, 1024), Relation::Stranger),
            ((false, false, true, 2000, Rotated, None, 1023), Relation::Stranger),
            ((false, false, false, 2000, Rotated, None, 1024), Relation::Stranger),
            ((false, false, true, 5, Rotated, None, 0), Relation::Stranger),
            ((false, false, false, 5, Rotated, None, 4), Relation::Stranger),
            ((false, false, true, 5, Other, None, 4), Relation::Stranger),
            ((false, true, true, 2000, Akin, None, 9999), Relation::RestOf),
            ((false, true, true, 1023, Akin, None, 9999), Relation::Stranger),
            ((false, true, true, 2000, Akin, Some(2500), 2500), Relation::CopyOf),
            ((false, true, true, 2000, Akin, Some(2500), 2501), Relation::Stranger),
            ((false, false, true, 2000, Akin, None, 1000), Relation::Stranger),
            ((false, true, true, 2000, Same, None, 2000), Relation::RestOf),
            ((false, true, true, 2000, Same, Some(2000), 2100), Relation::Undecided),
            ((false, true, true, 2000, Same, Some(2001), 2100), Relation::Undecided),
            ((false, true, true, 8, Same, Some(8), 2100), Relation::Stranger),
            ((false, false, true, 2000, Same, Some(2000), 2100), Relation::Stranger),
        ] {
            let (same_node, content_holds, begins_alike, offset, name, alive_size, candidate_size) = row;
            let evidence = Evidence {
                same_node,
                content_holds,
                begins_alike,
                nothing_read: offset == 0,
                known_size: offset,
                offset,
                name,
                alive_size,
                candidate_size,
                is_away: false,
                is_followed: true,
            };
            assert_eq!(relate(evidence), relation, "{evidence:?}");
        }
    }

    #[test]
    fn a_part_is_known_by_what_follows_the_head() {
        use Name::{Akin, Other, Rotated, Same};
        for (name, is_alive, holds, relation) in [
            (Rotated, false, true, Relation::PartOf),
            (Akin, false, true, Relation::PartOf),
            (Rotated, true, true, Relation::CopyOf),
            (Akin, true, true, Relation::CopyOf),
            (Rotated, false, false, Relation::Stranger),
            (Same, false, true, Relation::Stranger),
            (Other, false, true, Relation::Stranger),
        ] {
            assert_eq!(relate_part(name, is_alive, holds), relation, "{name:?} {is_alive} {holds}");
        }
    }

    #[test]
    fn what_is_known_of_a_file_tells_it_before_it_is_acknowledged() {
        use Name::{Akin, Same};
        for (known_size, name, candidate_size, is_followed, relation) in [
            (1024, Akin, 5000, true, Relation::RestOf),
            (1024, Same, 5000, true, Relation::RestOf),
            (1023, Akin, 5000, true, Relation::Stranger),
            (151, Akin, 151, false, Relation::RestOf),
            (151, Akin, 151, true, Relation::Stranger),
            (151, Akin, 152, false, Relation::Stranger),
        ] {
            let evidence = Evidence {
                same_node: false,
                content_holds: true,
                begins_alike: true,
                nothing_read: false,
                known_size,
                offset: 0,
                name,
                alive_size: None,
                candidate_size,
                is_away: false,
                is_followed,
            };
            assert_eq!(relate(evidence), relation, "{evidence:?}");
        }
    }

    #[test]
    fn a_copy_that_is_not_followed_by_itself_is_left_to_its_living_original() {
        for (content_holds, begins_alike, offset, alive_size, candidate_size, relation) in [
            (true, true, 5, Some(9), 9, Relation::CopyOf),
            (false, true, 5, Some(9), 4, Relation::CopyOf),
            (false, false, 5, Some(9), 4, Relation::Stranger),
            (false, true, 0, Some(9), 4, Relation::Undecided),
            (false, true, 5, None, 4, Relation::Stranger),
            (true, true, 5, None, 9, Relation::Stranger),
            (true, true, 9, None, 9, Relation::RestOf),
            (true, true, 0, None, 0, Relation::Stranger),
        ] {
            let evidence = Evidence {
                same_node: false,
                content_holds,
                begins_alike,
                nothing_read: offset == 0,
                known_size: offset,
                offset,
                name: Name::Akin,
                alive_size,
                candidate_size,
                is_away: false,
                is_followed: false,
            };
            assert_eq!(relate(evidence), relation, "{evidence:?}");
        }
    }
}
