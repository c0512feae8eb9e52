//! The first bytes of a file, by which its copies are recognised.

use crate::checkpoint::{HEAD_BYTES, Print};

/// At most [`HEAD_BYTES`] bytes.
#[derive(Debug)]
pub struct FileHead {
    bytes: Box<[u8]>,
    print: Print,
}

impl FileHead {
    /// The head of a file that begins with these bytes.
    #[must_use]
    pub fn new(mut bytes: Vec<u8>) -> Self {
        bytes.truncate(HEAD_BYTES);
        Self { print: Print::of(&bytes), bytes: bytes.into() }
    }

    /// How many bytes are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether there is nothing but NULs.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.bytes.iter().all(|byte| *byte == 0)
    }

    /// The print of what is known.
    #[must_use]
    pub fn print(&self) -> Print {
        self.print
    }

    /// What is known.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether the file's bytes from `offset` on, which is not beyond the head, can be these.
    #[must_use]
    pub fn agrees(&self, offset: usize, fresh: &[u8]) -> bool {
        let known = &self.bytes[offset..];
        let common = known.len().min(fresh.len());
        known[..common] == fresh[..common]
    }

    /// Learns from the file's bytes from `offset` on, which [agree](FileHead::agrees).
    pub fn learn(&mut self, offset: usize, fresh: &[u8]) {
        let known = self.len();
        if known < HEAD_BYTES && offset + fresh.len() > known {
            let mut bytes = std::mem::take(&mut self.bytes).into_vec();
            let missing = &fresh[known - offset..];
            bytes.extend_from_slice(&missing[..missing.len().min(HEAD_BYTES - known)]);
            *self = Self::new(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_the_beginning_of_what_was_learned(
            reads in proptest::collection::vec(1..700usize, 1..6), changed in 0..3000usize,
        ) {
            let content: Vec<u8> = (0..5000u32).map(|place| (place / 3 % 253) as u8).collect();
            let (mut head, mut fetched) = (FileHead::new(content[..reads[0] / 2].to_vec()), 0);
            for more in reads {
                let offset = fetched.min(head.len());
                let fresh = &content[fetched..fetched + more];
                prop_assert!(head.agrees(offset, fresh));
                head.learn(offset, fresh);
                fetched += more;
                let known = head.len();
                prop_assert!(known >= fetched.min(HEAD_BYTES) && head.bytes()[..] == content[..known]);
                prop_assert_eq!((head.print(), head.is_blank()), (Print::of(&content[..known]), known <= 3));
            }
            let mut other = content.clone();
            other[changed] ^= 1;
            prop_assert_eq!(head.agrees(0, &other), changed >= head.len());
        }
    }
}
