//! Reading an aggregated record, on bytes from anywhere.
//!
//! Invariant: any input gives an answer, in time proportional to its size and with memory of at most
//! [`MEMORY_FACTOR`] times it. Of compressed input that is the size when decompressed, which has a limit of its own.

use std::sync::Arc;

use bytes::Bytes;

use super::wire::{Fields, Malformed, Value};
use super::{DEDUP_TAG_KEY, DIGEST_BYTES, MAGIC};
use crate::compression::decompress;
use crate::dedup_id::DedupId;
use crate::types::HashKey;

/// Bytes that decoding allocates for each byte of the input, at most: reached by hostile input of nothing but empty
/// records under keys of their own.
pub const MEMORY_FACTOR: usize = 24;

/// Bytes of a record with an index below 128 and no data.
const SMALLEST_RECORD_BYTES: usize = 6;

/// The longest text that is read as an explicit hash key: 39 digits are needed, the rest can only be zeros. The bound
/// keeps many records that name one endless text from costing its length each.
const HASH_KEY_TEXT_BYTES: usize = 128;

/// What the data of a Kinesis record turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// An aggregated record, maybe compressed: its user records in order. From
    /// [`decode_in_shard`](super::decode_in_shard) without records when the aggregate was dropped.
    Aggregated(Vec<DecodedRecord>),
    /// A lone record that was compressed: its data.
    Decompressed(Bytes),
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
    /// What the record is recognised by when it arrives twice, where it has such a tag.
    pub dedup_id: Option<DedupId>,
}

/// Why data is no aggregated record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// It does not begin with the magic bytes, or is too short to hold a message.
    #[error("it does not begin as an aggregated record does")]
    NotAggregated,
    /// The message is not the one that was digested.
    #[error("the MD5 digest is not that of the message")]
    WrongDigest,
    /// What stands between magic and digest is no protobuf message.
    #[error("the message is not well formed")]
    Malformed,
    /// A record lacks its partition key index or its data, or a tag lacks its key.
    #[error("a required field is missing")]
    MissingField,
    /// A record names a key that the tables do not hold.
    #[error("an index points outside its table")]
    IndexOutOfRange,
    /// A partition key is not UTF-8.
    #[error("a partition key is not UTF-8")]
    InvalidPartitionKey,
    /// An explicit hash key is not a decimal number from 0 to 2^128-1.
    #[error("an explicit hash key is not a decimal number from 0 to 2^128-1")]
    InvalidHashKey,
}

/// Where something stands in the message.
type Span = (u32, u32);

/// The fields of the message.
struct Message<'a> {
    bytes: &'a Bytes,
    partition_keys: Vec<PartitionKey>,
    hash_keys: Vec<Span>,
    records: usize,
}

/// A partition key: copied when it is first used, and then shared, so that hostile input cannot multiply it.
enum PartitionKey {
    Unused(Span),
    Used(Arc<str>),
}

/// One record's fields as they were found.
#[derive(Default)]
struct RecordFields {
    partition_key: Option<u64>,
    hash_key: Option<u64>,
    data: Option<(usize, usize)>,
    dedup_id: Option<DedupId>,
}

/// Takes the data of a Kinesis record apart, as the KCL does, after undoing [compression](crate::compression).
///
/// Where the KCL is left with a part of the records (an index outside its table) or takes something else for a key
/// (bytes that are not UTF-8), the whole record is [`Decoded::Plain`], so that no byte of it is lost to the reader.
///
/// It knows no shard, so it returns also the members of an aggregate that the KCL drops and the producer sends again.
/// Read a stream with [`decode_in_shard`](super::decode_in_shard).
#[must_use]
pub fn decode(data: &Bytes) -> Decoded {
    match decompress(data) {
        Ok(None) => decode_strict(data).map_or(Decoded::Plain, Decoded::Aggregated),
        Ok(Some(data)) => decode_strict(&data).map_or(Decoded::Decompressed(data), Decoded::Aggregated),
        Err(_) => Decoded::Plain,
    }
}

/// The same for data that is not compressed (see [`decompress`]), but says what is wrong.
///
/// # Errors
///
/// [`DecodeError`]: what is first found to be wrong. Nothing of a record that is wrong anywhere is returned.
pub fn decode_strict(data: &Bytes) -> Result<Vec<DecodedRecord>, DecodeError> {
    if data.len() <= MAGIC.len() + DIGEST_BYTES || !data.starts_with(&MAGIC) {
        return Err(DecodeError::NotAggregated);
    }
    let end = data.len() - DIGEST_BYTES;
    let message = data.slice(MAGIC.len()..end);
    if fast_md5::digest(&message)[..] != data[end..] {
        return Err(DecodeError::WrongDigest);
    }
    Message::read(&message)?.into_records()
}

// === impl Message ===

impl<'a> Message<'a> {
    /// Finds the tables and counts the records. The tables may stand anywhere in the message.
    fn read(bytes: &'a Bytes) -> Result<Self, DecodeError> {
        // Spans are u32; a Kinesis record has 10 MiB at most.
        u32::try_from(bytes.len()).map_err(|_| DecodeError::Malformed)?;
        let [mut partition_keys, mut hash_keys, mut records] = [0; 3];
        each_part(bytes, |number, _| {
            match number {
                1 => partition_keys += 1,
                2 => hash_keys += 1,
                3 => records += 1,
                _ => {}
            }
            Ok(())
        })?;
        let partition_keys = Vec::with_capacity(partition_keys);
        let mut message = Self { bytes, partition_keys, hash_keys: Vec::with_capacity(hash_keys), records };
        each_part(bytes, |number, (start, end)| {
            let span = (start as u32, end as u32);
            match number {
                1 => message.partition_keys.push(PartitionKey::Unused(span)),
                2 => message.hash_keys.push(span),
                _ => {}
            }
            Ok(())
        })?;
        Ok(message)
    }

    fn into_records(mut self) -> Result<Vec<DecodedRecord>, DecodeError> {
        // Broken ones can be shorter, and many; room for them would be wasted.
        let most = self.bytes.len() / SMALLEST_RECORD_BYTES;
        let mut records = Vec::with_capacity(self.records.min(most));
        let bytes = self.bytes;
        each_part(bytes, |number, span| {
            if number == 3 {
                records.push(self.record(RecordFields::read(bytes, span)?)?);
            }
            Ok(())
        })?;
        Ok(records)
    }

    fn record(&mut self, fields: RecordFields) -> Result<DecodedRecord, DecodeError> {
        let RecordFields { partition_key, hash_key, data, dedup_id } = fields;
        let (Some(partition_key), Some((start, end))) = (partition_key, data) else {
            return Err(DecodeError::MissingField);
        };
        Ok(DecodedRecord {
            partition_key: self.partition_key(partition_key)?,
            explicit_hash_key: hash_key.map(|index| self.hash_key(index)).transpose()?,
            data: self.bytes.slice(start..end),
            dedup_id,
        })
    }

    fn partition_key(&mut self, index: u64) -> Result<Arc<str>, DecodeError> {
        let slot = usize::try_from(index).ok().and_then(|index| self.partition_keys.get_mut(index));
        let slot = slot.ok_or(DecodeError::IndexOutOfRange)?;
        if let PartitionKey::Unused((start, end)) = *slot {
            let text = std::str::from_utf8(&self.bytes[start as usize..end as usize]);
            *slot = PartitionKey::Used(text.map_err(|_| DecodeError::InvalidPartitionKey)?.into());
        }
        match slot {
            PartitionKey::Used(key) => Ok(Arc::clone(key)),
            PartitionKey::Unused(_) => Err(DecodeError::InvalidPartitionKey),
        }
    }

    fn hash_key(&self, index: u64) -> Result<HashKey, DecodeError> {
        let span = usize::try_from(index).ok().and_then(|index| self.hash_keys.get(index));
        let &(start, end) = span.ok_or(DecodeError::IndexOutOfRange)?;
        let text = &self.bytes[start as usize..end as usize];
        if text.len() > HASH_KEY_TEXT_BYTES {
            return Err(DecodeError::InvalidHashKey);
        }
        let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        number.ok_or(DecodeError::InvalidHashKey)
    }
}

/// Calls `each` with the number and place of every length-delimited field of the message.
fn each_part(
    bytes: &[u8],
    mut each: impl FnMut(u32, (usize, usize)) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let mut fields = Fields::new(bytes, (0, bytes.len()));
    while let Some(field) = fields.next()? {
        if let Value::Span(start, end) = field.value {
            each(field.number, (start, end))?;
        }
    }
    Ok(())
}

// === impl RecordFields ===

impl RecordFields {
    /// As in every protobuf reader, the last of several values of a field counts, and what is not known is skipped.
    fn read(bytes: &[u8], span: (usize, usize)) -> Result<Self, DecodeError> {
        let mut found = Self::default();
        let mut fields = Fields::new(bytes, span);
        while let Some(field) = fields.next()? {
            match (field.number, field.value) {
                (1, Value::Varint(index)) => found.partition_key = Some(index),
                (2, Value::Varint(index)) => found.hash_key = Some(index),
                (3, Value::Span(start, end)) => found.data = Some((start, end)),
                (4, Value::Span(start, end)) => {
                    found.dedup_id = dedup_id(bytes, (start, end))?.or(found.dedup_id);
                }
                _ => {}
            }
        }
        Ok(found)
    }
}

/// The dedup id in a tag, where it is one.
fn dedup_id(bytes: &[u8], span: (usize, usize)) -> Result<Option<DedupId>, DecodeError> {
    let (mut key, mut value) = (None, None);
    let mut fields = Fields::new(bytes, span);
    while let Some(field) = fields.next()? {
        match (field.number, field.value) {
            (1, Value::Span(start, end)) => key = Some(&bytes[start..end]),
            (2, Value::Span(start, end)) => value = Some(&bytes[start..end]),
            _ => {}
        }
    }
    if key.ok_or(DecodeError::MissingField)? != DEDUP_TAG_KEY.as_bytes() {
        return Ok(None);
    }
    let text = value.and_then(|value| std::str::from_utf8(value).ok());
    Ok(text.and_then(|text| DedupId::new(text).ok()))
}

impl From<Malformed> for DecodeError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}
