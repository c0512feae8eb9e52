//! Reading an aggregated record, on bytes from anywhere.
//!
//! Invariant: any input gives an answer; memory stays within a small multiple of the input's size.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message;

use super::{DIGEST_BYTES, MAGIC};
use crate::types::HashKey;

/// What the data of a Kinesis record turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// An aggregated record: its user records in order.
    Aggregated(Vec<DecodedRecord>),
    /// Anything else: no magic, wrong digest, or a broken message. The KCL passes such a record on as it is; so
    /// should every reader.
    Plain,
}

/// One user record of an aggregated record. `data` shares the aggregate's buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodedRecord {
    /// The user's partition key; records under one key share its text.
    pub partition_key: Arc<str>,
    /// The user's explicit hash key, where the record had one.
    pub explicit_hash_key: Option<HashKey>,
    /// The payload.
    pub data: Bytes,
}

#[derive(Clone, PartialEq, Message)]
struct AggregatedRecordMessage {
    #[prost(string, repeated, tag = "1")]
    partition_key_table: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    explicit_hash_key_table: Vec<String>,
    #[prost(message, repeated, tag = "3")]
    records: Vec<RecordMessage>,
}

// Optional although the format says required: prost would let a missing field pass as zero.
#[derive(Clone, PartialEq, Message)]
struct RecordMessage {
    #[prost(uint64, optional, tag = "1")]
    partition_key_index: Option<u64>,
    #[prost(uint64, optional, tag = "2")]
    explicit_hash_key_index: Option<u64>,
    #[prost(bytes = "bytes", optional, tag = "3")]
    data: Option<Bytes>,
}

/// Takes the data of a Kinesis record apart.
///
/// An index outside its table or a missing required field makes the whole record [`Decoded::Plain`], so that no byte
/// of it is lost to the reader.
#[must_use]
pub fn decode(data: &Bytes) -> Decoded {
    try_decode(data).map_or(Decoded::Plain, Decoded::Aggregated)
}

fn try_decode(data: &Bytes) -> Option<Vec<DecodedRecord>> {
    if data.len() <= MAGIC.len() + DIGEST_BYTES || !data.starts_with(&MAGIC) {
        return None;
    }
    let end = data.len() - DIGEST_BYTES;
    let message = data.slice(MAGIC.len()..end);
    if fast_md5::digest(&message)[..] != data[end..] {
        return None;
    }
    let message = AggregatedRecordMessage::decode(message).ok()?;
    // One copy of each key, however many records name it: hostile input cannot multiply a long key.
    let partition_keys: Vec<Arc<str>> =
        message.partition_key_table.iter().map(|key| key.as_str().into()).collect();
    let mut records = Vec::with_capacity(message.records.len());
    for record in message.records {
        let partition_key = usize::try_from(record.partition_key_index?).ok()?;
        let explicit_hash_key = match record.explicit_hash_key_index {
            None => None,
            Some(index) => {
                let text = message.explicit_hash_key_table.get(usize::try_from(index).ok()?)?;
                Some(text.parse().ok()?)
            }
        };
        records.push(DecodedRecord {
            partition_key: partition_keys.get(partition_key)?.clone(),
            explicit_hash_key,
            data: record.data?,
        });
    }
    Some(records)
}
