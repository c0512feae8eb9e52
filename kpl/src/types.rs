//! The words of the crate: names, keys, numbers and moments as the service means them.
//!
//! Invariant: a value of these types is well formed; nothing above needs to check it again.

mod hash_key_range;
mod sequence_text;
mod service_text;
mod stream_name;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sequence_text::SequenceText;
use smol_str::SmolStr;

pub use hash_key_range::{HashKeyRange, InvalidHashKeyRange};
pub use service_text::ServiceText;
pub use stream_name::{InvalidStreamArn, InvalidStreamName, StreamName};

/// The place of a record in a stream's key space: an unsigned 128-bit number.
///
/// The service takes the MD5 of the partition key, read as a big-endian number, unless the record carries an
/// explicit hash key (Kinesis API reference, `PutRecordsRequestEntry`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct HashKey(pub u128);

/// Text that is no explicit hash key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("explicit hash key {text:?} is not a decimal number from 0 to 2^128-1")]
pub struct InvalidHashKey {
    /// The text as it was given.
    pub text: String,
}

/// The id of a shard, such as `shardId-000000000042`. Making and cloning one allocates nothing.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShardId(SmolStr);

/// The sequence number that the service gave to a record. Making and cloning one allocates nothing.
///
/// For a delivery stream it is the record id that Firehose answers with, which is longer: cloning copies a pointer.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SequenceNumber(SequenceText);

/// A moment on the producer's clock: nanoseconds since the clock's origin, which is arbitrary.
///
/// Arithmetic saturates, so a time to live of "for ever" cannot overflow into the past.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Moment(u64);

/// The number of a PutRecords call of one stream's pipeline.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct RequestId(pub(crate) u64);

/// The number of a flush of one stream's pipeline.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct FlushId(pub(crate) u32);

/// A shard as one stream's pipeline numbers it: dense, and never given to another shard.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct ShardIndex(pub(crate) u32);

/// What a record's room counts for: the shard that it is predicted to go to, or having no prediction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Lane(pub(crate) Option<ShardIndex>);

// === impl HashKey ===

impl HashKey {
    /// The largest hash key, 2^128-1: the end of the last shard.
    pub const MAX: Self = Self(u128::MAX);

    /// The hash key that the service computes from a partition key: its MD5, big-endian.
    #[must_use]
    pub fn of_partition_key(partition_key: &str) -> Self {
        Self(u128::from_be_bytes(fast_md5::digest(partition_key.as_bytes())))
    }
}

impl FromStr for HashKey {
    type Err = InvalidHashKey;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits_only = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = if digits_only { text.parse().ok() } else { None };
        number.map(Self).ok_or_else(|| InvalidHashKey { text: text.to_owned() })
    }
}

impl fmt::Display for HashKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "HashKey({})", self.0)
    }
}

// === impl ShardId, SequenceNumber ===

macro_rules! shared_text {
    ($type:ident) => {
        impl $type {
            /// The text as the service wrote it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl From<&str> for $type {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }
        impl From<String> for $type {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }
    };
}
shared_text!(ShardId);
shared_text!(SequenceNumber);

macro_rules! shown_as_text {
    ($type:ident) => {
        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), formatter)
            }
        }
    };
}
shown_as_text!(ShardId);
shown_as_text!(SequenceNumber);

// === impl Moment ===

impl Moment {
    /// The clock's origin.
    pub const ORIGIN: Self = Self(0);
    /// A moment that never comes.
    pub const NEVER: Self = Self(u64::MAX);

    /// The moment `since_origin` after the clock's origin.
    #[must_use]
    pub fn after_origin(since_origin: Duration) -> Self {
        Self::ORIGIN.plus(since_origin)
    }

    /// This moment and `duration` later; [`Moment::NEVER`] when that is beyond what can be counted.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanoseconds))
    }

    /// This moment and `duration` earlier, at the earliest the origin.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(nanoseconds))
    }

    /// How long `earlier` is past; zero when it is not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_of_partition_key_is_the_big_endian_md5() {
        for (key, number) in [
            ("abcd", 301_716_283_811_389_038_011_477_436_469_853_762_335),
            ("pk", 38_317_986_088_707_300_215_492_326_132_921_849_533),
            ("a", 16_955_237_001_963_240_173_058_271_559_858_726_497),
            ("partitionKey", 193_318_062_818_912_349_798_954_611_745_638_949_166),
        ] {
            assert_eq!(HashKey::of_partition_key(key), HashKey(number), "{key}");
        }
    }

    #[test]
    fn the_fast_md5_is_md5() {
        use md5::{Digest, Md5};
        let mut random = fastrand::Rng::with_seed(11);
        for length in (0..1_000).chain([4_095, 4_096, 51_200, 1 << 20]) {
            let bytes: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(length).collect();
            assert_eq!(fast_md5::digest(&bytes)[..], Md5::digest(&bytes)[..], "{length} bytes");
        }
    }

    #[test]
    fn hash_keys_are_read_as_decimal_numbers() {
        let maximum = u128::MAX.to_string();
        assert_eq!("007".parse(), Ok(HashKey(7)));
        assert_eq!(maximum.parse(), Ok(HashKey::MAX));
        for bad in ["", "-1", "+1", "1e3", " 1", "340282366920938463463374607431768211456"] {
            assert!(bad.parse::<HashKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn moments_saturate() {
        let second = Duration::from_secs(1);
        assert_eq!(Moment::NEVER.plus(second), Moment::NEVER);
        assert_eq!(Moment::ORIGIN.plus(Duration::MAX), Moment::NEVER);
        assert_eq!(Moment::ORIGIN.since(Moment::NEVER), Duration::ZERO);
        assert_eq!(Moment::ORIGIN.plus(second).since(Moment::ORIGIN), second);
    }
}
