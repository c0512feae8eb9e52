//! Origins: the names of generations of files, from which their records' ids are made.
//!
//! An origin is saved with its file's checkpoint before the first record of the file leaves, and stays the file's wherever
//! it is found again. It is derived and not drawn, so that most files get the same one again after their checkpoints were
//! lost. It is a hash of
//!
//! * the host, so that agents on two hosts may write into one stream,
//! * the flow's id,
//! * device, inode and birth of the file in which the generation was first seen,
//! * its first line, or its first 1,024 bytes if that is longer: another generation in the same inode begins otherwise,
//! * and, only if the flow knows another generation with all that in common, the generation's number.
//!
//! Invariant: two generations that a flow remembers have different origins.

use std::collections::HashSet;

use md5::{Digest as _, Md5};

use crate::checkpoint::HEAD_BYTES;
use crate::types::{FileId, Node, Origin};

/// What an origin is made of.
#[derive(Debug, Clone, Copy)]
pub struct Generation<'a> {
    /// Its number in the flow.
    pub file: FileId,
    /// Where the file system keeps it.
    pub node: Node,
    /// Its first line, as [`first_line`] gives it.
    pub first_line: &'a [u8],
}

/// The origins of one flow's files.
#[derive(Debug)]
pub struct Origins {
    /// Host and flow were put in.
    hash: Md5,
    known: HashSet<Origin>,
}

impl Origins {
    /// Of a flow on a host, with the origins that were given before.
    #[must_use]
    pub fn new(host: &str, flow: &str, known: impl IntoIterator<Item = Origin>) -> Self {
        let mut hash = Md5::new();
        put(&mut hash, host.as_bytes());
        put(&mut hash, flow.as_bytes());
        Self { hash, known: known.into_iter().collect() }
    }

    /// A new origin.
    pub fn make(&mut self, generation: Generation<'_>) -> Origin {
        let Generation { file, node, first_line } = generation;
        let mut hash = self.hash.clone();
        for number in [node.device, node.inode, node.birth] {
            hash.update(number.to_be_bytes());
        }
        put(&mut hash, first_line);
        let mut origin = finish(&hash);
        while !self.known.insert(origin) {
            hash.update(file.0.to_be_bytes());
            origin = finish(&hash);
        }
        origin
    }

    /// The flow does not remember this generation any more.
    pub fn forget(&mut self, origin: Origin) {
        self.known.remove(&origin);
    }
}

/// What an origin takes of a file's beginning; `None` if that has still to be read. `is_over`: there is no more of it.
#[must_use]
pub fn first_line(head: &[u8], is_over: bool) -> Option<&[u8]> {
    match memchr::memchr(b'\n', head) {
        Some(newline) => Some(&head[..=newline]),
        None => (is_over || head.len() >= HEAD_BYTES).then_some(head),
    }
}

/// With its length, so that nothing runs into what follows.
fn put(hash: &mut Md5, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

fn finish(hash: &Md5) -> Origin {
    let digest: [u8; 16] = hash.clone().finalize().into();
    let [first, ..] = digest.as_chunks::<8>().0 else { return Origin(0) };
    Origin(u64::from_be_bytes(*first))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: Node = Node { device: 1, inode: 2, birth: 3 };

    fn origins(host: &str, flow: &str) -> Origins {
        Origins::new(host, flow, [])
    }

    fn generation(file: u32, node: Node, first_line: &[u8]) -> Generation<'_> {
        Generation { file: FileId(file), node, first_line }
    }

    #[test]
    fn everything_that_tells_files_apart_makes_another_origin() {
        let line = &b"one\n"[..];
        let all = [
            origins("host", "flow").make(generation(1, NODE, line)),
            origins("other", "flow").make(generation(1, NODE, line)),
            origins("host", "other").make(generation(1, NODE, line)),
            origins("hostf", "low").make(generation(1, NODE, line)),
            origins("host", "flow").make(generation(1, Node { device: 2, ..NODE }, line)),
            origins("host", "flow").make(generation(1, Node { inode: 3, ..NODE }, line)),
            origins("host", "flow").make(generation(1, Node { birth: 4, ..NODE }, line)),
            origins("host", "flow").make(generation(1, NODE, b"two\n")),
            origins("host", "flow").make(generation(1, NODE, b"one")),
        ];
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        assert_eq!(origins("host", "flow").make(generation(9, NODE, line)), all[0], "without its checkpoint");
    }

    #[test]
    fn generations_that_have_all_in_common_are_told_apart_by_their_numbers() {
        let mut flow = origins("host", "flow");
        let made: Vec<_> = (1..=50).map(|file| flow.make(generation(file, NODE, b"header\n"))).collect();
        assert_eq!(made.iter().collect::<HashSet<_>>().len(), made.len());
        let mut restarted = Origins::new("host", "flow", made[..2].iter().copied());
        assert_eq!(restarted.make(generation(3, NODE, b"header\n")), made[2], "and by nothing else");
        restarted.forget(made[0]);
        assert_eq!(restarted.make(generation(4, NODE, b"header\n")), made[0]);
    }

    #[test]
    fn the_first_line_is_waited_for() {
        let long = [b'x'; HEAD_BYTES];
        for (head, is_over, expected) in [
            (&b""[..], false, None),
            (b"one", false, None),
            (b"one", true, Some(&b"one"[..])),
            (b"one\ntwo\n", false, Some(b"one\n")),
            (&long[..HEAD_BYTES - 1], false, None),
            (&long, false, Some(&long)),
        ] {
            assert_eq!(first_line(head, is_over), expected);
        }
    }
}
