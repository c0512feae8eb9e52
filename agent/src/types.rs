//! The words of the agent: which file, which record, which moment.
//!
//! Invariant: a value of these types means one thing only; in particular a [`FileId`] names one *generation* of a file:
//! after a truncation the same inode gets another one.

pub use kpl::Moment;

/// One generation of a file, as its flow numbers them. Never given twice within a flow's checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// Where the file system keeps a file: device and inode. Reused after the file is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    /// The device's number.
    pub device: u64,
    /// The inode's number.
    pub inode: u64,
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
    fn tags_survive_the_journey() {
        for (file, sequence) in [(0, 0), (1, u32::MAX), (u32::MAX, 7)] {
            let tag = RecordTag { file: FileId(file), sequence };
            assert_eq!(RecordTag::from_number(tag.to_number()), tag);
        }
    }
}
