//! The KPL's aggregated record: many user records in the data of one Kinesis record.
//!
//! Magic bytes `F3 89 9A C2`, a protobuf message, and the MD5 of exactly the message's bytes. The message holds the
//! distinct partition keys (field 1), the distinct explicit hash keys as decimal text (field 2) and the records
//! (field 3), which name their keys by index (field 1 and 2), carry their data (field 3) and, if they have a dedup id, one
//! tag (field 4) with the key [`DEDUP_TAG_KEY`] and the id as its value. The format reserves tags for such uses, and
//! readers that do not know them skip them.
//!
//! # Reading a shard
//!
//! A reader of a shard uses [`decode_in_shard`], with the hash key range of the shard that it reads. It applies the
//! KCL's rule: an aggregate of which a single member has a hash key (explicit, or else the MD5 of its partition key)
//! outside the range is dropped whole. The producer sends the members of such an aggregate again, so a reader without
//! this rule sees them twice. [`decode()`] is for data whose shard does not matter: tools that look at bytes, tests.
//! [`crate::dedup`] has all rules of a reader, with an example.
//!
//! Invariant: what [`AggregateEncoder`] writes, [`decode()`] reads back in the same order, and every KPL consumer
//! reads the same.

mod decode;
mod encode;
mod in_shard;
mod wire;

pub use decode::{DecodeError, Decoded, DecodedRecord, MEMORY_FACTOR, decode, decode_strict};
pub use encode::{AggregateEncoder, Refused};
pub(crate) use encode::{frame_alone, framed_bytes};
pub use in_shard::decode_in_shard;

/// The first four bytes of an aggregated record.
pub const MAGIC: [u8; 4] = [0xF3, 0x89, 0x9A, 0xC2];

/// Bytes of the MD5 behind the message.
pub const DIGEST_BYTES: usize = 16;

/// The key of the tag that carries a record's dedup id.
pub const DEDUP_TAG_KEY: &str = "kpl.id";

/// The partition key under which the KPL sends an aggregated record; the explicit hash key decides its shard.
pub const AGGREGATE_PARTITION_KEY: &str = "a";

#[cfg(test)]
mod oracle_tests;
#[cfg(test)]
mod tests;
