//! The words of the agent: which file, which record, which moment.
//!
//! Invariant: a value of these types means one thing only; in particular a [`FileId`] names one *generation* of a file:
//! after a truncation the same inode gets another one.

use std::fmt;

pub use kpl::Moment;

/// One generation of a file, as its flow numbers them. Never given twice within a flow's checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// The name of one generation of a file among those of all agents that write into a stream: the beginning of its
/// records' ids. It stays the same wherever the bytes are read: under another name, in a copy, in a gzip file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin(pub u64);

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

impl Origin {
    /// Reads what [`Display`](fmt::Display) writes; `None` for every other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let origin = Self(u64::from_str_radix(text, 16).ok()?);
        (origin.to_string() == text).then_some(origin)
    }
}

/// Where the file system keeps a file: device and inode, which are used again after the file is deleted, and its birth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    /// The device's number.
    pub device: u64,
    /// The inode's number.
    pub inode: u64,
    /// When the file was made, in nanoseconds since 1970; 0 where the file system does not tell.
    pub birth: u64,
}

impl Node {
    /// Of a file that is nowhere any more. No file system has an inode 0.
    pub const GONE: Self = Self { device: 0, inode: 0, birth: 0 };

    /// Whether this is the other one, as far as both are known. A node from a place that does not keep births is the
    /// same when device and inode are.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let of_one_birth = self.birth == other.birth || self.birth == 0 || other.birth == 0;
        self.device == other.device && self.inode == other.inode && of_one_birth
    }
}

/// The tag under which a record is published: whose it is, and which of that file's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordTag {
    /// The file.
    pub file: FileId,
    /// Counts the file's records, and starts again after 2^32 of them.
    pub sequence: u32,
}

impl RecordTag {
    /// The tag as one number.
    #[must_use]
    pub fn to_number(self) -> u64 {
        (u64::from(self.file.0) << 32) | u64::from(self.sequence)
    }

    /// The tag that [`RecordTag::to_number`] made.
    #[must_use]
    pub fn from_number(number: u64) -> Self {
        // The halves of a u64 are u32s.
        Self { file: FileId((number >> 32) as u32), sequence: number as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_birth_that_is_not_known_proves_nothing() {
        let node = |inode, birth| Node { device: 1, inode, birth };
        for (left, right, same) in [
            (node(1, 5), node(1, 5), true),
            (node(1, 5), node(1, 6), false),
            (node(1, 0), node(1, 6), true),
            (node(1, 5), node(1, 0), true),
            (node(1, 5), node(2, 5), false),
        ] {
            assert_eq!(left.is_same(&right), same, "{left:?} {right:?}");
        }
    }

    #[test]
    fn an_origin_has_one_text() {
        for number in [0, 7, u64::MAX] {
            assert_eq!(Origin::parse(&Origin(number).to_string()), Some(Origin(number)));
        }
        for text in ["", "7", "00000000000000AB", "0000000000000000a", "+00000000000000a", "000000000000000g"]
        {
            assert_eq!(Origin::parse(text), None, "{text}");
        }
    }

    #[test]
    fn tags_survive_the_journey() {
        for (file, sequence) in [(0, 0), (1, u32::MAX), (u32::MAX, 7)] {
            let tag = RecordTag { file: FileId(file), sequence };
            assert_eq!(RecordTag::from_number(tag.to_number()), tag);
        }
    }
}
