//! The hash key of the partition key that came last: programs often send several records under one key, and its MD5 is
//! the dearest step of accepting a short record.
//!
//! Invariant: an answer is the MD5 of the key that was asked for.

use crate::types::HashKey;

/// One partition key and its hash key. (A table of many keys was tried: with thousands of them its cache misses cost as
/// much as the MD5.)
#[derive(Debug, Default)]
pub(crate) struct LastKey {
    partition_key: String,
    hash_key: HashKey,
}

impl LastKey {
    /// The hash key of a partition key, which has at least one character.
    pub(crate) fn hash_key(&mut self, partition_key: &str) -> HashKey {
        if self.partition_key != partition_key {
            self.hash_key = HashKey::of_partition_key(partition_key);
            self.partition_key.clear();
            self.partition_key.push_str(partition_key);
        }
        self.hash_key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_right_whatever_came_before() {
        let mut last = LastKey::default();
        for key in ["a", "a", "b", "a", "aa", "a", "日本", "日本"] {
            assert_eq!(last.hash_key(key), HashKey::of_partition_key(key), "{key}");
        }
    }
}
