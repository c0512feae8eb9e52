//! A sum over all of a short file, by which it is seen that any byte of it has changed.
//!
//! Invariant: it vouches only for files that were read from their first byte.

/// Files up to this size are compared as a whole: what is written anew again and again, a report or a state, is short.
const MOST: u64 = 64 * 1024;

/// FNV-1a, of 64 bits: nobody gains anything by two files that sum up alike.
const BASIS: u64 = 0xCBF2_9CE4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01B3;

/// The sum of a file's beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentSum {
    length: u64,
    hash: u64,
}

impl Default for ContentSum {
    fn default() -> Self {
        Self { length: 0, hash: BASIS }
    }
}

impl ContentSum {
    /// The sum of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut sum = Self::default();
        sum.add(bytes);
        sum
    }

    /// Adds the bytes that follow; of those beyond 64 KiB only how many they are.
    pub fn add(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        if self.length <= MOST {
            let add = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(PRIME);
            self.hash = bytes.iter().fold(self.hash, add);
        }
    }

    /// Whether it is the sum of a whole file of which so many bytes were read.
    #[must_use]
    pub fn is_of_all(&self, read: u64) -> bool {
        self.length == read && read <= MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_counts() {
        let report = b"the same\n".repeat(300);
        let mut pieces = ContentSum::default();
        report.chunks(7).for_each(|piece| pieces.add(piece));
        assert_eq!(pieces, ContentSum::of(&report));
        assert!(pieces.is_of_all(report.len() as u64) && !pieces.is_of_all(report.len() as u64 + 1));
        for place in [0, 1, 1300, report.len() - 1] {
            let mut other = report.clone();
            other[place] ^= 1;
            assert_ne!(ContentSum::of(&other), pieces, "{place}");
        }
        pieces.add(&[b'x'; MOST as usize]);
        assert!(!pieces.is_of_all(report.len() as u64 + MOST));
    }
}
