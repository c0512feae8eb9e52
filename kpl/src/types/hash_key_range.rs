//! The hash keys that one shard holds.
//!
//! Invariant: the first hash key is not behind the last one, so a range is never empty.

use super::{HashKey, InvalidHashKey};

/// The hash keys of a shard, both ends included.
///
/// Build it from a shard as ListShards or DescribeStream describes it. A shard keeps its range for life: a closed shard
/// is read with the range that it is listed with, not with the ranges of its children.
///
/// ```
/// use kpl::{HashKey, HashKeyRange};
///
/// // From the AWS SDK: shard.hash_key_range() has starting_hash_key() and ending_hash_key().
/// let range = HashKeyRange::parse("0", "170141183460469231731687303715884105727")?;
/// assert!(range.contains(HashKey::of_partition_key("pk")));
/// assert!(!range.contains(HashKey::of_partition_key("abcd")));
/// # Ok::<(), kpl::InvalidHashKeyRange>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HashKeyRange {
    starting: HashKey,
    ending: HashKey,
}

/// Why two ends are no range of hash keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidHashKeyRange {
    /// An end is not a number.
    #[error("the hash key range of a shard has an end that is no hash key: {0}")]
    HashKey(#[from] InvalidHashKey),
    /// The ends are in the wrong order.
    #[error("the hash key range of a shard starts at {starting}, after its end {ending}: swap the two")]
    Reversed {
        /// The first hash key as it was given.
        starting: HashKey,
        /// The last hash key as it was given.
        ending: HashKey,
    },
}

impl HashKeyRange {
    /// All hash keys: the range of the only shard of a stream.
    pub const ALL: Self = Self { starting: HashKey(0), ending: HashKey::MAX };

    /// The range from `starting` to `ending`, both included.
    ///
    /// # Errors
    ///
    /// `starting` is greater than `ending`.
    pub fn new(starting: HashKey, ending: HashKey) -> Result<Self, InvalidHashKeyRange> {
        match starting <= ending {
            true => Ok(Self { starting, ending }),
            false => Err(InvalidHashKeyRange::Reversed { starting, ending }),
        }
    }

    /// The range between two decimal numbers, as `HashKeyRange` of the Kinesis API writes them.
    ///
    /// # Errors
    ///
    /// A text is not a decimal number from 0 to 2^128-1, or `starting` is greater than `ending`.
    pub fn parse(starting: &str, ending: &str) -> Result<Self, InvalidHashKeyRange> {
        Self::new(starting.parse()?, ending.parse()?)
    }

    /// The first hash key of the range.
    #[must_use]
    pub fn starting(&self) -> HashKey {
        self.starting
    }

    /// The last hash key of the range.
    #[must_use]
    pub fn ending(&self) -> HashKey {
        self.ending
    }

    /// Whether the shard holds this hash key.
    #[must_use]
    pub fn contains(&self, hash_key: HashKey) -> bool {
        self.starting <= hash_key && hash_key <= self.ending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_belong_to_the_range() {
        let range = HashKeyRange::parse("7", "9").expect("in order");
        let held: Vec<_> = (5..12).filter(|key| range.contains(HashKey(*key))).collect();
        assert_eq!(held, [7, 8, 9]);
        assert_eq!((range.starting(), range.ending()), (HashKey(7), HashKey(9)));
        assert!(HashKeyRange::ALL.contains(HashKey(0)) && HashKeyRange::ALL.contains(HashKey::MAX));
    }

    #[test]
    fn a_range_of_one_key_is_a_range_and_a_reversed_one_is_not() {
        assert!(HashKeyRange::parse("7", "7").is_ok_and(|range| range.contains(HashKey(7))));
        let reversed = HashKeyRange::parse("8", "7").expect_err("reversed");
        assert!(reversed.to_string().contains("starts at 8, after its end 7"), "{reversed}");
        for (starting, ending) in [("", "1"), ("0", "-1"), ("0", "340282366920938463463374607431768211456")] {
            assert!(HashKeyRange::parse(starting, ending).is_err(), "{starting} to {ending}");
        }
    }
}
