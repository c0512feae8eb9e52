//! Whether the NULs with which a file begins are a hole: a program that writes without `O_APPEND` goes on where it was
//! after its log was truncated, and no line is in what it leaves out.
//!
//! | the file | its first NULs |
//! |---|---|
//! | was truncated while it was followed | a hole |
//! | is where another one was that is remembered (truncated while the agent was away) | a hole |
//! | belongs to a log that is known, and these are 1,024 NULs, or as many as a generation of it had bytes | a hole, maybe in a copy |
//! | any other | data, as for the Java agent |

use std::path::PathBuf;

use super::Flow;
use crate::checkpoint::HEAD_BYTES;
use crate::core::tracked_file::Presence;
use crate::types::FileId;

impl Flow {
    /// Whether a file that begins with so many NULs begins with the hole that a truncation leaves.
    pub(super) fn is_hole(&self, id: FileId, nuls: u64) -> bool {
        let Some(file) = self.files.get(id) else { return false };
        let family = self.links.family(&file.path);
        let is_long = |known_size: u64| nuls >= HEAD_BYTES as u64 || (known_size > 0 && known_size <= nuls);
        let remembered = self.memory.iter().filter(|known| known.file != id);
        let mut remembered = remembered.map(|known| {
            let known_size = known.fingerprint.offset.max(u64::from(known.fingerprint.head.length));
            (known.node.is_same(&file.node), known_size, &known.path)
        });
        let others = self.files.values().filter(|other| other.id != id);
        let mut others = others.map(|other| {
            let was_there = other.presence == Presence::Ended && other.node.is_same(&file.node);
            (was_there, other.seen_size.max(other.fetched()), &other.path)
        });
        let is_earlier = |(was_there, known_size, path): (bool, u64, &PathBuf)| {
            was_there || (is_long(known_size) && self.links.family(path) == family)
        };
        remembered.any(is_earlier) || others.any(is_earlier)
    }
}
